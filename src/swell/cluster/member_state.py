"""What the controller knows of each incarnation of each worker. Pure: it changes by what it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass
from math import inf

from swell.clock import NS_PER_S
from swell.cluster.bequest_state import Bequest, Estate
from swell.cluster.messages import Orders, Pulse, Standing, WorkerPhase
from swell.load.shares import NOTHING, Share
from swell.segment import FIRST_SEQUENCE, ScenarioCount, Segment

PULSE_MARK = b"~"
RESEND_AFTER_NS = NS_PER_S // 2
QUICK_DEATH_NS = 5 * NS_PER_S
QUICK_DEATHS = 3
"""A worker that dies so soon after its launch, so often in a row, is not replaced."""
ORDERLY = (WorkerPhase.READY, WorkerPhase.PREPARING, WorkerPhase.RUNNING, WorkerPhase.DRAINING)
"""The phases in which a worker follows orders."""


def identity_of(worker: int, incarnation: int) -> bytes:
    """What an incarnation of a worker is called on the link."""
    return f"{worker}.{incarnation}".encode()


def pulse_identity_of(identity: bytes) -> bytes:
    """What the socket is called on which the same speaks of its pulse alone."""
    return identity + PULSE_MARK


@dataclass(slots=True)
class Parting:
    """Residues that a worker was told to give up, while it has not, or somebody of them is still there."""

    residues: frozenset[int]
    followed_ns: int | None = None
    """From when on it has left to others what arrives there; None: it has not said so yet."""
    given: tuple[int, ...] = ()
    """Of each load, the iterations of them that it had begun."""


class Member:
    """One incarnation of a worker, from its launch until nothing more can come from it."""

    def __init__(self, worker: int, incarnation: int, launched_ns: int, machine: str = "") -> None:
        self.worker = worker
        self.incarnation = incarnation
        self.identity = identity_of(worker, incarnation)
        self.machine = machine
        """Whose supervisor has started it; '': the controller."""
        self.launched_ns = launched_ns
        # what it holds: `dealing_state.py`
        self.share: Share = NOTHING
        self.share_from_ns = 0
        self.partings: list[Parting] = []
        self.given: tuple[int, ...] = ()
        """Of each load, the iterations that went with what it gave up, as far as it has said."""
        self.inherited: list[Bequest] = []
        """What those had done that it has its share from."""
        # what it says of itself
        self.greeted = False
        self.process: tuple[str, str, int] | None = None
        """Machine, host and id of the process that was the first to introduce itself by this name: no other is it."""
        self.phase = WorkerPhase.LOADING
        self.users = 0
        self.idle = False
        self.prepared = False
        self.leaving = False
        self.is_settled = True
        """Nobody is there whom its orders' share does not hold."""
        self.capacity = 0.0
        self._sent_ns = 0
        # its reports
        self.applied = FIRST_SEQUENCE - 1
        """All segments up to this number have been applied."""
        self.stored = FIRST_SEQUENCE - 1
        """All up to this one need not be kept by the worker any more."""
        self.final = False
        self._counts: tuple[ScenarioCount, ...] = ()
        self.is_recorded = False
        """It is known on disk that it is there."""
        # how it ends
        self.let_go_ns: int | None = None
        """It has handed over all it had, and is to end from here on."""
        self.lost_ns: int | None = None
        """Since when nothing is to be expected of it any more, but reports."""
        self.is_doomed = False
        """It took too long to end, and is to be ended."""
        self.ended = False
        """Its process has been seen to end."""
        self.recovered = False
        """Nothing more of it is waited for."""
        # what it was told
        self.orders = Orders(number=0, share=NOTHING)
        self.change = 0
        """The number of the orders that changed its share last."""
        self._followed = 0
        self._orders_sent_ns = 0

    def __repr__(self) -> str:
        state = "lost" if self.lost else "finished" if self.final else self.phase.value
        return f"<Member {self.worker}.{self.incarnation} {state}, {self.users} users, {self.applied} segments>"

    @property
    def lost(self) -> bool:
        """It is gone, or must be taken for gone, and should not be."""
        return self.lost_ns is not None

    @property
    def finished(self) -> bool:
        """Nothing more can come from it."""
        return self.recovered or self.final

    @property
    def live(self) -> bool:
        """It can be given orders."""
        return self.lost_ns is None and not self.final

    @property
    def takes_orders(self) -> bool:
        """Whether it has got so far as to follow them."""
        return self.phase in ORDERLY

    @property
    def is_coming_up(self) -> bool:
        """Whether it has not got so far."""
        return self.phase in (WorkerPhase.LOADING, WorkerPhase.MEASURING)

    @property
    def is_changing(self) -> bool:
        """Whether it has not said yet that it follows the latest change of its share."""
        return self._followed < self.change or self.share is not self.orders.share

    def order(self, orders: Orders, now_ns: int) -> Orders:
        """Take note of the orders that it is given."""
        if orders.share is not self.orders.share:
            self.change = orders.number
        self.orders = orders
        self.idle = self.prepared = False
        self._orders_sent_ns = now_ns
        return orders

    def felt(self, pulse: Pulse) -> bool:
        """It has sent a pulse, the latest that has come; whether that says anything new of how far it is."""
        before = self.phase, self.idle, self.prepared, self.leaving, self.capacity, self.is_changing
        self.phase = pulse.phase
        self.users = pulse.users
        self.idle = pulse.idle and pulse.orders == self.orders.number
        self.prepared = pulse.prepared and pulse.orders == self.orders.number
        self.leaving = self.leaving or pulse.leaving
        self.is_settled = pulse.settled
        self.capacity = pulse.capacity if 0 < pulse.capacity < inf else self.capacity
        self._followed = max(self._followed, min(pulse.orders, self.orders.number))
        return before != (self.phase, self.idle, self.prepared, self.leaving, self.capacity, self.is_changing)

    def stood(self, standing: Standing) -> None:
        """It has told a controller that resumes the run what it holds."""
        self.orders = standing.orders
        self.change = self._followed = standing.orders.number
        self.given = standing.given
        self.capacity = standing.capacity or self.capacity

    def reported(self, applied: int, scenarios: tuple[ScenarioCount, ...], *, is_final: bool) -> None:
        """So far its segments have been taken in, and stored, before this controller came."""
        self.applied = self.stored = applied
        self.final = is_final
        self._counts = scenarios

    def inherit(self, estate: Estate) -> None:
        """What those had done that it has its share from."""
        self.inherited = [Bequest(estate)]

    def own_bequest(self) -> Bequest:
        """What it has done itself, for whoever has its share next."""
        return Bequest(Estate(member=self))

    def is_news(self, pulse: Pulse) -> bool:
        """Whether none that was said later has come before it."""
        if pulse.sent_ns < self._sent_ns:
            return False
        self._sent_ns = pulse.sent_ns
        return True

    def again(self, pulse: Pulse, now_ns: int) -> Orders | None:
        """Its orders, to be sent again, because they seem not to have come."""
        if pulse.orders < self.orders.number and now_ns - self._orders_sent_ns >= RESEND_AFTER_NS:
            self._orders_sent_ns = now_ns
            return self.orders
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
        assert self._followed <= self.orders.number


