"""Whose lease is over, as the controller counts it: from when a pulse came, which is later than the worker does. Pure.

All leases are as long, so whoever was heard last is last in the row: to hear a pulse, and to look whose lease is over,
take the same time for a thousand workers as for one.
"""

from __future__ import annotations

from collections import OrderedDict

from swell.clock import NS_PER_S
from swell.cluster.member_state import Member

PULSES_PER_LEASE = 15


def pulse_interval_s(lease_s: float) -> float:
    """How often a worker has its lease renewed: each second, and more often where it is short."""
    return min(1.0, lease_s / PULSES_PER_LEASE)


class Leases:
    """Who has been heard of, and until when that lets it have users."""

    def __init__(self, lease_s: float) -> None:
        self.lease_s = lease_s
        self._lease_ns = round(lease_s * NS_PER_S)
        self._held: OrderedDict[bytes, tuple[Member, int]] = OrderedDict()
        """Who, and until when; whoever ends first is first."""

    def __repr__(self) -> str:
        return f"<Leases of {self.lease_s:g} s: {len(self._held)}>"

    def renew(self, member: Member, now_ns: int) -> None:
        """A pulse has come."""
        self._held[member.identity] = member, now_ns + self._lease_ns
        self._held.move_to_end(member.identity)

    def forget(self, member: Member) -> None:
        """It is known otherwise that the worker has no users any more, or need not be waited for."""
        self._held.pop(member.identity, None)

    def ended(self, now_ns: int) -> list[tuple[Member, int]]:
        """Whose lease is over, and since when; once for each."""
        found: list[tuple[Member, int]] = []
        while self._held:
            _, until_ns = next(iter(self._held.values()))
            if until_ns > now_ns:
                break
            found.append(self._held.popitem(last=False)[1])
        return found

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        ends = [until_ns for _, until_ns in self._held.values()]
        assert ends == sorted(ends)
        assert all(not member.lost for member, _ in self._held.values())
