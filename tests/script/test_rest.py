"""Giving way to others, on the real loop."""

import time
from collections.abc import Callable
from itertools import pairwise

import gevent

from swell import User, task
from swell.script.environment import Environment
from swell.script.life import Life
from swell.user import Seat
from tests.script.seats import MemoryRecorder


class LoopClock:
    """The real clock, slept on by gevent."""

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def sleep_until_ns(self, due_ns: int) -> None:
        gevent.sleep(max(0, due_ns - time.monotonic_ns()) / 1e9)


def seat_for(cls: type[User], clock: object) -> Seat:
    return Seat(
        number=1, scenario=cls.__name__, seed=1, host="", clock=clock,  # type: ignore[arg-type]
        recorder=MemoryRecorder(), shared=None,
    )  # fmt: skip


def live_beside(cls: type[User], others: Callable[[Seat], None], clock: object) -> Seat:
    """Let a user live in one greenlet and `others` run in a second; it tells the user to leave."""
    seat = seat_for(cls, clock)
    gevent.joinall([gevent.spawn(Life(cls, seat, Environment()).live), gevent.spawn(others, seat)], raise_error=True)
    return seat


class Busy(User):
    @task
    def spin(self) -> None: ...


def test_a_user_that_never_waits_lets_others_run_and_the_network_speak() -> None:
    def others(seat: Seat) -> None:
        for _ in range(5):
            gevent.sleep(0.001)
        seat.leaving = True

    assert live_beside(Busy, others, LoopClock()).iterations > 100


def test_a_user_that_never_waits_gives_way_once_a_millisecond() -> None:
    turns = []

    class TurnClock(LoopClock):
        """Each look at it takes 0.1 ms."""

        def __init__(self) -> None:
            self.looked = 0

        def now_ns(self) -> int:
            self.looked += 1
            return self.looked * 100_000

    clock = TurnClock()

    def others(seat: Seat) -> None:
        loop = gevent.get_hub().loop
        for _ in range(20):
            turns.append(clock.looked)
            with loop.timer(0.0) as soon:
                gevent.get_hub().wait(soon)
        seat.leaving = True

    live_beside(Busy, others, clock)
    gaps = [after - before for before, after in pairwise(turns[2:])]
    assert max(gaps) <= 12


def test_a_user_that_gives_way_by_itself_is_not_delayed_further() -> None:
    looked = []

    class Talking(User):
        @task
        def talk(self) -> None:
            gevent.sleep(0.0001)

    class CountingClock(LoopClock):
        def now_ns(self) -> int:
            looked.append(1)
            return super().now_ns()

    def others(seat: Seat) -> None:
        gevent.sleep(0.02)
        seat.leaving = True

    seat = live_beside(Talking, others, CountingClock())
    assert seat.iterations > 2
    assert looked == []
