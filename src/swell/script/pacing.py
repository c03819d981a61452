"""When the iterations of a paced user are due: a fixed period apart, however long one takes.

A user held up by a slow target is in arrears: its next iterations are due already and start at once, each timed from
its own due moment, so that the waiting of the people it stands for is counted. Arrears are kept for 10 s; starts that
were due before that are missed, and counted.
"""

from __future__ import annotations

from swell.clock import NS_PER_S

MOST_ARREARS_NS = 10 * NS_PER_S


class Pace:
    """The due moments of one user: the one it began at, and every `period_ns` from there."""

    __slots__ = ("_missed", "due_ns", "period_ns")

    def __init__(self, period_ns: int, begun_ns: int) -> None:
        self.period_ns = period_ns
        self.due_ns = begun_ns
        self._missed = 0

    def __repr__(self) -> str:
        return (
            f"<Pace of {self.period_ns / NS_PER_S:g} s, due at {self.due_ns / NS_PER_S:.6f} s, {self._missed} missed>"
        )

    def next_ns(self, free_ns: int) -> int:
        """When the next iteration is due, for a user free since `free_ns`; at most 10 s before that."""
        if not self.period_ns:
            return free_ns
        self.due_ns += self.period_ns
        beyond_ns = free_ns - MOST_ARREARS_NS - self.due_ns
        if beyond_ns > 0:
            skipped = -(-beyond_ns // self.period_ns)
            self._missed += skipped
            self.due_ns += skipped * self.period_ns
        return self.due_ns

    def take_missed(self) -> int:
        """How many starts were given up since this was last asked."""
        missed, self._missed = self._missed, 0
        return missed
