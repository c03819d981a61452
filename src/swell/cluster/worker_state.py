"""What a worker does next: pure, so that lost, repeated and late messages can be tried without a socket.

    LOADING ──loaded──► READY ──orders with a begin──► RUNNING ──ends──► DRAINING ──all gone──► DONE ──all acked──► exit
                          └─orders without─► PREPARING ───┘

The worker follows the highest-numbered orders it has seen; `crew_state.py` says what they mean for its users. Its
segments stay in the outbox (`outbox_state.py`) until they are acknowledged, and are sent again when that takes long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from swell.clock import NS_PER_S
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
    Welcome,
    WorkerPhase,
)
from swell.cluster.outbox_state import MOST_PATIENCE_NS, Outbox
from swell.cluster.user_steps import Arrive, Change, StartUser
from swell.cluster.worker_steps import (
    Begin,
    Command,
    Event,
    Exit,
    Forget,
    Heard,
    Loaded,
    Prepare,
    PulseDue,
    Sealed,
    SealFinal,
    Send,
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
FOLLOWING = (WorkerPhase.READY, WorkerPhase.PREPARING, WorkerPhase.RUNNING)
"""The phases in which new orders change something."""


class WorkerState:
    """One incarnation of a worker. Every `handle` may change `wake_ns`."""

    def __init__(self, hello: Hello) -> None:
        self.hello = hello
        self.phase = WorkerPhase.LOADING
        self.orders = Orders(number=0)
        self.crew = CrewState()
        self._plan: RunPlan | None = None
        self._is_warm = False
        self._outbox = Outbox()
        self._done_ns = 0

    def __repr__(self) -> str:
        return (
            f"<WorkerState {self.hello.worker}.{self.hello.incarnation} {self.phase.value}, "
            f"orders {self.orders.number}, {self.crew}, {self._outbox}>"
        )

    @property
    def unacknowledged(self) -> Sequence[Segment]:
        """Segments that the controller has not confirmed, oldest first."""
        return self._outbox.segments

    @property
    def wake_ns(self) -> int | None:
        """When `Woke` is due at the latest; None: not before something else happens."""
        begin_ns = self.orders.begin_ns
        if self.phase is not WorkerPhase.RUNNING or begin_ns is None:
            return None
        due = [] if self.orders.ends_ns is None else [self.orders.ends_ns]
        if (wake_ns := self.crew.wake_ns) is not None:
            due.append(begin_ns + wake_ns)
        return min(due, default=None)

    def handle(self, event: Event, now_ns: int) -> list[Command]:
        """Take in what has happened at `now_ns`, and say what is to be done about it, in this order."""
        match event:
            case Heard(message):
                return self._hear(message, now_ns)
            case Loaded():
                self.phase = WorkerPhase.READY
                return [*self._follow(now_ns), self._pulse(now_ns)]
            case WarmedUp():
                self._is_warm = True
                return self._more(now_ns)
            case Woke():
                return self._advance(now_ns)
            case PulseDue():
                return self._pulse_due(now_ns)
            case UserReady():
                return self._more(now_ns)
            case UserGone(number):
                return self._gone(number, now_ns)
            case Sealed(segment):
                return self._sealed(segment, now_ns)

    def _hear(self, message: FromController, now_ns: int) -> list[Command]:
        match message:
            case Welcome():
                if self._plan is not None:
                    return []
                self._plan = message.plan
                self.crew = CrewState(message.plan)
                return [Prepare(message)]
            case Orders(number=number):
                if number <= self.orders.number:
                    return []
                self.orders = message
                return [*self._follow(now_ns), self._pulse(now_ns)]
            case Acknowledge(sequence):
                return self._acknowledged(sequence, now_ns)
            case Rows():
                return [Stock(message)]
            case Dismiss(because):
                return [Exit(because)]
            case Lease() | Measure() | Muster() | Part():
                return []

    def ready(self, user: int, now_ns: int) -> Admission:
        """A user asks for its next iteration: the only question, since it is asked for every iteration."""
        return self.crew.ready(user, now_ns - (self.orders.begin_ns or 0))

    def _follow(self, now_ns: int) -> list[Command]:
        """Do what the orders say, as far as the phase allows."""
        begin_ns = self.orders.begin_ns
        if not self.orders.number or self.phase not in FOLLOWING:
            return []
        if begin_ns is None:
            first, self.phase = self.phase is WorkerPhase.READY, WorkerPhase.PREPARING
            return [*([WarmUp()] if first else []), *self._placed(self.crew.prepare(self.orders.share))]
        commands: list[Command] = []
        if self.phase is not WorkerPhase.RUNNING:
            self.phase = WorkerPhase.RUNNING
            commands.append(Begin(begin_ns))
        if self._is_over(now_ns):
            return commands + self._drain(now_ns)
        return commands + self._placed(self.crew.follow(self._dealt(begin_ns), now_ns - begin_ns))

    def _dealt(self, begin_ns: int) -> Dealt:
        orders = self.orders
        return Dealt(orders.share, orders.share_from_ns - begin_ns, orders.revisions, orders.done)

    def _is_over(self, now_ns: int) -> bool:
        return self.orders.ends_ns is not None and now_ns >= self.orders.ends_ns

    def _advance(self, now_ns: int) -> list[Command]:
        if self.phase is not WorkerPhase.RUNNING or self.orders.begin_ns is None:
            return []
        if self._is_over(now_ns):
            return [*self._drain(now_ns), self._pulse(now_ns)]
        return self._placed(self.crew.advance(now_ns - self.orders.begin_ns))

    def _placed(self, changes: list[Change]) -> list[Command]:
        """Changes of users with instants of the clock instead of the run's."""
        begin_ns = self.orders.begin_ns or 0
        return [
            replace(change, due_ns=begin_ns + change.due_ns) if isinstance(change, StartUser | Arrive) else change
            for change in changes
        ]

    def _drain(self, now_ns: int) -> list[Command]:
        """What arrived before the end is still taken up."""
        self.phase = WorkerPhase.DRAINING
        begin_ns, ends_ns = self.orders.begin_ns or 0, self.orders.ends_ns or now_ns
        departures = self._placed(self.crew.leave_all(min(now_ns, ends_ns) - 1 - begin_ns))
        return [Stop(), *departures] if len(self.crew) else [SealFinal()]

    def _more(self, now_ns: int) -> list[Command]:
        """Somebody is ready, so that somebody else may get ready."""
        return [*self._placed(self.crew.more()), *([self._pulse(now_ns)] if self._prepared else [])]

    def _gone(self, number: int, now_ns: int) -> list[Command]:
        changes = self.crew.gone(number)
        if self.phase is WorkerPhase.RUNNING:
            more: list[Command] = [self._pulse(now_ns)] if self.crew.idle else []
            return self._placed(changes) + more
        if self.phase is WorkerPhase.PREPARING:
            return [*self._placed(changes), *self._more(now_ns)]
        return [SealFinal()] if self.phase is WorkerPhase.DRAINING and not len(self.crew) else []

    def _sealed(self, segment: Segment, now_ns: int) -> list[Command]:
        self._outbox.add(segment, now_ns)
        commands: list[Command] = [Send(segment)]
        if segment.final:
            self.phase = WorkerPhase.DONE
            self._done_ns = now_ns
            commands.append(self._pulse(now_ns))
        return commands

    def _acknowledged(self, sequence: int, now_ns: int) -> list[Command]:
        if not self._outbox.acknowledged(sequence, now_ns):
            return []
        parting: list[Command] = [Exit()] if self.phase is WorkerPhase.DONE and not self._outbox else []
        return [Forget(sequence), *parting]

    def _pulse_due(self, now_ns: int) -> list[Command]:
        if self._plan is None:
            return [Send(self.hello)]
        if self.phase is WorkerPhase.DONE and now_ns - self._done_ns >= PARTING_NS:
            return [Exit("the controller did not acknowledge the last report")]
        return [self._pulse(now_ns), *map(Send, self._outbox.again(now_ns))]

    def _pulse(self, now_ns: int) -> Send:
        idle = self.phase is WorkerPhase.RUNNING and self.crew.idle
        return Send(Pulse(self.phase, self.orders.number, now_ns, len(self.crew), idle, self._prepared))

    @property
    def _prepared(self) -> bool:
        return self.phase is WorkerPhase.PREPARING and self._is_warm and self.crew.prepared

    def check(self) -> None:
        """Raise AssertionError if the worker contradicts itself."""
        self.crew.check()
        self._outbox.check()
        assert self.phase in (*FOLLOWING, WorkerPhase.DRAINING) or not len(self.crew)
        assert self.phase is WorkerPhase.LOADING or self._plan is not None
