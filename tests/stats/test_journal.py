"""A merge made again from its journal: the same result, now and after whatever comes next."""

from __future__ import annotations

import datetime
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from swell.feed_plan import FeedCount
from swell.plan import Revision
from swell.result import End
from swell.segment import ErrorSample, ErrorSamples, ExceptionCount, Segment
from swell.stats.merge import RunMerge
from tests.report.sample_results import contest_segments, new_merge, plan
from tests.stats.segments import Call, segment
from tests.stats.worker_runs import NOON, PLAN, SECONDS, WorkerRun, runs


def again(merge: RunMerge) -> RunMerge:
    restored = RunMerge.restore(merge.journal())
    restored.check()
    return restored


def happen(merge: RunMerge) -> None:
    """All that can happen to a run besides reports."""
    merge.worker_joined(0, 1, host="here", capacity=0.5, at_s=0.25)
    merge.worker_lost(1, 1, at_s=2.5, because="was killed by signal 9")
    merge.revised(Revision(1, 1.0, 5, 2.0))
    merge.fed((FeedCount(name="users.csv", rows=10, used=3),))
    merge.controller_stalled(1.0, 2.5, "tick")
    merge.store_failed(3.0, "disk full")


@given(runs, st.randoms(), st.integers(0, 12))
@settings(max_examples=80, deadline=None)
def test_a_restored_merge_gives_the_same_result_now_and_after_what_comes_later(
    workers: tuple[WorkerRun, ...], random: Random, cut: int
) -> None:
    segments = [one for worker in workers for one in worker.segments]
    random.shuffle(segments)
    merge = RunMerge("run", PLAN, NOON)
    for one in segments[:cut]:
        merge.apply(one)
    happen(merge)
    restored = again(merge)
    assert restored.snapshot(SECONDS + 1.0) == merge.snapshot(SECONDS + 1.0)
    for each in (merge, restored):
        for one in segments:
            each.apply(one)
        each.ended(float(SECONDS), End.STOPPED, "enough")
        each.close()
    assert restored.snapshot() == merge.snapshot() == again(restored).snapshot()


def test_a_merge_that_nothing_was_reported_to_is_restored_too() -> None:
    merge = RunMerge("run", PLAN, NOON.astimezone(datetime.timezone(datetime.timedelta(hours=2))))
    assert again(merge).snapshot(1.0) == merge.snapshot(1.0)


def test_a_run_with_failures_and_exceptions_is_restored() -> None:
    merge = new_merge(plan())
    for one in contest_segments():
        merge.apply(one)
    merge.apply(segment(11, exceptions=[ExceptionCount("b", "line 1", 2), ExceptionCount("a", "line 2", 2)]))
    assert merge.snapshot().errors_seen
    assert again(merge).snapshot() == merge.snapshot()


def test_what_has_not_changed_is_handed_over_as_it_was() -> None:
    merge = RunMerge("run", PLAN, NOON)
    sample = ErrorSamples(1, 1, (ErrorSample(503, "u", "h", "b"),))
    failed = [Call(0, failed=True, error=1), Call(70)]
    merge.apply(segment(1, failed, series=[(1, "/")], errors=[(1, "HTTP 503")], error_samples=[sample], users=2))
    before = merge.journal()
    merge.apply(segment(2, [Call(70)], users=3, sealed_s=71.0))
    after = merge.journal()
    worker, later = before.workers[0, 1], after.workers[0, 1]
    assert after.blocks[0] is before.blocks[0]
    assert after.blocks[1] is not before.blocks[1]
    assert after.errors_seen[0] is before.errors_seen[0]
    assert after.samples[1, 1] is before.samples[1, 1]
    assert later.numbers is worker.numbers
    assert later.calls[0] is worker.calls[0]
    assert later.calls[1] is not worker.calls[1]
    assert later.health[0] is worker.health[0]
    assert after.users[0][1] is not before.users[0][1]


def test_a_held_segment_is_kept_until_its_predecessor_comes() -> None:
    first: Segment = segment(1, [Call(0)], series=[(1, "/")])
    merge = RunMerge("run", PLAN, NOON)
    merge.apply(segment(2, [Call(1)]))
    restored = again(merge)
    for each in (merge, restored):
        each.apply(first)
    assert restored.snapshot() == merge.snapshot()
    assert restored.snapshot().whole.counts
