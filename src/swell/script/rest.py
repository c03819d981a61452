"""How a user passes the time between two turns: it waits, or it lets others have theirs.

A wait is a sleep on the seat's clock, which whoever makes the user leave ends early.

A user without a wait gives way by itself with every request that it makes, and the loop's iteration number shows that
it did. If it makes none, it gives way once a millisecond, by a timer of 0 s: unlike `gevent.sleep(0)`, that lets the
loop look for what the network has brought.
"""

from __future__ import annotations

import gevent

from swell.clock import NS_PER_S
from swell.user import Seat

TURN_NS = NS_PER_S // 1_000
"""How long a user may keep the loop to itself before it gives way."""
FAULT_PAUSE_S = 0.01
"""After a turn that failed before it let anyone else run."""


class Rest:
    """The waits of one user."""

    __slots__ = ("_clock", "_hub", "_loop", "_seat", "_seen", "_turn_due_ns", "now_ns")

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._clock = seat.clock
        self.now_ns = seat.clock.now_ns
        self._hub = gevent.get_hub()
        self._loop = self._hub.loop
        self._seen = -1
        self._turn_due_ns = 0

    def __repr__(self) -> str:
        return f"<Rest of user {self._seat.number}, planned for {self._seat.intended_ns}>"

    def breathe(self) -> None:
        """Let others run, if this user has not done so for a millisecond."""
        iteration = self._loop.iteration
        if iteration != self._seen:
            self._seen = iteration
            self._turn_due_ns = 0
        elif not self._turn_due_ns:
            self._turn_due_ns = self.now_ns() + TURN_NS
        elif self.now_ns() >= self._turn_due_ns:
            self._give_way()

    def after_fault(self) -> None:
        """Keep a task that fails at once, each time, from taking the whole processor."""
        if self._loop.iteration == self._seen:
            self.sleep_s(FAULT_PAUSE_S)
        self._seen = self._loop.iteration

    def start_at(self, due_ns: int, free_ns: int) -> None:
        """Wait until `due_ns`, then note the planned start of the next iteration, for a user free since `free_ns`."""
        if due_ns > free_ns:
            self.sleep_until(due_ns)
        else:
            self.breathe()
        seat = self._seat
        seat.intended_ns = due_ns
        seat.held_ns = max(0, free_ns - due_ns)
        seat.lag_ns = max(0, self.now_ns() - max(due_ns, free_ns))

    def unplanned(self) -> None:
        """Forget the planned start: what comes next follows from something else."""
        self._seat.intended_ns = self._seat.held_ns = 0
        self._seat.lag_ns = -1

    def sleep_until(self, due_ns: int) -> None:
        """Wait until `due_ns`, or until the user is to leave."""
        if not self._seat.leaving:
            self._clock.sleep_until_ns(due_ns)

    def sleep_s(self, seconds: float) -> None:
        """Wait for some seconds, or until the user is to leave."""
        self.sleep_until(self.now_ns() + round(seconds * NS_PER_S))

    def _give_way(self) -> None:
        self._turn_due_ns = 0
        with self._loop.timer(0.0) as soon:
            self._hub.wait(soon)
        self._seen = self._loop.iteration
