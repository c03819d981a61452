"""What a user class may have as its `load`: `users`, `arrivals`, `sessions`, `iterations`.

    class Contestant(HttpUser):
        load = users(ramp(to=2000, over="2m"), hold("10m"), ramp(to=0, over="30s"))

They only note what they are given; `read_loads` makes it the loads of a plan, in the controller.
"""

from __future__ import annotations

import dataclasses
import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from swell.errors import Problem
from swell.load_plan import BUSY_S, Closed, Curve, Iterations, Load, Model, Open, Sessions, Spread, room_for
from swell.plan import MOST_USERS
from swell.quantities import shown
from swell.script.arguments import Reading, Written
from swell.script.curves import EXAMPLE, Drawing, FromLog, Segment, read_curve
from swell.script.task_list import TaskList

MOST_ITERATIONS = 10**12
BUSY_SESSION_S = 3 * BUSY_S
"""So long each iteration of a session may take, the waits among them, if nobody says how many users there may be."""
LIVES_ROOM = 2
"""Room for so many times the sessions that are there at once."""
SPREADS = (Spread.EVEN.value, Spread.POISSON.value)


class WrittenLoad(Written, ABC):
    """A load as a script writes it."""

    function: ClassVar[str]

    def __init__(self, curve: tuple[object, ...] = (), **given: object) -> None:
        super().__init__(self.function, curve, **given)
        self._curve = curve
        self._given = given

    @abstractmethod
    def model(self, reading: Reading, folder: Path) -> Model:
        """The model; what is wrong with it is noted, and then it is of no use."""

    def read(self, scenario: str, reading: Reading, folder: Path) -> Load:
        """The load of a scenario; what is wrong with it is noted, and then it is of no use."""
        return Load(
            model=self.model(reading, folder),
            scenarios=(scenario,),
            start_s=self._seconds(reading, "start") or 0.0,
            graceful_stop_s=self._seconds(reading, "graceful_stop"),
            graceful_ramp_down_s=self._seconds(reading, "graceful_ramp_down"),
        )

    def _seconds(self, reading: Reading, name: str) -> float | None:
        value = self._given.get(name)
        return None if value is None else reading.duration_s(self, name, value)

    def _count(self, reading: Reading, name: str, least: int, most: int = MOST_USERS) -> int | None:
        value = self._given.get(name)
        return None if value is None else reading.count(self, name, value, least, most)

    def _spread(self, reading: Reading) -> Spread:
        value = self._given.get("spread")
        return Spread.EVEN if value is None else Spread(reading.choice(self, "spread", value, SPREADS))


class _Users(WrittenLoad):
    function = "users"

    def model(self, reading: Reading, folder: Path) -> Model:
        return Closed(read_curve(self._curve, self, Drawing(reading, folder, of_users=True)))


class _Arrivals(WrittenLoad):
    function = "arrivals"

    def model(self, reading: Reading, folder: Path) -> Model:
        curve = read_curve(self._curve, self, Drawing(reading, folder, of_users=False))
        before = len(reading.problems)
        users = self._count(reading, "users", least=0) or 0
        most = self._count(reading, "max_users", least=1)
        if most is not None and users > most and len(reading.problems) == before:
            reading.fault(self, f"users: {users:,} are more than max_users, {most:,}")
        return Open(curve, max(room_for(curve), users) if most is None else most, users, self._spread(reading))


class _Sessions(WrittenLoad):
    function = "sessions"

    def model(self, reading: Reading, folder: Path) -> Model:
        curve = read_curve(self._curve, self, Drawing(reading, folder, of_users=False))
        before = len(reading.problems)
        count = self._count(reading, "iterations", least=1, most=MOST_ITERATIONS)
        lives_s = self._seconds(reading, "lives")
        if count is None and lives_s is None:
            reading.fault(self, "does not say when a session ends", 'iterations=3, or lives="5m"')
        if lives_s == 0 and len(reading.problems) == before:
            reading.fault(self, "lives: must be more than 0")
        most = self._count(reading, "max_users", least=1)
        return Sessions(curve, most or _session_room(curve, count, lives_s), count, lives_s, self._spread(reading))


class _Iterations(WrittenLoad):
    function = "iterations"

    def model(self, reading: Reading, folder: Path) -> Model:
        users = self._count(reading, "users", least=1) or 1
        total = self._count(reading, "total", least=1, most=MOST_ITERATIONS)
        each = self._count(reading, "each", least=1, most=MOST_ITERATIONS)
        if (total is None) == (each is None):
            reading.fault(self, "takes either `total`, for all users together, or `each`, for every one of them")
        elif total is not None and total < users:
            reading.notices.append(f"{reading.where}: {self}: {users - total:,} of the users have nothing to do")
        return Iterations(users, total, each, self._seconds(reading, "within"))


def _session_room(curve: Curve, iterations: int | None, lives_s: float | None) -> int:
    if lives_s is not None:
        return room_for(curve, LIVES_ROOM * lives_s, MOST_USERS)
    return room_for(curve, BUSY_SESSION_S * (iterations or 1))


