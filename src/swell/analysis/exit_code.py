"""How a run ends as seen by a shell: one number, the highest of what applies.

130  interrupted twice
  2  the plan or the command line is wrong
  4  the run could not be carried out
  5  degraded by loss, or by load not reached through the generator's own fault; or invalid
  3  a threshold failed
  1  requests failed (not used where the plan has a threshold on errors)
  5  with --strict, any degradation
  0  otherwise
"""

from __future__ import annotations

import enum

from swell.document import ResultDocument, State
from swell.result import End


class ExitCode(enum.IntEnum):
    """What a shell sees."""

    OK = 0
    REQUESTS_FAILED = 1
    PLAN_WRONG = 2
    THRESHOLD_FAILED = 3
    RUN_FAILED = 4
    DEGRADED = 5
    INTERRUPTED_TWICE = 130


def exit_code(
    document: ResultDocument | None,
    *,
    interrupted_twice: bool = False,
    plan_wrong: bool = False,
    strict: bool = False,
    on_failures: int | None = None,
    threshold_on_errors: bool = False,
) -> int:
    """The exit code of a run; `document` is None where there was none. `on_failures` takes the place of the 1 for
    failed requests."""
    if interrupted_twice:
        return ExitCode.INTERRUPTED_TWICE
    if plan_wrong:
        return ExitCode.PLAN_WRONG
    if document is None or document.run.end == End.FAILED.value:
        return ExitCode.RUN_FAILED
    if document.verdict.state is State.INVALID or any(reason.own_fault for reason in document.verdict.reasons):
        return ExitCode.DEGRADED
    if any(threshold.ok is False for threshold in document.thresholds):
        return ExitCode.THRESHOLD_FAILED
    return _code_of_failures(document, strict, on_failures, threshold_on_errors)


def _code_of_failures(document: ResultDocument, strict: bool, on_failures: int | None, thresholded: bool) -> int:
    code = ExitCode.REQUESTS_FAILED if on_failures is None else on_failures
    if document.totals.failures and not thresholded and code:
        return code
    if strict and document.verdict.state is not State.VALID:
        return ExitCode.DEGRADED
    return ExitCode.OK
