"""Time as an argument: whoever waits or measures is given a clock, so that a test can hold it still.

Instants are integers, nanoseconds of CLOCK_MONOTONIC. Its zero means nothing and differs between machines;
only differences do. The real clock is `runtime/real_clock.py`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Protocol

NS_PER_S = 1_000_000_000


class Clock(Protocol):
    """What deciding and acting code asks of time."""

    def now_ns(self) -> int:
        """The instant now, in nanoseconds, never going backwards."""

    def sleep_until_ns(self, due_ns: int) -> None:
        """Let others run until `due_ns`; returns at once if that has passed."""


class ManualClock:
    """A clock that stands still until a test moves it. `sleep_until_ns` moves it there, running what falls due."""

    def __init__(self, now_ns: int = 0) -> None:
        self._now_ns = now_ns
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._order = 0

    def __repr__(self) -> str:
        return f"<ManualClock at {self._now_ns / NS_PER_S:.6f} s, {len(self._due)} due>"

    def now_ns(self) -> int:
        return self._now_ns

    def call_at_ns(self, due_ns: int, action: Callable[[], None]) -> None:
        """Run `action` when the clock is moved to or past `due_ns`; equal instants run in the order given."""
        self._order += 1
        heapq.heappush(self._due, (due_ns, self._order, action))

    def sleep_until_ns(self, due_ns: int) -> None:
        while self._due and self._due[0][0] <= due_ns:
            at_ns, _, action = heapq.heappop(self._due)
            self._now_ns = max(self._now_ns, at_ns)
            action()
        self._now_ns = max(self._now_ns, due_ns)

    def advance_s(self, seconds: float) -> None:
        """Move the clock `seconds` ahead."""
        self.sleep_until_ns(self._now_ns + round(seconds * NS_PER_S))
