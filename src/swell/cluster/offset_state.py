"""How far the controller's clock is ahead of a worker's, by what pulses and leases say of both: pure.

An exchange (pulse there, lease back) shows the offset to half of the time that it took on the way; of the last few
the one counts that can be least wrong, older ones being worth less as the clocks drift apart (the clock filter of NTP:
RFC 5905, section 10). Until the run begins here the offset is what it seems to be. From then on it *slews*: the
worker's idea of the controller's time is a line without a jump, as steep as 1 ± 1/2,000 where it bends towards what
is measured, so that instants keep their order whatever is measured.

                              ╱  in sync again
    the controller's    ____╱
    clock              ╱         a bend: a measurement says something else
                     ╱
                    worker's clock
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter

from swell.cluster.messages import Lease

SLEW = 2_000
"""The offset moves by one nanosecond in so many: 0.5 ms a second."""
DRIFT = 66_667
"""Two clocks part by one nanosecond in so many at the most: 15 ppm (PHI in RFC 5905)."""
EXCHANGES_KEPT = 16
BENDS_KEPT = 64


@dataclass(frozen=True, slots=True)
class Exchange:
    """A pulse and the lease that answered it. Its offset can be wrong by half the way there and back."""

    received_ns: int
    offset_ns: int
    way_ns: int

    def error_ns(self, now_ns: int) -> int:
        """How wrong it can be by now."""
        return self.way_ns // 2 + (now_ns - self.received_ns) // DRIFT


@dataclass(frozen=True, slots=True)
class Bend:
    """From `own_ns` on, the offset goes from `offset_ns` to `aim_ns`, and stays there."""

    own_ns: int
    offset_ns: int
    aim_ns: int

    def offset_at(self, own_ns: int) -> int:
        left_ns, moved_ns = self.aim_ns - self.offset_ns, max(own_ns - self.own_ns, 0) // SLEW
        return self.offset_ns + (min(left_ns, moved_ns) if left_ns >= 0 else max(left_ns, -moved_ns))


class Offset:
    """The worker's idea of the controller's clock. `shared`: both have the same, being on one machine."""

    def __init__(self, *, shared: bool = False) -> None:
        self.shared = shared
        self._exchanges: deque[Exchange] = deque(maxlen=EXCHANGES_KEPT)
        self._fixed = False
        self._bends = [Bend(0, 0, 0)]

    def __repr__(self) -> str:
        kind = "shared" if self.shared else "fixed" if self._fixed else "free"
        return f"<Offset {self._bends[-1].aim_ns} ns, {kind}, {len(self._exchanges)} exchanges>"

    @property
    def exchanges(self) -> int:
        """How many exchanges it has to choose from."""
        return len(self._exchanges)

    def error_ns(self, now_ns: int) -> int:
        """How far what is measured may be wrong."""
        return min((exchange.error_ns(now_ns) for exchange in self._exchanges), default=0)

    def measured(self, lease: Lease, received_ns: int) -> None:
        """A lease has come that answers a pulse."""
        if self.shared:
            return
        offset_ns = lease.now_ns - (lease.sent_ns + received_ns) // 2
        self._exchanges.append(Exchange(received_ns, offset_ns, received_ns - lease.sent_ns))
        aim_ns = min(self._exchanges, key=lambda exchange: exchange.error_ns(received_ns)).offset_ns
        if not self._fixed:
            self._bends = [Bend(received_ns, aim_ns, aim_ns)]
        elif aim_ns != self._bends[-1].aim_ns:
            self._bends.append(Bend(received_ns, self._bends[-1].offset_at(received_ns), aim_ns))
            del self._bends[:-BENDS_KEPT]

    def fix(self) -> None:
        """The run begins here: no jump from now on."""
        self._fixed = True

    def theirs(self, own_ns: int) -> int:
        """The controller's clock at an instant of ours. It never falls from one instant to a later one."""
        return own_ns if self.shared else own_ns + self._offset_at(own_ns)

    def ours(self, their_ns: int) -> int:
        """The first instant of ours at which the controller's clock shows `their_ns`."""
        if self.shared:
            return their_ns
        own_ns = their_ns - self._bends[-1].aim_ns
        for _ in range(4):  # each time a thousandth of the error, or less, is left
            own_ns = their_ns - self._offset_at(own_ns)
        while self.theirs(own_ns) < their_ns:
            own_ns += 1
        while self.theirs(own_ns - 1) >= their_ns:
            own_ns -= 1
        return own_ns

    def _offset_at(self, own_ns: int) -> int:
        last = self._bends[-1]
        if own_ns >= last.own_ns:
            return last.offset_at(own_ns)
        at = bisect_right(self._bends, own_ns, key=_own_ns)
        return self._bends[max(at - 1, 0)].offset_at(own_ns)

    def check(self) -> None:
        """Raise AssertionError if the line has a jump."""
        for bend, following in pairwise(self._bends):
            assert bend.own_ns <= following.own_ns
            assert bend.offset_at(following.own_ns) == following.offset_ns


_own_ns = attrgetter("own_ns")
