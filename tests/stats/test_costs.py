"""What the loss of a worker cost, and which seconds it affected."""

import msgspec
import pytest

from swell.document import ArrivalSummary, Stretch
from swell.result import HealthSpan, RunResult, WorkerResult
from swell.segment import Health
from swell.stats.costs import Cost, costs, is_affected, joined
from swell.stats.summary import summarise
from tests.report import sample_results
from tests.stats.segments import Call, segment


def of(*workers: WorkerResult) -> RunResult:
    return msgspec.structs.replace(sample_results.ended(), workers=workers, duration_s=30.0)


def worker(**changed: object) -> WorkerResult:
    return WorkerResult(worker=0, incarnation=1, arrived=100, reported_s=10.0, **changed)  # type: ignore[arg-type]


def not_started(count: int) -> list[ArrivalSummary]:
    return [ArrivalSummary(scenarios=("A",), planned=1_000, started=1_000 - count, dropped=0, not_started=count)]


STILL = HealthSpan(3.2, 7.4, Health(loop_lag_max_ms=4_100))
CASES = {
    "runs to the end": (worker(), Cost()),
    "left in good order": (worker(left_s=12.0, final=True), Cost()),
    "was killed, and its successor is there": (
        worker(lost_at_s=10.25, taken_over_s=11.5, recovered=True),
        Cost(1.5, 15, (Stretch(10, 12),)),
    ),
    "fell silent, and others have what it had": (
        worker(lost_at_s=25.0, taken_over_s=25.5),
        Cost(15.5, 155, (Stretch(10, 26),)),
    ),
    "was lost for good": (worker(lost_at_s=25.0), Cost(20.0, 200, (Stretch(10, 30),))),
    "reported after it had been lost": (
        msgspec.structs.replace(worker(lost_at_s=25.0, taken_over_s=25.5, final=True), reported_s=40.0),
        Cost(0.5, 2, (Stretch(25, 26),)),
    ),
    "was lost after the end": (
        msgspec.structs.replace(worker(lost_at_s=31.5), reported_s=31.0),
        Cost(0.0, 0, (Stretch(31, 32),)),
    ),
    "stood still": (worker(health=(STILL,)), Cost(affected=(Stretch(3, 8),))),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_loss_costs(case: str) -> None:
    one, cost = CASES[case]
    assert costs(of(one), not_started(500)) == [cost]


def test_no_more_arrivals_are_laid_to_losses_than_nobody_has_started() -> None:
    lost = worker(lost_at_s=10.0, taken_over_s=20.0)
    found = costs(of(lost, worker(), lost), not_started(130))
    assert [one.arrivals_not_started for one in found] == [100, 0, 30]


def test_stretches_that_touch_become_one() -> None:
    found = joined([Stretch(7, 9), Stretch(1, 3), Stretch(3, 5), Stretch(2, 4)])
    assert found == (Stretch(1, 5), Stretch(7, 9))
    assert [is_affected(found, second, second + 1) for second in range(8)] == [False, *[True] * 4, False, False, True]


def test_the_document_tells_of_each_worker_what_it_carried_and_of_each_second_whether_it_was_affected() -> None:
    merge = sample_results.new_merge(sample_results.plan(), workers=3)
    for one in sample_results.contest_segments(6):
        if one.worker == 0 or one.sequence <= 3:
            merge.apply(one)
    merge.apply(segment(1, [Call(0, 1, 1_000, 1_000)], worker=2, users=4, series=[(1, "/")]))
    merge.worker_carries(1, 1, 1_250.0)
    merge.worker_lost(1, 1, at_s=4.2, because="was killed by signal 9")
    merge.worker_taken_over(1, 1, at_s=4.7)
    merge.worker_left(2, 1, at_s=1.5)
    document = summarise(merge.snapshot(6.0))
    first, lost, left = document.workers
    assert (lost.lost_because, lost.capacity, lost.taken_over_s) == ("was killed by signal 9", 1_250.0, 4.7)
    assert lost.affected == (Stretch(3, 5),)
    assert lost.missing_s == pytest.approx(1.7)
    assert (left.left_s, left.requests, left.users_most, left.lost_at_s, left.affected) == (1.5, 1, 4, None, ())
    assert sum(one.requests for one in document.workers) == document.totals.requests
    assert sum(one.requests_share for one in document.workers) == pytest.approx(1.0)
    assert (first.users_most, first.affected) == (10, ())
    assert [point.t_s for point in document.timeline if point.affected] == [3, 4]


def test_what_nobody_had_when_the_controller_died_is_with_others_when_it_is_back() -> None:
    merge = sample_results.new_merge(sample_results.plan())
    merge.worker_lost(1, 1, at_s=4.0, because="has not been heard for 15 s")
    merge.controller_restarted(5.0, 7.5)
    kept, lost = merge.snapshot(9.0).workers
    assert (kept.taken_over_s, lost.taken_over_s) == (None, 7.5)
