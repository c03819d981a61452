"""Acts for a controller: one greenlet takes events from an `Intake`, asks `ControllerState` and does what it says.

Whatever happens (a frame, a death, a key, a moment) becomes an event; nothing here decides. What user
code hears of (hooks) is handed to the `Audience`, which must not keep the controller waiting.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Protocol

import gevent
import msgspec

from swell.clock import NS_PER_S, Clock
from swell.cluster.controller_state import ControllerState
from swell.cluster.controller_steps import (
    Apply,
    Begin,
    Carries,
    Command,
    Commit,
    Deliver,
    Ending,
    Event,
    Garbled,
    Heard,
    Joined,
    Kill,
    Launch,
    Left,
    Lost,
    Note,
    Over,
    Recover,
    Recovered,
    Redealt,
    Revise,
    Send,
    Serve,
    Show,
    Spawned,
    Started,
    StopWanted,
    Supply,
    TakenOver,
    TakenUp,
    Ticked,
    TooFew,
)
from swell.cluster.feed_rows import FeedRows
from swell.cluster.fetch_state import Archive
from swell.cluster.intake import Intake
from swell.cluster.lanes_state import Lanes
from swell.cluster.link import ControllerLink
from swell.cluster.member_state import identity_of
from swell.cluster.messages import Fetch, FromController, Rows, Welcome, encode
from swell.errors import LinkError, RunFailed
from swell.feed_plan import RowSource
from swell.result import End, LinkFacts, Refusal
from swell.segment import Segment
from swell.stats.merge import RunMerge

TICK_S = 0.05
UNMEASURED = 1.0
"""What each worker counts as where all are alike."""


class Launches(Protocol):
    """Starts and ends worker processes; `Died` is put into the controller's queue by whoever sees one end."""

    def launch(self, worker: int, incarnation: int) -> None: ...

    def kill(self, worker: int, incarnation: int) -> None: ...


class Audience(Protocol):
    """Who is told how the run goes. No method waits."""

    def begun(self, begin_ns: int) -> None: ...

    def spawned(self, users: int) -> None: ...

    def joined(self, worker: int, incarnation: int) -> None: ...

    def lost(self, worker: int, incarnation: int, because: str) -> None: ...

    def ending(self) -> None: ...

    def note(self, text: str) -> None: ...

    def show(self, worker: int, lines: tuple[str, ...], error: bool) -> None: ...

    def deliver(self, worker: int, data: bytes) -> None: ...


class Recovery(Protocol):
    """Reads what a dead worker has left behind."""

    def __call__(self, worker: int, incarnation: int, begin_ns: int, applied: Segment | None) -> tuple[Segment, ...]:
        """The segments after `applied`, the last that has come from it."""


class Journal(Protocol):
    """Keeps the run on disk as it goes on; `Stored` is put into the controller's queue after each time."""

    def begun(self) -> None: ...

    def commit(self) -> None:
        """Now, and not when it is its turn."""


