"""Sleeping on the real clock: sleepers wake in order and only for their own moment, and leave nothing behind."""

import random
import statistics
import time
from collections.abc import Iterator

import gevent
import greenlet
import pytest

from swell.clock import NS_PER_S, Clock
from swell.runtime.alarm import Alarm, LoopAlarm, TimerFdAlarm
from swell.runtime.real_clock import RealClock

MS = 1_000_000


@pytest.fixture(params=["timerfd", "loop timer"])
def clock(request: pytest.FixtureRequest) -> Iterator[RealClock]:
    loop = gevent.get_hub().loop
    clocks: list[RealClock] = []
    kinds: dict[str, type[TimerFdAlarm] | type[LoopAlarm]] = {"timerfd": TimerFdAlarm, "loop timer": LoopAlarm}
    alarm: Alarm = kinds[request.param](loop, lambda: [clock.ring() for clock in clocks])
    clocks.append(RealClock(alarm))
    yield clocks[0]
    clocks[0].check()
    assert repr(clocks[0]) == "<RealClock, 0 asleep, 0 entries dead>"
    clocks[0].close()


def test_it_is_a_clock(clock: RealClock) -> None:
    as_clock: Clock = clock
    assert abs(as_clock.now_ns() - time.monotonic_ns()) < NS_PER_S


def test_a_moment_that_has_passed_is_not_waited_for(clock: RealClock) -> None:
    others: list[str] = []
    gevent.spawn(others.append, "ran")
    clock.sleep_until_ns(clock.now_ns())
    clock.sleep_until_ns(0)
    assert others == []


def test_sleepers_wake_in_the_order_of_their_moments_and_never_early(clock: RealClock) -> None:
    began_ns = clock.now_ns()
    woken: list[int] = []

    def sleeper(due_ns: int) -> None:
        clock.sleep_until_ns(due_ns)
        assert clock.now_ns() >= due_ns
        woken.append(due_ns)

    dues = [began_ns + 400 * MS + n * 10_000 for n in range(2_000)]
    gevent.joinall([gevent.spawn(sleeper, due_ns) for due_ns in random.sample(dues, len(dues))], raise_error=True)
    assert woken == dues


def test_an_earlier_sleeper_that_comes_later_is_not_kept_waiting(clock: RealClock) -> None:
    long = gevent.spawn(clock.sleep_until_ns, clock.now_ns() + 60 * NS_PER_S)
    gevent.sleep(0)
    clock.sleep_until_ns(clock.now_ns() + 5 * MS)
    assert not long.ready()
    long.kill()


def test_a_sleeper_that_sleeps_again_at_once_does_not_hold_up_the_rest(clock: RealClock) -> None:
    turns = {"a": 0, "b": 0}
    end_ns = clock.now_ns() + 50 * MS

    def restless(name: str) -> None:
        while clock.now_ns() < end_ns:
            clock.sleep_until_ns(clock.now_ns() + 100_000)
            turns[name] += 1

    gevent.joinall([gevent.spawn(restless, name) for name in turns], raise_error=True)
    assert min(turns.values()) > 10


def test_killed_sleepers_leave_nothing_behind(clock: RealClock) -> None:
    due_ns = clock.now_ns() + 3_600 * NS_PER_S
    sleepers = [gevent.spawn(clock.sleep_until_ns, due_ns + n) for n in range(3_000)]
    gevent.sleep(0)
    gevent.killall(sleepers[:2_000])
    clock.check()
    assert len(clock._heap) <= 2_000
    gevent.killall(sleepers)
    assert clock._heap == []


def test_a_sleeper_woken_early_goes_on_once(clock: RealClock) -> None:
    woken: list[str] = []

    def sleeper() -> None:
        clock.sleep_until_ns(clock.now_ns() + 3_600 * NS_PER_S)
        woken.append("early")
        clock.sleep_until_ns(clock.now_ns() + 10 * MS)
        woken.append("in time")

    greenlet = gevent.spawn(sleeper)
    gevent.sleep(0)
    assert [clock.wake(greenlet), clock.wake(greenlet), clock.wake(gevent.getcurrent())] == [True, True, False]
    began_ns = clock.now_ns()
    greenlet.join()
    assert clock.now_ns() - began_ns >= 10 * MS
    assert woken == ["early", "in time"]


def test_a_switch_from_elsewhere_does_not_end_a_sleep(clock: RealClock) -> None:
    due_ns = clock.now_ns() + 30 * MS

    def sleeper() -> int:
        clock.sleep_until_ns(due_ns)
        return clock.now_ns()

    greenlet = gevent.spawn(sleeper)
    gevent.sleep(0)
    gevent.get_hub().loop.run_callback(greenlet.switch, "wrong")
    assert greenlet.get() >= due_ns