class Membership:
    """All incarnations of all workers that the controller has launched."""

    def __init__(self) -> None:
        self.present: dict[int, Member] = {}
        """The latest incarnation of each worker."""
        self.departed: list[Member] = []
        """Those that have been replaced."""
        self.newcomers: dict[bytes, Member] = {}
        """Those that have no orders yet."""
        self.missing: dict[bytes, Member] = {}
        """Those that are lost, and of whom more may come."""
        self._by_identity: dict[bytes, Member] = {}
        self._quick_deaths: Counter[int] = Counter()
        self.journaled = False
        """Nobody gets a share whom a controller that resumes the run would not know."""

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
    def are_finished(self) -> bool:
        """Whether nothing more can come from anybody."""
        return not self.missing and all(member.finished for member in self.present.values())

    def called(self, identity: bytes) -> Member | None:
        """Who is called so on the link, or has its pulse there."""
        return self._by_identity.get(identity.removesuffix(PULSE_MARK))

    def recruit(self, machine: str, now_ns: int) -> Member:
        """Make room for another worker, on a machine."""
        return self.add(max(self.present, default=-1) + 1, now_ns, machine)

    def add(self, worker: int, now_ns: int, machine: str = "") -> Member:
        """Make room for a worker, or for the next incarnation of it, on the same machine as the one before."""
        before = self.present.get(worker)
        if before is None:
            member = Member(worker, 1, now_ns, machine=machine)
        else:
            self.departed.append(before)
            member = Member(worker, before.incarnation + 1, now_ns, machine=before.machine)
            member.capacity = before.capacity
        self.present[worker] = self._by_identity[member.identity] = member
        self.newcomers[member.identity] = member
        return member

    def restore(self, worker: int, incarnation: int, machine: str, now_ns: int) -> Member:
        """Somebody was there before this controller was. Incarnations come in the order of their numbers."""
        before = self.present.get(worker)
        if before is not None:
            self.departed.append(before)
        member = Member(worker, incarnation, now_ns, machine)
        self.present[worker] = self._by_identity[member.identity] = member
        self.newcomers[member.identity] = member
        return member

    def lose(self, member: Member, now_ns: int) -> None:
        """A worker is gone, or silent: nothing is to be expected of it any more, but reports."""
        member.lost_ns = now_ns
        if not member.finished:
            self.missing[member.identity] = member

    def settle(self, member: Member) -> None:
        """Nothing more comes from a lost worker, or nothing more of it is waited for."""
        member.recovered = True
        self.missing.pop(member.identity, None)

    def is_worth_while(self, member: Member, now_ns: int) -> bool:
        """Whether a worker that has died is to be replaced: not when it does nothing else."""
        quick = now_ns - member.launched_ns < QUICK_DEATH_NS
        self._quick_deaths[member.worker] = self._quick_deaths[member.worker] + 1 if quick else 0
        return self._quick_deaths[member.worker] < QUICK_DEATHS

    def check(self) -> None:
        """Raise AssertionError if anything contradicts itself."""
        for member in self:
            member.check()
        assert all(not member.live for member in self.departed)
        assert {member.identity: member for member in self} == self._by_identity
        assert {name for name, member in self._by_identity.items() if member.lost and not member.finished} <= set(
            self.missing
        )
