"""How long a worker may have users, by its own clock: pure. Nothing that comes late, or twice, makes it longer."""

from __future__ import annotations

from swell.clock import NS_PER_S
from swell.cluster.messages import Lease


class Tenure:
    """The lease of one worker; none before the first answer to a pulse."""

    def __init__(self) -> None:
        self.ends_ns: int | None = None
        """By the worker's clock; None: it has never had a lease."""

    def __repr__(self) -> str:
        return f"<Tenure until {self.ends_ns}>"

    def holds(self, now_ns: int) -> bool:
        """Whether the worker may have users."""
        return self.ends_ns is not None and now_ns < self.ends_ns

    def extend(self, lease: Lease, now_ns: int) -> bool:
        """The controller has answered a pulse; whether it can have been one of this process."""
        if not 0 < lease.sent_ns <= now_ns:
            return False
        ends_ns = lease.sent_ns + round(lease.lease_s * NS_PER_S)
        if self.ends_ns is None or ends_ns > self.ends_ns:
            self.ends_ns = ends_ns
        return True