@dataclasses.dataclass(frozen=True, slots=True)
class LoadsRead:
    """The loads of a script's classes, and what is wrong with them or may not be meant."""

    loads: tuple[Load, ...] = ()
    problems: tuple[Problem, ...] = ()
    notices: tuple[str, ...] = ()


def read_loads(classes: Sequence[type[TaskList]], folder: Path) -> LoadsRead:
    """The loads of user classes of a script in `folder`; none if no class has one. Reads the logs that they name."""
    written = {cls.__name__: load_of(cls) for cls in classes}
    if not any(value is not None for value in written.values()):
        return LoadsRead()
    readings, loads = [], []
    having = [name for name, value in written.items() if value is not None]
    for name, value in written.items():
        reading = Reading(f"{name}.load")
        readings.append(reading)
        if isinstance(value, WrittenLoad):
            loads.append(value.read(name, reading, folder))
        elif value is None:
            hint = "give it one, leave the class out, or let -u replace them all"
            reading.problems.append(Problem(f"there is none, but {having[0]} has a load", reading.where, hint))
        else:
            reading.problems.append(Problem(f"{shown(value)} is not a load", reading.where, _hint_for(value)))
    problems = tuple(problem for reading in readings for problem in reading.problems)
    notices = tuple(notice for reading in readings for notice in reading.notices)
    return LoadsRead(() if problems else tuple(loads), problems, notices)


def load_of(cls: type[TaskList]) -> object:
    """What a class has as its `load`; None if nothing. A task or method of that name is none."""
    value = inspect.getattr_static(cls, "load", None)
    if isinstance(value, FromLog):
        return _Arrivals((value,))
    if any(value is function for function in FUNCTIONS):  # without parentheses
        return value
    is_code = inspect.isroutine(value) or isinstance(value, type | property | classmethod | staticmethod)
    return None if is_code else value


def _hint_for(value: Any) -> str:
    if isinstance(value, Segment):
        return f"write users({value}) or arrivals({value})"
    if any(value is function for function in FUNCTIONS):
        return f"call it: {value.__name__}(...)"
    return f"for example {EXAMPLE}"


def users(*curve: Any, start: Any = None, graceful_stop: Any = None, graceful_ramp_down: Any = None) -> WrittenLoad:
    """So many users at a time, each as fast as its waits allow: `users(ramp(to=2000, over="2m"), hold("10m"))`.

    A closed model: where the target slows down, so does the load. `start`: how long after the run's begin the curve
    begins. `graceful_stop`: how long a task under way may take to finish at the end; `graceful_ramp_down`: the same
    where the curve falls. Without them, it is `--stop-timeout`.
    """
    return _Users(curve, start=start, graceful_stop=graceful_stop, graceful_ramp_down=graceful_ramp_down)


def arrivals(
    *curve: Any,
    spread: Any = None,
    users: Any = None,
    max_users: Any = None,
    start: Any = None,
    graceful_stop: Any = None,
) -> WrittenLoad:
    """So many iterations begin per second, whether or not the target keeps up: `arrivals(jump(500), hold("10m"))`.

    An open model: rates per second, or texts such as "500/m". Each arrival is an iteration of an idle user, or of a
    new one where none is idle; with `max_users` there, it is dropped and counted. `users` are ready before the first
    arrival. `spread`: "even", or "poisson" for independent arrivals. Without `max_users` there is room for iterations
    of 10 s each at the highest rate: at least 100 users, and 10,000 at most.
    """
    return _Arrivals(curve, spread=spread, users=users, max_users=max_users, start=start, graceful_stop=graceful_stop)


def sessions(
    *curve: Any,
    iterations: Any = None,
    lives: Any = None,
    spread: Any = None,
    max_users: Any = None,
    start: Any = None,
    graceful_stop: Any = None,
) -> WrittenLoad:
    """So many new users arrive per second; each works for a number of iterations or a time, and leaves.

    A partly open model: `sessions(jump("30/m"), hold("1h"), iterations=5)`, or `lives="5m"`; with both, a session
    ends with what comes first. With `max_users` there, an arrival is dropped and counted; without it, there is room
    for twice the sessions that `lives` makes, or for 30 s an iteration (100 to 10,000 users).
    """
    return _Sessions(
        curve,
        iterations=iterations,
        lives=lives,
        spread=spread,
        max_users=max_users,
        start=start,
        graceful_stop=graceful_stop,
    )


def iterations(
    *,
    total: Any = None,
    each: Any = None,
    users: Any = None,
    within: Any = None,
    start: Any = None,
    graceful_stop: Any = None,
) -> WrittenLoad:
    """A number of iterations, as fast as the users' waits allow: `total` for all together, or so many for `each`.

    `iterations(total=10_000, users=50, within="10m")`: what has not begun `within` that time is not begun any more.
    """
    return _Iterations(total=total, each=each, users=users, within=within, start=start, graceful_stop=graceful_stop)


FUNCTIONS = (users, arrivals, sessions, iterations)
