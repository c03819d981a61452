"""The reports of a worker that have not been acknowledged, and when to send them again. Pure.

A report that is not acknowledged was lost, or waits for its turn: a controller that is held up has all of it in its
queue. To send it again too soon would only make the queue longer. So, as TCP does (RFC 6298), patience is twice what
the latest acknowledgement took; and each time that sending again brings nothing, it is doubled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

from swell.clock import NS_PER_S
from swell.segment import Segment

LEAST_PATIENCE_NS = 2 * NS_PER_S
MOST_PATIENCE_NS = 16 * NS_PER_S
SEGMENTS_PER_RESEND = 8


class Outbox:
    """Segments in the order of their numbers."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Segment, int]] = deque()
        """With the instant at which each was sent first."""
        self._patience_ns = LEAST_PATIENCE_NS
        self._due_ns = 0

    def __repr__(self) -> str:
        return f"<Outbox of {len(self._waiting)}, sent again after {self._patience_ns / NS_PER_S:g} s>"

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def segments(self) -> Sequence[Segment]:
        """All of them, oldest first."""
        return tuple(segment for segment, _ in self._waiting)

    def add(self, segment: Segment, now_ns: int) -> None:
        """A segment is sent for the first time."""
        if not self._waiting:
            self._due_ns = now_ns + self._patience_ns
        self._waiting.append((segment, now_ns))

    def acknowledged(self, sequence: int, now_ns: int) -> bool:
        """All up to this one need not be kept; False where that was known."""
        sent_ns = None
        while self._waiting and self._waiting[0][0].sequence <= sequence:
            _, sent_ns = self._waiting.popleft()
        if sent_ns is None:
            return False
        self._patience_ns = min(max(2 * (now_ns - sent_ns), LEAST_PATIENCE_NS), MOST_PATIENCE_NS)
        self._due_ns = now_ns + self._patience_ns
        return True

    def again(self, now_ns: int) -> list[Segment]:
        """What is to be sent again now: the oldest, where none has been acknowledged for too long."""
        if not self._waiting or now_ns < self._due_ns:
            return []
        self._patience_ns = min(2 * self._patience_ns, MOST_PATIENCE_NS)
        self._due_ns = now_ns + self._patience_ns
        return [segment for segment, _ in islice(self._waiting, SEGMENTS_PER_RESEND)]

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        sequences = [segment.sequence for segment, _ in self._waiting]
        assert not sequences or sequences == list(range(sequences[0], sequences[0] + len(sequences)))
        assert LEAST_PATIENCE_NS <= self._patience_ns <= MOST_PATIENCE_NS
