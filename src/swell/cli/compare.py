"""`swell compare`: whether one stored run was faster or slower than another, and how sure that is."""

from __future__ import annotations

import dataclasses
import os
import sys

import msgspec

from swell.analysis.exit_code import ExitCode
from swell.cli import options
from swell.cli.printing import Printer
from swell.cli.settings import Layer, environment_layer, resolve
from swell.cli.storing import store_path
from swell.cli.streams import document_stream
from swell.errors import PlanError, Problem
from swell.result import End, RunResult
from swell.store.reader import INTERRUPTED, Store, StoredRun, open_store


def compare_stored(base: str, run: str, given: Layer) -> int:
    """Compare the runs that two words mean, print what was found, and return the exit code. `given` is what the command
    line says of the options."""
    known = options.options_of("compare")
    settings, problems = resolve(known, [given, environment_layer([options.STORE], os.environ)])
    if problems:
        raise PlanError([_with_advice(problem) for problem in problems])
    with open_store(store_path(settings)) as store:
        found = _found(store, base, run)
        results = [_result(store, one) for one in found]
    from swell.report.comparison_table import print_comparison
    from swell.report.console import open_console
    from swell.report.json_document import to_json
    from swell.stats.comparison.compare import compare

    comparison = compare(
        *results, names=[one.name for one in found], limit=settings[options.FAIL_IF_SLOWER], also=_differences(*found)
    )
    if settings[options.AS_JSON]:
        stream = document_stream()
        stream.write(to_json(comparison))
        stream.flush()
    else:
        printer = Printer(to_stderr=False)
        with printer.printing(printer.out):
            print_comparison(comparison, open_console(sys.stdout))
    return ExitCode.THRESHOLD_FAILED if comparison.gate and comparison.gate.failed else 0


def _found(store: Store, base: str, run: str) -> list[StoredRun]:
    """The runs that the words mean. Raises PlanError with what is wrong with either."""
    runs, problems = [], []
    for place, word in (("BASE", base), ("RUN", run)):
        try:
            runs.append(store.find(word))
        except PlanError as error:
            problems += [dataclasses.replace(problem, where=place) for problem in error.problems]
    if problems:
        raise PlanError(problems)
    return runs


def _result(store: Store, run: StoredRun) -> RunResult:
    """The result of a run. One that was interrupted has come to its end, though nobody wrote that down."""
    result = store.load(run.id)
    return msgspec.structs.replace(result, end=End.FAILED) if run.state == INTERRUPTED else result


def _differences(base: StoredRun, run: StoredRun) -> list[str]:
    """What the store knows of the two runs, beside what their results know."""
    found = []
    if base.script == run.script and base.script_sha256 != run.script_sha256:
        found.append(f"script: {base.script} has changed from one run to the other")
    for which, one in (("base", base), ("run", run)):
        if one.state == INTERRUPTED:
            found.append(f"{which} was interrupted after {one.at_s:.0f} s")
    return found


def _with_advice(problem: Problem) -> Problem:
    """The problem of a percentage that is the name of a run."""
    if problem.where != options.FAIL_IF_SLOWER.flag:
        return problem
    return dataclasses.replace(problem, hint="without a percentage it goes behind BASE and RUN")
