"""What a controller does next: pure, so that lost messages and dying workers can be tried without a process.

    RESUMING ──all have told what they hold──► RUNNING
    GATHERING ──all ready, cleared──► RUNNING ──run time, stopped, all users gone──► ENDING ──nothing is to come──► OVER
        │                                ▲
        ├──several machines──► MEASURING─┤
        └──users to be ready──►PREPARING─┘

Who is lost, and what follows, is told by `losses_state.py`; who gets which share, and orders, by `ordering_state.py`;
how a run is taken up whose controller has died, by `resuming_state.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from swell.clock import NS_PER_S
from swell.cluster.balance_state import Balance
from swell.cluster.bequest_state import counts_iterations
from swell.cluster.closing_state import Closing
from swell.cluster.controller_steps import (
    Begin,
    Carries,
    Cleared,
    Command,
    Deliver,
    Died,
    Ending,
    Event,
    Garbled,
    Heard,
    Kill,
    Launch,
    Note,
    Nudged,
    Over,
    Recovered,
    Reshaped,
    Revise,
    Revised,
    Send,
    Show,
    Spawned,
    Started,
    StopWanted,
    Stored,
    TakenUp,
    Ticked,
    is_routine,
)
from swell.cluster.course_state import BEGIN_DELAY_NS, Course, Phase
from swell.cluster.dealing_state import Dealing
from swell.cluster.gathering_state import Gathering, Measuring
from swell.cluster.leases_state import Leases
from swell.cluster.losses_state import Losses
from swell.cluster.machines_state import Machines, count_workers
from swell.cluster.member_state import Member, Membership, identity_of
from swell.cluster.messages import (
    PROTOCOL,
    Acknowledge,
    Dismiss,
    Enlist,
    Failed,
    Fetch,
    FromWorker,
    Hello,
    Lease,
    Muster,
    Output,
    Pulse,
    Quit,
    Remains,
    Report,
    RowsWanted,
    Standing,
    Welcome,
    WorkerPhase,
)
from swell.cluster.opening_state import BEFORE, Opening
from swell.cluster.ordering_state import Ordering
from swell.cluster.reception_state import Reception
from swell.cluster.record import ClusterRecord
from swell.cluster.resuming_state import Resuming, record_of
from swell.load.shares import modulus_for
from swell.plan import MOST_WORKERS, RunPlan
from swell.result import End, Refusal
from swell.segment import Segment

CLOCKS_DIFFER_NS = NS_PER_S
"""By less than this: a worker may see the end of the plan before the controller does."""
FromMember = Pulse | Segment | Output | Report | RowsWanted | Quit | Failed


class ControllerState:
    """One run as its controller sees it."""

    def __init__(
        self, run: str, plan: RunPlan, welcome: Welcome, outline: Muster | None = None, *, measures: bool = False
    ) -> None:
        self.run = run
        self.plan = plan
        self.term = welcome.term
        self.phase = Phase.GATHERING
        self.members = Membership()
        self.course = Course(plan)
        self.reception = Reception(run, welcome, self.members)
        self.machines = Machines(self.members, outline)
        self.leases = Leases(welcome.lease_s)
        self.dealing = Dealing(self.members, plan.loads)
        self.losses = Losses(self.members, self.leases, self.dealing, self.machines)
        self.measuring = Measuring(always=measures)
        self.balance = Balance(pulse_interval_s=welcome.pulse_interval_s)
        self.ordering = Ordering(
            plan, self.term, self.members, self.course, self.dealing, self.losses, self.measuring, self.balance
        )
        self._resuming: Resuming | None = None
        self._gathering = Gathering(plan.expected_workers, plan.expect_timeout_s)
        self.opening = Opening(self._gathering, self.members, self.course, self.dealing, self.measuring, self.ordering)
        self._alone_ns: int | None = None
        self.closing = Closing(plan, self.members, self.losses)

    def __repr__(self) -> str:
        return f"<ControllerState {self.phase.value}, {self.course}, {self.members}>"

    @property
    def users(self) -> int:
        """Users that are there, as far as their workers have said."""
        return sum(member.users for member in self.members.live)

    @property
    def come(self) -> int:
        """How many workers of other machines are ready."""
        return self._gathering.come(self.members)

    def host_of(self, worker: int, incarnation: int) -> str:
        """On which other machine an incarnation of a worker runs; '': on none."""
        member = self.members.called(identity_of(worker, incarnation))
        return self.machines.host_of(member) if member is not None else ""

    def handle(self, event: Event, now_ns: int) -> list[Command]:
        """Take in what has happened at `now_ns`, and say what is to be done about it, in this order."""
        if self.phase is Phase.OVER:
            return []
        commands: list[Command]
        match event:
            case Started():
                commands = self._start(now_ns)
            case Cleared():
                self.opening.is_cleared = True
                commands = []
            case Heard(sender, message):
                commands = self._hear(sender, message, now_ns)
            case Garbled(sender, kind):
                commands = self.reception.refuse(sender, kind)
            case Died():
                commands = self._died(event, now_ns)
            case Recovered(worker, incarnation, segments):
                commands = self._recovered(worker, incarnation, segments, now_ns)
            case Revised() | Reshaped() | Nudged():
                commands = self._revise(event, now_ns)
            case Stored(applied):
                self.closing.is_committing = False
                self.reception.feeds.recorded()
                commands = self.reception.stored(applied)
            case StopWanted(end, text):
                commands = self._stop(end, text, now_ns)
            case Ticked():
                commands = self._miss(now_ns)
        return self.machines.routed(commands if is_routine(event) else commands + self._progress(now_ns))

    def _start(self, now_ns: int) -> list[Command]:
        if self._resuming is not None:
            self._resuming.restore(self.members, self.machines, self.leases, now_ns)
            self._resuming.restore_course(self.course, self.reception.feeds)
            return [TakenUp(self.course.begin_ns or 0), *self.losses.orphaned(self.phase, now_ns)]
        self._gathering.since_ns = now_ns
        return [Launch(worker, self.members.add(worker, now_ns).incarnation) for worker in range(self.plan.workers)]

    # --- what workers say --------------------------------------------------------------------------------------------

    def _hear(self, sender: bytes, message: FromWorker, now_ns: int) -> list[Command]:
        member = self.members.called(sender)
        if isinstance(message, Hello):
            return self.reception.greet(sender, member, message)
        if isinstance(message, Enlist | Fetch | Remains):
            return self._hear_supervisor(sender, message, now_ns)
        if member is None or not member.greeted:
            return self.reception.refuse(sender, Refusal.UNKNOWN_SENDER)
        if isinstance(message, Standing):
            return self._stand(sender, member, message)
        return self._hear_worker(sender, member, message, now_ns)

    def _hear_worker(self, sender: bytes, member: Member, message: FromMember, now_ns: int) -> list[Command]:
        match message:
            case Pulse():
                return self._feel(sender, member, message, now_ns)
            case Segment():
                return self._take(member, message, now_ns)
            case Output(lines, error):
                return [Show(member.worker, lines, error)]
            case Report(data):
                return [Deliver(member.worker, data)]
            case RowsWanted():
                commands, because = self.reception.serve(member, message)
                return commands + (self._stop(End.FAILED, because, now_ns) if because else [])
            case Quit() | Failed():
                return self._give_up(member, message, now_ns)

    def _stand(self, sender: bytes, member: Member, standing: Standing) -> list[Command]:
        """A worker tells a controller that has taken the run up what it holds."""
        if standing.term != self.term:
            return self.reception.refuse(sender, Refusal.OTHER_TERM)
        if standing.orders.share.modulus > modulus_for(MOST_WORKERS):
            return self.reception.refuse(sender, Refusal.OUT_OF_PLACE)
        if self._resuming is None or self.phase is not Phase.RESUMING or not member.live:
            return []
        self._resuming.stood(member, standing)
        self.ordering.took_over(member)
        return []

    def _feel(self, sender: bytes, member: Member, pulse: Pulse, now_ns: int) -> list[Command]:
        """A worker is alive: it may go on for another lease, unless the one that it had is over."""
        if pulse.term > self.term:
            return self.reception.refuse(sender, Refusal.OTHER_TERM)
        if not member.is_news(pulse):
            return []
        if member.lost:  # it may be waiting with its last reports for somebody to be there
            return [] if member.finished else [Send(member.identity, Acknowledge(member.stored))]
        if pulse.phase is WorkerPhase.FENCED:
            return self._fenced(member, now_ns) + self._progress(now_ns)
        commands: list[Command] = [Send(sender, Lease(pulse.sent_ns, now_ns, self.term, self.leases.lease_s))]
        if not member.live:
            return commands
        measured = member.capacity
        is_further = member.felt(pulse)
        if member.capacity != measured:
            commands.append(Carries(member.worker, member.incarnation, member.capacity))
        self.ordering.feels(member, pulse, now_ns)
        if member.takes_orders:
            self.leases.renew(member, now_ns)
        if member.leaving:
            self.ordering.leaves(member, now_ns)
        is_further |= self.dealing.felt(member, pulse, self.course.begin_ns)
        if again := member.again(pulse, now_ns):
            commands.append(Send(member.identity, again))
        return commands + (self._progress(now_ns) if is_further else [])

    def _take(self, member: Member, segment: Segment, now_ns: int) -> list[Command]:
        was_missing = member.lost and not member.finished
        commands = self.reception.segment(member, segment)
        if segment.final and member.final and not member.lost and self._is_before_its_end(member, now_ns):
            commands += self._fenced(member, now_ns)
        return commands + (self._known(now_ns) if was_missing and member.finished else [])

    def _is_before_its_end(self, member: Member, now_ns: int) -> bool:
        """Whether nobody has told a worker to end, or not for now: then it has, because its lease was over."""
        ends_ns = self.course.ends_ns
        is_near = ends_ns is not None and now_ns >= ends_ns - CLOCKS_DIFFER_NS
        return self.phase is Phase.RUNNING and member.let_go_ns is None and not is_near

    def _fenced(self, member: Member, now_ns: int) -> list[Command]:
        because = f"has not heard from the controller for {self.leases.lease_s:g} s"
        return self.losses.fell_silent(member, now_ns, because, self.phase, now_ns)

    def _hear_supervisor(self, sender: bytes, message: Enlist | Fetch | Remains, now_ns: int) -> list[Command]:
        match message:
            case Enlist():
                return self._enlist(sender, message, now_ns)
            case Fetch():
                return self.machines.fetch(sender, message) or self.reception.refuse(sender, Refusal.OUT_OF_PLACE)
            case Remains(worker, incarnation, segments, last):
                member = self.machines.left_behind(sender, message)
                if member is None:
                    return []
                commands = self.reception.left_behind(member, segments)
                return commands + (self._recovered(worker, incarnation, (), now_ns) if member.applied >= last else [])

    def _enlist(self, sender: bytes, enlist: Enlist, now_ns: int) -> list[Command]:
        """A supervisor says how it stands: give it workers when it is new, and see to those that have ended."""
        if fault := self.machines.fault_of(sender, enlist):
            kind = Refusal.OTHER_VERSION if enlist.protocol != PROTOCOL else Refusal.OUT_OF_PLACE
            told = map(Note, self.machines.turned_away(enlist, fault))
            return [*self.reception.refuse(sender, kind), *told, Send(sender, Dismiss(fault))]
        places, news = self.machines.enlist(enlist)
        commands: list[Command] = [Note(text) for text in news]
        for member in [self.members.recruit(enlist.machine, now_ns) for _ in range(places)]:
            commands.append(Launch(member.worker, member.incarnation))
        if enlist.failure:
            commands += self._fail(f"{enlist.host}: {enlist.failure}")
        for end in self.machines.newly_ended(enlist):
            commands += self._died(Died(end.worker, end.incarnation, end.because, end.output), now_ns)
        return commands

    def _give_up(self, member: Member, message: Quit | Failed, now_ns: int) -> list[Command]:
        if isinstance(message, Quit):
            return self._stop(End.STOPPED, "the script asked for it", now_ns)
        return self._fail(f"{self._named(member)}: {message.text}", message.exit_code, message.author_traceback)

    def _named(self, member: Member) -> str:
        host = self.machines.host_of(member)
        return f"worker {member.worker}" + (f" on {host}" if host else "")

    def _fail(self, failure: str, exit_code: int = 4, author_traceback: str = "") -> list[Command]:
        """Before the beginning, one worker that cannot take part ends it all; later its death says the same."""
        if self.phase not in BEFORE:
            return []
        self.phase = Phase.OVER
        return [*self._kill_all(), Over(failure, exit_code, author_traceback)]

    # --- workers that die, or fall silent ----------------------------------------------------------------------------

    def _died(self, event: Died, now_ns: int) -> list[Command]:
        member = self.members.called(identity_of(event.worker, event.incarnation))
        if member is None or self.phase not in BEFORE:
            return self.losses.died(event, self.phase, now_ns)
        if member.machine or member.leaving or not member.live:
            return self.losses.died_before(event, now_ns)
        return self._fail(f"{self._named(member)} {event.because}" + (f"\n{event.output}" if event.output else ""))

    def _miss(self, now_ns: int) -> list[Command]:
        """See whose lease is over."""
        because = f"has not been heard for {self.leases.lease_s:g} s"
        return [
            command
            for member, since_ns in self.leases.ended(now_ns)
            for command in self.losses.fell_silent(member, since_ns, because, self.phase, now_ns)
        ]

    def _recovered(self, worker: int, incarnation: int, segments: Iterable[Segment], now_ns: int) -> list[Command]:
        member = self.members.called(identity_of(worker, incarnation))
        if member is None or not member.lost or member.recovered:
            return []
        return [*self.reception.recovered(member, segments), *self._known(now_ns)]

    def _known(self, now_ns: int) -> list[Command]:
        """It is known now what somebody has done: whoever has its share has so much less to do."""
        is_of_use = self.phase is Phase.RUNNING and counts_iterations(self.plan.loads)
        return self.ordering.order_again(now_ns) if is_of_use else []

    # --- the course of the run ---------------------------------------------------------------------------------------

    def _progress(self, now_ns: int) -> list[Command]:
        """What time, and all workers together, have brought about."""
        match self.phase:
            case Phase.GATHERING | Phase.MEASURING | Phase.PREPARING:
                return self._open(now_ns)
            case Phase.RESUMING:
                return self._resume(now_ns)
            case Phase.RUNNING:
                return self._run(now_ns)
            case Phase.ENDING:
                return self._end(now_ns)
            case Phase.OVER:
                return []

    def resume(self, resuming: Resuming) -> None:
        """Begin by taking up a run that has begun under another controller."""
        self.phase = Phase.RESUMING
        self._resuming = resuming

    def _resume(self, now_ns: int) -> list[Command]:
        """Once it is known who holds what, the run goes on as any other; it may have been about to end."""
        resuming = self._resuming
        if resuming is None or not resuming.is_complete:
            return []
        holding = resuming.deal(self.members, self.dealing, self.plan.loads, now_ns)
        self.measuring.consider(self.members.live)
        self.phase = Phase.RUNNING
        commands: list[Command] = [Note(f"the run goes on: {count_workers(holding)} had gone on meanwhile")]
        commands += [Revise(revision) for revision in self.course.learn(resuming.heard_of)]
        commands += self.ordering.resume(now_ns)
        return commands + (self._stop(*resuming.wanted_end, now_ns) if resuming.wanted_end else [])

    def _open(self, now_ns: int) -> list[Command]:
        step = self.opening.progress(self.phase, now_ns)
        if step.failure:
            return self._fail(step.failure)
        self.phase = step.phase
        return step.commands + (self._begin(now_ns) if step.phase is Phase.RUNNING else [])

    def _begin(self, now_ns: int) -> list[Command]:
        return [Begin(self.course.begin(now_ns + BEGIN_DELAY_NS)), *self.ordering.order_first(now_ns)]

    def _run(self, now_ns: int) -> list[Command]:
        commands = self.ordering.look_after(now_ns)
        if self.course.spawned(now_ns):
            commands.append(Spawned(self.course.users))
        if self.course.ends_ns is not None and now_ns >= self.course.ends_ns:
            return commands + self._stop(End.COMPLETED, "", now_ns)
        if not any(member.live for member in self.members.present.values()):
            return commands + self._wait_for_anybody(now_ns)
        self._alone_ns = None
        if self._has_nothing_to_do(now_ns) and not self.plan.shape:
            because = "all users have stopped" if self.course.is_endless else ""
            return commands + self._stop(End.COMPLETED, because, now_ns)
        return commands

    def _has_nothing_to_do(self, now_ns: int) -> bool:
        for member in self.members.present.values():
            if member.live and not member.idle and (member.share.residues or member.partings):
                return False
        return not self.dealing.has_lots and not any(
            now_ns < (member.lost_ns or 0) + self.closing.parting_ns for member in self.members.missing.values()
        )

    def _wait_for_anybody(self, now_ns: int) -> list[Command]:
        """A worker that is silent may come back, and machines may join; one that keeps dying does not get better."""
        self._alone_ns = now_ns if self._alone_ns is None else self._alone_ns
        may_come = any(member.machine or not member.ended for member in self.members.present.values())
        if may_come and now_ns - self._alone_ns < self.plan.expect_timeout_s * NS_PER_S:
            return []
        return self._stop(End.FAILED, "no worker is left", now_ns)

    def _end(self, now_ns: int) -> list[Command]:
        commands = self.closing.progress(now_ns)
        if not self.closing.is_over:
            return commands
        self.phase = Phase.OVER
        self.reception.feeds.close()
        return [*commands, Over()]

    def _stop(self, end: End, text: str, now_ns: int) -> list[Command]:
        if self._resuming is not None and self.phase is Phase.RESUMING:
            self._resuming.wanted_end = end, text
            return []
        if self.phase in (Phase.GATHERING, Phase.MEASURING):
            return self._fail(text if end is End.FAILED else "stopped before the run had begun")
        if self.phase not in (Phase.PREPARING, Phase.RUNNING):
            return []
        begun: list[Command] = []
        if self.phase is Phase.PREPARING:  # what the users have done by now counts: a run of no length
            begun = [Begin(self.course.begin(now_ns))]
        self.phase = Phase.ENDING
        ends_ns = self.course.end(now_ns)
        self.closing.begin(now_ns)
        unready = [member for member in self.members.live if member.is_coming_up]
        kills = [command for member in unready for command in self.losses.never_came_up(member, now_ns)]
        return [*begun, Ending(end, text, ends_ns), *self.ordering.order_all(now_ns), *kills]

    def _revise(self, wish: Revised | Reshaped | Nudged, now_ns: int) -> list[Command]:
        if self.phase is not Phase.RUNNING:
            return []
        if isinstance(wish, Nudged) and self.plan.adjustable is None:
            return [Note(_why_no_key(self.plan))]
        found = self.course.wished(wish, now_ns)
        made: list[Command] = [Revise(revision) for revision in found]
        return [*made, *self.ordering.order_again(now_ns)] if made else []

    def _kill_all(self) -> list[Command]:
        return [Kill(member.worker, member.incarnation) for member in self.members.live]

    def record(self) -> ClusterRecord | None:
        """What another controller would have to know to take the run up; None before it has begun."""
        record = record_of(self.term, self.course, self.members, self.machines, self.dealing)
        return record and msgspec.structs.replace(record, feeds=self.reception.feeds.record())

    def check(self) -> None:
        """Raise AssertionError if the run contradicts itself."""
        for part in (self.course, self.members, self.machines, self.leases, self.dealing, self.ordering):
            part.check()
        self.reception.feeds.check()
        self.reception.refused.check()
        assert self.phase in (*BEFORE, Phase.OVER) or self.course.begin_ns is not None


def _why_no_key(plan: RunPlan) -> str:
    """Why keys do not change the users of a plan."""
    if plan.shape:
        return f"{plan.shape} says how many users there are: keys do not"
    return "keys change the users of a plan with one load of users that has no end: this plan has none"