class Controller:
    """One run. With a journal, workers keep their reports until it has them."""

    def __init__(
        self,
        state: ControllerState,
        link: ControllerLink,
        launcher: Launches,
        clock: Clock,
        audience: Audience,
        recover: Recovery,
        feeds: Sequence[RowSource] = (),
        journal: Journal | None = None,
        archive: Archive | None = None,
    ) -> None:
        self.state = state
        self.state.members.journaled = journal is not None
        self.merge = RunMerge(state.run, state.plan, datetime.datetime.now(datetime.UTC))
        self._link = link
        self._launcher = launcher
        self._clock = clock
        self._audience = audience
        self._recover = recover
        self._journal = journal
        self._archive = archive
        self._rows = FeedRows(state.plan, feeds)
        self._intake = Intake(link)
        self._over: Over | None = None
        self._welcome: tuple[Welcome, bytes] | None = None
        """The latest that was sent, and its frame."""
        self._applied: dict[tuple[int, int], Segment] = {}
        """The last segment of each worker, without its counts."""

    def __repr__(self) -> str:
        return f"<Controller {self.state!r}>"

    def tell(self, event: Event) -> None:
        """Let the controller know of something; from any greenlet, at any time."""
        self._intake.tell(event)

    @property
    def lanes(self) -> Lanes:
        """What waits to be taken in."""
        return self._intake.lanes

    @property
    def at_s(self) -> float:
        """The instant now on the run's clock; 0 before it has begun."""
        begin_ns = self.state.course.begin_ns
        return 0.0 if begin_ns is None else max(self._clock.now_ns() - begin_ns, 0) / NS_PER_S

    def run(self) -> Over:
        """Carry the run out; returns when nothing more can come from any worker."""
        helpers = [gevent.spawn(self._intake.receive), gevent.spawn(self._tick)]
        self.tell(Started())
        try:
            over = self._carry_out()
        finally:
            gevent.killall(helpers)
            self._rows.close()
        self.merge.fed(self.state.reception.feeds.counts())
        self._tell_of_link()
        self.merge.close()
        return over

    def _carry_out(self) -> Over:
        for event in self._intake.events():
            for command in self.state.handle(self._sound(event), self._clock.now_ns()):
                self._do(command)
            if self._over is not None:
                return self._over
        raise AssertionError("events end with the run")

    def _sound(self, event: Event) -> Event:
        """The event, unless it is a report that contradicts itself: that must not take the place of a sound one."""
        if isinstance(event, Heard) and isinstance(event.message, Segment) and event.message.run == self.merge.run:
            try:
                self.merge.check_report(event.message)
            except LinkError:
                return Garbled(event.sender, Refusal.UNSOUND)
        return event

    def _tick(self) -> None:
        while True:
            gevent.sleep(TICK_S)
            self.tell(Ticked())
            self._tell_of_link()

    def _tell_of_link(self) -> None:
        """What nobody followed goes into the result."""
        found = self._link.facts()
        counts = msgspec.structs.replace(found.counts, crowded_out=self.lanes.dropped)
        self.merge.link_told(LinkFacts((*self.state.reception.refused.listed(), *found.refused), counts))

    def _frame(self, message: FromController) -> bytes:
        """A message as it travels. All workers get the same welcome, with all that the script's `@setup` has made."""
        if not isinstance(message, Welcome):
            return encode(message)
        if self._welcome is None or self._welcome[0] is not message:
            self._welcome = message, encode(message)
        return self._welcome[1]

    def _do(self, command: Command) -> None:
        match command:
            case Send(to, message):
                self._link.send(to, self._frame(message))
            case Apply(segment):
                self._apply(segment)
            case Serve():
                self._serve(command)
            case Supply(to, asked):
                self._supply(to, asked)
            case Commit():
                self._commit()
            case Launch(worker, incarnation):
                self._launcher.launch(worker, incarnation)
            case Kill(worker, incarnation):
                self._launcher.kill(worker, incarnation)
            case Recover(worker, incarnation):
                begin_ns, applied = self.state.course.begin_ns or 0, self._applied.pop((worker, incarnation), None)
                self.tell(Recovered(worker, incarnation, self._recover(worker, incarnation, begin_ns, applied)))
            case Over():
                self._over = command
            case Revise() | Redealt() | TooFew():
                self._note_load(command)
            case Joined() | Carries() | Lost() | TakenOver() | Left():
                self._note_worker(command)
            case _:
                self._announce(command)

    def _announce(self, command: Note | Begin | TakenUp | Spawned | Ending | Show | Deliver) -> None:
        match command:
            case Note(text):
                self._audience.note(text)
            case Begin(begin_ns) | TakenUp(begin_ns):
                if isinstance(command, Begin):
                    self.merge.started_at = datetime.datetime.now(datetime.UTC)
                self._audience.begun(begin_ns)
                if self._journal:
                    self._journal.begun()
            case Spawned(users):
                self._audience.spawned(users)
            case Ending(end, text, ends_ns):
                self.merge.ended((ends_ns - (self.state.course.begin_ns or 0)) / NS_PER_S, end, text)
                self._audience.ending()
            case Show(worker, lines, error):
                self._audience.show(worker, lines, error)
            case Deliver(worker, data):
                self._audience.deliver(worker, data)

    def _note_load(self, command: Revise | Redealt | TooFew) -> None:
        match command:
            case Revise(revision):
                self.merge.revised(revision)
            case Redealt(redeal):
                self.merge.redealt(redeal)
                self._audience.note(f"{redeal.because}: {100 * redeal.moved:.0f} % of the load moves")
            case TooFew(shortfall):
                self.merge.too_few(shortfall)
                self._audience.note(shortfall.text)

    def _note_worker(self, command: Joined | Carries | Lost | TakenOver | Left) -> None:
        match command:
            case Joined(hello):
                capacity = self.state.members.present[hello.worker].capacity or UNMEASURED
                self.merge.worker_joined(
                    hello.worker, hello.incarnation, host=hello.host, capacity=capacity, at_s=self.at_s
                )
                self._audience.joined(hello.worker, hello.incarnation)
            case Lost(worker, incarnation, because):
                self.merge.worker_lost(worker, incarnation, at_s=self.at_s, because=because)
                self._audience.lost(worker, incarnation, because)
            case Carries(worker, incarnation, capacity):
                self.merge.worker_carries(worker, incarnation, capacity)
            case TakenOver(worker, incarnation):
                self.merge.worker_taken_over(worker, incarnation, at_s=self.at_s)
            case Left(worker, incarnation):
                self.merge.worker_left(worker, incarnation, at_s=self.at_s)

    def _supply(self, to: bytes, asked: Fetch) -> None:
        part = self._archive.part(asked) if self._archive is not None else None
        if part is not None:
            self._link.send(to, encode(part))

    def _commit(self) -> None:
        if self._journal:
            self._journal.commit()

    def _apply(self, segment: Segment) -> None:
        self._applied[segment.worker, segment.incarnation] = msgspec.structs.replace(segment, seconds=(), records=b"")
        self.merge.fed(self.state.reception.feeds.counts())
        try:
            self.merge.apply(segment)
        except LinkError:
            self.state.reception.refuse(identity_of(segment.worker, segment.incarnation), Refusal.UNSOUND)

    def _serve(self, asked: Serve) -> None:
        try:
            rows = self._rows.read(asked.feed, asked.block.positions)
        except RunFailed as error:
            self.tell(StopWanted(End.FAILED, str(error)))
        else:
            self._link.send(asked.to, encode(Rows(asked.feed, asked.request, asked.block.start, rows)))
