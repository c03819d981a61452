"""What follows when a worker dies, falls silent or hands over what it has. Pure.

    live ──its process has ended──► lost: its ring is read, its successor has its share
      └──no pulse for a lease, or fenced──► lost: its share goes to others, its reports are still taken
                                              └──its process has ended──► its successor gets a share like any newcomer

A worker that was seen to die is replaced, and its successor has its share: the two never overlap. One that dies as soon
as it is up is given up after the third time. Of a silent one nobody knows whether it still runs: it is replaced when
its process is seen to have ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from swell.clock import NS_PER_S
from swell.cluster.controller_steps import Command, Died, Kill, Launch, Lost, Note, Recover
from swell.cluster.course_state import Phase
from swell.cluster.dealing_state import Dealing
from swell.cluster.leases_state import Leases
from swell.cluster.machines_state import Machines
from swell.cluster.member_state import Member, Membership, identity_of
from swell.cluster.vacancies_state import Vacancies

KILL_AFTER_NS = 10 * NS_PER_S
"""Beyond the stop time-out: how long a worker may take to send its last segment."""


class Losses:
    """The workers of a run that are lost, and those that take their places."""

    def __init__(self, members: Membership, leases: Leases, dealing: Dealing, machines: Machines) -> None:
        self.reasons: list[str] = []
        """Why the shares are to be dealt again; whoever does so takes them out."""
        self._members = members
        self._leases = leases
        self._dealing = dealing
        self._machines = machines
        self.vacancies = Vacancies(members)
        self._kept: deque[Member] = deque()
        """Those whose share is kept for them until they are up, in the order of their launch."""

    @property
    def patience_s(self) -> float:
        """How long somebody is waited for who may be there still, or come."""
        return self._leases.lease_s

    def __repr__(self) -> str:
        return f"<Losses: {len(self._members.missing)} missing, {len(self._kept)} kept a share for>"

    def died(self, event: Died, phase: Phase, now_ns: int) -> list[Command]:
        """The process of a worker has ended."""
        member = self._members.called(identity_of(event.worker, event.incarnation))
        if member is None or member.ended:
            return []
        member.ended = True
        self._leases.forget(member)
        if member.final and not member.lost:
            return []
        if not member.lost:
            return self._lose(member, event.because, phase, now_ns)
        return [*self._recover(member), *self._return(member, phase, now_ns)]

    def orphaned(self, phase: Phase, now_ns: int) -> list[Command]:
        """The controller before this one has died, and the workers of its machine with it: others take their places."""
        own = [member for member in self._members if not member.machine]
        commands: list[Command] = []
        for member in [member for member in own if not member.ended]:
            died = Died(member.worker, member.incarnation, "died with its controller")
            commands += self.died(died, phase, now_ns)
        for member in [member for member in own if member.lost and self._members.present[member.worker] is member]:
            commands.append(Launch(member.worker, self._members.add(member.worker, now_ns).incarnation))
        return commands

    def died_before(self, event: Died, now_ns: int) -> list[Command]:
        """The process of a worker on another machine has ended before the run began: it is started again."""
        member = self._members.called(identity_of(event.worker, event.incarnation))
        if member is None or member.ended:
            return []
        was_lost, member.ended = member.lost, True
        self._leases.forget(member)
        if not was_lost:
            self._members.lose(member, now_ns)
        self._members.settle(member)
        told = f"worker {member.worker} {event.because}" + (f"\n{event.output}" if event.output else "")
        if member.leaving or not self._is_replaced(member, now_ns):
            self._release(member, now_ns)
            return [Note(told)]
        return [Note(told), self._replace(member, now_ns)]

    def fell_silent(self, member: Member, since_ns: int, because: str, phase: Phase, now_ns: int) -> list[Command]:
        """The lease of a worker is over: it may have no users any more, and nobody knows what has become of it."""
        is_begun = phase in (Phase.RESUMING, Phase.RUNNING, Phase.ENDING)
        if member.lost or not (is_begun or member.machine):
            return []
        self._leases.forget(member)
        self._members.lose(member, now_ns)
        if is_begun:
            self.vacancies.leave(member)
        self._release(member, since_ns)
        if is_begun:
            return [Lost(member.worker, member.incarnation, because)]
        self._members.settle(member)
        return [Note(f"worker {member.worker} {because}")]

    def give_up(self, member: Member, now_ns: int) -> list[Command]:
        """The run is over and nothing has come of a worker for too long: what is missing of it stays unaccounted."""
        commands: list[Command] = []
        because = "has not sent its last report"
        if not member.lost:
            self._members.lose(member, now_ns)
            self._release(member, now_ns)
            commands.append(Lost(member.worker, member.incarnation, because))
        self._leases.forget(member)
        self._members.settle(member)
        missing = (
            f"worker {member.worker}.{member.incarnation} {because}: what it did after the one before is unaccounted"
        )
        return [*commands, Note(missing)]

    def never_came_up(self, member: Member, now_ns: int) -> list[Command]:
        """The run ends before a worker has got so far as to take part in it."""
        self._leases.forget(member)
        self._members.lose(member, now_ns)
        self._members.settle(member)
        self._release(member, now_ns)
        return [Kill(member.worker, member.incarnation)]

    def keep_no_longer(self, now_ns: int) -> None:
        """A share is not kept for longer than a lease for whom it takes so long to get ready."""
        while self._kept:
            member = self._kept[0]
            is_waited_for = member.live and not member.orders.number and member.share.residues
            if is_waited_for and now_ns - member.launched_ns < self._leases.lease_s * NS_PER_S:
                return
            self._kept.popleft()
            if is_waited_for and not member.takes_orders:
                self._release(member, now_ns)

    def _lose(self, member: Member, because: str, phase: Phase, now_ns: int) -> list[Command]:
        self._members.lose(member, now_ns)
        self.vacancies.leave(member)
        commands: list[Command] = [Lost(member.worker, member.incarnation, because), *self._recover(member)]
        if phase is Phase.RUNNING and not member.leaving and self._is_replaced(member, now_ns):
            return [*commands, self._replace(member, now_ns)]
        self._release(member, now_ns, waits=not member.machine)
        return commands

    def _return(self, member: Member, phase: Phase, now_ns: int) -> list[Command]:
        """A worker that was silent has ended at last: its next incarnation has no share yet."""
        is_latest = self._members.present[member.worker] is member
        if phase is not Phase.RUNNING or not is_latest or member.leaving or not self._is_replaced(member, now_ns):
            return []
        return [Launch(member.worker, self._members.add(member.worker, now_ns).incarnation)]

    def _is_replaced(self, member: Member, now_ns: int) -> bool:
        return self._members.is_worth_while(member, now_ns) and self._machines.may_launch(member)

    def _replace(self, member: Member, now_ns: int) -> Command:
        heir = self._members.add(member.worker, now_ns)
        self._dealing.pass_on(member, heir, now_ns)
        self._kept.append(heir)
        return Launch(heir.worker, heir.incarnation)

    def _release(self, member: Member, from_ns: int, *, waits: bool = False) -> None:
        self.reasons.append(f"worker {member.worker} is gone")
        self._dealing.release(member, from_ns, waits=waits)

    @staticmethod
    def _recover(member: Member) -> Iterable[Command]:
        return [] if member.finished else [Recover(member.worker, member.incarnation)]
