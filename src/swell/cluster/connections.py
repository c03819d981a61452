"""Who has come to a listening socket, who got in and who did not: counted from what its monitor tells. Pure.

The monitor names a connection by its file descriptor when it comes and when it ends, and not when it has got in; what
it says of a failure comes right before that connection's end. A connection that ends without a word of failure was one
that had got in, unless nobody has since it came, or all that had are gone: then it had sent something else than the
protocol.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from swell.result import LinkCounts, StrangerCount

ADDRESSES_CAP = 100
OTHERS = "(other)"
NOWHERE = "?"
"""The address of a connection that had ended before anybody looked."""


class Connections:
    """All connections to one listening socket."""

    def __init__(self, on_stranger: Callable[[str], None] | None = None) -> None:
        self.opened = 0
        self.admitted = 0
        self.ended = 0
        """Connections that had got in."""
        self.strangers: Counter[str] = Counter()
        """By address."""
        self._on_stranger = on_stranger
        self._open: dict[int, tuple[str, int]] = {}
        self._has_failed = False

    def __repr__(self) -> str:
        return f"<Connections {self.opened} opened, {self.admitted} admitted, {self.strangers.total()} strangers>"

    def accepted(self, fd: int, address: str) -> int:
        """Somebody has come; how many are there now."""
        self.opened += 1
        self._open[fd] = (address, self.admitted)
        return len(self._open)

    def got_in(self) -> None:
        """One of them has the key."""
        self.admitted += 1

    def failed(self) -> None:
        """The one that is going to end next has not."""
        self._has_failed = True

    def disconnected(self, fd: int) -> None:
        """One is gone."""
        address, admitted_before = self._open.pop(fd, (NOWHERE, -1))
        if self._has_failed or self.admitted in (admitted_before, self.ended):
            self._count_stranger(address)
        else:
            self.ended += 1
        self._has_failed = False

    def _count_stranger(self, address: str) -> None:
        if address not in self.strangers and len(self.strangers) >= ADDRESSES_CAP:
            address = OTHERS
        self.strangers[address] += 1
        if self._on_stranger is not None and self.strangers[address] == 1:
            self._on_stranger(address)

    def counts(self) -> LinkCounts:
        """For the result."""
        strangers = tuple(StrangerCount(address, count) for address, count in self.strangers.most_common())
        return LinkCounts(admitted=self.admitted, ended=self.ended, strangers=strangers)

    def check(self) -> None:
        """Raise AssertionError if the counts contradict each other."""
        assert self.admitted + self.strangers.total() <= self.opened
        assert self.ended <= self.admitted
        assert len(self.strangers) <= ADDRESSES_CAP + 1
