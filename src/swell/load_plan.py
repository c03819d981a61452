"""What load a run is to have: curves over time, and the models that follow them.

A curve is a level over time: users in a closed model, arrivals per second in an open one. It starts at 0 and is made
of legs, in each of which the level changes evenly; where a leg begins at another level than the one before ended, the
level jumps.

A model says what the level means, a `Load` for which scenarios, and from when on. Users of a load are numbered from 0;
`user_number` makes that a number that no user of another load has.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from math import ceil, fsum

import msgspec

MOST_ARRIVALS_PER_S = 1_000_000
MOST_LEGS = 10_000
BUSY_S = 10.0
"""So long an iteration may take, on average, before arrivals are dropped, if nobody says how many users may be."""
LEAST_ROOM, MOST_ROOM = 100, 10_000


class Leg(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of a curve, from level `begin` to level `end`."""

    duration_s: float
    begin: float
    end: float


class Curve(msgspec.Struct, frozen=True):
    """A level over time. After its last leg it is over; an endless one stays at its last level."""

    legs: tuple[Leg, ...] = ()
    endless: bool = False
    source: str = ""
    """What it was read from, if it was: the name of a log."""
    legs_in_all: int = 0
    """How many legs it has, where only their means are shown; 0: these are all."""

    @property
    def duration_s(self) -> float:
        """How long its legs take."""
        return fsum(leg.duration_s for leg in self.legs)

    @property
    def highest(self) -> float:
        """The greatest level that it reaches."""
        return max((max(leg.begin, leg.end) for leg in self.legs), default=0.0)


class Spread(enum.Enum):
    """How arrivals lie in time."""

    EVEN = "even"
    POISSON = "poisson"


class Closed(msgspec.Struct, frozen=True, tag="closed"):
    """So many users at a time, each as fast as its waits allow. Levels are whole numbers of users."""

    curve: Curve


class Iterations(msgspec.Struct, frozen=True, tag="iterations"):
    """A number of iterations: in `total`, or for each user. One of the two is None."""

    users: int
    total: int | None = None
    each: int | None = None
    within_s: float | None = None
    """What has not begun by then is not begun any more."""


class Open(msgspec.Struct, frozen=True, tag="open"):
    """Arrivals, each an iteration of an idle user, or of a new one; beyond `max_users` it is dropped."""

    curve: Curve
    max_users: int
    users: int = 0
    """So many are ready before the first arrival."""
    spread: Spread = Spread.EVEN


class Sessions(msgspec.Struct, frozen=True, tag="partly_open"):
    """Arrivals, each a new user that lives for so many iterations, or so long, and leaves."""

    curve: Curve
    max_users: int
    iterations: int | None = None
    lives_s: float | None = None
    spread: Spread = Spread.EVEN


Model = Closed | Iterations | Open | Sessions


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """A model, for some scenarios of the plan: by their weights and fixed counts, where there are several."""

    model: Model
    scenarios: tuple[str, ...]
    start_s: float = 0.0
    """How long after the run's begin the curve begins."""
    graceful_stop_s: float | None = None
    """How long a task under way may take to finish when the load is over; None: the plan's stop_timeout_s."""
    graceful_ramp_down_s: float | None = None
    """The same, for users that a falling curve takes away."""

    @property
    def ends_s(self) -> float | None:
        """When it is over, in seconds of the run, as far as the plan tells."""
        if isinstance(self.model, Iterations):
            return None if self.model.within_s is None else self.start_s + self.model.within_s
        return None if self.model.curve.endless else self.start_s + self.model.curve.duration_s

    @property
    def most_users(self) -> int:
        """How many users there can be at a time."""
        match self.model:
            case Closed(curve):
                return round(curve.highest)
            case Iterations(users):
                return users
            case Open() | Sessions():
                return self.model.max_users


def spawned(users: int, rate_per_s: float, scenarios: Sequence[str]) -> Load:
    """The load of `-u USERS -r RATE`: users that start at a rate, and stay."""
    return Load(model=Closed(Curve((Leg(users / rate_per_s, 0, users),), endless=True)), scenarios=tuple(scenarios))


def room_for(curve: Curve, stay_s: float = BUSY_S, most: int = MOST_ROOM) -> int:
    """The `max_users` of arrivals for which nobody gave one: as many as are there if each stays for `stay_s`.

    By Little's law that is the arrival rate times the stay (J. D. C. Little, "A proof for the queuing formula
    L = λW", Operations Research 9, 1961); at least 100, so that a slow rate has room for a stall.
    """
    return min(max(ceil(curve.highest * stay_s), LEAST_ROOM), most)


def user_number(load: int, number: int, loads: int) -> int:
    """The run's number of user `number` of load `load`, of so many loads."""
    return number * loads + load


def load_of(user: int, loads: int) -> tuple[int, int]:
    """The load of a user, and its number there."""
    number, load = divmod(user, loads)
    return load, number
