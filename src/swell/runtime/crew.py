"""The crew: the simulated users of one process, each in a greenlet of its own, from start to end.

    WAITING ──loop's next turn──► LIVING ──leave──► LEAVING ──stop time-out──► KILLED
       └──────────────────────────────┴────────────────┴─────── live() ended ─────┴──► GONE

A user that is to leave is woken if it waits on the clock, starts no new iteration, and may finish the one under way
until its time is up. One that swallows its kill is killed again, then given up, closed and reported. The greenlets are
plain ones (250 bytes less a user than gevent's) and hold one frame of ours below the user's own.
"""

from __future__ import annotations

import dataclasses
import enum
from collections import deque
from collections.abc import Callable
from traceback import format_exception
from types import TracebackType
from typing import Any, Protocol

import gevent
import gevent.event
import greenlet

from swell.clock import NS_PER_S, Clock
from swell.segment import ScenarioCount
from swell.user import Recorder, Seat, SimulatedUser, UserFactory

KILLS = 3
KILL_AGAIN_NS = NS_PER_S // 2


class CrewClock(Clock, Protocol):
    """A clock that users sleep on, and that can end a sleep early."""

    def wake(self, sleeper: greenlet.greenlet) -> bool:
        """End the sleep of `sleeper`; False if it does not sleep on this clock."""


class Stay(enum.Enum):
    """How far a user is."""

    WAITING = "waiting"
    LIVING = "living"
    LEAVING = "leaving"
    KILLED = "killed"
    GONE = "gone"


@dataclasses.dataclass(slots=True)
class Tally:
    """A scenario's users: how many are here, and totals of those that started and of those that have gone."""

    users: int = 0
    started: int = 0
    iterations: int = 0
    missed: int = 0


class Place:
    """One user in the crew. As a context manager it ends the stay, whatever `live` ended with."""

    __slots__ = ("crew", "due_ns", "greenlet", "kills", "on_gone", "seat", "stay", "user")

    def __init__(self, crew: Crew, seat: Seat, due_ns: int) -> None:
        self.crew = crew
        self.seat = seat
        self.due_ns = due_ns
        self.user: SimulatedUser | None = None
        self.stay = Stay.WAITING
        self.kills = 0
        self.on_gone: Callable[[], None] | None = None
        self.greenlet: Any = None

    def __repr__(self) -> str:
        return f"<Place of {self.seat!r}, {self.stay.value}>"

    def __enter__(self) -> None:
        if self.stay is Stay.WAITING:
            self.stay = Stay.LIVING
        if self.due_ns:
            self.seat.intended_ns = self.due_ns
            self.seat.lag_ns = max(self.seat.clock.now_ns() - self.due_ns, 0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            gevent.get_hub().handle_error(self, kind, error, traceback)
        elif error is not None:
            self.crew.report(error)
        self.crew.ended(self)
        return True

    def live(self) -> None:
        """What the greenlet runs."""
        with self:
            if not self.seat.leaving:
                self.user = self.crew.factory.make(self.seat)
                self.user.live()


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
        stop_timeout_s: float,
    ) -> None:
        self.factory = factory
        self._make_seat = make_seat
        self._clock = clock
        self._recorder = recorder
        self._stop_timeout_ns = round(stop_timeout_s * NS_PER_S)
        self._hub = gevent.get_hub()
        self._places: dict[int, Place] = {}
        self._tallies: dict[str, Tally] = {}
        self._deadlines: deque[tuple[int, Place]] = deque()
        self._again: deque[tuple[int, Place]] = deque()
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

    def start(self, number: int, scenario: str, due_ns: int = 0) -> None:
        """Have user `number` live from the loop's next turn on. `due_ns`: when that was planned; gives the lag."""
        assert number not in self._places, f"user {number} is here already"
        place = Place(self, self._make_seat(number, scenario), due_ns)
        self._places[number] = place
        tally = self._tallies.setdefault(scenario, Tally())
        tally.users += 1
        tally.started += 1
        self._nobody.clear()
        place.greenlet = greenlet.greenlet(place.live, self._hub)
        self._hub.loop.run_callback(place.greenlet.switch)

    def leave(self, number: int, on_gone: Callable[[], None] | None = None) -> None:
        """Have a user leave. `on_gone` is called when it has gone, at once if it is not here; it must not wait."""
        place = self._places.get(number)
        if place is not None:
            place.on_gone = on_gone or place.on_gone
            self._send_off(place)
        elif on_gone is not None:
            on_gone()

    def leave_all(self) -> None:
        """Have everyone leave."""
        for place in list(self._places.values()):
            self._send_off(place)

    def wait_gone(self, timeout_s: float | None = None) -> bool:
        """Let others run until nobody is left; False when that took too long."""
        return bool(self._nobody.wait(timeout_s))

    def counts(self) -> tuple[ScenarioCount, ...]:
        """Where each scenario stands."""
        iterations = {name: tally.iterations for name, tally in self._tallies.items()}
        missed = {name: tally.missed for name, tally in self._tallies.items()}
        for place in self._places.values():
            seat = place.seat
            iterations[seat.scenario] += seat.iterations
            missed[seat.scenario] += seat.missed
        return tuple(
            ScenarioCount(name, tally.users, tally.started, iterations[name], missed=missed[name])
            for name, tally in self._tallies.items()
        )

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
        tally.iterations += seat.iterations
        tally.missed += seat.missed
        if not self._places:
            self._nobody.set()
            if self._reaper is not None:
                self._clock.wake(self._reaper)
        if place.on_gone is not None:
            with self._closing:
                place.on_gone()

    def _send_off(self, place: Place) -> None:
        if place.stay not in (Stay.WAITING, Stay.LIVING):
            return
        place.stay = Stay.LEAVING
        place.seat.leaving = True
        self._clock.wake(place.greenlet)
        self._deadlines.append((self._clock.now_ns() + self._stop_timeout_ns, place))
        if self._reaper is None:
            self._reaper = gevent.spawn(self._reap)

    def _reap(self) -> None:
        """Kill those whose time is up, until nobody is leaving. Both queues are in order of time."""
        while self._places and (self._deadlines or self._again):
            queue = min((queue for queue in (self._deadlines, self._again) if queue), key=lambda queue: queue[0][0])
            due_ns, place = queue[0]
            if place.stay is Stay.GONE:
                queue.popleft()
            elif due_ns > self._clock.now_ns():
                self._clock.sleep_until_ns(due_ns)
            else:
                queue.popleft()
                self._hub.loop.run_callback(self._kill, place)
                self._again.append((self._clock.now_ns() + KILL_AGAIN_NS, place))
        self._deadlines.clear()
        self._again.clear()
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
