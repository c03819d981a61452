"""What ties a worker to its controller: the lease, the two clocks, and the term that says whose word counts. Pure."""

from __future__ import annotations

from swell.cluster.messages import Lease, Orders, Welcome
from swell.cluster.offset_state import Offset
from swell.cluster.tenure_state import Tenure

EXCHANGES_AT_FIRST = 8
"""So many pulses go out one after the other before the run begins: the offset is known from the best of them."""


class Bond:
    """One worker's. `shares_clock`: it is on the controller's machine."""

    def __init__(self, *, shares_clock: bool) -> None:
        self.tenure = Tenure()
        self.offset = Offset(shared=shares_clock)
        self.term = 0
        """The highest that anybody has said."""
        self.refused = 0
        """Frames that were not heeded: of a lower term, answers to what was never said, or no message."""

    def __repr__(self) -> str:
        return f"<Bond of term {self.term}, {self.tenure}, {self.offset}, {self.refused} refused>"

    @property
    def knows_clocks_well(self) -> bool:
        """Whether there is no need to hurry with the next exchange."""
        return self.offset.shared or self.offset.exchanges >= EXCHANGES_AT_FIRST

    def heard(self, lease: Lease, now_ns: int) -> bool:
        """The controller has answered a pulse; whether that counts."""
        if lease.term < self.term or not self.tenure.extend(lease, now_ns):
            self.refused += 1
            return False
        self.term = lease.term
        self.offset.measured(lease, now_ns)
        return True

    def obeys(self, message: Orders | Welcome) -> bool:
        """Whether what somebody says counts, being of the highest term known."""
        if message.term < self.term:
            self.refused += 1
            return False
        self.term = message.term
        return True

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        self.offset.check()
