"""What is to become of the users of a worker: what the states of its loads say, and the workshop does.

Within one load users and arrivals have the load's own numbers and instants are the run's; `CrewState` makes them the
run's numbers and the clock's instants.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StartUser:
    """Have a user live. `due_ns`: when the plan has it start."""

    number: int
    due_ns: int
    scenario: str = ""
    arrival: int | None = None
    """The arrival that it is started for, and takes up."""


@dataclass(frozen=True, slots=True)
class LeaveUser:
    """Let the user end what it is doing, for so long at most."""

    number: int
    grace_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Arrive:
    """An idle user takes up an arrival, which was due at `due_ns`."""

    number: int
    arrival: int
    due_ns: int


@dataclass(frozen=True, slots=True)
class Drop:
    """An arrival is taken up by nobody: all users that there may be are busy."""

    arrival: int
    scenario: str


Change = StartUser | LeaveUser | Arrive | Drop
