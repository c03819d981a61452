"""The arrivals of one worker's share of a load, one after the other, each of them once. Instants are the run's.

What the worker is given it has from an instant on, which may lie before or, by the clocks' error, after now: each part
of the share has a place of its own in the numbering, up to which it has been seen to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from swell.load.shares import NOTHING, Share
from swell.load.starts import Starts

Arrival = tuple[int, int]
"""Its number, and when it is due."""


@dataclass(slots=True)
class _Part:
    """Arrivals of a share from number `next` on; `due` is the first of them."""

    share: Share
    next: int
    due: Arrival | None


class ArrivalStream:
    """What of the schedule is still to come to this worker."""

    def __init__(self, starts: Starts) -> None:
        self.share: Share = NOTHING
        self._starts = starts
        self._parts: list[_Part] = []
        self._first: _Part | None = None
        """Whose arrival is due first."""

    def __repr__(self) -> str:
        return f"<ArrivalStream at {', '.join(str(part.next) for part in self._parts) or 'no number'}>"

    @property
    def due_ns(self) -> int | None:
        """When the next one is due; None: there is none."""
        return None if self._first is None or self._first.due is None else self._first.due[1]

    def take(self, now_ns: int) -> Iterator[Arrival]:
        """All that are due at `now_ns` and have not been taken, in the order of their numbers."""
        while (part := self._first) is not None and part.due is not None and part.due[1] <= now_ns:
            arrival = part.due
            part.next = arrival[0] + 1
            part.due = self._starts.next_due(part.share, part.next)
            self._choose()
            yield arrival

    def begin(self, share: Share) -> None:
        """Have this share from the beginning."""
        self.share = share
        self._have([self._part(share, 0)])

    def deal(self, share: Share, from_ns: int, now_ns: int) -> None:
        """Go on with another share: what it has more is ours from `from_ns` on, be it late or to come; what it has
        less is so at once. All that was due must have been taken."""
        gained, self.share = share.without(self.share), share
        reached = self._starts.due_by(now_ns)
        done = [part for part in self._parts if part.next <= reached]
        ahead = [part for part in self._parts if part.next > reached]
        kept = [self._part(share.also_in(part.share), part.next) for part in ahead]
        if done:
            rest = share.without(gained)
            for part in ahead:
                rest = rest.without(part.share)
            kept.append(self._part(rest, reached))
        self._have([*kept, self._part(gained, self._starts.due_by(from_ns - 1))])

    def stop(self) -> None:
        """Nothing arrives any more."""
        self._have([])

    def _part(self, share: Share, number: int) -> _Part:
        return _Part(share, number, self._starts.next_due(share, number))

    def _have(self, parts: list[_Part]) -> None:
        self._parts = [part for part in parts if part.share.residues]
        self._choose()

    def _choose(self) -> None:
        parts = self._parts
        if len(parts) == 1:
            self._first = parts[0]
            return
        due = [part for part in parts if part.due is not None]
        self._first = min(due, key=lambda part: part.due or (0, 0), default=None)
