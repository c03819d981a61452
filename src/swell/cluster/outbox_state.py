"""The reports of a worker that have not been acknowledged, and when they are sent. Pure.

    held back ──room in the window──► under way ──acknowledged──► forgotten
        ▲                                 │
        └───────nothing for too long──────┘

A report that is not acknowledged was lost, or waits for its turn: a controller that is held up has all of them in its
queue, and to send more would only make that longer. So no more than a window of them is under way. When nothing comes
back for twice as long as the latest acknowledgement took (RFC 6298 has it from TCP), all are taken for lost: the oldest
go first, since the controller takes none out of turn, and the others as these are acknowledged. Each time that this
brings nothing, patience is doubled.

Of a long backlog only the oldest are kept in memory, the others by their number: all of them are in the spool.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from swell.clock import NS_PER_S
from swell.segment import Segment

LEAST_PATIENCE_NS = 2 * NS_PER_S
MOST_PATIENCE_NS = 16 * NS_PER_S
WINDOW = 8
KEPT = 2 * WINDOW


@dataclass(frozen=True, slots=True)
class Spooled:
    """A segment that has to be read from the spool to be sent."""

    sequence: int


Report = Segment | Spooled


class Outbox:
    """Segments in the order of their numbers."""

    def __init__(self) -> None:
        self._waiting: deque[Report] = deque()
        self._sent_ns: deque[int] = deque()
        """When each that is under way was sent: the oldest of those that wait."""
        self._patience_ns = LEAST_PATIENCE_NS
        self._heard_ns = 0
        """When something was acknowledged, or sent while nothing was under way, last."""

    def __repr__(self) -> str:
        return (
            f"<Outbox of {len(self._waiting)}, {len(self._sent_ns)} under way for {self._patience_ns / NS_PER_S:g} s>"
        )

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def reports(self) -> Sequence[Report]:
        """All of them, oldest first."""
        return tuple(self._waiting)

    def add(self, segment: Segment) -> None:
        """There is a new one. `due` says when it is sent."""
        self._waiting.append(segment if len(self._waiting) < KEPT else Spooled(segment.sequence))

    def acknowledged(self, sequence: int, now_ns: int) -> bool:
        """All up to this one need not be kept; False where that was known."""
        if not self._waiting or self._waiting[0].sequence > sequence:
            return False
        took_ns = 0
        while self._waiting and self._waiting[0].sequence <= sequence:
            self._waiting.popleft()
            if self._sent_ns:
                took_ns = now_ns - self._sent_ns.popleft()
        self._patience_ns = min(max(2 * took_ns, LEAST_PATIENCE_NS), MOST_PATIENCE_NS)
        self._heard_ns = now_ns
        return True

    def hasten(self) -> None:
        """Somebody is there who has not had what is under way: it is not waited for any longer than at first."""
        self._patience_ns = LEAST_PATIENCE_NS

    def due(self, now_ns: int) -> list[Report]:
        """What is to be sent now, for the first time or again. To be asked whenever something has happened, and each
        second."""
        if self._sent_ns and now_ns - self._heard_ns >= self._patience_ns:
            self._sent_ns.clear()
            self._patience_ns = min(2 * self._patience_ns, MOST_PATIENCE_NS)
        if not self._sent_ns:
            self._heard_ns = now_ns
        under_way = len(self._sent_ns)
        due = list(islice(self._waiting, under_way, max(WINDOW, under_way)))
        self._sent_ns.extend([now_ns] * len(due))
        return due

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        sequences = [report.sequence for report in self._waiting]
        assert not sequences or sequences == list(range(sequences[0], sequences[0] + len(sequences)))
        assert len(self._sent_ns) <= min(WINDOW, len(self._waiting))
        assert [*self._sent_ns] == sorted(self._sent_ns)
        assert LEAST_PATIENCE_NS <= self._patience_ns <= MOST_PATIENCE_NS
