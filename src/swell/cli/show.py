"""`swell show RUN` and `swell report RUN`: a stored run on the terminal, and in any of the formats of results."""

from __future__ import annotations

import math
import sys

from swell.cli import options, store_options
from swell.cli.outputs import OUTPUTS, Outputs
from swell.cli.settings import Settings
from swell.cli.storing import kept_files, store_path
from swell.cli.thresholds import judged_anew
from swell.document import ResultDocument
from swell.errors import PlanError, Problem
from swell.result import RunResult
from swell.store.reader import Store, StoredRun, open_store


def show(settings: Settings, word: str) -> int:
    """Print a run, or a stretch of it."""
    with open_store(store_path(settings)) as store:
        run, result, document = _loaded(store, word)
    stretch = _stretch(settings, result)
    if settings[options.AS_JSON]:
        return _print_json(result, document, stretch)
    from swell.report.console import open_console
    from swell.report.stored_run import stored_report, stretch_report

    console = open_console(sys.stdout)
    if stretch is None:
        console.print(stored_report(run, document, console.width))
        return 0
    from swell.stats.window_document import summarise_window
    from swell.stats.windows import window

    part = window(result, *stretch)
    document = summarise_window(result, *stretch)
    console.print(stretch_report(run, document, part.from_s, part.to_s, console.width))
    return 0


def report(settings: Settings, word: str) -> int:
    """Write a run in the formats that the options ask for."""
    asked = ((output, settings[output.option]) for output in OUTPUTS)
    outputs = Outputs(tuple((output, path) for output, path in asked if path))
    if not outputs.wanted:
        flags = ", ".join(f"{output.option.flag} {output.option.shown_metavar}" for output in OUTPUTS)
        raise PlanError([Problem("no format is asked for", "swell report", f"any of {flags}")])
    if problems := outputs.problems(kept_files(store_path(settings))):
        raise PlanError(problems)
    with open_store(store_path(settings)) as store:
        _, result, document = _loaded(store, word)
    outputs.write(result, document)
    return 0


def _loaded(store: Store, word: str) -> tuple[StoredRun, RunResult, ResultDocument]:
    """The run that a word means, its result, and its document: the one that `swell run` had at its end."""
    from swell.stats.summary import summarise

    run = store.find(word)
    result = store.load(run.id)
    return run, result, summarise(result, store.thresholds(run.id) or judged_anew(store, result))


def _stretch(settings: Settings, result: RunResult) -> tuple[int, int] | None:
    """From which second to which the run is to be shown; None: all of it."""
    from_s, to_s = settings[store_options.FROM], settings[store_options.TO]
    if not settings.is_given(store_options.FROM) and to_s is None:
        return None
    end_s = max(result.at_s, result.duration_s)
    problems = [
        Problem(f"{value:g} s is no instant of the run, which took {end_s:.1f} s", flag)
        for flag, value, most in (
            (store_options.FROM.flag, from_s, end_s),
            (store_options.TO.flag, to_s or 0.0, math.inf),
        )
        if not 0 <= value <= most or math.isinf(value)
    ]
    if not problems and to_s is not None and from_s >= to_s:
        problems = [Problem(f"{from_s:g} s is not before --to, {to_s:g} s", store_options.FROM.flag)]
    if problems:
        raise PlanError(problems)
    return int(from_s), math.ceil(end_s if to_s is None else min(to_s, max(end_s, from_s + 1)))


def _print_json(result: RunResult, document: ResultDocument, stretch: tuple[int, int] | None) -> int:
    from swell.cli.streams import document_stream
    from swell.report.json_document import to_json
    from swell.report.writing import write_whole

    if stretch is None:
        write_whole(to_json(document), document_stream())
        return 0
    from swell.stats.window_document import window_document

    write_whole(to_json(window_document(result, *stretch)), document_stream())
    return 0
