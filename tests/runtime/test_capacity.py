"""What a process can carry, measured for real: nobody asserts how much that is, or how long it takes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from swell.clock import NS_PER_S
from swell.errors import RunFailed
from swell.runtime import capacity
from swell.runtime.capacity import measure
from swell.runtime.cgroups import Quota
from swell.runtime.real_clock import RealClock


@pytest.fixture
def clock() -> Iterator[RealClock]:
    clock = RealClock()
    yield clock
    clock.check()
    clock.close()


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_something_is_carried_and_nothing_is_left_behind(clock: RealClock, tmp_path: Path) -> None:
    gevent.sleep(0)
    before = open_descriptors()
    assert measure(clock, NS_PER_S // 20) > 0
    assert open_descriptors() == before


def test_others_are_heard_meanwhile(clock: RealClock) -> None:
    heard: list[int] = []

    def pulse() -> None:
        while True:
            gevent.sleep(0.01)
            heard.append(clock.now_ns())

    pulsing = gevent.spawn(pulse)
    begun_ns = clock.now_ns()
    assert measure(clock, NS_PER_S // 20) > 0
    pulsing.kill()
    begins_ns = begun_ns + NS_PER_S // 20
    assert len([at_ns for at_ns in heard if at_ns > begins_ns]) > 2


def test_all_workers_of_a_machine_begin_at_the_same_moment(clock: RealClock, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []

    def carried(bench: capacity.Bench, span_ns: int) -> int:
        begun.append(clock.now_ns())
        return 1

    monkeypatch.setattr(capacity.Bench, "carried", carried)
    every_ns = NS_PER_S // 4
    for _ in range(2):
        measure(clock, every_ns)
    turns = [at_ns // every_ns for at_ns in begun]
    assert turns[0] == turns[1] < turns[2] == turns[3]


@pytest.mark.parametrize(
    ("quota", "warm_up_ms", "span_ms"),
    [
        (None, 100, 200),
        (Quota(10_000_000), 100, 200),
        (Quota(5_000_000, 50_000_000), 100, 200),
        (Quota(5_000_000, 70_000_000), 100, 210),
        (Quota(30_000_000, 300_000_000), 300, 600),
        (Quota(100_000_000, 1_000_000_000), 500, 1_000),
    ],
)
def test_a_measurement_takes_whole_periods_of_the_quota_and_at_least_two(
    monkeypatch: pytest.MonkeyPatch, quota: Quota | None, warm_up_ms: int, span_ms: int
) -> None:
    monkeypatch.setattr(capacity, "tightest_quota", lambda: quota)
    assert capacity._spans_ns() == (warm_up_ms * 1_000_000, span_ms * 1_000_000)


def test_where_there_is_no_room_for_a_ring_nothing_is_known(clock: RealClock, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise RunFailed("no room")

    monkeypatch.setattr(capacity, "Ring", full)
    assert measure(clock, 1_000_000) == 0.0


def test_a_bench_whose_calls_fail_is_not_taken_for_a_fast_one(tmp_path: Path) -> None:
    with capacity._opened(tmp_path) as bench:
        assert bench.carried(NS_PER_S // 5) > 0
        bench._target = capacity.Target("GET", capacity.parse_url("http://127.0.0.1:1/"))
        assert bench.carried(NS_PER_S // 5) == 0
