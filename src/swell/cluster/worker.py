"""Acts for a worker: whatever happens becomes an event, `WorkerState` says what follows, and here it is done.

Greenlets, each waiting for one thing: frames, answers to pulses (on a socket of their own), the next pulse, the next
second to be reported. They, users that have gone and the alarm that rings for the next start or end, in the hub, may
call `_step` at any time, since it never waits: what takes time (the script, its hooks) runs in a greenlet of its own
and comes back as an event. `_step` called from within itself is done next.

After a freeze, which may have lasted longer than the lease, three things keep any user from going on: the clock looks
at the lease's end before it wakes anybody (`limit`); its alarm is the first that the loop turns to; and a request that
is about to be sent when the lease is over is not sent (`HttpEnvironment.until_ns`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

import gevent
import msgspec
from gevent.event import Event as Flag
from gevent.lock import BoundedSemaphore

from swell.clock import NS_PER_S, Clock
from swell.cluster.link import WorkerLink
from swell.cluster.messages import (
    Failed,
    FromWorker,
    Output,
    Pulse,
    Welcome,
    WorkerPhase,
    decode_from_controller,
    encode,
    sendable,
)
from swell.cluster.spool import Spool
from swell.cluster.supplies import Supplies
from swell.cluster.user_steps import Arrive, Change, Drop, LeaveUser, StartUser
from swell.cluster.worker_state import WorkerState
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
from swell.errors import LinkError, RunFailed, ScriptError, SwellError
from swell.segment import Segment
from swell.user import Admission

SEAL_DELAY_NS = 10_000_000
"""A second is reported a little after its end, when what was received within it has been looked at."""


class Alarm(Protocol):
    """Something that is going to be called."""

    def cancel(self) -> None: ...


class WorkerClock(Clock, Protocol):
    """A clock that can call back."""

    def call_at_ns(self, due_ns: int, action: Callable[[], None]) -> Alarm: ...

    def limit(self, until_ns: int | None, on_limit: Callable[[], None]) -> None:
        """From `until_ns` on, call `on_limit` before anybody who slept goes on."""


class Floor(Protocol):
    """Whom users ask for their next iteration, and who hears that they have gone. No method waits."""

    def ready(self, number: int) -> Admission: ...

    def gone(self, number: int) -> None: ...


class Workshop(Protocol):
    """Where the users of this process live and what they measure is folded. Only the marked methods may wait."""

    def open(self, welcome: Welcome, floor: Floor) -> None:
        """Load the script and get everything ready; may wait. Raises SwellError."""

    def warm_up(self) -> None:
        """Do now what would hold the loop up later; may wait."""

    def measure(self, every_ns: int) -> float:
        """Calls per second that this process can make, from the clock's next multiple of `every_ns` on; may wait."""

    def hold(self, until_ns: int | None) -> None:
        """Let no user send anything from `until_ns` on."""

    def fence(self) -> None:
        """End all users, before any of them goes on."""

    def begin(self, begin_ns: int) -> None: ...

    def start(self, user: StartUser) -> None: ...

    def arrive(self, arrival: Arrive) -> None: ...

    def drop(self, scenario: str) -> None: ...

    def leave(self, number: int, grace_s: float) -> None: ...

    def stop(self) -> None:
        """The plan is over; users are told to leave next."""

    def stopping(self) -> None:
        """The plan has ended; may wait."""

    def stopped(self) -> None:
        """Nobody is left; may wait."""

    def seal(self, *, final: bool) -> Segment:
        """All that was measured since the last one; may wait, before the first."""

    def report(self) -> FromWorker | None:
        """What the script's listeners want to tell the controller each time a segment is sealed."""


