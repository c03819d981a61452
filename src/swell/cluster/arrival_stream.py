"""The arrivals of one worker's share of a load, one after the other, each of them once. Instants are the run's."""

from __future__ import annotations

from collections.abc import Iterator

from swell.load.shares import NOTHING, Share
from swell.load.starts import Starts

Arrival = tuple[int, int]
"""Its number, and when it is due."""


class ArrivalStream:
    """What of the schedule is still to come to this worker."""

    def __init__(self, starts: Starts) -> None:
        self.share: Share = NOTHING
        self._starts = starts
        self._next = 0
        """Arrivals below this number have been seen to, as far as they are ours."""
        self._due: Arrival | None = None
        self._is_over = False

    def __repr__(self) -> str:
        return f"<ArrivalStream at {self._next}>"

    @property
    def due_ns(self) -> int | None:
        """When the next one is due; None: there is none."""
        return None if self._due is None else self._due[1]

    def take(self, now_ns: int) -> Iterator[Arrival]:
        """All that are due at `now_ns` and have not been taken."""
        while self._due is not None and self._due[1] <= now_ns:
            arrival = self._due
            self._next = arrival[0] + 1
            self._due = self._starts.next_due(self.share, self._next)
            yield arrival

    def begin(self, share: Share) -> None:
        """Have this share from the beginning."""
        self.share = share
        self._due = self._starts.next_due(share, 0)

    def deal(self, share: Share, from_ns: int, now_ns: int) -> list[Arrival]:
        """Go on with another share, whose arrivals are ours from `from_ns` on; returns those that are late already.
        All of the share before must have been taken."""
        before, self.share = self.share, share
        since = self._starts.due_by(from_ns - 1)
        self._next = max(self._next, self._starts.due_by(now_ns) if before.residues else since)
        late = []
        number = share.next_mine(since)
        while number is not None and number < self._next:
            due_ns = None if before.mine(number) else self._starts.due_ns(number)
            if due_ns is not None:
                late.append((number, due_ns))
            number = share.next_mine(number + 1)
        self._due = None if self._is_over else self._starts.next_due(share, self._next)
        return late

    def stop(self) -> None:
        """Nothing arrives any more."""
        self._is_over = True
        self._due = None
