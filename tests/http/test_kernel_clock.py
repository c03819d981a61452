"""The offset of the kernel's stamps: scripted stamps whose clock steps and drifts, and real ones on loopback."""

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from swell.clock import NS_PER_S, ManualClock
from swell.http import kernel_clock
from swell.http.kernel_clock import ROUNDS, SUSPECT_GAP_NS, KernelClock, LoopbackProbe, Stamps

HOUR_NS = 3_600 * NS_PER_S
EPOCH_NS = 1_800_000_000 * NS_PER_S


class ScriptedProbe:
    """A kernel whose wall clock is `offset_ns` ahead of the manual clock, and whose sends take known times."""

    def __init__(self, clock: ManualClock, offset_ns: int = EPOCH_NS) -> None:
        self.clock = clock
        self.offset_ns = offset_ns
        self.silent_rounds = 0
        self.exchanges = 0
        self.closed = False
        self._takes = self._durations()

    def _durations(self) -> Iterator[tuple[int, int]]:
        """(before the stamp, after the stamp) in ns of one send; one in eight is held up for a millisecond."""
        while True:
            yield from [(3_000, 5_000), (9_000, 2_000), (4_000, 1_000_000), (2_500, 4_000)] * 2

    def exchange(self) -> tuple[int, int, int] | None:
        self.exchanges += 1
        before_ns = self.clock.now_ns()
        to_stamp_ns, to_return_ns = next(self._takes)
        self.clock.sleep_until_ns(before_ns + to_stamp_ns)
        stamp_ns = self.clock.now_ns() + self.offset_ns
        self.clock.sleep_until_ns(self.clock.now_ns() + to_return_ns)
        if self.silent_rounds:
            self.silent_rounds -= 1
            return None
        return before_ns, stamp_ns, self.clock.now_ns()

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(5 * NS_PER_S)


@pytest.fixture
def probe(clock: ManualClock) -> ScriptedProbe:
    return ScriptedProbe(clock)


@pytest.fixture
def kernel(clock: ManualClock, probe: ScriptedProbe) -> KernelClock:
    kernel = KernelClock(probe, clock.now_ns)
    assert kernel.stamps is Stamps.WAITING
    assert kernel.ready(clock)
    return kernel


def error_ns(kernel: KernelClock, probe: ScriptedProbe) -> int:
    return abs(kernel.offset_ns - probe.offset_ns)


def test_the_offset_is_known_to_the_tightest_bracket(kernel: KernelClock, probe: ScriptedProbe) -> None:
    assert kernel.stamps is Stamps.KERNEL
    assert error_ns(kernel, probe) <= kernel.error_ns <= 2_500


def test_waiting_for_the_first_stamp_takes_as_long_as_it_takes(clock: ManualClock, probe: ScriptedProbe) -> None:
    probe.silent_rounds = 5 * ROUNDS
    kernel = KernelClock(probe, clock.now_ns)
    assert kernel.ready(clock)
    assert probe.exchanges == 6 * ROUNDS


def test_without_a_stamp_for_half_a_second_the_users_clock_is_used_and_said(
    clock: ManualClock, probe: ScriptedProbe
) -> None:
    probe.silent_rounds = 1 << 60
    began_ns = clock.now_ns()
    kernel = KernelClock(probe, clock.now_ns)
    assert not kernel.ready(clock)
    assert (kernel.stamps, kernel.measure()) == (Stamps.USER, False)
    assert 0.5 <= (clock.now_ns() - began_ns) / NS_PER_S < 0.6
    assert repr(kernel) == "<KernelClock, stamps: user, offset good to 0 ns, 0 steps>"


@pytest.mark.parametrize("step_ns", [HOUR_NS, -HOUR_NS, 50_000_000, -50_000_000])
def test_a_set_wall_clock_is_found_by_the_first_suspect_stamp(
    kernel: KernelClock, probe: ScriptedProbe, clock: ManualClock, step_ns: int
) -> None:
    clock.advance_s(0.5)
    probe.offset_ns += step_ns
    sent_ns = clock.now_ns()
    clock.advance_s(0.003)
    arrived_ns = clock.now_ns()
    stamp_ns = arrived_ns + probe.offset_ns
    clock.advance_s(0.001)
    assert not sent_ns <= stamp_ns - kernel.offset_ns <= clock.now_ns()
    at_ns = kernel.suspect(stamp_ns, sent_ns, clock.now_ns())
    assert at_ns is not None
    assert abs(at_ns - arrived_ns) <= 2_500
    assert (kernel.steps, error_ns(kernel, probe) <= 2_500) == (1, True)


