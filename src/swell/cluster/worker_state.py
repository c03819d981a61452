"""What a worker does next: pure, so that lost, repeated and late messages can be tried without a socket.

    LOADING ──loaded──► READY ──orders with a begin──► RUNNING ──ends──► DRAINING ──all gone──► DONE ──all acked──► exit
                        │   └─orders without─► PREPARING ─┘  │              │
                    MEASURING              lease over: users are killed ──► FENCED ──all acked──► exit

The worker follows the highest-numbered orders it has seen; `crew_state.py` says what they mean for its users. It has
users only while it holds a lease (`tenure_state.py`), which is looked at before anything else. Its segments stay in the
outbox (`outbox_state.py`) until they are acknowledged, and are sent again when that takes long.

It is handed instants of its own clock, and so are those that it gives out; those of the controller are in messages
only, and are told from each other here (`offset_state.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from swell.clock import NS_PER_S
from swell.cluster.bond_state import Bond
from swell.cluster.crew_state import CrewState, Dealt
from swell.cluster.messages import (
    Acknowledge,
    Dismiss,
    FromController,
    Hello,
    Lease,
    Measure,
    Muster,
    Orders,
    Part,
    Pulse,
    Rows,
    Standing,
    Welcome,
    WorkerPhase,
)
from swell.cluster.outbox_state import MOST_PATIENCE_NS, Report
from swell.cluster.reports_state import Reports
from swell.cluster.user_steps import Arrive, Change, LeaveUser, StartUser
from swell.cluster.worker_steps import (
    Begin,
    Command,
    Event,
    Exit,
    Fence,
    Forget,
    Garbled,
    Heard,
    Hold,
    LeaveWanted,
    Loaded,
    MeasureCapacity,
    Measured,
    Prepare,
    PulseDue,
    Sealed,
    SealFinal,
    Send,
    SendSpooled,
    Stock,
    Stop,
    UserGone,
    UserReady,
    WarmedUp,
    WarmUp,
    Woke,
)
from swell.plan import RunPlan
from swell.segment import Segment
from swell.user import Admission

PARTING_NS = MOST_PATIENCE_NS + 4 * NS_PER_S
"""How long a worker that is done waits for its last acknowledgement."""
FENCED_PARTING_LEASES = 20
"""How long one whose lease is over does, in leases: whoever could not hear it may come back."""
FOLLOWING = (WorkerPhase.READY, WorkerPhase.PREPARING, WorkerPhase.RUNNING)
"""The phases in which new orders change something."""


class WorkerState:
    """One incarnation of a worker. Every `handle` may change `wake_ns`."""

    def __init__(self, hello: Hello) -> None:
        self.hello = hello
        self.phase = WorkerPhase.LOADING
        self.orders = Orders(number=0)
        self.crew = CrewState()
        self.bond = Bond(shares_clock=not hello.machine)
        self._tenure = self.bond.tenure
        self._plan: RunPlan | None = None
        self._is_warm = False
        self._leaving = False
        self._capacity = 0.0
        self._reports = Reports()
        self._lease_ns = 0

    def __repr__(self) -> str:
        return (
            f"<WorkerState {self.hello.worker}.{self.hello.incarnation} {self.phase.value}, "
            f"orders {self.orders.number}, {self.crew}, {self._reports}>"
        )

    @property
    def unacknowledged(self) -> Sequence[Report]:
        """Segments that the controller has not confirmed, oldest first."""
        return self._reports.outbox.reports

    @property
    def wake_ns(self) -> int | None:
        """When `Woke` is due at the latest; None: not before something else happens."""
        due = [self._tenure.ends_ns] if self._has_users and self._tenure.ends_ns is not None else []
        begin_ns = self.orders.begin_ns
        if self.phase is WorkerPhase.RUNNING and begin_ns is not None:
            theirs = [] if self.orders.ends_ns is None else [self.orders.ends_ns]
            if (wake_ns := self.crew.wake_ns) is not None:
                theirs.append(begin_ns + wake_ns)
            due += map(self.bond.offset.ours, theirs)
        return min(due, default=None)

    def handle(self, event: Event, now_ns: int) -> list[Command]:
        """Take in what has happened at `now_ns`, and say what is to be done about it, in this order."""
        first: list[Command] = []
        if self._has_users and not self._tenure.holds(now_ns):
            first = self._fence(now_ns)
        match event:
            case Heard(message):
                return first + self._hear(message, now_ns)
            case Woke():
                return first + self._advance(now_ns)
            case PulseDue():
                return first + self._pulse_due(now_ns)
            case UserReady():
                return first + self._more(now_ns)
            case UserGone(number):
                return first + self._gone(number, now_ns)
            case Sealed(segment):
                return first + self._sealed(segment, now_ns)
            case _:
                return first + self._get_on(event, now_ns)

    def _get_on(self, event: Loaded | Measured | WarmedUp | LeaveWanted | Garbled, now_ns: int) -> list[Command]:
        """What happens once, or hardly ever."""
        match event:
            case Loaded():
                self.phase = WorkerPhase.READY
            case Measured(calls_per_s):
                self._capacity, self.phase = calls_per_s, WorkerPhase.READY
            case WarmedUp():
                self._is_warm = True
                return self._more(now_ns)
            case LeaveWanted():
                self._leaving = True
            case Garbled():
                self.bond.refused += 1
                return []
        if self._plan is None:
            return []
        follow = [] if isinstance(event, LeaveWanted) else self._follow(now_ns)
        return [*follow, self._pulse(now_ns)]

    def _hear(self, message: FromController, now_ns: int) -> list[Command]:
        match message:
            case Welcome():
                return self._welcomed(message)
            case Orders():
                return self._ordered(message, now_ns)
            case Lease():
                return self._leased(message, now_ns)
            case Measure(every_ns):
                return self._asked_for_capacity(every_ns, now_ns)
            case Acknowledge(sequence):
                return self._acknowledged(sequence, now_ns)
            case Rows():
                return [Stock(message)]
            case Dismiss(because):
                return [Exit(because)]
            case Muster() | Part():
                return []

    def ready(self, user: int, now_ns: int) -> Admission:
        """A user asks for its next iteration: the only question, since it is asked for every iteration."""
        return self.crew.ready(user) if now_ns < (self._tenure.ends_ns or 0) else Admission.LEAVE

    # --- the controller's word ---------------------------------------------------------------------------------------

    def _welcomed(self, welcome: Welcome) -> list[Command]:
        if self._plan is not None or not self.bond.obeys(welcome):
            return []
        self._plan = welcome.plan
        self.crew = CrewState(welcome.plan)
        self.orders = Orders(number=0, term=welcome.term)
        self._lease_ns = round(welcome.lease_s * NS_PER_S)
        return [Prepare(welcome)]

    def _ordered(self, orders: Orders, now_ns: int) -> list[Command]:
        if not self.bond.obeys(orders) or (orders.term, orders.number) <= (self.orders.term, self.orders.number):
            return []
        self.orders = orders
        return [*self._follow(now_ns), self._pulse(now_ns)]

    def _leased(self, lease: Lease, now_ns: int) -> list[Command]:
        """A lease that comes when the last one is over finds no users; orders may have waited for it."""
        if not self.bond.heard(lease, now_ns):
            return []
        if self._has_users:
            return [Hold(self._tenure.ends_ns)]
        hurried = [] if self.bond.knows_clocks_well or self.phase not in FOLLOWING else [self._pulse(now_ns)]
        return [*self._follow(now_ns), *hurried]

    def _asked_for_capacity(self, every_ns: int, now_ns: int) -> list[Command]:
        if self.phase is not WorkerPhase.READY or self.orders.number or self._capacity:
            return []
        self.phase = WorkerPhase.MEASURING
        return [MeasureCapacity(every_ns), self._pulse(now_ns)]

    # --- its users ---------------------------------------------------------------------------------------------------

    @property
    def _has_users(self) -> bool:
        """Whether there are users, or may be at any moment: what a lease is needed for."""
        if self.phase is WorkerPhase.DRAINING:
            return len(self.crew) > 0
        return self.phase in (WorkerPhase.PREPARING, WorkerPhase.RUNNING)

    def _fence(self, now_ns: int) -> list[Command]:
        """The lease is over: whoever is there ends at once, and what has arrived meanwhile is nobody's."""
        self.phase = WorkerPhase.FENCED
        self._reports.wait_until(now_ns + FENCED_PARTING_LEASES * self._lease_ns)
        self.crew.leave_all(-1)
        departures = [LeaveUser(number) for number in sorted(self.crew.present)]
        return [Fence(), *departures, *([] if len(self.crew) else self._ended()), self._pulse(now_ns)]

    def _ended(self) -> list[Command]:
        """No user is left. Before the run's zero is known there is nothing to report."""
        if self.orders.begin_ns is None:
            return [Exit("its lease was over")]
        return [SealFinal()] if self.phase is WorkerPhase.FENCED else [Hold(None), SealFinal()]

    def _follow(self, now_ns: int) -> list[Command]:
        """Do what the orders say, as far as the phase and the lease allow."""
        begin_ns = self.orders.begin_ns
        if not self.orders.number or self.phase not in FOLLOWING or not self._tenure.holds(now_ns):
            return []
        is_first = self.phase is WorkerPhase.READY
        commands: list[Command] = [Hold(self._tenure.ends_ns)] if is_first else []
        if begin_ns is None:
            self.phase = WorkerPhase.PREPARING
            return [*commands, *([WarmUp()] if is_first else []), *self._placed(self.crew.prepare(self.orders.share))]
        if self.phase is not WorkerPhase.RUNNING:
            self.phase = WorkerPhase.RUNNING
            self.bond.offset.fix()
            commands.append(Begin(self.bond.offset.ours(begin_ns)))
        if self._is_over(now_ns):
            return commands + self._drain(now_ns)
        return commands + self._placed(self.crew.follow(self._dealt(begin_ns), self._run_ns(now_ns)))

    def _dealt(self, begin_ns: int) -> Dealt:
        orders = self.orders
        return Dealt(orders.share, orders.share_from_ns - begin_ns, orders.revisions, orders.done)

    def _run_ns(self, now_ns: int) -> int:
        """An instant of our clock, in ns of the run."""
        return self.bond.offset.theirs(now_ns) - (self.orders.begin_ns or 0)

    def _is_over(self, now_ns: int) -> bool:
        return self.orders.ends_ns is not None and self.bond.offset.theirs(now_ns) >= self.orders.ends_ns

    def _advance(self, now_ns: int) -> list[Command]:
        if self.phase is not WorkerPhase.RUNNING:
            return []
        if self._is_over(now_ns):
            return [*self._drain(now_ns), self._pulse(now_ns)]
        return self._placed(self.crew.advance(self._run_ns(now_ns)))

    def _placed(self, changes: list[Change]) -> list[Command]:
        """Changes of users with instants of our clock instead of the run's."""
        begin_ns, ours = self.orders.begin_ns, self.bond.offset.ours
        if begin_ns is None:
            return [*changes]
        return [
            replace(change, due_ns=ours(begin_ns + change.due_ns)) if isinstance(change, StartUser | Arrive) else change
            for change in changes
        ]

    def _drain(self, now_ns: int) -> list[Command]:
        """What arrived before the end is still taken up."""
        self.phase = WorkerPhase.DRAINING
        begin_ns, their_ns = self.orders.begin_ns or 0, self.bond.offset.theirs(now_ns)
        departures = self._placed(self.crew.leave_all(min(their_ns, self.orders.ends_ns or their_ns) - 1 - begin_ns))
        return [Stop(), *departures] if len(self.crew) else self._ended()

    def _more(self, now_ns: int) -> list[Command]:
        """Somebody is ready, so that somebody else may get ready."""
        if not self._has_users:
            return []
        return [*self._placed(self.crew.more()), *([self._pulse(now_ns)] if self._prepared else [])]

    def _gone(self, number: int, now_ns: int) -> list[Command]:
        was_settled = self.crew.settled
        changes = self.crew.gone(number)
        is_news = self.crew.settled and not was_settled
        if self.phase is WorkerPhase.RUNNING:
            more: list[Command] = [self._pulse(now_ns)] if self.crew.idle or is_news else []
            return self._placed(changes) + more
        if self.phase is WorkerPhase.PREPARING:
            return [*self._placed(changes), *self._more(now_ns)]
        is_over = self.phase in (WorkerPhase.DRAINING, WorkerPhase.FENCED)
        return self._ended() if is_over and not len(self.crew) else []

    # --- what it reports ---------------------------------------------------------------------------------------------

    def _sealed(self, segment: Segment, now_ns: int) -> list[Command]:
        due = map(_sent, self._reports.sealed(segment, now_ns))
        if not segment.final:
            return [*due]
        if self.phase is not WorkerPhase.FENCED:
            self.phase = WorkerPhase.DONE
        self._reports.wait_until(now_ns + PARTING_NS)
        return [*due, self._pulse(now_ns)]

    def _acknowledged(self, sequence: int, now_ns: int) -> list[Command]:
        if not self._reports.acknowledged(sequence, now_ns):
            if self._reports.are_parting:
                self._reports.outbox.hasten()
            return []
        if self._reports.are_parting:
            self._reports.wait_until(now_ns + PARTING_NS)
        due = map(_sent, self._reports.due(now_ns))
        return [Forget(sequence), *due, *([Exit()] if self._reports.are_done else [])]

    def _pulse_due(self, now_ns: int) -> list[Command]:
        if self._plan is None:
            return [Send(self.hello)]
        if self._reports.are_given_up(now_ns):
            return [Exit("the controller did not acknowledge the last report")]
        return [self._pulse(now_ns), *self._standing(), *map(_sent, self._reports.due(now_ns))]

    def _standing(self) -> list[Command]:
        """What a controller is told that came after the one whose orders these are."""
        if self.bond.term <= self.orders.term or self.phase is WorkerPhase.FENCED:
            return []
        hello, given = self.hello, self.crew.given
        told = Standing(self.bond.term, self.orders, self._capacity, hello.host, hello.pid, hello.machine, given)
        return [Send(told)]

    def _pulse(self, now_ns: int) -> Send:
        pulse = Pulse(
            self.phase,
            self.orders.number,
            self.bond.offset.theirs(now_ns),
            users=len(self.crew),
            idle=self.phase is WorkerPhase.RUNNING and self.crew.idle,
            prepared=self._prepared,
            sent_ns=now_ns,
            term=self.bond.term,
            followed_ns=self.crew.followed_ns,
            settled=self.crew.settled,
            leaving=self._leaving,
            capacity=self._capacity,
            load=self._reports.strain,
            given=self.crew.given,
            refused=self.bond.refused,
        )
        return Send(pulse)

    @property
    def _prepared(self) -> bool:
        return self.phase is WorkerPhase.PREPARING and self._is_warm and self.crew.prepared

    def check(self) -> None:
        """Raise AssertionError if the worker contradicts itself."""
        self.crew.check()
        self._reports.check()
        self.bond.check()
        assert self._has_users or self.phase is WorkerPhase.FENCED or not len(self.crew)
        assert self.phase is WorkerPhase.LOADING or self._plan is not None


def _sent(report: Report) -> Command:
    return Send(report) if isinstance(report, Segment) else SendSpooled(report.sequence)
