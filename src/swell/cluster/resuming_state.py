"""How a controller takes up a run whose controller has died: pure.

    record of the cluster ──► members, machines, course, rows        the workers' own word ──► who holds what
                                        └──────────── all have spoken, or are lost ───────────┘──► the run goes on

Users go on meanwhile, as long as their workers' leases let them: the first thing that this controller says to any of
them is a lease. What a worker holds it tells itself (`Standing`); whoever has not been heard for a lease has lost it.
Workers of the controller's own machine have died with the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from swell.cluster.bequest_state import Estate, counts_iterations
from swell.cluster.course_state import Course
from swell.cluster.dealing_state import Dealing
from swell.cluster.feed_state import Feeds
from swell.cluster.leases_state import Leases
from swell.cluster.machines_state import Machines
from swell.cluster.member_state import Member, Membership
from swell.cluster.messages import Standing
from swell.cluster.record import ClusterRecord, MachineRecord, WorkerRecord
from swell.load.shares import Share
from swell.load_plan import Load
from swell.plan import Revision
from swell.result import End
from swell.segment import ScenarioCount
from swell.stats.journal import MergeJournal


class Reported(msgspec.Struct, frozen=True):
    """What is known of the reports of an incarnation."""

    applied: int = 0
    is_final: bool = False
    to_position: int = 0
    scenarios: tuple[ScenarioCount, ...] = ()


def reported_of(journal: MergeJournal) -> dict[tuple[int, int], Reported]:
    """How far the reports of each incarnation had come."""
    return {
        worker: Reported(
            applied=found.state.next_sequence - 1,
            is_final=found.state.final,
            to_position=found.state.last_position,
            scenarios=found.state.scenarios,
        )
        for worker, found in journal.workers.items()
    }


class Resuming:
    """The workers that are still to say what they hold."""

    def __init__(
        self,
        record: ClusterRecord,
        reported: Mapping[tuple[int, int], Reported],
        revisions: Sequence[Revision] = (),
        end: tuple[End, str] | None = None,
    ) -> None:
        """`end`: how the run was about to end already."""
        self.wanted_end = end
        self._record = record
        self._reported = reported
        self._revisions = revisions
        self._standings: dict[bytes, Standing] = {}
        self._awaited: list[Member] = []
        """Those who were there, and may be still."""

    def __repr__(self) -> str:
        return f"<Resuming after term {self._record.term}, {len(self._standings)} have told what they hold>"

    def restore(self, members: Membership, machines: Machines, leases: Leases, now_ns: int) -> None:
        """Have everybody there who was there."""
        for one in self._record.machines:
            machines.restore(one.name, one.host, one.pid, leaving=one.leaving)
        for worker in self._record.workers:
            known = self._reported.get((worker.worker, worker.incarnation), Reported())
            member = members.restore(worker.worker, worker.incarnation, worker.machine, now_ns)
            member.greeted, member.ended, member.capacity = worker.is_welcome, worker.has_ended, worker.capacity
            member.reported(known.applied, known.scenarios, is_final=known.is_final)
            if worker.is_lost:
                members.lose(member, now_ns)
            if worker.is_lost and (worker.is_settled or member.final):
                members.settle(member)
            if member.machine:
                machines.post(member, known.to_position)
            if member.machine and member.live:
                leases.renew(member, now_ns)
                self._awaited.append(member)

    def restore_course(self, course: Course, feeds: Feeds) -> None:
        """Have the run where it was."""
        course.resume(self._record.begin_ns, self._record.ends_ns, self._revisions)
        feeds.resume(self._record.feeds)

    def stood(self, member: Member, standing: Standing) -> None:
        """A worker has said what it holds."""
        self._standings[member.identity] = standing
        member.stood(standing)

    @property
    def is_complete(self) -> bool:
        """Whether nobody is waited for: all who live have spoken, and nobody is on the way from one to another."""
        return all(
            not member.live or not member.greeted or (member.identity in self._standings and member.is_settled)
            for member in self._awaited
        )

    @property
    def heard_of(self) -> list[Revision]:
        """The revisions of the plan that workers follow."""
        return [revision for standing in self._standings.values() for revision in standing.orders.revisions]

    def deal(self, members: Membership, dealing: Dealing, loads: Iterable[Load], now_ns: int) -> int:
        """Give everybody what it holds, and have what nobody holds lie free; how many workers hold something."""
        lost = [member for member in members.present.values() if not member.live]
        bequeaths = counts_iterations(loads)
        held: dict[Member, Share] = {}
        for member in members.live:
            standing = self._standings.get(member.identity)
            if standing is not None and standing.orders.share.residues:
                held[member] = standing.orders.share
                if bequeaths:
                    member.inherit(Estate(more=standing.orders.done))
        estate = Estate([member.own_bequest() for member in lost]) if bequeaths else Estate()
        dealing.resume(held, estate, now_ns)
        return len(held)


def record_of(
    term: int, course: Course, members: Membership, machines: Machines, dealing: Dealing
) -> ClusterRecord | None:
    """What another controller would have to know; None before the run has begun."""
    if course.begin_ns is None:
        return None
    workers = sorted(members, key=lambda member: (member.worker, member.incarnation))
    return ClusterRecord(
        term=term,
        begin_ns=course.begin_ns,
        ends_ns=course.ends_ns,
        machines=tuple(MachineRecord(one.name, one.host, one.pid, one.leaving) for one in machines),
        workers=tuple(
            WorkerRecord(
                worker=member.worker,
                incarnation=member.incarnation,
                machine=member.machine,
                is_welcome=member.greeted,
                has_ended=member.ended,
                is_lost=member.lost,
                is_settled=member.recovered,
                capacity=member.capacity,
            )
            for member in workers
        ),
        deals=dealing.number,
    )
