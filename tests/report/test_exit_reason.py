"""What a quiet run says of its exit code."""

from __future__ import annotations

import msgspec
import pytest

from swell.analysis.exit_code import ExitCode
from swell.document import Reason, ReasonCode, ResultDocument, State, ThresholdSummary, Verdict
from swell.report.exit_reason import exit_reasons
from swell.stats.summary import summarise
from tests.report import sample_results


def document() -> ResultDocument:
    """A run with 24 failures that missed one of three thresholds, is invalid, and failed."""
    whole = summarise(sample_results.ended())
    thresholds = (
        ThresholdSummary("p95 < 300ms", True, 12.0, "ms"),
        ThresholdSummary("p50 < 1ms", False, 3.105, "ms"),
        ThresholdSummary("p99 < 1s", None, None, "ms", "too few samples"),
    )
    late = Reason(ReasonCode.SCHEDULE_LATE, "planned starts were late")
    run = msgspec.structs.replace(whole.run, end="failed", end_text="Tides.tick() failed: \x1b[31m")
    verdict = Verdict(State.INVALID, (late,))
    return msgspec.structs.replace(whole, run=run, thresholds=thresholds, verdict=verdict)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (ExitCode.OK, []),
        (ExitCode.REQUESTS_FAILED, ["24 of 2,024 requests failed"]),
        (ExitCode.THRESHOLD_FAILED, ["threshold p50 < 1ms was not met: 3.105 ms"]),
        (ExitCode.RUN_FAILED, [r"the run failed: Tides.tick() failed: \x1b[31m"]),
        (ExitCode.DEGRADED, ["invalid: schedule_late: planned starts were late"]),
    ],
)
def test_each_exit_code_has_its_reason(code: int, said: list[str]) -> None:
    assert exit_reasons(document(), code) == said


def test_a_code_of_the_script_without_failures_has_none() -> None:
    whole = summarise(sample_results.ended())
    calm = msgspec.structs.replace(whole, totals=msgspec.structs.replace(whole.totals, failures=0))
    assert exit_reasons(calm, 7) == []
