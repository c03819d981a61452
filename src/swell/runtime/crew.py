"""The crew: the simulated users of one process, each in a greenlet of its own, from start to end.

    WAITING ──loop's next turn──► LIVING ──leave──► LEAVING ──stop time-out──► KILLED
       └──────────────────────────────┴────────────────┴─────── live() ended ─────┴──► GONE

A user that is to leave is woken if it waits on the clock or at its gate, starts no new iteration, and may finish the
one under way until its time is up, which is each user's own. One that swallows its kill is killed again, then given
up, closed and reported. The greenlets are plain ones (250 bytes less a user than gevent's) and hold one frame of ours
below the user's own.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from heapq import heappop, heappush
from traceback import format_exception
from types import TracebackType
from typing import Protocol

import gevent
import gevent.event
import greenlet

from swell.clock import NS_PER_S, Clock
from swell.runtime.gates import ArrivalGate, UserGate
from swell.runtime.places import Place, Stay, Tally
from swell.segment import ScenarioCount
from swell.user import Recorder, Seat, UserFactory

KILLS = 3
KILL_AGAIN_NS = NS_PER_S // 2


class CrewClock(Clock, Protocol):
    """A clock that users sleep on, and that can end a sleep early."""

    def wake(self, sleeper: greenlet.greenlet) -> bool:
        """End the sleep of `sleeper`; False if it does not sleep on this clock."""


class Closing:
    """Reports what a user's `close` raises."""

    __slots__ = ("_crew",)

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if error is not None:
            self._crew.report(error)
        return True


