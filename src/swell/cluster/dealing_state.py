"""Who holds which residues, who is to hold them, and how they get from the one to the other. Pure.

    held by A ──orders without them──► parting ──A follows, their users have gone──► a lot ──orders──► held by B
        └──A is dead, or its lease is over────────────────────────────────────────────►┘

Each residue is with exactly one: in a worker's share, on its way out of one, or in a lot that nobody holds. A share
changes again only when a pulse has named the orders that changed it last. So one instant is enough, on the way in as
on the way out: whoever missed a message between them would otherwise take an arrival twice, or leave one out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from swell.cluster.bequest_state import Bequest, Estate, counts_iterations, divided
from swell.cluster.member_state import Member, Membership, Parting
from swell.cluster.messages import Pulse
from swell.cluster.placement import place
from swell.load.shares import LEAST_MODULUS, NOTHING, Share
from swell.load_plan import Load, Open, Sessions

Residues = frozenset[int]


@dataclass(slots=True)
class Lot:
    """Residues that nobody holds."""

    residues: Residues
    from_ns: int
    """From when on nobody has started what arrives there."""
    estate: Estate
    is_exact: bool = False
    """All that had arrived before was started, too."""
    waits_for: Member | None = None
    """Who has died, and will soon be known to have done how much."""

    @property
    def is_ready(self) -> bool:
        return self.waits_for is None or self.waits_for.finished


class Dealing:
    """The residues of a run and its workers."""

    def __init__(self, members: Membership, loads: Sequence[Load]) -> None:
        self.number = 0
        """Of the latest re-deal."""
        self.goals: dict[int, Residues] = {}
        """What each worker is to hold."""
        self._members = members
        self._loads = loads
        self._bequeaths = counts_iterations(loads)
        self._are_instants_exact = any(isinstance(load.model, Open | Sessions) for load in loads)
        self._is_begun = False
        self._modulus = LEAST_MODULUS
        self._lots: list[Lot] = []
        self._unmet: set[int] = set()
        """Workers that do not hold what they are to hold, or are giving something up."""

    def __repr__(self) -> str:
        free = sum(len(lot.residues) for lot in self._lots)
        return f"<Dealing {self.number} to {sorted(self.goals)}, {free} residues free, unmet: {sorted(self._unmet)}>"

    @property
    def is_done(self) -> bool:
        """Whether everybody holds what it is to hold."""
        return not self._unmet and not self._lots

    @property
    def has_lots(self) -> bool:
        """Whether something is held by nobody."""
        return bool(self._lots)

    def is_among(self, workers: set[int]) -> bool:
        """Whether everything is to be with these, and each of them is to have some."""
        return self.goals.keys() == workers and sum(map(len, self.goals.values())) == self._modulus

    # --- who is to have what -----------------------------------------------------------------------------------------

    def begin(self, capacities: Mapping[int, float]) -> None:
        """Deal all residues for the first time: nobody holds any."""
        self._is_begun = True
        shares = place(capacities)
        self._modulus = next((share.modulus for share in shares.values()), LEAST_MODULUS)
        for worker, share in shares.items():
            self.goals[worker] = frozenset(share.residues)
            self._members.present[worker].share = share

    def resume(self, held: Mapping[Member, Share], estate: Estate, now_ns: int) -> None:
        """Go on with what the workers say that they hold. All else has been free since now, with what those had done
        who are gone. Should two say that they hold the same, the second is told that it does not."""
        self._is_begun = True
        self._modulus = max((share.modulus for share in held.values()), default=LEAST_MODULUS)
        free = set(range(self._modulus))
        for member, share in held.items():
            its = free.intersection(share.residues) if share.modulus == self._modulus else set()
            free -= its
            is_as_said = len(its) == len(share.residues)
            member.share = share if is_as_said else self._share(its)
            self.goals[member.worker] = frozenset(its)
        if free:
            self._lots.append(Lot(frozenset(free), now_ns, estate))
        self._unmet.update(self._members.present)

    def deal(self, capacities: Mapping[int, float]) -> float:
        """Deal again, among these: from now on they are to have what follows from their capacities. Returns which part
        of everything is to be with somebody else than before."""
        before = {worker: self.goals[worker] for worker in capacities if worker in self.goals}
        previous = {worker: self._share(residues) for worker, residues in before.items()}
        shares = place(capacities, previous, self._modulus)
        self.goals = {worker: frozenset(share.residues) for worker, share in shares.items()}
        self.number += 1
        self._unmet.update(self._members.present)
        kept = sum(len(residues & self.goals[worker]) for worker, residues in before.items())
        return 1 - kept / self._modulus

    def withdraw(self) -> None:
        """Nobody is to have anything."""
        self._unmet.update(self.goals)
        self.goals = {}

    # --- who has what ------------------------------------------------------------------------------------------------

    def advance(self) -> list[Member]:
        """Move what can be moved now; whose share has changed, and needs orders."""
        changed = []
        for worker in sorted(self._unmet):
            member = self._members.present[worker]
            if member.live and (member.is_changing or not member.takes_orders):
                continue
            if member.live and self._change(member):
                changed.append(member)
            elif not member.live or (not member.partings and self._has_its_goal(member)):
                self._unmet.discard(worker)
        return changed

    def felt(self, member: Member, pulse: Pulse, begin_ns: int | None) -> bool:
        """A pulse has named a worker's latest orders, or later ones than before; whether that frees something."""
        if not member.partings or member.is_changing or pulse.orders < member.change:
            return False
        for parting in member.partings:
            if parting.followed_ns is None:
                parting.followed_ns = (begin_ns or 0) + pulse.followed_ns
                nothing = (0,) * len(self._loads)
                given = pulse.given if len(pulse.given) == len(nothing) else nothing
                parting.given = tuple(now - then for now, then in zip(given, member.given or nothing, strict=True))
                member.given = given
        if not pulse.settled:
            return False
        for parting in member.partings:
            estate = Estate(more=parting.given) if self._bequeaths else Estate()
            self._lots.append(Lot(parting.residues, parting.followed_ns or 0, estate, is_exact=True))
        member.partings = []
        return True

    def release(self, member: Member, from_ns: int, *, waits: bool = False) -> None:
        """A worker holds nothing any more: it is dead, its lease is over, or it has never had what was kept for it.
        `waits`: nobody gets it before it is known what the worker has done."""
        residues, estate = self._taken_from(member)
        self._unmet.add(member.worker)
        if self._members.present.get(member.worker) is member:
            self.goals.pop(member.worker, None)
        if residues:
            self._lots.append(Lot(residues, from_ns, estate, waits_for=member if waits else None))

    def pass_on(self, lost: Member, heir: Member, from_ns: int) -> None:
        """The next incarnation of a dead worker has what that one was to keep."""
        residues, estate = self._taken_from(lost)
        kept = residues & self.goals.get(lost.worker, residues)
        bequest, rest = self._divided(estate, kept, residues - kept)
        if kept:
            heir.share = self._share(kept)
        heir.inherited = [bequest] if self._bequeaths else []
        self._unmet.add(heir.worker)
        if residues - kept:
            self._lots.append(Lot(residues - kept, from_ns, rest))

    def _taken_from(self, member: Member) -> tuple[Residues, Estate]:
        residues = frozenset(member.share.residues).union(*(parting.residues for parting in member.partings))
        estate = Estate()
        if self._bequeaths:
            kept = [parting.given for parting in member.partings if parting.given]
            gone = [sum(counts) - given for given, *counts in zip(member.given, *kept, strict=True)]
            estate = Estate(member.inherited, member if member.lost else None, gone)
        member.share, member.partings, member.inherited = NOTHING, [], []
        return residues, estate

    def _change(self, member: Member) -> bool:
        """Take away what a worker is not to have, and give it what is there for it; whether that is anything."""
        goal, held = self.goals.get(member.worker, frozenset()), frozenset(member.share.residues)
        losing = held - goal
        gaining = self._gain(member, goal - held)
        if not losing and not gaining:
            return False
        if losing:
            member.partings.append(Parting(losing))
        member.share = self._share((held | gaining) - losing)
        return True

    def _has_its_goal(self, member: Member) -> bool:
        return frozenset(member.share.residues) == self.goals.get(member.worker, frozenset())

    def _gain(self, member: Member, wanted: Residues) -> Residues:
        """Hand out of the lots what is wanted, and has been free since one and the same instant."""
        lots = [lot for lot in self._lots if lot.is_ready and wanted & lot.residues] if wanted else []
        if not lots:
            return frozenset()
        first = min(lots, key=lambda lot: lot.from_ns)
        if self._are_instants_exact and first.is_exact:
            lots = [lot for lot in lots if lot.is_exact and lot.from_ns == first.from_ns]
        elif self._are_instants_exact:
            lots = [lot for lot in lots if not lot.is_exact]
        member.share_from_ns = max(lot.from_ns for lot in lots)
        gained: Residues = frozenset()
        for lot in lots:
            part = lot.residues & wanted
            gained |= part
            bequest, rest = self._divided(lot.estate, part, lot.residues - part)
            if self._bequeaths:
                member.inherited.append(bequest)
            lot.residues, lot.estate = lot.residues - part, rest
        self._lots = [lot for lot in self._lots if lot.residues]
        return gained

    def _divided(self, estate: Estate, part: Residues, rest: Residues) -> tuple[Bequest, Estate]:
        """What of an estate goes with a part of its residues, and what stays with the rest."""
        if not self._bequeaths:
            return Bequest(estate), estate
        if not rest:
            return Bequest(estate), Estate()
        with_part, with_rest = divided(estate, [self._share(part), self._share(rest)], self._loads)
        return with_part, Estate([with_rest])

    def _share(self, residues: Iterable[int]) -> Share:
        return Share(self._modulus, tuple(sorted(residues)))

    def check(self) -> None:
        """Raise AssertionError if a residue is with nobody or with two."""
        shares = [residue for member in self._members for residue in member.share.residues]
        parting = [residue for member in self._members for one in member.partings for residue in one.residues]
        lots = [residue for lot in self._lots for residue in lot.residues]
        everything = list(range(self._modulus)) if self._is_begun else []
        assert sorted(shares + parting + lots) == everything
        assert all(not member.share.residues and not member.partings for member in self._members if member.lost)
