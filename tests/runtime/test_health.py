"""The generator's own health: what held the loop is named, what it costs is measured."""

import gc
import os
import time
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from swell.clock import NS_PER_S
from swell.runtime import health
from swell.runtime.health import HealthProbe, NetworkUse, open_fds, resident_bytes, settle_memory
from swell.runtime.real_clock import RealClock
from swell.runtime.stall import NOT_RUNNING, StallWatch, is_authored


@pytest.fixture
def clock() -> Iterator[RealClock]:
    clock = RealClock()
    yield clock
    clock.check()
    clock.close()


@pytest.fixture
def probe(clock: RealClock) -> Iterator[HealthProbe]:
    probe = HealthProbe(clock, lambda: NetworkUse(ports=7, fd_exhausted=1, ports_exhausted=2))
    yield probe
    probe.close()


class Contestant:
    """Stands for a user class of a script."""

    def solve(self, seconds: float) -> int:
        return spin(seconds)


def spin(seconds: float) -> int:
    until = time.monotonic() + seconds
    turns = 0
    while time.monotonic() < until:
        turns += sum(range(100))
    return turns


def test_a_task_that_holds_the_loop_is_named_with_its_line(probe: HealthProbe) -> None:
    gevent.sleep(0.03)
    probe.sample()
    gevent.spawn(Contestant().solve, 0.4)
    gevent.sleep(0.1)
    gevent.sleep(0.03)  # the probe may wake after this test does
    seen = probe.sample()
    assert seen.stalled_by.startswith("Contestant.solve (test_health.py:")
    assert 300 < seen.loop_lag_p99_ms <= seen.loop_lag_max_ms
    assert probe.sample().stalled_by == ""


def test_a_stall_stands_for_the_probes_that_it_kept_from_happening(probe: HealthProbe) -> None:
    probe._lags_ns.clear()
    assert probe._note(3_000_000) == 0
    assert probe._note(65_000_000) == 60_000_000
    assert probe._lags_ns == [3_000_000, 65_000_000, 45_000_000, 25_000_000, 5_000_000]


def test_the_processor_time_of_the_second_is_a_share_of_one_core(probe: HealthProbe) -> None:
    probe.sample()
    spin(0.2)
    busy = probe.sample().cpu
    gevent.sleep(0.2)
    assert busy > 2 * probe.sample().cpu


def test_a_collection_of_garbage_is_timed(probe: HealthProbe) -> None:
    garbage = [[number] for number in range(200_000)]
    gc.collect()
    assert 0 < probe.sample().gc_pause_max_ms < 5_000
    assert len(garbage) == 200_000
    gc.disable()
    probe.sample()
    idle = probe.sample().gc_pause_max_ms
    gc.enable()
    assert idle == 0


def test_open_descriptors_are_counted(probe: HealthProbe, tmp_path: Path) -> None:
    before = probe.sample()
    files = [(tmp_path / str(number)).open("w") for number in range(50)]
    after = probe.sample()
    for file in files:
        file.close()
    assert (after.fds - before.fds, after.fds_limit >= after.fds) == (50, True)
    assert abs(open_fds() - len(os.listdir("/dev/fd"))) <= 1


def test_a_system_that_does_not_count_descriptors_is_asked_for_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> os.stat_result:
        raise FileNotFoundError(path)

    monkeypatch.setattr(health.os, "stat", refuse)
    assert open_fds() >= 3


def test_resident_memory_is_in_bytes() -> None:
    assert 5_000_000 < resident_bytes() < 100_000_000_000


def test_what_the_network_uses_is_part_of_it(probe: HealthProbe) -> None:
    seen = probe.sample()
    assert (seen.ports, seen.fd_exhausted, seen.ports_exhausted) == (7, 1, 2)


def test_closing_leaves_no_callback_and_no_thread(clock: RealClock) -> None:
    callbacks, threads = len(gc.callbacks), thread_count()
    probe = HealthProbe(clock)
    gevent.sleep(0.01)
    assert (len(gc.callbacks), thread_count()) == (callbacks + 1, threads + 1)
    probe.close()
    probe.close()
    for _ in range(200):  # a thread that has been joined stays in /proc until the kernel has tidied up
        if thread_count() == threads:
            break
        gevent.sleep(0.005)
    assert (len(gc.callbacks), thread_count()) == (callbacks, threads)


def thread_count() -> int:
    return len(os.listdir("/proc/self/task"))


def test_a_loop_that_beats_is_never_looked_at() -> None:
    watch = StallWatch()
    for _ in range(20):
        assert watch.beat(NS_PER_S // 100) == ""
        gevent.sleep(0.005)
    assert watch._looks == []
    watch.close()


def test_a_loop_that_waits_for_the_network_is_not_blamed_on_anyone() -> None:
    watch = StallWatch()
    watch.beat(0)
    gevent.sleep(0.15)
    assert watch.beat(0) == NOT_RUNNING
    watch.close()


def test_without_a_kernel_timer_nobody_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*, blocking: bool) -> None:
        raise AttributeError("timerfd_create")

    monkeypatch.setattr("swell.runtime.stall.TimerFd", missing)
    watch = StallWatch()
    assert (watch.beat(0), repr(watch)) == ("", "<StallWatch, 1 beats, blind>")
    watch.close()


@pytest.mark.parametrize(
    ("path", "authored"),
    [
        ("/home/a/contest.py", True),
        (gevent.__file__, False),
        (health.__file__, False),
        (os.__file__, False),
        ("<string>", False),
        ("/usr/lib/python3/dist-packages/requests/api.py", False),
    ],
)
def test_only_the_scripts_files_are_its_authors(path: str, authored: bool) -> None:
    assert is_authored(path) is authored


def test_settled_memory_is_not_collected_again() -> None:
    settle_memory()
    frozen = gc.get_freeze_count()
    gc.unfreeze()
    assert frozen > 1_000
