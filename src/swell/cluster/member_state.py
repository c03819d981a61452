"""What the controller knows of each incarnation of each worker. Pure: it changes by what it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator

from swell.clock import NS_PER_S
from swell.cluster.bequest_state import Bequest
from swell.cluster.messages import Orders, Pulse, WorkerPhase
from swell.load.shares import NOTHING, Share
from swell.segment import FIRST_SEQUENCE, ScenarioCount, Segment

PULSE_MARK = b"~"
RESEND_AFTER_NS = NS_PER_S // 2
QUICK_DEATH_NS = 5 * NS_PER_S
QUICK_DEATHS = 3
"""A worker that dies so soon after its launch, so often in a row, is not replaced."""


def identity_of(worker: int, incarnation: int) -> bytes:
    """What an incarnation of a worker is called on the link."""
    return f"{worker}.{incarnation}".encode()


def pulse_identity_of(identity: bytes) -> bytes:
    """What the socket is called on which the same speaks of its pulse alone."""
    return identity + PULSE_MARK


class Member:
    """One incarnation of a worker, from its launch until nothing more can come from it."""

    def __init__(
        self, worker: int, incarnation: int, launched_ns: int, share: Share = NOTHING, machine: str = ""
    ) -> None:
        self.worker = worker
        self.incarnation = incarnation
        self.identity = identity_of(worker, incarnation)
        self.machine = machine
        """Whose supervisor has started it; '': the controller."""
        self.host = ""
        """What is one machine to workers that are on it, once it has introduced itself."""
        self.ended = False
        """Its process has been seen to end."""
        self.launched_ns = launched_ns
        self.share = share
        self.share_from_ns = 0
        self.greeted = False
        self.phase = WorkerPhase.LOADING
        self.applied = FIRST_SEQUENCE - 1
        """All segments up to this number have been applied."""
        self.stored = FIRST_SEQUENCE - 1
        """All up to this one need not be kept by the worker any more."""
        self.final = False
        self.lost = False
        self.recovered = False
        self.idle = False
        self.prepared = False
        self.users = 0
        self.inherited: list[Bequest] = []
        """What those had done that it has its share from."""
        self._counts: tuple[ScenarioCount, ...] = ()
        self.orders = Orders(number=0)
        self._orders_sent_ns = 0

    def __repr__(self) -> str:
        state = "lost" if self.lost else "finished" if self.final else self.phase.value
        return f"<Member {self.worker}.{self.incarnation} {state}, {self.users} users, {self.applied} segments>"

    @property
    def finished(self) -> bool:
        """Nothing more can come from it."""
        return self.recovered if self.lost else self.final

    @property
    def live(self) -> bool:
        """It can be given orders."""
        return not self.lost and not self.final

    def order(self, orders: Orders, now_ns: int) -> Orders:
        """Take note of the orders that it is given."""
        self.orders = orders
        self.idle = self.prepared = False
        self._orders_sent_ns = now_ns
        return orders

    def felt(self, pulse: Pulse, now_ns: int) -> Orders | None:
        """It has sent a pulse; what is to be sent again, because it seems not to have come."""
        self.phase = pulse.phase
        self.users = pulse.users
        self.idle = pulse.idle and pulse.orders == self.orders.number
        self.prepared = pulse.prepared and pulse.orders == self.orders.number
        if pulse.orders < self.orders.number and now_ns - self._orders_sent_ns >= RESEND_AFTER_NS:
            return self.order(self.orders, now_ns)
        return None

    def takes(self, segment: Segment) -> bool:
        """Whether a segment is the next to be applied; if so, it counts as applied."""
        if segment.sequence != self.applied + 1 or self.final:
            return False
        self.applied = segment.sequence
        self.final = segment.final
        self._counts = segment.scenarios or self._counts
        return True

    def iterations_of(self, scenarios: Container[str]) -> int:
        """How many iterations of some scenarios it has reported."""
        return sum(count.iterations for count in self._counts if count.name in scenarios)

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        assert FIRST_SEQUENCE - 1 <= self.stored <= self.applied
        assert self.greeted or self.phase is WorkerPhase.LOADING
        assert not self.recovered or self.lost


class Membership:
    """All incarnations of all workers that the controller has launched."""

    def __init__(self) -> None:
        self.present: dict[int, Member] = {}
        """The latest incarnation of each worker."""
        self.departed: list[Member] = []
        """Those that have been replaced."""
        self._by_identity: dict[bytes, Member] = {}
        self._quick_deaths: Counter[int] = Counter()

    def __repr__(self) -> str:
        return f"<Membership {list(self.present.values())}, departed {self.departed}>"

    def __iter__(self) -> Iterator[Member]:
        yield from self.present.values()
        yield from self.departed

    @property
    def live(self) -> list[Member]:
        """Those that can be given orders, in the order of their numbers."""
        return [member for member in self.present.values() if member.live]

    @property
    def loading(self) -> list[Member]:
        """Those that are waited for."""
        return [member for member in self.live if member.phase is WorkerPhase.LOADING]

    @property
    def unsettled(self) -> list[Member]:
        """Those who are lost, and of whom it is not known yet what they had done."""
        return [member for member in self if member.lost and not member.recovered]

    def called(self, identity: bytes) -> Member | None:
        """Who is called so on the link, or has its pulse there."""
        return self._by_identity.get(identity.removesuffix(PULSE_MARK))

    def recruit(self, machine: str, now_ns: int) -> Member:
        """Make room for another worker, on a machine."""
        return self.add(max(self.present, default=-1) + 1, now_ns, machine)

    def add(self, worker: int, now_ns: int, machine: str = "") -> Member:
        """Make room for a worker, or for the next incarnation of it, which has the share of the one before."""
        before = self.present.get(worker)
        if before is None:
            member = Member(worker, 1, now_ns, machine=machine)
        else:
            self.departed.append(before)
            member = Member(worker, before.incarnation + 1, now_ns, before.share, before.machine)
            member.inherited = [Bequest(before)]
        self.present[worker] = self._by_identity[member.identity] = member
        return member

    def lose(self, member: Member, now_ns: int) -> bool:
        """A worker is gone; whether it is worth while to replace it."""
        member.lost = True
        quick = now_ns - member.launched_ns < QUICK_DEATH_NS
        self._quick_deaths[member.worker] = self._quick_deaths[member.worker] + 1 if quick else 0
        return self._quick_deaths[member.worker] < QUICK_DEATHS

    def check(self) -> None:
        """Raise AssertionError if anything contradicts itself."""
        for member in self:
            member.check()
        assert all(member.lost for member in self.departed)
        assert {member.identity: member for member in self} == self._by_identity
