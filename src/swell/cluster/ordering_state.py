"""What each worker is ordered to do, and when shares are dealt again: for newcomers, leavers and the lost. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from swell.clock import NS_PER_S
from swell.cluster.balance_state import Balance
from swell.cluster.bequest_state import done_before
from swell.cluster.controller_steps import Command, Commit, Left, Redealt, Send, TooFew
from swell.cluster.course_state import Course
from swell.cluster.dealing_state import Dealing
from swell.cluster.gathering_state import Measuring
from swell.cluster.losses_state import Losses
from swell.cluster.member_state import Member, Membership
from swell.cluster.messages import Orders, Pulse
from swell.plan import RunPlan
from swell.result import Redeal

REASONS_TOLD = 3


class Ordering:
    """The orders of a run's workers, numbered."""

    def __init__(
        self,
        plan: RunPlan,
        term: int,
        members: Membership,
        course: Course,
        dealing: Dealing,
        losses: Losses,
        measuring: Measuring,
        balance: Balance,
    ) -> None:
        self._plan = plan
        self._term = term
        self._members = members
        self._course = course
        self._dealing = dealing
        self._losses = losses
        self._measuring = measuring
        self._balance = balance
        self._number = 0
        self._to_be_recorded: set[bytes] = set()
        self._leaving: dict[int, int] = {}
        """Workers that want to hand over what they have, and since when."""

    def __repr__(self) -> str:
        return f"<Ordering, {self._number} given, {len(self._leaving)} leaving>"

    def order(self, member: Member, now_ns: int) -> Command:
        """Tell a worker all that it is to do."""
        self._number += 1
        self._members.newcomers.pop(member.identity, None)
        course = self._course
        orders = Orders(
            number=self._number,
            begin_ns=course.begin_ns,
            ends_ns=course.ends_ns if member.let_go_ns is None else member.let_go_ns,
            revisions=course.revisions,
            share=member.share,
            share_from_ns=max(member.share_from_ns, course.begin_ns or 0),
            done=done_before(member, self._plan.loads),
            term=self._term,
        )
        return Send(member.identity, member.order(orders, now_ns))

    def order_again(self, now_ns: int) -> list[Command]:
        """Something has changed for all who have orders."""
        return [self.order(member, now_ns) for member in self._members.live if member.orders.number]

    def order_all(self, now_ns: int) -> list[Command]:
        """For all who can follow orders, whether they have had any or not."""
        return [self.order(member, now_ns) for member in self._members.live if member.takes_orders]

    def deal_first(self) -> None:
        """Everybody who is there gets a share."""
        there = [member for member in self._members.live if member.takes_orders and not member.leaving]
        self._dealing.begin(self._capacities(there))
        self._losses.reasons.clear()

    def order_first(self, now_ns: int) -> list[Command]:
        """Tell all who have a share what is new for all of them."""
        return [self.order(member, now_ns) for member in self._members.live if member.share.residues]

    def took_over(self, member: Member) -> None:
        """A worker follows orders of the controller before this one."""
        if member.orders.number:
            self._members.newcomers.pop(member.identity, None)
            self._number = max(self._number, member.orders.number)

    def resume(self, now_ns: int) -> list[Command]:
        """Tell all whose orders are another controller's what this one says, and deal what nobody holds."""
        self._losses.reasons.append("the controller is back")
        return [self.order(member, now_ns) for member in self._members.live if member.orders.number]

    def leaves(self, member: Member, now_ns: int) -> None:
        """A worker was asked to go."""
        if member.worker not in self._leaving:
            self._leaving[member.worker] = now_ns
            self._losses.reasons.append(f"worker {member.worker} leaves")
        if not member.orders.number and member.share.residues:
            self._dealing.release(member, now_ns)

    def look_after(self, now_ns: int) -> list[Command]:
        """All that is to be done about shares now, while the run goes on."""
        self._losses.keep_no_longer(now_ns)
        commands = self._receive(now_ns) if self._members.newcomers else []
        if self._losses.reasons:
            commands += self._deal_again(now_ns)
        elif self._course.begin_ns is not None:
            commands += self._even_out(now_ns)
        if not self._dealing.is_done:
            commands += [self.order(member, now_ns) for member in self._dealing.advance()]
        commands += self._losses.vacancies.filled()
        return commands + (self._let_go(now_ns) if self._leaving else [])

    def _receive(self, now_ns: int) -> list[Command]:
        """Those who have no orders yet: whose share was kept for them, and who is to get one."""
        commands: list[Command] = []
        self._measuring.consider(self._members.newcomers.values())
        for member in list(self._members.newcomers.values()):
            if not member.live:
                del self._members.newcomers[member.identity]
            elif not member.takes_orders or member.leaving:
                continue
            elif self._members.journaled and not member.is_recorded:
                commands += self._have_recorded(member)
            elif member.share.residues:
                member.share_from_ns = now_ns
                commands.append(self.order(member, now_ns))
            elif measure := self._measuring.asks(member, now_ns):
                commands.append(Send(member.identity, measure))
            elif self._measuring.is_through(member, now_ns) and member.worker not in self._dealing.goals:
                self._losses.reasons.append(f"worker {member.worker} is in")
        return commands

    def _have_recorded(self, member: Member) -> list[Command]:
        """Before a worker has users it is on disk that it is there: else nobody would miss it who resumes the run."""
        if member.identity in self._to_be_recorded:
            return []
        self._to_be_recorded.add(member.identity)
        return [Commit()]

    def _deal_again(self, now_ns: int) -> list[Command]:
        there = [member for member in self._members.live if self._can_have_some(member, now_ns)]
        if not there:
            return self._withdraw(now_ns)
        because, self._losses.reasons = _listed(self._losses.reasons), []
        if self._dealing.is_among({member.worker for member in there}):
            return []
        moved = self._dealing.deal(self._capacities(there))
        return [Redealt(Redeal(self._dealing.number, self._course.at_s(now_ns), moved, because))]

    def feels(self, member: Member, pulse: Pulse, now_ns: int) -> None:
        """A worker tells how it fares with its share."""
        if member.share.residues and not member.is_changing:
            share = member.share
            part = len(share.residues) / share.modulus
            self._balance.felt(member.worker, now_ns, pulse.load, part, member.capacity)

    def _capacities(self, there: Iterable[Member]) -> dict[int, float]:
        """What each of these can carry: as it has measured, and as it has shown since."""
        members = list(there)
        self._balance.among({member.worker: member.capacity for member in members})
        return self._balance.capacities if self._measuring.is_on else dict.fromkeys(self._balance.capacities, 1.0)

    def _even_out(self, now_ns: int) -> list[Command]:
        """Deal again where one worker carries less than it is dealt and another could; say where all are too few."""
        if not self._dealing.is_done:
            self._balance.dealt(now_ns)
            return []
        if not self._balance.is_strained(now_ns):
            return []
        self._balance.among(
            {member.worker: member.capacity for member in self._members.live if self._can_have_some(member, now_ns)}
        )
        commands: list[Command] = []
        if shortfall := self._balance.notice(now_ns, self._course.at_s(now_ns)):
            commands.append(TooFew(shortfall))
        wanted = self._balance.wanted(now_ns) if self._measuring.is_on else None
        if wanted is not None:
            moved = self._dealing.deal(wanted)
            redeal = Redeal(self._dealing.number, self._course.at_s(now_ns), moved, self._balance.because)
            commands.append(Redealt(redeal))
        return commands

    def _withdraw(self, now_ns: int) -> list[Command]:
        """Nobody is there but those who want to go: they wait as long as a lease for somebody else."""
        since_ns = min(self._leaving.values(), default=now_ns)
        if self._leaving and now_ns - since_ns >= self._losses.patience_s * NS_PER_S:
            self._dealing.withdraw()
            self._losses.reasons.clear()
        return []

    def _can_have_some(self, member: Member, now_ns: int) -> bool:
        if member.leaving or member.let_go_ns is not None:
            return False
        if member.share.residues or member.orders.number:
            return True
        if self._members.journaled and not member.is_recorded and self._course.begin_ns is not None:
            return False
        return member.takes_orders and self._measuring.is_through(member, now_ns)

    def _let_go(self, now_ns: int) -> list[Command]:
        """Whoever wants to leave, and has handed over all that it had, is to end."""
        commands: list[Command] = []
        for worker in list(self._leaving):
            member = self._members.present[worker]
            if not member.live:
                del self._leaving[worker]
            elif member.let_go_ns is None and member.takes_orders and _has_nothing(member):
                member.let_go_ns = now_ns
                commands += [Left(member.worker, member.incarnation), self.order(member, now_ns)]
        return commands

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        assert all(not member.orders.number for member in self._members.newcomers.values())
        assert all(member.orders.number <= self._number for member in self._members)


def _has_nothing(member: Member) -> bool:
    return not member.share.residues and not member.partings and not member.is_changing


def _listed(reasons: Iterable[str]) -> str:
    told = list(dict.fromkeys(reasons))
    more = len(told) - REASONS_TOLD
    return ", ".join(told[:REASONS_TOLD]) + (f" and {more} more" if more > 0 else "")
