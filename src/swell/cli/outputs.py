"""The files that a result is written to: by `swell run` at its end, by `swell report` whenever it is asked.

A format is a pure function of a result and its document, and one line in `OUTPUTS`; its option is in `options.py`. What
renders it is imported when it is needed.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from swell.cli import options
from swell.cli.checks import output_problems
from swell.cli.option import Option
from swell.cli.settings import Settings
from swell.cli.streams import document_stream
from swell.document import ResultDocument
from swell.errors import Problem, RunFailed
from swell.report.html_assets import asset_problems
from swell.result import RunResult

STDOUT = "-"
Render = Callable[[RunResult, ResultDocument], Mapping[str, bytes]]
"""The contents of the files that a format consists of, by what is put behind the path that was given."""


@dataclasses.dataclass(frozen=True, slots=True)
class Output:
    """A format. One that consists of several files lists their endings, and cannot go to standard output."""

    option: Option[str]
    render: Render
    endings: tuple[str, ...] = ("",)
    obstacles: Callable[[str], list[Problem]] = lambda flag: []
    """Why this swell cannot make it at all."""

    @property
    def fits_stdout(self) -> bool:
        """Whether `-` stands for standard output."""
        return self.endings == ("",)


def _json(result: RunResult, document: ResultDocument) -> Mapping[str, bytes]:
    from swell.report.json_document import to_json

    return {"": to_json(document)}


def _html(result: RunResult, document: ResultDocument) -> Mapping[str, bytes]:
    from swell.report.html_page import to_html

    return {"": to_html(result, document).encode()}


def _csv(result: RunResult, document: ResultDocument) -> Mapping[str, bytes]:
    from swell.report.locust_csv import to_csv

    return to_csv(result, document)


def _junit(result: RunResult, document: ResultDocument) -> Mapping[str, bytes]:
    from swell.report.junit_xml import to_junit

    return {"": to_junit(result, document)}


def _hdr(result: RunResult, document: ResultDocument) -> Mapping[str, bytes]:
    from swell.report.hdr_log import to_hdr_log

    return {"": to_hdr_log(result, document)}


CSV_ENDINGS = ("_stats.csv", "_stats_history.csv", "_failures.csv", "_exceptions.csv")

OUTPUTS: tuple[Output, ...] = (
    Output(options.JSON, _json),
    Output(options.HTML, _html, obstacles=asset_problems),
    Output(options.CSV, _csv, endings=CSV_ENDINGS),
    Output(options.JUNIT, _junit),
    Output(options.HDR, _hdr),
)


OF_REPORT: tuple[Option[object], ...] = (*(output.option for output in OUTPUTS), options.STORE)
"""What `swell report` takes."""


@dataclasses.dataclass(frozen=True, slots=True)
class Outputs:
    """What is to be written where."""

    wanted: tuple[tuple[Output, str], ...] = ()

    @property
    def to_stdout(self) -> bool:
        """Standard output is for one of them alone."""
        return any(output.fits_stdout and path == STDOUT for output, path in self.wanted)

    def problems(self, kept: Mapping[str, str]) -> list[Problem]:
        """Why a file cannot be written, each with the option that asks for it. `kept`: files used otherwise."""
        found: list[Problem] = []
        takers = {os.path.realpath(path): what for path, what in kept.items()}
        for output, path in self.wanted:
            flag = output.option.flag
            found += output.obstacles(flag)
            if path == STDOUT and not output.fits_stdout:
                found.append(Problem("several files cannot go to standard output", flag))
                continue
            for file in _files(output, path):
                place = file if file == STDOUT else os.path.realpath(file)
                if place in takers:
                    found.append(Problem(f"{file!r} is {takers[place]}", flag))
                else:
                    found += output_problems(flag, file)
                takers.setdefault(place, f"to be written by {flag} too")
        return found

    def write(self, result: RunResult, document: ResultDocument) -> None:
        """Write all of them, whatever becomes of the others. Raises RunFailed with what could not be written."""
        from swell.report.writing import write_whole

        faults = []
        for output, path in self.wanted:
            try:
                for ending, data in output.render(result, document).items():
                    write_whole(data, document_stream() if path == STDOUT else Path(path + ending))
            except RunFailed as fault:
                faults.append(str(fault))
        if faults:
            raise RunFailed("\n".join(faults))


def wanted(settings: Settings) -> Outputs:
    """The outputs that the settings of a command ask for."""
    asked = ((output, settings[output.option]) for output in OUTPUTS)
    return Outputs(tuple((output, path) for output, path in asked if path))


def _files(output: Output, path: str) -> Iterator[str]:
    yield from (path + ending for ending in output.endings)
