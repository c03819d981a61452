"""What CPU a process could have had, from scripted files of the kernel's."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from swell.clock import NS_PER_S, ManualClock
from swell.runtime.cpu import CpuMeter, CpuUse, cpu_use, waited_ns


@pytest.mark.parametrize(
    ("used", "waited", "quota", "throttled", "found"),
    [
        (0.5, 0.0, None, 0.0, CpuUse(0.5, 0.5)),
        (1.0, 0.0, None, 0.0, CpuUse(1.0, 1.0)),
        (0.5, 0.5, None, 0.0, CpuUse(0.5, 1.0)),
        (0.3, 0.4, None, 0.0, CpuUse(0.3, 0.5)),
        (0.05, 0.0, 0.1, 0.0, CpuUse(0.05, 0.5)),
        (0.1, 0.9, 0.1, 0.9, CpuUse(0.1, 1.0, 0.9)),
        (0.12, 0.7, 0.1, 0.7, CpuUse(0.12, 1.0, 0.7)),
        (0.2, 0.0, 4.0, 0.0, CpuUse(0.2, 0.2)),
        (1.3, 0.0, None, 0.0, CpuUse(1.3, 1.0)),
        (0.0, 0.0, None, 0.0, CpuUse(0.0, 0.0)),
    ],
)
def test_a_process_is_busy_when_it_has_used_what_was_left_for_it(
    used: float, waited: float, quota: float | None, throttled: float, found: CpuUse
) -> None:
    seen = cpu_use(used, waited, quota, throttled)
    assert (seen.cores, seen.busy, seen.throttled) == pytest.approx((found.cores, found.busy, found.throttled))


def test_a_group_that_is_held_up_while_this_process_sleeps_does_not_count() -> None:
    assert cpu_use(0.1, 0.0, 1.0, 0.8).throttled == 0.0
    assert cpu_use(0.1, 0.2, 1.0, 1.7).throttled == 0.2


def write(root: Path, waited: int, throttled_us: int, quota: str = "10000 100000") -> None:
    for name, text in {
        "proc/self/cgroup": "0::/a\n",
        "proc/self/schedstat": f"5000 {waited} 12\n",
        "sys/fs/cgroup/a/cpu.max": quota,
        "sys/fs/cgroup/a/cpu.stat": f"usage_usec 7\nthrottled_usec {throttled_us}\n",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def used_ns(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    used = [0]
    monkeypatch.setattr(time, "process_time_ns", lambda: used[0])
    return used


def test_each_sample_is_of_the_time_since_the_last(tmp_path: Path, used_ns: list[int]) -> None:
    write(tmp_path, 0, 500)
    clock = ManualClock()
    meter = CpuMeter(clock, tmp_path)
    clock.advance_s(1)
    used_ns[0] = NS_PER_S // 20
    assert meter.sample() == CpuUse(0.05, 0.5, 0.0)
    clock.advance_s(2)
    used_ns[0] += NS_PER_S // 5
    write(tmp_path, NS_PER_S, 500 + 800_000)
    assert meter.sample() == CpuUse(0.1, 1.0, 0.4)


def test_a_quota_that_is_cut_meanwhile_is_seen(tmp_path: Path, used_ns: list[int]) -> None:
    write(tmp_path, 0, 0, quota="max 100000")
    clock = ManualClock()
    meter = CpuMeter(clock, tmp_path)
    for quota, busy in (("max 100000", 0.1), ("20000 100000", 0.5)):
        write(tmp_path, 0, 0, quota)
        clock.advance_s(1)
        used_ns[0] += NS_PER_S // 10
        assert meter.sample().busy == busy


def test_what_a_group_had_been_held_up_for_before_does_not_count(tmp_path: Path, used_ns: list[int]) -> None:
    clock = ManualClock()
    meter = CpuMeter(clock, tmp_path)
    write(tmp_path, NS_PER_S // 2, 900_000)
    clock.advance_s(1)
    assert meter.sample().throttled == 0.0


def test_where_the_kernel_counts_nothing_a_core_is_what_there_is(tmp_path: Path, used_ns: list[int]) -> None:
    clock = ManualClock()
    meter = CpuMeter(clock, tmp_path)
    clock.advance_s(1)
    used_ns[0] = NS_PER_S // 4
    assert (meter.sample(), waited_ns(tmp_path)) == (CpuUse(0.25, 0.25, 0.0), 0)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/schedstat").write_text("no numbers here\n")
    assert waited_ns(tmp_path) == 0
