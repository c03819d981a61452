"""Acts for a supervisor: whatever happens becomes an event, `SupervisorState` says what follows, and here it is done.

Greenlets, each waiting for one thing: frames, the next quarter of a second, an archive to be unpacked, the remains of
one worker to be read (in a thread, since numpy takes its time). Ends of processes come from the launcher.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

import gevent
import msgspec
from gevent.queue import SimpleQueue

from swell.clock import Clock
from swell.cluster.archive import unpack
from swell.cluster.launcher import Ended
from swell.cluster.link import WorkerLink
from swell.cluster.messages import FRAME_BYTES_MAX, Remains, decode_from_controller, encode
from swell.cluster.remains import recover_segments
from swell.cluster.supervisor_state import SupervisorState
from swell.cluster.supervisor_steps import (
    Command,
    Event,
    Exit,
    Forget,
    Heard,
    Kill,
    Launch,
    LeaveWanted,
    NotUnpacked,
    ProcessEnded,
    Recover,
    Recovered,
    Say,
    Send,
    Terminate,
    Ticked,
    Unpack,
    Unpacked,
)
from swell.cluster.workplace import Workplace
from swell.errors import LinkError, RunFailed
from swell.segment import FIRST_SEQUENCE, Segment

TICK_S = 0.2
REMAINS_BYTES = FRAME_BYTES_MAX // 4
"""Of segments in one message, unless one alone is longer."""


class Processes(Protocol):
    """Starts worker processes on this machine and sees them end, as `Launcher` does."""

    def attend(self, on_end: Ended) -> None: ...

    def launch(self, worker: int, incarnation: int) -> None: ...

    def terminate(self, worker: int, incarnation: int) -> None: ...

    def kill(self, worker: int, incarnation: int) -> None: ...

    def kill_all(self) -> None: ...

    def wait_ended(self, timeout_s: float) -> bool: ...


class Supervisor:
    """The supervisor of one machine in one run. `script_folder`: where the archive is unpacked."""

    def __init__(
        self,
        state: SupervisorState,
        link: WorkerLink,
        launcher: Processes,
        workplace: Workplace,
        script_folder: Path,
        clock: Clock,
        say: Callable[[str], None],
        trouble: Callable[[], str] = str,
    ) -> None:
        self.state = state
        self.garbled = 0
        """Frames that were no message."""
        self._link = link
        self._launcher = launcher
        self._workplace = workplace
        self._script_folder = script_folder
        self._clock = clock
        self._say = say
        self._trouble = trouble
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._exit: Exit | None = None

    def __repr__(self) -> str:
        return f"<Supervisor {self.state!r}>"

    def tell(self, event: Event) -> None:
        """Let the supervisor know of something; from any greenlet, at any time."""
        self._events.put(event)

    def run(self) -> Exit:
        """Take part until the run is over; no process is left then."""
        self._launcher.attend(lambda *end: self.tell(ProcessEnded(*end)))
        greenlets = [gevent.spawn(loop) for loop in (self._receive, self._tick)]
        try:
            while self._exit is None:
                event = self._events.get()
                for command in self.state.handle(event, self._clock.now_ns()):
                    self._do(command)
        finally:
            gevent.killall(greenlets)
        return self._exit

    def abandon(self, timeout_s: float) -> None:
        """End everything here at once, and leave the controller what it needs to go on without: who has ended, and what
        they had measured."""
        self.tell(LeaveWanted())
        self._launcher.kill_all()
        self._launcher.wait_ended(timeout_s)
        while not self._events.empty():
            for command in self.state.handle(self._events.get(), self._clock.now_ns()):
                if isinstance(command, Send):
                    self._do(command)
        if self.state.muster is not None:
            for wanted in self.state.charges.give_away(self.state.muster.posts):
                for part in parts_of(wanted, self._segments_of(wanted)):
                    self._link.send(encode(part))

    def _receive(self) -> None:
        while (frame := self._link.receive()) is not None:
            try:
                self.tell(Heard(decode_from_controller(frame)))
            except LinkError:
                self.garbled += 1

    def _tick(self) -> None:
        while True:
            self.tell(Ticked(self._trouble()))
            gevent.sleep(TICK_S)

    def _do(self, command: Command) -> None:
        match command:
            case Send(message):
                self._link.send(encode(message))
            case Unpack(content):
                gevent.spawn(self._unpack, content)
            case Launch(worker, incarnation):
                self._launch(worker, incarnation)
            case Terminate(worker, incarnation):
                self._launcher.terminate(worker, incarnation)
            case Kill(worker, incarnation):
                self._launcher.kill(worker, incarnation)
            case Recover():
                gevent.spawn(self._recover, command)
            case Forget(worker, incarnation):
                shutil.rmtree(self._workplace.worker(worker, incarnation), ignore_errors=True)
            case Say(text):
                self._say(text)
            case Exit():
                self._exit = command

    def _unpack(self, content: bytes) -> None:
        try:
            gevent.get_hub().threadpool.apply(unpack, (content, self._script_folder))
        except RunFailed as error:
            self.tell(NotUnpacked(str(error)))
        else:
            self.tell(Unpacked())

    def _launch(self, worker: int, incarnation: int) -> None:
        try:
            self._launcher.launch(worker, incarnation)
        except RunFailed as error:
            self.tell(ProcessEnded(worker, incarnation, f"was not started: {error}"))

    def _recover(self, wanted: Recover) -> None:
        segments = gevent.get_hub().threadpool.apply(self._segments_of, (wanted,))
        parts = tuple(parts_of(wanted, segments))
        self.tell(Recovered(wanted.worker, wanted.incarnation, parts))

    def _segments_of(self, wanted: Recover) -> tuple[Segment, ...]:
        muster = self.state.muster
        assert muster is not None
        now_ns = self._clock.now_ns()
        return recover_segments(
            self._workplace.worker(wanted.worker, wanted.incarnation),
            run=muster.run,
            worker=wanted.worker,
            incarnation=wanted.incarnation,
            begin_ns=now_ns,
            died_ns=now_ns,
            applied=_applied(muster.run, wanted),
            keep_records=muster.keep_records,
        )


def _applied(run: str, wanted: Recover) -> Segment | None:
    """The last segment that the controller has, as far as it matters."""
    if wanted.applied < FIRST_SEQUENCE:
        return None
    return Segment(run, wanted.worker, wanted.incarnation, wanted.applied, 0, wanted.to_position, 0.0)


def parts_of(wanted: Recover, segments: Iterable[Segment]) -> Iterator[Remains]:
    """The segments in messages that fit into a frame each; one message at least."""
    found = list(segments)
    last = found[-1].sequence if found else wanted.applied
    part: list[Segment] = []
    part_bytes = 0
    for segment in found:
        size_bytes = len(msgspec.msgpack.encode(segment))
        if part and part_bytes + size_bytes > REMAINS_BYTES:
            yield Remains(wanted.worker, wanted.incarnation, tuple(part), last)
            part, part_bytes = [], 0
        part.append(segment)
        part_bytes += size_bytes
    yield Remains(wanted.worker, wanted.incarnation, tuple(part), last)
