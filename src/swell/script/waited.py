"""How long a user waited for a group of calls: the time in which at least one of them was under way."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

SPANS_KEPT = 1_000
"""Of a group with more pauses the earliest are settled: a call that began before them counts from their end on."""


class Waited:
    """Joins the stretches of calls, in whatever order they come. Instants in ns."""

    __slots__ = ("_begins", "_ends", "_floor_ns", "_settled_ns")

    def __init__(self) -> None:
        self._begins: list[int] = []
        self._ends: list[int] = []
        self._settled_ns = 0
        self._floor_ns = 0

    def __repr__(self) -> str:
        return f"<Waited {self.total_ns} ns>"

    @property
    def total_ns(self) -> int:
        """The length of all stretches; where they overlap, once."""
        return self._settled_ns + sum(self._ends) - sum(self._begins)

    def add(self, begin_ns: int, end_ns: int) -> None:
        """One more stretch."""
        begins, ends = self._begins, self._ends
        begin_ns = max(begin_ns, self._floor_ns)
        if end_ns <= begin_ns:
            return
        first, last = bisect_left(ends, begin_ns), bisect_right(begins, end_ns)
        if first < last:  # it touches those in between
            begin_ns, end_ns = min(begin_ns, begins[first]), max(end_ns, ends[last - 1])
        begins[first:last] = [begin_ns]
        ends[first:last] = [end_ns]
        if len(begins) > SPANS_KEPT:
            self._floor_ns = ends.pop(0)
            self._settled_ns += self._floor_ns - begins.pop(0)
