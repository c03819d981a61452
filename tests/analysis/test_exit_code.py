"""The exit code: the first of what applies, in DESIGN's order."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from swell.analysis.exit_code import exit_code
from swell.document import Reason, ReasonCode, ResultDocument, State, ThresholdSummary, Verdict
from swell.stats.summary import summarise
from tests.analysis.runs import ended, run_merge
from tests.stats.segments import Call

FINE = summarise(ended(run_merge(calls=[Call()])))
LOST = Reason(ReasonCode.WORKER_LOST, "lost", own_fault=True)
SATURATED = Reason(ReasonCode.GENERATOR_SATURATED, "busy")


def changed(
    *,
    failures: int = 0,
    reasons: tuple[Reason, ...] = (),
    invalid: bool = False,
    ok: bool | None = True,
    end: str = "completed",
) -> ResultDocument:
    state = State.INVALID if invalid else State.DEGRADED if reasons else State.VALID
    return msgspec.structs.replace(
        FINE,
        run=msgspec.structs.replace(FINE.run, end=end),
        totals=msgspec.structs.replace(FINE.totals, failures=failures),
        verdict=Verdict(state, reasons),
        thresholds=(ThresholdSummary("p95 < 1s", ok, None if ok is None else 1.0, "ms"),),
    )


CASES = [
    ("all is well", FINE, {}, 0),
    ("stopped by Ctrl-C", changed(end="stopped"), {}, 0),
    ("requests failed", changed(failures=1), {}, 1),
    ("requests failed, and that is to be 7", changed(failures=1), {"on_failures": 7}, 7),
    ("requests failed, and that is to be nothing", changed(failures=1), {"on_failures": 0}, 0),
    ("requests failed, and a threshold judges them", changed(failures=1), {"threshold_on_errors": True}, 0),
    ("a threshold had too few samples", changed(ok=None), {}, 0),
    ("a threshold failed", changed(ok=False, failures=1), {}, 3),
    ("a threshold ended the run", changed(ok=False, end="threshold"), {}, 3),
    ("the generator was saturated", changed(reasons=(SATURATED,)), {}, 0),
    ("the generator was saturated, strictly", changed(reasons=(SATURATED,)), {"strict": True}, 5),
    ("requests failed goes before strict", changed(reasons=(SATURATED,), failures=1), {"strict": True}, 1),
    (
        "failures are nothing, but strict",
        changed(reasons=(SATURATED,), failures=1),
        {"strict": True, "on_failures": 0},
        5,
    ),
    ("a worker was lost goes before a threshold", changed(reasons=(LOST,), ok=False, failures=1), {}, 5),
    ("invalid", changed(reasons=(SATURATED,), invalid=True), {}, 5),
    ("could not be carried out", changed(end="failed", reasons=(LOST,)), {}, 4),
    ("there is no result", None, {}, 4),
    ("the plan is wrong", None, {"plan_wrong": True}, 2),
    ("interrupted twice", changed(end="failed"), {"interrupted_twice": True, "plan_wrong": True}, 130),
]


@pytest.mark.parametrize(("document", "options", "code"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_exit_code_is(document: ResultDocument | None, options: dict[str, bool | int], code: int) -> None:
    assert exit_code(document, **options) == code  # type: ignore[arg-type]


def test_in_every_combination_the_first_that_applies_wins() -> None:
    truths = (False, True)
    for twice, wrong, failed_run, lost, threshold, failures, strict in itertools.product(truths, repeat=7):
        document = changed(
            failures=int(failures),
            reasons=(LOST,) if lost else (SATURATED,),
            ok=not threshold,
            end="failed" if failed_run else "completed",
        )
        order = [(twice, 130), (wrong, 2), (failed_run, 4), (lost, 5), (threshold, 3), (failures, 1), (strict, 5)]
        expected = next((code for applies, code in order if applies), 0)
        assert exit_code(document, interrupted_twice=twice, plan_wrong=wrong, strict=strict) == expected
