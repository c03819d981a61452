"""Why a run that showed nothing ends with another exit code than 0, a line each."""

from __future__ import annotations

from collections.abc import Iterator

from swell.analysis.exit_code import ExitCode
from swell.document import ResultDocument, State
from swell.report.figures import count_text
from swell.report.wording import visible
from swell.result import End
from swell.stats.thresholds.finding import value_text


def exit_reasons(document: ResultDocument, code: int) -> list[str]:
    """What led to the code; nothing where the script has set it, or all went well."""
    return [visible(text) for text in _reasons(document, code)]


def _reasons(document: ResultDocument, code: int) -> Iterator[str]:
    run, totals = document.run, document.totals
    if code == ExitCode.RUN_FAILED and run.end == End.FAILED.value:
        yield f"the run failed: {run.end_text}"
    elif code == ExitCode.DEGRADED and document.verdict.state is not State.VALID:
        state = document.verdict.state.value
        yield from (f"{state}: {reason.code.value}: {reason.text}" for reason in document.verdict.reasons)
    elif code == ExitCode.THRESHOLD_FAILED:
        for threshold in document.thresholds:
            if threshold.ok is False:
                value = "" if threshold.value is None else f": {value_text(threshold.value, threshold.unit)}"
                yield f"threshold {threshold.expression} was not met{value}"
    elif code and totals.failures:
        yield f"{count_text(totals.failures)} of {count_text(totals.requests)} requests failed"
