"""Where users ask for their next iteration, one gate each: those of iterations, sessions and arrivals.

A gate passes the question on and, where the answer is to wait, parks the user's greenlet. An arrival goes straight from
the alarm to the idle user: `let_in` notes its planned start in the seat and switches into the greenlet, in the hub.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import greenlet

from swell.user import Admission, Seat

Ask = Callable[[int], Admission]
"""What is to become of the user of this number that asks for its next iteration."""


class Gate:
    """The gate of a user who is told at once whether there is another iteration."""

    __slots__ = ("_ask",)

    waits = True

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def __repr__(self) -> str:
        return "<Gate>"

    def admit(self, seat: Seat) -> bool:
        """Whether there is another iteration for the user."""
        if not seat.leaving and self._ask(seat.number) is Admission.GO:
            return True
        seat.leaving = True
        return False

    def enter(self, seat: Seat, due_ns: int) -> None:
        """The user begins to live: its first call, wherever it makes it, is timed from when it was due."""
        if due_ns and not seat.leaving:
            seat.arrived = 1
            seat.intended_ns = due_ns
            seat.lag_ns = max(seat.clock.now_ns() - due_ns, 0)

    def rouse(self) -> None:
        """The user is to leave."""


class ArrivalGate:
    """The gate of a user who is idle until somebody arrives. It may have been started for an arrival."""

    __slots__ = ("_ask", "_choices", "_due_ns", "_greenlet", "_hub", "_lag_ns")

    waits = False

    def __init__(self, ask: Ask, due_ns: int = 0, choices: int | None = None) -> None:
        self._ask = ask
        self._hub = gevent.get_hub()
        self._greenlet: Any = None
        self._due_ns = due_ns
        """When the arrival was due that is the user's, and has not begun; 0: there is none."""
        self._choices = choices
        """What its choices follow from."""
        self._lag_ns = 0

    def __repr__(self) -> str:
        return f"<ArrivalGate, {'parked' if self._greenlet is not None else 'passed'}>"

    def admit(self, seat: Seat) -> bool:
        """Wait for an arrival; False if the user is to leave before one comes."""
        now_ns = seat.clock.now_ns
        if seat.leaving:
            return False
        if self._due_ns:  # it was started for one: __init__ and on_start have held it up since then
            seat.lag_ns = self._lag_ns
            seat.held_ns = max(now_ns() - self._due_ns - self._lag_ns, 0)
        elif self._ask(seat.number) is Admission.LEAVE:
            seat.leaving = True
            return False
        elif not self._has_come(seat):
            return False
        else:
            seat.lag_ns = max(now_ns() - self._due_ns, 0)
            seat.held_ns = 0
        seat.intended_ns, self._due_ns = self._due_ns, 0
        seat.choices = self._choices
        seat.arrived += 1
        return True

    def enter(self, seat: Seat, due_ns: int) -> None:
        """The user begins to live."""
        if self._due_ns:
            self._lag_ns = max(seat.clock.now_ns() - self._due_ns, 0)

    def let_in(self, due_ns: int, choices: int) -> None:
        """Give the parked user the arrival that was due at `due_ns`: at once, if this is the hub."""
        self._due_ns, self._choices = due_ns, choices
        if greenlet.getcurrent() is self._hub:
            self._resume()
        else:
            self.rouse()

    def rouse(self) -> None:
        """The user is to leave, if it is parked."""
        if self._greenlet is not None:
            self._hub.loop.run_callback(self._resume)

    def _resume(self) -> None:
        parked, self._greenlet = self._greenlet, None
        if parked is not None:
            parked.switch()

    def _has_come(self, seat: Seat) -> bool:
        """Wait for an arrival; whether one has come."""
        self._greenlet = greenlet.getcurrent()
        try:
            while not self._due_ns and not seat.leaving:
                self._hub.switch()
        finally:
            self._greenlet = None
        return self._due_ns > 0


UserGate = Gate | ArrivalGate
