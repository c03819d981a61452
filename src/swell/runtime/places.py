"""A user's place in the crew: how far its stay has come, and what its greenlet runs."""

from __future__ import annotations

import dataclasses
import enum
from types import TracebackType
from typing import TYPE_CHECKING, Any

import gevent

from swell.runtime.gates import UserGate
from swell.user import Seat, SimulatedUser

if TYPE_CHECKING:
    from swell.runtime.crew import Crew


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
    most_users: int = 0
    """Since they were counted last."""
    started: int = 0
    iterations: int = 0
    missed: int = 0
    arrived: int = 0
    dropped: int = 0

    def add(self, seat: Seat) -> None:
        """Add what one user has done."""
        self.iterations += seat.iterations
        self.missed += seat.missed
        self.arrived += seat.arrived


class Place:
    """One user in the crew. As a context manager it ends the stay, whatever `live` ended with."""

    __slots__ = ("crew", "due_ns", "gate", "greenlet", "kills", "seat", "stay", "user")

    def __init__(self, crew: Crew, seat: Seat, gate: UserGate | None, due_ns: int) -> None:
        self.crew = crew
        self.seat = seat
        self.gate = seat.gate = gate
        self.due_ns = due_ns
        self.user: SimulatedUser | None = None
        self.stay = Stay.WAITING
        self.kills = 0
        self.greenlet: Any = None

    def __repr__(self) -> str:
        return f"<Place of {self.seat!r}, {self.stay.value}>"

    def __enter__(self) -> None:
        if self.stay is Stay.WAITING:
            self.stay = Stay.LIVING
        if self.gate is not None:
            self.gate.enter(self.seat, self.due_ns)

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