def test_a_time_out_ends_a_sleep(clock: RealClock) -> None:
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.01):
        clock.sleep_until_ns(clock.now_ns() + 60 * NS_PER_S)


def test_an_error_in_a_woken_greenlet_does_not_stop_the_clock(clock: RealClock) -> None:
    hub = gevent.get_hub()
    due_ns = clock.now_ns() + 5 * MS
    errors: list[object] = []
    hub.print_exception, printer = (lambda *error: errors.append(error[1])), hub.print_exception
    try:
        raw = greenlet.greenlet(lambda: (clock.sleep_until_ns(due_ns), 1 / 0), parent=hub)
        hub.loop.run_callback(raw.switch)
        gevent.sleep(0)
        gevent.joinall([gevent.spawn(clock.sleep_until_ns, due_ns + 1) for _ in range(5)], raise_error=True)
    finally:
        hub.print_exception = printer
    assert errors == [ZeroDivisionError]


@pytest.mark.timing
def test_the_timerfd_wakes_sooner_than_a_timer_of_the_loop() -> None:
    clock = RealClock()
    assert median_lateness_ns(clock.now_ns, clock.sleep_until_ns) < 0.5 * median_lateness_ns(
        clock.now_ns, lambda due_ns: gevent.sleep((due_ns - clock.now_ns()) / NS_PER_S)
    )
    clock.close()


def median_lateness_ns(now_ns: object, sleep_until_ns: object) -> float:
    assert callable(now_ns)
    assert callable(sleep_until_ns)
    late = []
    for n in range(100):
        due_ns = now_ns() + 1_300_000 + 37_000 * n
        sleep_until_ns(due_ns)
        late.append(now_ns() - due_ns)
    return statistics.median(late)


def test_something_can_be_called_at_a_moment_in_the_hub(clock: RealClock) -> None:
    hub = gevent.get_hub()
    called: list[tuple[int, bool]] = []
    due_ns = clock.now_ns() + 5 * MS
    for later_ms in (20, 0, 10):
        clock.call_at_ns(
            due_ns + later_ms * MS,
            lambda later_ms=later_ms: called.append((later_ms, greenlet.getcurrent() is hub)),
        )
    never = clock.call_at_ns(due_ns, lambda: called.append((-1, True)))
    never.cancel()
    clock.call_at_ns(due_ns - NS_PER_S, lambda: called.append((-2, True)))
    gevent.sleep(0.1)
    assert called == [(-2, True), (0, True), (10, True), (20, True)]
    never.cancel()


def test_a_call_that_fails_keeps_nobody_else_from_waking(clock: RealClock) -> None:
    hub, errors = gevent.get_hub(), []
    hub.handle_error, before = lambda *error: errors.append(error[1]), hub.handle_error
    try:
        clock.call_at_ns(clock.now_ns() + MS, lambda: 1 // 0)
        clock.sleep_until_ns(clock.now_ns() + 5 * MS)
    finally:
        hub.handle_error = before
    assert errors == [ZeroDivisionError]


def test_a_call_may_plan_the_next_one(clock: RealClock) -> None:
    called: list[int] = []

    def again() -> None:
        called.append(clock.now_ns())
        if len(called) < 20:
            clock.call_at_ns(called[0] + len(called) * MS, again)

    clock.call_at_ns(clock.now_ns(), again)
    gevent.sleep(0.2)
    assert len(called) == 20


def test_from_its_limit_on_somebody_is_called_before_any_sleeper_is_woken(clock: RealClock) -> None:
    heard: list[str] = []

    def sleeper(due_ns: int) -> None:
        clock.sleep_until_ns(due_ns)
        heard.append("sleeper")

    now_ns = clock.now_ns()
    before = gevent.spawn(sleeper, now_ns + MS)
    before.join()
    clock.limit(clock.now_ns() + 3 * MS, lambda: heard.append("limit"))
    late = [gevent.spawn(sleeper, clock.now_ns() + due * MS) for due in (1, 2, 5)]
    gevent.sleep(0)
    time.sleep(0.01)  # a freeze, from which all wake at once
    gevent.joinall(late)
    assert heard == ["sleeper", "limit", "sleeper", "sleeper", "sleeper"]


def test_a_limit_may_be_put_off_and_taken_back(clock: RealClock) -> None:
    heard: list[str] = []
    clock.limit(clock.now_ns(), lambda: heard.append("first"))
    clock.limit(clock.now_ns() + 60 * NS_PER_S, lambda: heard.append("second"))
    clock.sleep_until_ns(clock.now_ns() + MS)
    clock.limit(clock.now_ns(), lambda: heard.append("third"))
    clock.limit(None, lambda: heard.append("fourth"))
    clock.sleep_until_ns(clock.now_ns() + MS)
    assert heard == []
