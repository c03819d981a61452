"""What a controller does next: pure, so that lost messages and dying workers can be tried without a process.

    GATHERING ──all ready, cleared──► RUNNING ──run time, stopped, all users gone──► ENDING ──nothing is to come──► OVER
          └──users are to be ready──► PREPARING ─┘

A worker that dies while the run goes on is replaced: its ring is read, and a new incarnation gets the same share, so
the two never overlap. One that dies as soon as it is up is given up after the third time; the others inherit its share.
"""

from __future__ import annotations

from collections.abc import Iterable

from swell.clock import NS_PER_S
from swell.cluster.bequest_state import bequests, done_before
from swell.cluster.controller_steps import (
    Begin,
    Cleared,
    Command,
    Commit,
    Deliver,
    Died,
    Ending,
    Event,
    Garbled,
    Heard,
    Kill,
    Launch,
    Lost,
    Note,
    Nudged,
    Over,
    Recover,
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
    Ticked,
    is_routine,
)
from swell.cluster.course_state import BEGIN_DELAY_NS, Course, Phase
from swell.cluster.machines_state import Machines
from swell.cluster.member_state import Member, Membership, identity_of
from swell.cluster.messages import (
    Dismiss,
    Enlist,
    Failed,
    Fetch,
    FromWorker,
    Hello,
    Muster,
    Orders,
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
from swell.cluster.placement import inherit, place
from swell.cluster.reception_state import Reception
from swell.load.shares import NOTHING
from swell.plan import Revision, RunPlan
from swell.result import End
from swell.segment import Segment

READY_WITHIN_NS = 60 * NS_PER_S
PREPARED_WITHIN_NS = 60 * NS_PER_S
PATIENCE_NS = NS_PER_S
"""Whoever waits for users to get ready for longer than this is told what for."""
KILL_AFTER_NS = 10 * NS_PER_S
"""Beyond the stop time-out: how long a worker may take to send its last segment."""
FromMember = Pulse | Segment | Output | Report | RowsWanted | Quit | Failed
BEFORE = (Phase.GATHERING, Phase.PREPARING)
"""The phases before the run begins."""


class ControllerState:
    """One run as its controller sees it."""

    def __init__(self, run: str, plan: RunPlan, welcome: Welcome, outline: Muster | None = None) -> None:
        self.run = run
        self.plan = plan
        self.phase = Phase.GATHERING
        self.members = Membership()
        self.course = Course(plan)
        self.reception = Reception(run, welcome, self.members)
        self.machines = Machines(self.members, outline)
        self._orders_number = 0
        self._give_up_ns = 0
        self._cleared = False
        self._committing = False
        self._said_what_for = False

    def __repr__(self) -> str:
        return f"<ControllerState {self.phase.value}, {self.course}, {self.members}>"

    @property
    def users(self) -> int:
        """Users that are there, as far as their workers have said."""
        return sum(member.users for member in self.members.live)

    def handle(self, event: Event, now_ns: int) -> list[Command]:
        """Take in what has happened at `now_ns`, and say what is to be done about it, in this order."""
        if self.phase is Phase.OVER:
            return []
        match event:
            case Started():
                self._give_up_ns = now_ns + READY_WITHIN_NS
                commands: list[Command] = [self._launch(worker, now_ns) for worker in range(self.plan.workers)]
            case Cleared():
                self._cleared = True
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
                self._committing = False
                commands = self.reception.stored(applied)
            case StopWanted(end, text):
                commands = self._stop(end, text, now_ns)
            case Ticked():
                commands = []
        return self.machines.routed(commands if is_routine(event) else commands + self._progress(now_ns))

    # --- what workers say --------------------------------------------------------------------------------------------

    def _hear(self, sender: bytes, message: FromWorker, now_ns: int) -> list[Command]:
        member = self.members.called(sender)
        if isinstance(message, Hello):
            return self.reception.greet(sender, member, message)
        if isinstance(message, Enlist | Fetch | Remains):
            return self._hear_supervisor(sender, message, now_ns)
        if member is None or not member.greeted or isinstance(message, Standing):
            return self.reception.refuse(sender)
        return self._hear_worker(sender, member, message, now_ns)

    def _hear_worker(self, sender: bytes, member: Member, message: FromMember, now_ns: int) -> list[Command]:
        match message:
            case Pulse():
                again = member.felt(message, now_ns) if member.live else None
                return [Send(sender, again)] if again else []
            case Segment():
                return self.reception.segment(member, message)
            case Output(lines, error):
                return [Show(member.worker, lines, error)]
            case Report(data):
                return [Deliver(member.worker, data)]
            case RowsWanted():
                commands, because = self.reception.serve(member, message)
                return commands + (self._stop(End.FAILED, because, now_ns) if because else [])
            case Quit() | Failed():
                return self._give_up(member, message, now_ns)

    def _hear_supervisor(self, sender: bytes, message: Enlist | Fetch | Remains, now_ns: int) -> list[Command]:
        match message:
            case Enlist():
                return self._enlist(sender, message, now_ns)
            case Fetch():
                return self.machines.fetch(sender, message) or self.reception.refuse(sender)
            case Remains(worker, incarnation, segments, last):
                member = self.machines.left_behind(sender, message)
                if member is None:
                    return []
                commands = self.reception.left_behind(member, segments)
                return commands + (self._recovered(worker, incarnation, (), now_ns) if member.applied >= last else [])

    def _enlist(self, sender: bytes, enlist: Enlist, now_ns: int) -> list[Command]:
        """A supervisor says how it stands: give it workers when it is new, and see to those that have ended."""
        if fault := self.machines.fault_of(sender, enlist):
            return [*self.reception.refuse(sender), Send(sender, Dismiss(fault))]
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

    # --- workers that die --------------------------------------------------------------------------------------------

    def _died(self, event: Died, now_ns: int) -> list[Command]:
        member = self.members.present.get(event.worker)
        if member is None or member.incarnation != event.incarnation or not member.live:
            return []
        if self.phase in BEFORE:
            return self._fail(f"{self._named(member)} {event.because}" + (f"\n{event.output}" if event.output else ""))
        replace = self.members.lose(member, now_ns) and self.machines.may_launch(member)
        commands: list[Command] = [
            Lost(member.worker, member.incarnation, event.because),
            Recover(member.worker, member.incarnation),
        ]
        if self.phase is not Phase.RUNNING:
            return commands
        if replace:
            return [*commands, self._launch(member.worker, now_ns)]
        self._hand_on(member, now_ns)
        return commands

    def _hand_on(self, lost: Member, now_ns: int) -> None:
        """A worker is not replaced: the others take over its share, as soon as it is known what it has done of it."""
        heirs = {member.worker: member.share for member in self.members.live}
        shares = inherit(lost.share, heirs) if heirs else {}
        for worker, bequest in bequests(lost, self.plan.loads, heirs, shares).items():
            heir = self.members.present[worker]
            heir.inherited.append(bequest)
            heir.share, heir.share_from_ns = shares[worker], now_ns
        lost.share = NOTHING

    def _recovered(self, worker: int, incarnation: int, segments: Iterable[Segment], now_ns: int) -> list[Command]:
        member = self.members.called(identity_of(worker, incarnation))
        if member is None or not member.lost:
            return []
        commands = self.reception.recovered(member, segments)
        was_handed_on = self.phase is Phase.RUNNING and member is self.members.present[worker]
        return [*commands, *(self._order_all(now_ns) if was_handed_on else ())]

    def _launch(self, worker: int, now_ns: int) -> Command:
        return Launch(worker, self.members.add(worker, now_ns).incarnation)

    # --- the course of the run ---------------------------------------------------------------------------------------

    def _progress(self, now_ns: int) -> list[Command]:
        """What time, and all workers together, have brought about."""
        match self.phase:
            case Phase.GATHERING:
                return self._gather(now_ns)
            case Phase.PREPARING:
                return self._prepare(now_ns)
            case Phase.RUNNING:
                return self._run(now_ns)
            case Phase.ENDING:
                return self._end(now_ns)
            case Phase.OVER:
                return []

    def _gather(self, now_ns: int) -> list[Command]:
        if self.members.present and not self.members.loading and self._cleared:
            for worker, share in place(dict.fromkeys(self.members.present, 1.0)).items():
                self.members.present[worker].share = share
            if not self.course.prepares:
                return self._begin(now_ns + BEGIN_DELAY_NS, now_ns)
            self.phase = Phase.PREPARING
            self._give_up_ns = now_ns + PREPARED_WITHIN_NS
            return self._order_all(now_ns)
        if self.members.loading and now_ns >= self._give_up_ns:
            names = ", ".join(str(member.worker) for member in self.members.loading)
            return self._fail(f"not ready within {READY_WITHIN_NS // NS_PER_S} s: worker {names}")
        return []

    def _prepare(self, now_ns: int) -> list[Command]:
        """Wait until all is ready that is to be; not for ever."""
        if all(member.prepared for member in self.members.live):
            return self._begin(now_ns + BEGIN_DELAY_NS, now_ns)
        waited_ns = now_ns - (self._give_up_ns - PREPARED_WITHIN_NS)
        who = f"{self.course.ready_users:,} users"
        if waited_ns >= PREPARED_WITHIN_NS:
            text = f"not all of {who} were ready within {PREPARED_WITHIN_NS // NS_PER_S} s: the run begins without them"
            return [Note(text), *self._begin(now_ns + BEGIN_DELAY_NS, now_ns)]
        if waited_ns < PATIENCE_NS or self._said_what_for or not self.course.ready_users:
            return []
        self._said_what_for = True
        return [Note(f"{who} get ready before the run begins")]

    def _begin(self, begin_ns: int, now_ns: int) -> list[Command]:
        self.phase = Phase.RUNNING
        return [Begin(self.course.begin(begin_ns)), *self._order_all(now_ns)]

    def _run(self, now_ns: int) -> list[Command]:
        live = self.members.live
        late = [member for member in live if member.phase is WorkerPhase.READY and not member.orders.number]
        for member in late:
            member.share_from_ns = now_ns
        commands: list[Command] = [self._order(member, now_ns) for member in late]
        if self.course.spawned(now_ns):
            commands.append(Spawned(self.course.users))
        if self.course.ends_ns is not None and now_ns >= self.course.ends_ns:
            return commands + self._stop(End.COMPLETED, "", now_ns)
        if not live:
            return commands + self._stop(End.FAILED, "no worker is left", now_ns)
        if all(member.idle for member in live) and not self.members.unsettled and not self.plan.shape:
            because = "all users have stopped" if self.course.is_endless else ""
            return commands + self._stop(End.COMPLETED, because, now_ns)
        return commands

    def _end(self, now_ns: int) -> list[Command]:
        if all(member.finished for member in self.members):
            if any(member.stored < member.applied for member in self.members if not member.lost):
                return self._commit()
            self.phase = Phase.OVER
            self.reception.feeds.close()
            return [Over()]
        if now_ns < self._give_up_ns:
            return []
        self._give_up_ns = now_ns + KILL_AFTER_NS
        return self._kill_all()

    def _commit(self) -> list[Command]:
        """The last reports are in: nobody has to wait for the journal's next turn."""
        if self._committing:
            return []
        self._committing = True
        return [Commit()]

    def _stop(self, end: End, text: str, now_ns: int) -> list[Command]:
        if self.phase is Phase.GATHERING:
            return self._fail(text if end is End.FAILED else "stopped before the run had begun")
        if self.phase not in (Phase.PREPARING, Phase.RUNNING):
            return []
        begun: list[Command] = []
        if self.phase is Phase.PREPARING:  # what the users have done by now counts: a run of no length
            begun = [Begin(self.course.begin(now_ns))]
        self.phase = Phase.ENDING
        ends_ns = self.course.end(now_ns)
        self._give_up_ns = now_ns + round(self.plan.longest_stop_s * NS_PER_S) + KILL_AFTER_NS
        unready = self.members.loading
        for member in unready:
            member.lost = member.recovered = True  # a replacement that has not come to anything yet
        kills: list[Command] = [Kill(member.worker, member.incarnation) for member in unready]
        return [*begun, Ending(end, text, ends_ns), *self._order_all(now_ns), *kills]

    def _revise(self, wish: Revised | Reshaped | Nudged, now_ns: int) -> list[Command]:
        if self.phase is not Phase.RUNNING:
            return []
        found: list[Revision | None] = []
        match wish:
            case Revised(load, users, rate_per_s):
                found = [self.course.revise(load, users, rate_per_s, now_ns)]
            case Reshaped(wanted):
                found = [*self.course.reshape(wanted, now_ns)]
            case Nudged() if self.plan.adjustable is None:
                return [Note(_why_no_key(self.plan))]
            case Nudged(more):
                found = [self.course.nudge(more, now_ns)]
        made: list[Command] = [Revise(revision) for revision in found if revision]
        return [*made, *self._order_all(now_ns)] if made else []

    def _order_all(self, now_ns: int) -> list[Command]:
        ready = [member for member in self.members.live if member.phase is not WorkerPhase.LOADING]
        return [self._order(member, now_ns) for member in ready]

    def _order(self, member: Member, now_ns: int) -> Command:
        self._orders_number += 1
        orders = Orders(
            number=self._orders_number,
            begin_ns=self.course.begin_ns,
            ends_ns=self.course.ends_ns,
            revisions=self.course.revisions,
            share=member.share,
            share_from_ns=member.share_from_ns or self.course.begin_ns or 0,
            done=done_before(member, self.plan.loads),
        )
        return Send(member.identity, member.order(orders, now_ns))

    def _kill_all(self) -> list[Command]:
        return [Kill(member.worker, member.incarnation) for member in self.members.live]

    def check(self) -> None:
        """Raise AssertionError if the run contradicts itself."""
        self.course.check()
        self.members.check()
        self.machines.check()
        self.reception.feeds.check()
        assert self.phase in (*BEFORE, Phase.OVER) or self.course.begin_ns is not None


def _why_no_key(plan: RunPlan) -> str:
    """Why keys do not change the users of a plan."""
    if plan.shape:
        return f"{plan.shape} says how many users there are: keys do not"
    return "keys change the users of a plan with one load of users that has no end: this plan has none"
