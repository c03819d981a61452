"""Segments that the controller has not confirmed, and when they are sent again: pure.

Each is sent once when it is sealed. If nothing at all is confirmed for 2 s, the oldest few are sent again, then after
4 s, 8 s, ... 30 s: a controller that cannot keep up is not given more to do. Once it confirms what was sent again, the
next few follow at once, so that a backlog is worked off as fast as it can be taken. What a segment holds is not kept
here: it is in the spool.
"""

from __future__ import annotations

from collections import deque

from swell.clock import NS_PER_S

FIRST_PATIENCE_NS = 2 * NS_PER_S
LONGEST_PATIENCE_NS = 30 * NS_PER_S
SEGMENTS_AT_ONCE = 8


class Outbox:
    """The sequence numbers of one incarnation's segments."""

    def __init__(self) -> None:
        self._numbers: deque[int] = deque()
        self._patience_ns = FIRST_PATIENCE_NS
        self._quiet_since_ns = 0
        """When something was confirmed or sent again last."""
        self._sent_again_to = 0
        """The last of those that were sent again; 0: none were."""

    def __repr__(self) -> str:
        return f"<Outbox of {len(self._numbers)} segments, patient for {self._patience_ns / NS_PER_S:g} s>"

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def numbers(self) -> tuple[int, ...]:
        """What is not confirmed, oldest first."""
        return tuple(self._numbers)

    def sealed(self, sequence: int, now_ns: int) -> None:
        """A new segment is sent."""
        if not self._numbers:
            self._quiet_since_ns = now_ns
            self._patience_ns = FIRST_PATIENCE_NS
        self._numbers.append(sequence)

    def confirmed(self, sequence: int, now_ns: int) -> list[int] | None:
        """All up to `sequence` have arrived: what is to be sent again next; None where that is no news."""
        if not self._numbers or self._numbers[0] > sequence:
            return None
        while self._numbers and self._numbers[0] <= sequence:
            self._numbers.popleft()
        self._quiet_since_ns = now_ns
        self._patience_ns = FIRST_PATIENCE_NS
        return self._again(now_ns) if sequence == self._sent_again_to else []

    def overdue(self, now_ns: int) -> list[int]:
        """What is to be sent again, because nothing has been confirmed for long."""
        if not self._numbers or now_ns - self._quiet_since_ns < self._patience_ns:
            return []
        self._patience_ns = min(2 * self._patience_ns, LONGEST_PATIENCE_NS)
        return self._again(now_ns)

    def _again(self, now_ns: int) -> list[int]:
        self._quiet_since_ns = now_ns
        again = [self._numbers[at] for at in range(min(SEGMENTS_AT_ONCE, len(self._numbers)))]
        if again:
            self._sent_again_to = again[-1]
        return again

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        numbers = list(self._numbers)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True
        assert FIRST_PATIENCE_NS <= self._patience_ns <= LONGEST_PATIENCE_NS