class Worker:
    """One incarnation of a worker."""

    def __init__(
        self,
        state: WorkerState,
        link: WorkerLink,
        pulse_link: WorkerLink,
        clock: WorkerClock,
        workshop: Workshop,
        spool: Spool,
        supplies: Supplies | None = None,
    ) -> None:
        self.state = state
        self._link = link
        self._pulse_link = pulse_link
        self._clock = clock
        self._workshop = workshop
        self._spool = spool
        self._supplies = supplies or Supplies(clock, self._send)
        self._events: deque[Event] = deque()
        self._stepping = False
        self._exit: Exit | None = None
        self._failure: SwellError | None = None
        self._begun = Flag()
        self._begin_ns = 0
        self._wake_ns: int | None = None
        self._alarm: Alarm | None = None
        self._ended = Flag()
        self._stopping: gevent.Greenlet | None = None
        self._spool_failed = self._unspooled = False
        self._sealing = BoundedSemaphore()
        self._is_sealed = False
        """The last segment is under way."""
        self._pulse_interval_s = 1.0
        self._report_interval_s = 1.0

    def __repr__(self) -> str:
        return f"<Worker {self.state!r}>"

    def run(self) -> str:
        """Take part until the run is over; returns why it ended early, or ''. Raises SwellError if it cannot."""
        greenlets = [gevent.spawn(loop) for loop in (self._pulse, self._report)]
        greenlets += [gevent.spawn(self._receive, link) for link in (self._link, self._pulse_link)]
        self._send(self.state.hello)
        try:
            self._ended.wait()
        finally:
            gevent.killall(greenlets)
            self._ended.set()
            self._plan_to_wake(None)
            self._clock.limit(None, self._wake)
        if self._failure is not None:
            raise self._failure
        return self._exit.because if self._exit else "the link to the controller was closed"

    def leave(self) -> None:
        """Hand the users over to others and go; nothing waits here."""
        self._step(LeaveWanted())

    # --- what happens ------------------------------------------------------------------------------------------------

    def _receive(self, link: WorkerLink) -> None:
        while (frame := link.receive()) is not None:
            try:
                message = decode_from_controller(frame)
            except LinkError:
                self._step(Garbled())
            else:
                self._step(Heard(message))
        self._ended.set()

    def _wake(self) -> None:
        self._wake_ns = self._alarm = None
        self._step(Woke())

    def _wake_first(self) -> None:
        """The lease is over, as far as is known."""
        self._step(Woke())

    def ready(self, number: int) -> Admission:
        """A user asks for its next iteration."""
        admission = self.state.ready(number, self._clock.now_ns())
        if self.state.phase is WorkerPhase.PREPARING or self.state.crew.preparing:
            self._step(UserReady())
        return admission

    def gone(self, number: int) -> None:
        """A user has ended, told to or not."""
        self._step(UserGone(number))

    def _pulse(self) -> None:
        while True:
            gevent.sleep(self._pulse_interval_s)
            self._step(PulseDue())
            self._supplies.ask_again()

    def _report(self) -> None:
        self._begun.wait()
        begin_ns = self._begin_ns
        interval_ns = round(self._report_interval_s * NS_PER_S)
        while True:
            turn = (self._clock.now_ns() - begin_ns - SEAL_DELAY_NS) // interval_ns + 1
            self._clock.sleep_until_ns(begin_ns + turn * interval_ns + SEAL_DELAY_NS)
            if self.state.phase not in (WorkerPhase.RUNNING, WorkerPhase.DRAINING):
                return
            self._seal(final=False)

    def _step(self, event: Event) -> None:
        self._events.append(event)
        if self._stepping or self._ended.is_set():
            return
        self._stepping = True
        try:
            while self._events:
                for command in self.state.handle(self._events.popleft(), self._clock.now_ns()):
                    self._do(command)
            self._plan_to_wake(self.state.wake_ns)
        finally:
            self._stepping = False

    def _plan_to_wake(self, wake_ns: int | None) -> None:
        if wake_ns == self._wake_ns:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._wake_ns = wake_ns
        self._alarm = None if wake_ns is None else self._clock.call_at_ns(wake_ns, self._wake)

    # --- what is done about it ---------------------------------------------------------------------------------------

    def _do(self, command: Command) -> None:
        match command:
            case Send(message):
                self._send(message)
            case SendSpooled(sequence):
                if (packed := self._spool.packed(sequence)) is not None:
                    self._link.send(packed)
            case Arrive() | StartUser() | LeaveUser() | Drop():
                self._change(command)
            case Stop():
                self._workshop.stop()
                self._stopping = gevent.spawn(self._workshop.stopping)
            case Prepare(welcome):
                gevent.spawn(self._open, welcome)
            case WarmUp():
                gevent.spawn(self._warm_up)
            case MeasureCapacity(every_ns):
                gevent.spawn(self._measure, every_ns)
            case SealFinal():
                gevent.spawn(self._finish)
            case Stock(rows):
                self._supplies.arrived(rows)
            case Forget(sequence):
                self._spool.forget(sequence)
            case _:
                self._proceed(command)

    def _proceed(self, command: Begin | Hold | Fence | Exit) -> None:
        """How far all users may go."""
        match command:
            case Begin(begin_ns):
                self._begin_ns = begin_ns
                self._workshop.begin(begin_ns)
                self._begun.set()
            case Hold(until_ns):
                self._workshop.hold(until_ns)
                self._clock.limit(until_ns, self._wake_first)
            case Fence():
                self._workshop.fence()
            case Exit():
                self._exit = command
                self._ended.set()

    def _change(self, change: Change) -> None:
        match change:
            case Arrive():
                self._workshop.arrive(change)
            case StartUser():
                self._workshop.start(change)
            case LeaveUser(number, grace_s):
                self._workshop.leave(number, grace_s)
            case Drop(_, scenario):
                self._workshop.drop(scenario)

    def _open(self, welcome: Welcome) -> None:
        self._pulse_interval_s = welcome.pulse_interval_s
        self._report_interval_s = welcome.report_interval_s
        try:
            self._workshop.open(welcome, self)
        except SwellError as error:
            self._fail(error)
        else:
            self._step(Loaded())

    def _warm_up(self) -> None:
        self._workshop.warm_up()
        self._step(WarmedUp())

    def _measure(self, every_ns: int) -> None:
        self._step(Measured(self._workshop.measure(every_ns)))

    def _finish(self) -> None:
        """The script's hooks hear of a planned end, as they do of none where a process dies."""
        if self.state.phase is not WorkerPhase.FENCED:
            if self._stopping is None:
                self._workshop.stopping()
            else:
                self._stopping.join()
            self._workshop.stopped()
        self._seal(final=True)

    def _seal(self, *, final: bool) -> None:
        """One after the other: the first has to wait, and none may overtake it, least of all the last."""
        with self._sealing:
            if not self._is_sealed:
                self._is_sealed = final
                self._seal_next(final=final)

    def _seal_next(self, *, final: bool) -> None:
        try:
            report = self._workshop.report()
            segment = self._workshop.seal(final=final)
            health = msgspec.structs.replace(segment.health, unspooled=int(self._unspooled))
            segment = msgspec.structs.replace(segment, feeds=self._supplies.uses(), health=health)
        except SwellError as error:
            self._fail(error)
            return
        self._keep(segment)
        if report is not None:
            self._send(report)
        self._step(Sealed(segment))

    def _keep(self, segment: Segment) -> None:
        """A full disk is no reason to end a run: the segment is kept in memory, and would be lost with this process."""
        try:
            self._spool.append(segment)
        except RunFailed as error:
            self._unspooled = True
            if not self._spool_failed:
                self._spool_failed = True
                self._send(Output((f"swell: worker {self.state.hello.worker} keeps no spool: {error}",), error=True))
        else:
            self._unspooled = False

    def _fail(self, error: SwellError) -> None:
        author_traceback = error.author_traceback if isinstance(error, ScriptError) else ""
        self._send(Failed(sendable(str(error)), error.exit_code, sendable(author_traceback)))
        self._failure = error
        self._ended.set()

    def _send(self, message: FromWorker) -> None:
        link = self._pulse_link if isinstance(message, Pulse) else self._link
        link.send(encode(message))