def test_a_stamp_from_before_the_step_is_not_trusted_after_it(
    kernel: KernelClock, probe: ScriptedProbe, clock: ManualClock
) -> None:
    clock.advance_s(0.5)
    sent_ns = clock.now_ns()
    clock.advance_s(0.003)
    old_stamp_ns = clock.now_ns() + probe.offset_ns
    probe.offset_ns += HOUR_NS
    kernel.measure()
    assert kernel.suspect(old_stamp_ns, sent_ns, clock.now_ns()) is None


def test_suspicion_measures_at_most_once_in_ten_milliseconds(
    kernel: KernelClock, probe: ScriptedProbe, clock: ManualClock
) -> None:
    clock.advance_s(1)
    before = probe.exchanges
    for _ in range(1_000):
        assert kernel.suspect(EPOCH_NS - HOUR_NS, clock.now_ns(), clock.now_ns()) is None
    assert probe.exchanges - before == ROUNDS
    clock.sleep_until_ns(clock.now_ns() + SUSPECT_GAP_NS)
    kernel.suspect(0, 1, 2)
    assert probe.exchanges - before == 2 * ROUNDS


def test_a_stamp_outside_by_less_than_the_offsets_error_is_taken_to_the_edge(
    kernel: KernelClock, probe: ScriptedProbe, clock: ManualClock
) -> None:
    now_ns = clock.now_ns()
    stamp_ns = now_ns + kernel.offset_ns
    assert kernel.suspect(stamp_ns, now_ns + 800, now_ns + 9_000) == now_ns + 800
    assert kernel.suspect(stamp_ns, now_ns - 9_000, now_ns - 800) == now_ns - 800
    assert kernel.suspect(stamp_ns, now_ns + 50_000, now_ns + 90_000) is None


@pytest.mark.parametrize("drift_ns_per_s", [2_000, -2_000, 500_000, -500_000])
def test_a_drifting_wall_clock_is_followed(
    kernel: KernelClock, probe: ScriptedProbe, clock: ManualClock, drift_ns_per_s: int
) -> None:
    worst_ns = 0
    for _ in range(100):
        clock.advance_s(1)
        probe.offset_ns += drift_ns_per_s
        kernel.measure()
        worst_ns = max(worst_ns, error_ns(kernel, probe))
    assert worst_ns <= 6_000


def test_measuring_without_a_drift_only_gets_better(
    kernel: KernelClock, probe: ScriptedProbe, clock: ManualClock
) -> None:
    errors = [kernel.error_ns]
    for _ in range(20):
        clock.advance_s(1)
        assert kernel.measure()
        errors.append(kernel.error_ns)
    assert errors == sorted(errors, reverse=True)
    assert (kernel.steps, error_ns(kernel, probe) <= kernel.error_ns) == (0, True)


def test_a_second_without_stamps_keeps_the_offset(kernel: KernelClock, probe: ScriptedProbe) -> None:
    offset_ns = kernel.offset_ns
    probe.silent_rounds = ROUNDS
    assert not kernel.measure()
    assert (kernel.offset_ns, kernel.stamps) == (offset_ns, Stamps.KERNEL)


def test_closing_closes_the_probe_once(kernel: KernelClock, probe: ScriptedProbe) -> None:
    kernel.close()
    kernel.close()
    assert (probe.closed, kernel.stamps) == (True, Stamps.USER)


def test_where_no_kernel_stamps_exist_the_users_clock_is_used_at_once(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_clock.sys, "platform", "darwin")
    kernel = KernelClock()
    assert (kernel.stamps, kernel.ready(clock), clock.now_ns()) == (Stamps.USER, False, 5 * NS_PER_S)


def test_a_real_datagram_is_stamped_between_its_sending_and_its_reading() -> None:
    with closing(KernelClock()) as kernel, closing(LoopbackProbe()) as other:
        assert kernel.ready(SleepingClock())
        brackets = [bracket for _ in range(200) if (bracket := other.exchange())]
        assert len(brackets) > 100
        slack_ns = kernel.error_ns + 1_000
        outside = [
            (before_ns, after_ns)
            for before_ns, stamp_ns, after_ns in brackets
            if not before_ns - slack_ns <= stamp_ns - kernel.offset_ns <= after_ns + slack_ns
        ]
        assert outside == []


def test_real_offsets_measured_again_agree() -> None:
    with closing(KernelClock()) as kernel, closing(KernelClock()) as other:
        assert kernel.ready(SleepingClock())
        assert other.ready(SleepingClock())
        assert abs(kernel.offset_ns - other.offset_ns) <= kernel.error_ns + other.error_ns
        assert (kernel.steps, kernel.measure(), kernel.steps) == (0, True, 0)


class SleepingClock:
    def now_ns(self) -> int:
        return time.monotonic_ns()

    def sleep_until_ns(self, due_ns: int) -> None:
        time.sleep(max(0, due_ns - time.monotonic_ns()) / NS_PER_S)
