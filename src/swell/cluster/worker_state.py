"""What a worker does next: pure, so that lost, repeated and late messages can be tried without a socket.

    LOADING ──loaded──► READY ──orders with a begin──► RUNNING ──ends──► DRAINING ──all gone──► DONE ──all acked──► exit

The worker follows the highest-numbered orders it has seen; `roster_state.py` says what they mean for its users. Its
segments stay in the outbox until they are acknowledged, and are sent again, oldest first, when that takes long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

from swell.clock import NS_PER_S
from swell.cluster.messages import (
    Acknowledge,
    Dismiss,
    FromController,
    Hello,
    Orders,
    Pulse,
    Rows,
    Welcome,
    WorkerPhase,
)
from swell.cluster.roster_state import Change, Roster, StartUser
from swell.cluster.worker_steps import (
    Begin,
    Command,
    Event,
    Exit,
    Forget,
    Heard,
    LeaveAll,
    Loaded,
    Prepare,
    PulseDue,
    Sealed,
    SealFinal,
    Send,
    Stock,
    UserGone,
    Woke,
)
from swell.load.schedule import Schedule
from swell.load_plan import Closed
from swell.plan import RunPlan
from swell.segment import Segment

RESEND_AFTER_NS = 2 * NS_PER_S
SEGMENTS_PER_RESEND = 8
PARTING_NS = 10 * NS_PER_S
"""How long a worker that is done waits for its last acknowledgement."""


class WorkerState:
    """One incarnation of a worker. Every `handle` may change `wake_ns`."""

    def __init__(self, hello: Hello) -> None:
        self.hello = hello
        self.phase = WorkerPhase.LOADING
        self.orders = Orders(number=0)
        self.roster = Roster()
        self._plan: RunPlan | None = None
        self._outbox: deque[Segment] = deque()
        self._acknowledged_ns = 0
        self._done_ns = 0

    def __repr__(self) -> str:
        return (
            f"<WorkerState {self.hello.worker}.{self.hello.incarnation} {self.phase.value}, "
            f"orders {self.orders.number}, {self.roster}, {len(self._outbox)} segments unacknowledged>"
        )

    @property
    def unacknowledged(self) -> Sequence[Segment]:
        """Segments that the controller has not confirmed, oldest first."""
        return tuple(self._outbox)

    @property
    def wake_ns(self) -> int | None:
        """When `Woke` is due at the latest; None: not before something else happens."""
        begin_ns = self.orders.begin_ns
        if self.phase is not WorkerPhase.RUNNING or begin_ns is None:
            return None
        due = [] if self.orders.ends_ns is None else [self.orders.ends_ns]
        if self.roster.wake_ns is not None:
            due.append(begin_ns + self.roster.wake_ns)
        return min(due, default=None)

    def handle(self, event: Event, now_ns: int) -> list[Command]:
        """Take in what has happened at `now_ns`, and say what is to be done about it, in this order."""
        match event:
            case Heard(message):
                return self._hear(message, now_ns)
            case Loaded():
                self.phase = WorkerPhase.READY
                return [*self._follow(now_ns), self._pulse(now_ns)]
            case Woke():
                return self._advance(now_ns)
            case PulseDue():
                return self._pulse_due(now_ns)
            case UserGone(number):
                return self._gone(number, now_ns)
            case Sealed(segment):
                return self._sealed(segment, now_ns)

    def _hear(self, message: FromController, now_ns: int) -> list[Command]:
        match message:
            case Welcome():
                first, self._plan = self._plan is None, message.plan
                return [Prepare(message)] if first else []
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

    def _follow(self, now_ns: int) -> list[Command]:
        """Do what the orders say, as far as the phase allows."""
        begin_ns = self.orders.begin_ns
        if begin_ns is None or self.phase not in (WorkerPhase.READY, WorkerPhase.RUNNING):
            return []
        commands: list[Command] = []
        if self.phase is WorkerPhase.READY:
            self.phase = WorkerPhase.RUNNING
            commands.append(Begin(begin_ns))
        if self._is_over(now_ns):
            return commands + self._drain()
        changes = self.roster.follow(
            self._schedule(), self.orders.share, self.orders.share_from_ns - begin_ns, now_ns - begin_ns
        )
        return commands + self._placed(changes)

    def _schedule(self) -> Schedule:
        assert self._plan is not None
        load = self._plan.loads[0]
        assert isinstance(load.model, Closed)
        return Schedule(self.orders.revisions, load.model.curve, load.start_s)

    def _is_over(self, now_ns: int) -> bool:
        return self.orders.ends_ns is not None and now_ns >= self.orders.ends_ns

    def _advance(self, now_ns: int) -> list[Command]:
        if self.phase is not WorkerPhase.RUNNING or self.orders.begin_ns is None:
            return []
        if self._is_over(now_ns):
            return [*self._drain(), self._pulse(now_ns)]
        return self._placed(self.roster.advance(now_ns - self.orders.begin_ns))

    def _placed(self, changes: list[Change]) -> list[Command]:
        """The roster's changes with instants of the clock instead of the run's."""
        begin_ns = self.orders.begin_ns or 0
        return [
            StartUser(change.number, begin_ns + change.due_ns) if isinstance(change, StartUser) else change
            for change in changes
        ]

    def _drain(self) -> list[Command]:
        self.phase = WorkerPhase.DRAINING
        return [LeaveAll()] if self.roster.present else [SealFinal()]

    def _gone(self, number: int, now_ns: int) -> list[Command]:
        changes = self.roster.gone(number)
        if self.phase is WorkerPhase.RUNNING:
            more: list[Command] = [self._pulse(now_ns)] if self.roster.idle else []
            return self._placed(changes) + more
        return [SealFinal()] if self.phase is WorkerPhase.DRAINING and not self.roster.present else []

    def _sealed(self, segment: Segment, now_ns: int) -> list[Command]:
        if not self._outbox:
            self._acknowledged_ns = now_ns
        self._outbox.append(segment)
        commands: list[Command] = [Send(segment)]
        if segment.final:
            self.phase = WorkerPhase.DONE
            self._done_ns = now_ns
            commands.append(self._pulse(now_ns))
        return commands

    def _acknowledged(self, sequence: int, now_ns: int) -> list[Command]:
        if not self._outbox or self._outbox[0].sequence > sequence:
            return []
        while self._outbox and self._outbox[0].sequence <= sequence:
            self._outbox.popleft()
        self._acknowledged_ns = now_ns
        parting: list[Command] = [Exit()] if self.phase is WorkerPhase.DONE and not self._outbox else []
        return [Forget(sequence), *parting]

    def _pulse_due(self, now_ns: int) -> list[Command]:
        if self._plan is None:
            return [Send(self.hello)]
        if self.phase is WorkerPhase.DONE and now_ns - self._done_ns >= PARTING_NS:
            return [Exit("the controller did not acknowledge the last report")]
        late = now_ns - self._acknowledged_ns >= RESEND_AFTER_NS
        again = [Send(segment) for segment in islice(self._outbox, SEGMENTS_PER_RESEND if late else 0)]
        return [self._pulse(now_ns), *again]

    def _pulse(self, now_ns: int) -> Send:
        idle = self.phase is WorkerPhase.RUNNING and self.roster.idle
        return Send(Pulse(self.phase, self.orders.number, now_ns, len(self.roster.present), idle))

    def check(self) -> None:
        """Raise AssertionError if the worker contradicts itself."""
        self.roster.check()
        sequences = [segment.sequence for segment in self._outbox]
        assert sequences == list(range(sequences[0], sequences[0] + len(sequences))) if sequences else True
        assert self.phase in (WorkerPhase.RUNNING, WorkerPhase.DRAINING) or not self.roster.present
        assert self.phase is WorkerPhase.LOADING or self._plan is not None
