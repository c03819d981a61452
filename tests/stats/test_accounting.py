"""Whether every exchange is accounted for, worker by worker."""

from __future__ import annotations

import pytest

from swell.result import WorkerResult
from swell.segment import Counters
from swell.stats.accounting import died, unaccounted, unanswered

COUNTERS = Counters(sent=100, answered=90, unanswered=4)


def worker(**changed: object) -> WorkerResult:
    return WorkerResult(worker=0, incarnation=1, counters=COUNTERS, reported_s=10.0, **changed)  # type: ignore[arg-type]


CASES = {
    "runs: six are in flight": (worker(), 4, 0),
    "ended and left six without an outcome": (worker(final=True), 4, 6),
    "died, its ring was read: what was in flight is unanswered": (worker(lost_at_s=10.5, recovered=True), 10, 0),
    "died, and its ring was read to the end": (worker(lost_at_s=10.5, recovered=True, final=True), 10, 0),
    "died without a trace 0.5 s after its last report, at 10 a second": (worker(lost_at_s=10.5), 10, 5),
    "was seen to leave after it had ended": (worker(lost_at_s=12.0, final=True), 4, 6),
    "ended, but reports with seven calls never came": (worker(calls_missing=7), 4, 7),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_worker_leaves_unanswered_and_unaccounted(case: str) -> None:
    found, expected_unanswered, expected_unaccounted = CASES[case]
    assert (unanswered(found), unaccounted(found)) == (expected_unanswered, expected_unaccounted)


def test_answered_and_unanswered_never_exceed_what_was_sent() -> None:
    for found, _, _ in CASES.values():
        assert found.counters.answered + unanswered(found) <= found.counters.sent


def test_a_worker_that_died_before_it_reported_leaves_no_number_to_guess_from() -> None:
    gone = WorkerResult(worker=0, incarnation=1, joined_s=3.0, reported_s=3.0, lost_at_s=4.0)
    assert (died(gone), unaccounted(gone)) == (True, 0)
