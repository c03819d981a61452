"""Who is waited for before a run begins, and what each is found to be able to carry. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from swell.clock import NS_PER_S
from swell.cluster.member_state import Member, Membership
from swell.cluster.messages import Measure, WorkerPhase

READY_WITHIN_NS = 60 * NS_PER_S
MEASURE_EVERY_NS = NS_PER_S // 2
"""All workers of a machine are asked within a fraction of this, and so begin at the same multiple of it."""
MEASURED_WITHIN_NS = 5 * NS_PER_S
ASK_AGAIN_NS = 2 * NS_PER_S


class Gathering:
    """The workers that are to be there: all of this machine, and so many of others."""

    def __init__(self, expected: int, timeout_s: float) -> None:
        self.expected = expected
        self.timeout_s = timeout_s
        self.since_ns: int | None = None
        """When workers could come first."""

    def __repr__(self) -> str:
        return f"<Gathering of {self.expected} from elsewhere, for {self.timeout_s:g} s>"

    def is_complete(self, members: Membership) -> bool:
        """Whether nobody is waited for any more."""
        here = [member for member in members.live if not member.machine]
        if any(member.phase is WorkerPhase.LOADING for member in here):
            return False
        come = self.come(members)
        return come >= self.expected and (come > 0 or any(member.takes_orders for member in here))

    def failure(self, members: Membership, now_ns: int) -> str:
        """Why nobody is waited for any longer, although not all are there; '': they are."""
        waited_ns = 0 if self.since_ns is None else now_ns - self.since_ns
        late = [str(member.worker) for member in members.loading if not member.machine]
        if late and waited_ns >= READY_WITHIN_NS:
            return f"not ready within {READY_WITHIN_NS // NS_PER_S} s: worker {', '.join(late)}"
        if late or waited_ns < self.timeout_s * NS_PER_S:
            return ""
        come = self.come(members)
        expected = max(self.expected, 1)
        few = f"only {come:,} of {expected:,} workers" if come else "no worker"
        return f"{few} came within {self.timeout_s:g} s"

    @staticmethod
    def come(members: Membership) -> int:
        """How many of other machines are ready."""
        return sum(member.machine != "" and member.takes_orders and not member.leaving for member in members.live)


class Measuring:
    """What each worker can carry: asked of all before they get a share, where they are not all alike."""

    def __init__(self, *, always: bool = False) -> None:
        self.is_on = always
        self._machines: set[str] = set()
        self._asked: dict[bytes, tuple[int, int]] = {}
        """When each was asked first, and last."""

    def __repr__(self) -> str:
        return f"<Measuring, {len(self._asked)} asked>" if self.is_on else "<Measuring is not called for>"

    def consider(self, members: Iterable[Member]) -> bool:
        """Whether workers are on several machines, as far as these are others than those before."""
        self._machines.update(member.machine for member in members)
        self.is_on = self.is_on or len(self._machines) > 1
        return self.is_on

    def asks(self, member: Member, now_ns: int) -> Measure | None:
        """What a worker is to be asked now, if anything."""
        if not self.is_on or member.capacity or member.phase is not WorkerPhase.READY or member.orders.number:
            return None
        first_ns, last_ns = self._asked.get(member.identity, (now_ns, now_ns - ASK_AGAIN_NS))
        if now_ns - last_ns < ASK_AGAIN_NS or now_ns - first_ns >= MEASURED_WITHIN_NS:
            return None
        self._asked[member.identity] = first_ns, now_ns
        return Measure(MEASURE_EVERY_NS)

    def is_through(self, member: Member, now_ns: int) -> bool:
        """Whether it is known what a worker can carry, or it has been asked for long enough."""
        if not self.is_on or member.orders.number or (member.capacity and member.takes_orders):
            return True
        first_ns, _ = self._asked.get(member.identity, (now_ns, 0))
        return now_ns - first_ns >= MEASURED_WITHIN_NS

    def capacities(self, members: Iterable[Member]) -> dict[int, float]:
        """What each can carry: in calls per second, where that is known; others count as the mean of those."""
        members = list(members)
        known = [member.capacity for member in members if member.capacity]
        mean = sum(known) / len(known) if known else 1.0
        return {member.worker: member.capacity or mean for member in members}
