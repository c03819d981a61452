"""Segments in any order, repeated and late, against a slow oracle of what all their calls add up to."""

from __future__ import annotations

from itertools import product
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swell.document import ResultDocument
from swell.errors import LinkError
from swell.plan import Revision
from swell.result import OTHER, Beyond, End, Incident
from swell.segment import (
    ERROR_CAP,
    EXCEPTION_CAP,
    SERIES_CAP,
    Counters,
    ErrorSample,
    ErrorSamples,
    ExceptionCount,
    Health,
    Kind,
    Segment,
)
from swell.stats.merge import RunMerge
from swell.stats.summary import summarise
from swell.stats.windows import whole
from tests.stats.segments import Call, segment
from tests.stats.worker_runs import NAMES, NOON, PLAN, SECONDS, WorkerRun, merged, oracle, runs


def new_merge() -> RunMerge:
    return RunMerge("run", PLAN, NOON)


def document(merge: RunMerge) -> ResultDocument:
    return summarise(merge.snapshot(SECONDS + 1.0))


@given(runs, st.randoms())
@settings(max_examples=60, deadline=None)
def test_segments_in_any_order_and_repeated_give_the_same_document(
    workers: tuple[WorkerRun, ...], random: Random
) -> None:
    in_order = [one for worker in workers for one in worker.segments]
    shuffled = in_order + random.sample(in_order, len(in_order) // 2)
    random.shuffle(shuffled)
    assert document(merged(shuffled)) == document(merged(in_order))


@given(runs)
@settings(max_examples=60, deadline=None)
def test_merged_histograms_equal_one_histogram_of_all_calls_bucket_for_bucket(workers: tuple[WorkerRun, ...]) -> None:
    result = merged(one for worker in workers for one in worker.segments).snapshot()
    calls = [call for worker in workers for call in worker.calls]
    for number, kind in product(range(len(result.series)), Kind):
        series = NAMES.index(result.series[number].name)
        assert whole(result).histogram((kind,), number) == oracle(calls, kind, series)
    for kind in Kind:
        assert whole(result).histogram((kind,)) == oracle(calls, kind)


@given(runs)
@settings(max_examples=60, deadline=None)
def test_every_call_is_in_one_block_and_in_one_workers_seconds(workers: tuple[WorkerRun, ...]) -> None:
    result = merged(one for worker in workers for one in worker.segments).snapshot()
    by_worker = [sum(memoryview(worker.calls_per_s).cast("Q")[1::2]) for worker in result.workers]
    document = summarise(result)
    assert by_worker == [len(worker.calls) for worker in workers]
    assert document.totals.requests == sum(by_worker) == sum(point.requests for point in document.timeline)
    assert document.totals.failures == sum(call.failed for worker in workers for call in worker.calls)
    assert document.totals.failures == sum(error.count for error in document.errors)


def test_a_repeated_segment_is_taken_once() -> None:
    merge = new_merge()
    first, second = segment(1, [Call()], series=[(1, "/")]), segment(2, [Call(1)])
    assert [merge.apply(one) for one in (first, second, first, second)] == [True, True, False, False]
    assert document(merge).totals.requests == 2


def test_a_segment_that_overtook_its_predecessor_waits_for_the_names_that_it_brings() -> None:
    merge = new_merge()
    assert merge.apply(segment(2, [Call(1)]))
    assert document(merge).series == ()
    assert merge.apply(segment(1, series=[(1, "/late")]))
    assert [series.name for series in document(merge).series] == ["/late"]
    merge.check()


def test_a_gap_that_never_closes_is_counted_and_what_came_after_it_is_kept() -> None:
    merge = new_merge()
    merge.worker_joined(0, 1, host="here", capacity=1.0, at_s=0.0)
    merge.apply(segment(1, [Call()], series=[(1, "/")], positions=(0, 1)))
    merge.apply(segment(3, [Call(2)], positions=(5, 6), final=True))
    merge.close()
    worker = merge.snapshot().workers[0]
    assert (worker.reports_missing, worker.calls_missing) == (1, 4)
    assert summarise(merge.snapshot()).accounting.unaccounted == 4
    assert merge.apply(segment(2, [Call(1)] * 4, positions=(1, 5)))
    assert not merge.apply(segment(2, [Call(1)] * 4, positions=(1, 5)))
    assert summarise(merge.snapshot()).accounting.unaccounted == 0
    assert document(merge).totals.requests == 6
    merge.check()


def test_a_worker_that_is_introduced_again_keeps_what_it_has_reported() -> None:
    merge = new_merge()
    for at_s in (0.5, 3.0):
        merge.worker_joined(0, 1, host="here", capacity=2.0, at_s=at_s)
        merge.apply(segment(1, [Call()], series=[(1, "/")]))
    [worker] = merge.snapshot().workers
    assert (worker.host, worker.capacity, worker.joined_s, worker.reported_s) == ("here", 2.0, 0.5, 1.0)
    assert document(merge).totals.requests == 1


def test_each_incarnation_has_sequence_numbers_of_its_own() -> None:
    merge = new_merge()
    parts = [segment(1, [Call()], incarnation=incarnation, series=[(1, "/")]) for incarnation in (1, 2)]
    assert [merge.apply(part) for part in parts] == [True, True]
    assert document(merge).totals.requests == 2


def test_the_last_counters_hold_whatever_comes_late() -> None:
    merge = merged([segment(2, counters=Counters(sent=9, answered=9)), segment(1, counters=Counters(sent=4))])
    assert summarise(merge.snapshot()).accounting.sent == 9


def test_series_beyond_the_cap_are_counted_as_other() -> None:
    merge = new_merge()
    for worker in (0, 1):
        names = [(number, f"/{worker}/{number}") for number in range(1, SERIES_CAP + 1)]
        calls = [Call(series=number) for number, _ in names[:600]]
        merge.apply(segment(1, calls, worker=worker, series=names))
    merge.check()
    result = merge.snapshot()
    assert (len(result.series) - 1, result.beyond) == (SERIES_CAP, Beyond(series=600))
    assert [(series.name, series.requests) for series in summarise(result).series][-1] == (OTHER, 600)


def test_error_texts_beyond_the_cap_are_counted_as_other() -> None:
    merge = new_merge()
    for worker in (0, 1):
        texts = [(number, f"error {worker} {number}") for number in range(1, ERROR_CAP + 1)]
        calls = [Call(error=number, failed=True) for number, _ in texts[:3]]
        merge.apply(segment(1, calls, worker=worker, series=[(1, "/")], errors=texts))
    merge.check()
    summary = summarise(merge.snapshot())
    assert (summary.limits.errors.beyond, summary.errors[0].error, summary.errors[0].count) == (3, OTHER, 3)


def test_exceptions_beyond_the_cap_are_counted() -> None:
    merge = new_merge()
    exceptions = [ExceptionCount(f"ValueError: {number}", "line 1", 2) for number in range(EXCEPTION_CAP + 5)]
    merge.apply(segment(1, exceptions=exceptions, counters=Counters(exceptions_beyond=7)))
    result = merge.snapshot()
    assert (len(result.exceptions), result.beyond.exceptions) == (EXCEPTION_CAP, 17)


def test_three_samples_of_an_error_are_kept_the_earliest_of_the_first_worker() -> None:
    merge = new_merge()
    for worker, sequence in product((2, 1), (1, 2)):
        sample = ErrorSample(503, f"/{worker}/{sequence}", "", "")
        names = {"series": [(1, "/")], "errors": [(1, "HTTP 503")]} if sequence == 1 else {}
        merge.apply(segment(sequence, worker=worker, error_samples=[ErrorSamples(1, 1, (sample,))], **names))
    [kept] = merge.snapshot().error_samples
    assert [sample.url for sample in kept.samples] == ["/1/1", "/1/2", "/2/1"]


def test_a_number_that_was_never_named_counts_as_other() -> None:
    merge = merged([segment(1, [Call(series=7, error=5, failed=True)])])
    summary = summarise(merge.snapshot())
    assert [(series.name, series.requests) for series in summary.series] == [(OTHER, 1)]
    assert [(error.name, error.error) for error in summary.errors] == [(OTHER, OTHER)]


UNSOUND = {
    "another run": {"run": "yesterday's"},
    "no time": {"sealed_s": float("nan")},
    "a time after the end of all runs": {"sealed_s": 1e300},
    "a series number beyond the cap": {"series": segment(series=[(SERIES_CAP + 1, "/")]).series},
    "a negative error number": {"errors": segment(errors=[(-1, "HTTP 503")]).errors},
}
UNSOUND_SECONDS = {
    "half a key": {"hist_keys": b"12"},
    "a count too few": {"hist_counts": b""},
    "sums without their extremes": {"sums": b"12345678"},
    "half a tally key": {"tally_keys": b"1234", "tally_counts": b"12"},
    "a second before the run": {"second": -1},
    "a second after the end of all days": {"second": 1 << 40},
}


@pytest.mark.parametrize("what", [*UNSOUND, *UNSOUND_SECONDS])
def test_an_unsound_segment_is_refused_and_changes_nothing(what: str) -> None:
    merge = new_merge()
    sound = segment(1, [Call()], series=[(1, "/")])
    if what in UNSOUND:
        unsound = msgspec.structs.replace(sound, **UNSOUND[what])
    else:
        unsound = msgspec.structs.replace(
            sound, seconds=(msgspec.structs.replace(sound.seconds[0], **UNSOUND_SECONDS[what]),)
        )
    before = merge.snapshot()
    with pytest.raises(LinkError):
        merge.apply(unsound)
    assert merge.snapshot() == before
    assert merge.apply(sound)


@given(
    st.builds(
        Segment,
        run=st.just("run"),
        worker=st.integers(),
        incarnation=st.integers(),
        sequence=st.integers(),
        from_position=st.integers(),
        to_position=st.integers(),
        sealed_s=st.floats(),
        seconds=st.lists(
            st.binary(max_size=24).map(
                lambda data: msgspec.structs.replace(
                    segment(1, [Call()]).seconds[0], hist_keys=data, hist_counts=data, tally_keys=data + data,
                    tally_counts=data, byte_keys=data, byte_sums=data * 4, sum_keys=data, sums=data * 6,
                )
            ),
            max_size=2,
        ).map(tuple),
    )
)  # fmt: skip
@settings(deadline=None)
def test_whatever_a_worker_sends_is_taken_or_refused(garbage: Segment) -> None:
    merge = new_merge()
    try:
        merge.apply(garbage)
    except LinkError:
        return
    merge.close()
    summarise(merge.snapshot(10.0))


def test_a_call_that_claims_to_be_done_after_it_was_reported_counts_in_the_second_of_the_report() -> None:
    merge = new_merge()
    merge.apply(segment(1, [Call(1 << 30)], series=[(1, "/")], sealed_s=2.0))
    assert [(point.t_s, point.requests) for point in document(merge).timeline if point.requests] == [(3, 1)]


def test_users_of_all_workers_are_added_up_second_by_second() -> None:
    merge = new_merge()
    for worker, users in ((0, [1, 2, 2, 0]), (1, [1, 1, 2, 0])):
        for sequence, there in enumerate(users, 1):
            merge.apply(segment(sequence, worker=worker, users=there, started=max(users), final=sequence == 4))
    merge.ended(4.0, End.COMPLETED)
    assert [point.users for point in document(merge).timeline] == [2, 3, 4, 4]
    merge.check()


def test_a_run_shorter_than_a_report_still_shows_its_users() -> None:
    merge = new_merge()
    merge.apply(segment(1, [Call()], users=0, started=5, sealed_s=0.4, final=True))
    merge.ended(0.3, End.COMPLETED)
    assert summarise(merge.snapshot()).totals.users_peak == 5


def test_the_users_of_a_lost_worker_leave_with_it_and_a_late_report_does_not_bring_them_back() -> None:
    merge = new_merge()
    merge.apply(segment(1, users=5, sealed_s=1.0))
    merge.worker_lost(0, 1, at_s=3.2, because="killed by signal 9")
    merge.apply(segment(2, users=5, sealed_s=2.0))
    result = merge.snapshot(6.0)
    assert [point.users for point in summarise(result).timeline] == [5, 5, 5, 0, 0, 0]
    assert (result.scenarios[0].users_now, result.workers[0].lost_because) == (0, "killed by signal 9")
    merge.check()


def test_a_second_is_settled_when_every_worker_has_reported_it() -> None:
    merge = new_merge()
    merge.apply(segment(1, worker=0, sealed_s=9.0))
    merge.apply(segment(1, worker=1, sealed_s=8.0))
    assert merge.snapshot(9.5).settled_s == 8


def test_a_silent_worker_holds_settling_back_for_three_seconds_only() -> None:
    merge = new_merge()
    merge.apply(segment(1, worker=0, sealed_s=20.0))
    merge.apply(segment(1, worker=1, sealed_s=4.0))
    assert merge.snapshot(20.5).settled_s == 17
    merge.worker_lost(1, 1, at_s=20.0)
    assert merge.snapshot(20.5).settled_s == 20


def test_what_befell_run_and_controller_is_in_the_result() -> None:
    merge = new_merge()
    merge.revised(Revision(1, 5.0, 8, 2.0))
    merge.controller_stalled(1.0, 3.0, "tick")
    merge.store_failed(4.0, "disk full")
    merge.controller_restarted(5.0, 6.0)
    merge.ended(7.5, End.STOPPED, "Ctrl-C")
    result = merge.snapshot()
    assert (result.duration_s, result.end, result.end_text) == (7.5, End.STOPPED, "Ctrl-C")
    assert result.revisions == (Revision(1, 5.0, 8, 2.0),)
    assert result.controller.stalls == (Incident(1.0, 3.0, "tick"),)
    assert result.controller.store_failures == (Incident(4.0, 4.0, "disk full"),)
    assert result.controller.restarts == (Incident(5.0, 6.0),)


def test_a_result_survives_encoding() -> None:
    result = merged([segment(1, [Call(failed=True, error=1)], series=[(1, "/")], errors=[(1, "x")])]).snapshot()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(result), type=type(result)) == result


def test_recovered_segments_add_no_health() -> None:
    merge = merged(
        [segment(1, health=Health(cpu=0.5), sealed_s=1.0), segment(2, sealed_s=1.7, recovered=True, final=True)]
    )
    worker = merge.snapshot().workers[0]
    assert [span.health.cpu for span in worker.health] == [0.5]
    assert worker.recovered