class Crew:
    """All users of this process. Its methods are called from greenlets of the hub that made it, and do not wait."""

    def __init__(
        self,
        factory: UserFactory,
        make_seat: Callable[[int, str], Seat],
        clock: CrewClock,
        recorder: Recorder,
        on_gone: Callable[[int], None] = lambda number: None,
    ) -> None:
        """`on_gone` is called with the number of each user that has gone; it must not wait."""
        self.factory = factory
        self._make_seat = make_seat
        self._clock = clock
        self._recorder = recorder
        self._on_gone = on_gone
        self._hub = gevent.get_hub()
        self._places: dict[int, Place] = {}
        self._tallies: dict[str, Tally] = {}
        self._deadlines: list[tuple[int, int, Place]] = []
        """A heap: whoever is there still is killed then."""
        self._order = itertools.count()
        self._reaper: gevent.Greenlet | None = None
        self._closing = Closing(self)
        self._nobody = gevent.event.Event()
        self._nobody.set()

    def __repr__(self) -> str:
        stays = [place.stay.value for place in self._places.values()]
        return "<Crew: " + ", ".join(f"{stays.count(stay)} {stay}" for stay in dict.fromkeys(stays)) + ">"

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, number: int) -> bool:
        return number in self._places

    def start(self, number: int, scenario: str, gate: UserGate | None = None, due_ns: int = 0) -> None:
        """Have user `number` live from the loop's next turn on. `due_ns`: what its first call is to be timed from."""
        assert number not in self._places, f"user {number} is here already"
        place = Place(self, self._make_seat(number, scenario), gate, due_ns)
        self._places[number] = place
        tally = self._tally(scenario)
        tally.users += 1
        tally.most_users = max(tally.most_users, tally.users)
        tally.started += 1
        self._nobody.clear()
        place.greenlet = greenlet.greenlet(place.live, self._hub)
        self._hub.loop.run_callback(place.greenlet.switch)

    def arrive(self, number: int, due_ns: int, choices: int) -> None:
        """An idle user takes up an arrival that was due at `due_ns`."""
        place = self._places.get(number)
        if place is not None and isinstance(place.gate, ArrivalGate):
            place.gate.let_in(due_ns, choices)

    def drop(self, scenario: str) -> None:
        """Count an arrival that nobody takes up."""
        self._tally(scenario).dropped += 1

    def leave(self, number: int, grace_s: float) -> None:
        """Have a user leave, and end what it is doing within `grace_s`."""
        place = self._places.get(number)
        if place is not None:
            self._send_off(place, round(grace_s * NS_PER_S))

    def leave_all(self, grace_s: float) -> None:
        """Have everyone leave."""
        for place in list(self._places.values()):
            self._send_off(place, round(grace_s * NS_PER_S))

    def end_all(self) -> None:
        """End everyone at once, in the middle of whatever they do: before any of them goes on, if this is the hub."""
        if greenlet.getcurrent() is not self._hub:
            self._hub.loop.run_callback(self.end_all)
            return
        self.leave_all(0)
        for place in list(self._places.values()):
            self._kill(place)

    def wait_gone(self, timeout_s: float | None = None) -> bool:
        """Let others run until nobody is left; False when that took too long."""
        return bool(self._nobody.wait(timeout_s))

    def counts(self) -> tuple[ScenarioCount, ...]:
        """Where each scenario stands."""
        totals = {name: dataclasses.replace(tally) for name, tally in self._tallies.items()}
        for place in self._places.values():
            totals[place.seat.scenario].add(place.seat)
        return tuple(
            ScenarioCount(
                name, total.users, total.started, total.iterations, total.dropped, total.missed, total.arrived
            )
            for name, total in totals.items()
        )

    def take_most_users(self) -> dict[str, int]:
        """The most users of each scenario at a time, since this was last asked."""
        most = {name: tally.most_users for name, tally in self._tallies.items()}
        for tally in self._tallies.values():
            tally.most_users = tally.users
        return most

    def report(self, error: BaseException) -> None:
        """Record what escaped from user code; a kill is none."""
        if isinstance(error, greenlet.GreenletExit):
            return
        traceback = error.__traceback__
        text = "".join(format_exception(type(error), error, traceback.tb_next if traceback else None))
        self._recorder.exception(f"{type(error).__name__}: {error}", text)

    def ended(self, place: Place) -> None:
        """Take a user out whose `live` has ended, or that is given up."""
        if place.stay is Stay.GONE:
            return
        user, place.user = place.user, None
        if user is not None:
            with self._closing:
                user.close()
        place.stay = Stay.GONE
        seat = place.seat
        del self._places[seat.number]
        tally = self._tallies[seat.scenario]
        tally.users -= 1
        tally.add(seat)
        if not self._places:
            self._nobody.set()
            if self._reaper is not None:
                self._clock.wake(self._reaper)
        with self._closing:
            self._on_gone(seat.number)

    def _tally(self, scenario: str) -> Tally:
        return self._tallies.setdefault(scenario, Tally())

    def _send_off(self, place: Place, grace_ns: int) -> None:
        if place.stay not in (Stay.WAITING, Stay.LIVING):
            return
        place.stay = Stay.LEAVING
        place.seat.leaving = True
        if not self._clock.wake(place.greenlet) and place.gate is not None:
            place.gate.rouse()
        self._kill_after(grace_ns, place)
        if self._reaper is None:
            self._reaper = gevent.spawn(self._reap)
        elif self._deadlines[0][2] is place:
            self._clock.wake(self._reaper)

    def _kill_after(self, delay_ns: int, place: Place) -> None:
        heappush(self._deadlines, (self._clock.now_ns() + delay_ns, next(self._order), place))

    def _reap(self) -> None:
        """Kill those whose time is up, until nobody is leaving."""
        while self._places and self._deadlines:
            due_ns, _, place = self._deadlines[0]
            if place.stay is not Stay.GONE and due_ns > self._clock.now_ns():
                self._clock.sleep_until_ns(due_ns)
                continue
            heappop(self._deadlines)
            if place.stay is not Stay.GONE:
                self._hub.loop.run_callback(self._kill, place)
                self._kill_after(KILL_AGAIN_NS, place)
        self._deadlines.clear()
        self._reaper = None

    def _kill(self, place: Place) -> None:
        """Runs in the hub, where a greenlet that dies comes back to."""
        if not place.greenlet:  # it has ended, or has not begun and will see that it is to leave
            return
        place.stay = Stay.KILLED
        if place.kills == KILLS:
            seat = place.seat
            self._recorder.exception(
                "UserNotStopped: a user swallows GreenletExit", f"{seat.scenario}: {seat.task_name}"
            )
            self.ended(place)
            return
        place.kills += 1
        place.greenlet.throw(greenlet.GreenletExit)

    def check(self) -> None:
        """Raise AssertionError if the crew contradicts itself."""
        assert sum(tally.users for tally in self._tallies.values()) == len(self._places)
        assert self._nobody.is_set() == (not self._places)
        for number, place in self._places.items():
            assert place.seat.number == number
            assert place.stay is not Stay.GONE
            assert place.seat.leaving or place.stay in (Stay.WAITING, Stay.LIVING)
