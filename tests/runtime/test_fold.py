"""Folding against the slow oracle: every call is in exactly one segment, and every number is exact."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swell.histogram import MAX_NS, bounds_ns, index_of
from swell.runtime.fold import Folder
from swell.runtime.reduce import buckets_of
from swell.runtime.ring import Ring
from swell.segment import (
    Counters,
    ErrorSample,
    ErrorSamples,
    ErrorText,
    ExceptionCount,
    Health,
    Kind,
    Outcome,
    ScenarioCount,
    Segment,
    SeriesName,
)
from tests.runtime.oracle import NS_PER_S, Call, folded_slowly, read_segments

BEGIN_NS = 1_000 * NS_PER_S
SAMPLE = ErrorSample(status=500, url="http://x/", headers="a: b", body="oh no")

durations = st.one_of(
    st.integers(-10, 3_000), st.integers(0, 10**9), st.integers(0, 2 * MAX_NS), st.sampled_from([1_023, 1_024, 1_025])
)
calls = st.builds(
    Call,
    done_ns=st.integers(BEGIN_NS - NS_PER_S, BEGIN_NS + 4 * NS_PER_S),
    service_ns=durations,
    response_ns=durations,
    first_byte_ns=durations,
    connect_ns=durations,
    lag_ns=durations,
    bytes_out=st.integers(0, 1 << 40),
    bytes_in=st.integers(0, 1 << 40),
    series=st.one_of(st.integers(0, 3), st.integers(0, 1_000)),
    error=st.sampled_from([0, 0, 0, 1, 1_000]),
    status=st.sampled_from([0, 200, 200, 503, 65_535]),
    outcome=st.integers(0, 7),
)


@contextmanager
def folder_of(directory: Path, capacity: int = 64, batch: int = 16) -> Iterator[tuple[Ring, Folder]]:
    ring = Ring(directory, capacity=capacity, batch=batch, names_bytes=1 << 16)
    folder = Folder(ring, run="r", worker=3, incarnation=2, begin_ns=BEGIN_NS)
    yield ring, folder
    folder.check()
    ring.check()
    folder.close()
    ring.close()


def seal(folder: Folder, at_s: float = 1.0, *, final: bool = False) -> Segment:
    return folder.seal(BEGIN_NS + round(at_s * NS_PER_S), final=final)


@given(st.lists(st.integers(-(1 << 62), 1 << 62)), st.lists(st.integers(0, 2 * MAX_NS)))
def test_the_vectorised_bucket_is_the_histograms_bucket(anything: list[int], plausible: list[int]) -> None:
    values = anything + plausible
    assert buckets_of(np.array(values, dtype=np.int64)).tolist() == [index_of(value) for value in values]


def test_the_vectorised_bucket_is_right_at_the_edges_of_every_bucket() -> None:
    edges = [edge + more for bucket in range(index_of(MAX_NS)) for edge in bounds_ns(bucket) for more in (-1, 0, 1)]
    assert buckets_of(np.array(edges)).tolist() == [index_of(edge) for edge in edges]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(calls, max_size=60), min_size=1, max_size=6))
def test_segments_hold_exactly_what_was_recorded(tmp_path: Path, seconds: list[list[Call]]) -> None:
    with folder_of(tmp_path) as (ring, folder):
        segments = []
        for recorded in seconds:
            for call in recorded:
                ring.record(*call.arguments())
            segments.append(seal(folder))
        everything = [call for recorded in seconds for call in recorded]
        assert read_segments(segments) == folded_slowly(everything, BEGIN_NS)
        assert [(s.from_position, s.to_position) for s in segments] == positions([len(r) for r in seconds])


def positions(lengths: list[int]) -> list[tuple[int, int]]:
    ends = np.cumsum([0, *lengths]).tolist()
    return list(itertools.pairwise(ends))


@pytest.mark.parametrize("series", [1, 7, 1_000])
def test_twenty_thousand_calls_are_folded_exactly_whatever_the_number_of_series(tmp_path: Path, series: int) -> None:
    random = np.random.default_rng(series)
    recorded = [
        Call(
            done_ns=BEGIN_NS + number * 100_000,
            service_ns=int(service_ns),
            response_ns=int(service_ns) + 1_000,
            first_byte_ns=int(service_ns) - 1_000,
            connect_ns=90_000 if number % 100 == 0 else 0,
            series=number % series + 1,
            status=503 if number % 30 == 0 else 200,
            error=int(number % 30 == 0),
            outcome=Outcome.FAILED if number % 30 == 0 else 0,
        )
        for number, service_ns in enumerate(random.lognormal(15, 0.8, 20_000))
    ]
    with folder_of(tmp_path, capacity=8_192, batch=4_096) as (ring, folder):
        for call in recorded:
            ring.record(*call.arguments())
        assert read_segments([seal(folder)]) == folded_slowly(recorded, BEGIN_NS)


def test_a_segment_says_whose_it_is_and_what_it_covers(tmp_path: Path) -> None:
    with folder_of(tmp_path) as (ring, folder):
        ring.sent()
        ring.record(*Call(BEGIN_NS + 1, lag_ns=3_000_000).arguments())
        assert folder.unsealed == 1
        people = (ScenarioCount("A", users=2),)
        first = folder.seal(BEGIN_NS + NS_PER_S, scenarios=people, health=Health(cpu=0.5))
        last = seal(folder, 2.5, final=True)
        assert (first.run, first.worker, first.incarnation, first.sequence, first.sealed_s) == ("r", 3, 2, 1, 1.0)
        assert (first.counters, first.scenarios, first.final) == (Counters(sent=1), people, False)
        assert first.health == Health(cpu=0.5, schedule_lag_p50_ms=3.0, schedule_lag_p99_ms=3.0)
        assert last == Segment("r", 3, 2, 2, 1, 1, 2.5, counters=Counters(sent=1), final=True)
        assert repr(folder) == "<Folder, sealed to 1, next segment 3>"


def test_what_was_named_is_in_the_segment_of_its_position_and_only_there(tmp_path: Path) -> None:
    with folder_of(tmp_path) as (ring, folder):
        ring.series("A", "GET", "/")
        ring.record(*Call(BEGIN_NS).arguments())
        ring.series("A", "GET", "/next")
        ring.error("HTTP 500")
        first = seal(folder)
        ring.sample(2, 1, SAMPLE)
        ring.sample(2, 1, SAMPLE)
        ring.record(*Call(BEGIN_NS, series=2, error=1).arguments())
        second = seal(folder)
        ring.sample(2, 1, SAMPLE)
        third, last = seal(folder), seal(folder, final=True)
        assert (first.series, first.errors) == ((SeriesName(1, "A", "GET", "/"),), ())
        assert second.series == (SeriesName(2, "A", "GET", "/next"),)
        assert second.errors == (ErrorText(1, "HTTP 500"),)
        assert second.error_samples == (ErrorSamples(2, 1, (SAMPLE, SAMPLE)),)
        assert (third.error_samples, last.error_samples) == ((), (ErrorSamples(2, 1, (SAMPLE,)),))


def test_exceptions_are_counted_in_each_segment_and_are_no_calls(tmp_path: Path) -> None:
    with folder_of(tmp_path) as (ring, folder):
        segments = []
        for times in (3, 0, 2):
            for _ in range(times):
                ring.exception("boom", "at x:1")
            ring.record(*Call(BEGIN_NS).arguments())
            ring.exception("bang", "at y:2")
            segments.append(seal(folder))
        bang, boom = ExceptionCount("bang", "at y:2", 1), ExceptionCount("boom", "at x:1", 3)
        again = ExceptionCount("boom", "at x:1", 2)
        assert [segment.exceptions for segment in segments] == [(boom, bang), (bang,), (again, bang)]
        assert read_segments(segments).calls == 3


def test_a_call_done_in_a_second_that_was_sealed_is_in_the_next_segment(tmp_path: Path) -> None:
    with folder_of(tmp_path) as (ring, folder):
        ring.record(*Call(BEGIN_NS + NS_PER_S // 2).arguments())
        seal(folder)
        ring.record(*Call(BEGIN_NS + NS_PER_S // 2 + 1).arguments())
        assert [block.second for block in seal(folder).seconds] == [0]


def test_schedule_lag_counts_only_planned_starts(tmp_path: Path) -> None:
    with folder_of(tmp_path) as (ring, folder):
        for lag_ns in [-1, *range(0, 101_000_000, 1_000_000)]:
            ring.record(*Call(BEGIN_NS, lag_ns=lag_ns).arguments())
        health = seal(folder).health
        assert (health.schedule_lag_p50_ms, health.schedule_lag_p99_ms) == (50.0, 99.0)
        assert seal(folder).health == Health()


def test_nothing_recorded_is_an_empty_segment(tmp_path: Path) -> None:
    with folder_of(tmp_path) as (_, folder):
        assert seal(folder) == Segment("r", 3, 2, 1, 0, 0, 1.0)


def test_a_moment_far_off_is_kept_within_the_seconds_of_a_run(tmp_path: Path) -> None:
    with folder_of(tmp_path) as (ring, folder):
        ring.record(*Call(1 << 62).arguments())
        ring.record(*Call(-(1 << 62)).arguments())
        assert [block.second for block in seal(folder).seconds] == [0, (1 << 31) - 1]


def test_all_kinds_fit_into_the_keys() -> None:
    assert 1_000 << 17 | max(Kind) << 13 | index_of(MAX_NS) < 1 << 32
