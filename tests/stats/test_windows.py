"""Windows of a run against the calls that fall into them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swell.segment import Kind
from swell.stats.windows import latest, whole, window
from tests.stats.segments import MS, Call, segment
from tests.stats.worker_runs import SECONDS, WorkerRun, merged, oracle, runs


@given(runs, st.integers(0, SECONDS), st.integers(0, SECONDS))
@settings(max_examples=60, deadline=None)
def test_a_window_has_exactly_the_calls_of_its_seconds(workers: tuple[WorkerRun, ...], from_s: int, to_s: int) -> None:
    result = merged(one for worker in workers for one in worker.segments).snapshot()
    calls = [call for worker in workers for call in worker.calls if from_s <= call.second < to_s]
    found = window(result, from_s, to_s)
    assert (found.requests, found.failures) == (len(calls), sum(call.failed for call in calls))
    for kind in Kind:
        assert found.histogram((kind,)) == oracle(calls, kind)


def one_call_each(seconds: range, sealed_s: int) -> list[Call]:
    return [Call(second, response_ns=(second + 1) * MS) for second in seconds if second < sealed_s]


def test_a_frozen_target_shows_no_requests_at_once() -> None:
    segments = [
        segment(
            sealed_s,
            one_call_each(range(sealed_s - 1, min(sealed_s, 3)), sealed_s),
            series=[(1, "/")] * (sealed_s == 1),
        )
        for sealed_s in range(1, 6)
    ]
    merge = merged([])
    for one in segments:
        merge.apply(one)
    result = merge.snapshot(5.3)
    assert [window(result, second, second + 1).rps for second in range(6)] == [1, 1, 1, 0, 0, 0]
    assert latest(result, 1).rps == 0
    assert (latest(result).rps, latest(result).failures_per_s) == (0.6, 0)


def test_percentiles_of_the_last_five_seconds_forget_the_sixth() -> None:
    merge = merged([segment(1, [Call(second, response_ns=(10 - second) * MS) for second in range(10)], sealed_s=10.0)])
    result = merge.snapshot(10.2)
    assert (latest(result).from_s, latest(result).to_s) == (5, 10)
    assert latest(result).histogram().max_ns == 5 * MS
    assert latest(result).quantiles_ms((0.5,)) == [pytest.approx(3, rel=0.004)]


def test_a_window_without_a_call_has_no_quantile() -> None:
    result = merged([]).snapshot()
    assert (whole(result).quantiles_ms((0.5,)), window(result, 3, 3).rps, window(result, 0, 9).rps) == (None, 0, 0)
