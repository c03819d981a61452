"""What a supervisor does next: pure, so that lost messages and dying workers can be tried without a process.

    SEEKING ──the first muster──► FETCHING ──the script is here──► SERVING ──the run is over, or all have left──► OVER

It says each second how it stands (`Enlist`), and what is to be done by the latest `Muster`: it starts who is posted,
ends who is not, recovers what a dead worker left behind when the controller wants it, and forgets it when the post is
gone. So any message may be lost or repeated. It never decides whether a worker is replaced.

When nothing is heard of the controller, its workers stop by their leases. It waits as long again for it to come back.
"""

from __future__ import annotations

import dataclasses
import enum

import msgspec

from swell.clock import NS_PER_S
from swell.cluster.fetch_state import ArchiveFetch
from swell.cluster.messages import Dismiss, Duty, Ended, Enlist, FromController, Muster, Part, Post, Remains
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

ENLIST_NS = NS_PER_S
SEND_AGAIN_NS = 2 * NS_PER_S
REMIND_NS = 10 * NS_PER_S
"""So often it is said who is waited for."""
SILENCE_NS = 3 * NS_PER_S
"""A controller that has not answered for so long is said to be silent."""
PARTING_NS = 2 * NS_PER_S
"""When the run is over, workers end by themselves; not for ever."""
RUN_FAILED = 4
Name = tuple[int, int]
"""Of an incarnation: its worker's number and its own."""


class SupervisorPhase(enum.Enum):
    """How far a supervisor has come."""

    SEEKING = "seeking"
    FETCHING = "fetching"
    SERVING = "serving"
    OVER = "over"


@dataclasses.dataclass(slots=True)
class Charge:
    """An incarnation that was launched here, until the controller does not name it any more."""

    end: Ended | None = None
    """How its process ended, once it has."""
    is_recovering: bool = False
    parts: tuple[Remains, ...] = ()
    sent_ns: int = 0


class SupervisorState:
    """One supervisor. `enlist`: what it says of itself, `address`: where it looks for the controller."""

    def __init__(self, enlist: Enlist, address: str, connect_timeout_s: float, now_ns: int) -> None:
        self.phase = SupervisorPhase.SEEKING
        self.muster: Muster | None = None
        self.launched = 0
        """Processes so far."""
        self.recovered = 0
        """Workers that have left something behind, and how much was taken from here."""
        self.segments_recovered = 0
        self._enlist = enlist
        self._address = address
        self._connect_timeout_s = connect_timeout_s
        self._fetch: ArchiveFetch | None = None
        self._charges: dict[Name, Charge] = {}
        self._begun_ns = self._heard_ns = self._reminded_ns = now_ns
        self._enlisted_ns = now_ns - ENLIST_NS
        self._is_silent = False
        self._over_ns: int | None = None

    def __repr__(self) -> str:
        return f"<SupervisorState {self.phase.value}, muster {self._enlist.muster}, {list(self._charges)}>"

    @property
    def running(self) -> list[Name]:
        """Whose processes run."""
        return [name for name, charge in self._charges.items() if charge.end is None]

    def handle(self, event: Event, now_ns: int) -> list[Command]:
        """Take in what has happened at `now_ns`, and say what is to be done about it, in this order."""
        if self.phase is SupervisorPhase.OVER:
            return []
        before = self._saying
        match event:
            case Heard(message):
                commands = self._hear(message, now_ns)
            case Ticked(trouble):
                commands = self._tick(trouble, now_ns)
            case Unpacked():
                self.phase = SupervisorPhase.SERVING
                commands = self._reconcile(now_ns)
            case NotUnpacked(because):
                commands = self._fail(because, now_ns)
            case ProcessEnded():
                commands = self._ended(event, now_ns)
            case Recovered(worker, incarnation, parts):
                commands = self._recovered((worker, incarnation), parts, now_ns)
            case LeaveWanted():
                commands = self._leave(now_ns)
        if self._saying != before or now_ns - self._enlisted_ns >= ENLIST_NS:
            commands.append(self._say_how_it_stands(now_ns))
        return commands + self._finish(now_ns)

    # --- the controller ----------------------------------------------------------------------------------------------

    @property
    def _saying(self) -> Enlist:
        ended = tuple(charge.end for charge in self._charges.values() if charge.end is not None)
        return msgspec.structs.replace(self._enlist, running=tuple(self.running), ended=ended)

    def _say_how_it_stands(self, now_ns: int) -> Command:
        self._enlisted_ns = now_ns
        return Send(self._saying)

    def _hear(self, message: FromController, now_ns: int) -> list[Command]:
        match message:
            case Dismiss(because):
                return self._exit(RUN_FAILED, because)
            case Part() if self._fetch is not None and self.phase is SupervisorPhase.FETCHING:
                self._fetch.arrived(message, now_ns)
                return self._go_on_fetching(now_ns)
            case Muster():
                return self._mustered(message, now_ns)
        return []

    def _mustered(self, muster: Muster, now_ns: int) -> list[Command]:
        known = self.muster
        if known is not None and muster.run != known.run:
            return self._exit(RUN_FAILED, f"run {known.run} is gone; {muster.run} is carried out there now")
        if known is not None and (muster.term, muster.number) < (known.term, known.number):
            return []
        commands: list[Command] = []
        if self._is_silent:
            commands.append(Say(f"the controller at {self._address} is back"))
        self._heard_ns, self._is_silent, self.muster = now_ns, False, muster
        self._enlist = msgspec.structs.replace(self._enlist, muster=muster.number)
        if muster.over:
            return commands + self._run_is_over(now_ns)
        if known is None:
            commands += self._join(muster, now_ns)
        return commands + self._reconcile(now_ns)

    def _join(self, muster: Muster, now_ns: int) -> list[Command]:
        self.phase = SupervisorPhase.FETCHING
        self._fetch = ArchiveFetch(muster.sha256, muster.archive_bytes)
        return [Say(f"in run {muster.run} of {self._address}"), *self._go_on_fetching(now_ns)]

    def _go_on_fetching(self, now_ns: int) -> list[Command]:
        fetch = self._fetch
        if fetch is None or self.phase is not SupervisorPhase.FETCHING:
            return []
        if fetch.failure:
            return self._fail(fetch.failure, now_ns)
        if fetch.whole:
            content, self._fetch = fetch.content(), None
            return [Unpack(content)]
        return [Send(wanted) for wanted in fetch.due(now_ns)]

    def _tick(self, trouble: str, now_ns: int) -> list[Command]:
        if self.muster is None:
            return self._seek(trouble, now_ns)
        return [*self._go_on_fetching(now_ns), *self._send_again(now_ns), *self._watch(self.muster, trouble, now_ns)]

    def _seek(self, trouble: str, now_ns: int) -> list[Command]:
        if now_ns - self._begun_ns >= self._connect_timeout_s * NS_PER_S:
            because = f"no controller at {self._address} within {self._connect_timeout_s:g} s"
            return self._exit(RUN_FAILED, f"{because}: it {trouble}" if trouble else because)
        if now_ns - self._reminded_ns < REMIND_NS:
            return []
        self._reminded_ns = now_ns
        return [Say(f"waiting for a controller at {self._address}" + (f": it {trouble}" if trouble else ""))]

    def _watch(self, muster: Muster, trouble: str, now_ns: int) -> list[Command]:
        """What a controller's silence means."""
        silent_ns = now_ns - self._heard_ns
        lease_ns = round(muster.lease_s * NS_PER_S)
        if silent_ns >= 2 * lease_ns:
            return self._give_up(2 * muster.lease_s)
        if self._is_silent or silent_ns < min(SILENCE_NS, lease_ns):
            return []
        self._is_silent = True
        silent = f"the controller at {self._address} {trouble or 'does not answer'}"
        return [Say(f"{silent}; workers go on until their lease of {muster.lease_s:g} s is over")]

    def _give_up(self, silent_s: float) -> list[Command]:
        if self._charges and not self.running and all(not charge.parts for charge in self._charges.values()):
            return self._exit(0, f"{self._account()}; its controller is gone")
        text = f"the controller at {self._address} has been silent for {silent_s:g} s"
        return self._exit(RUN_FAILED, text, keep=bool(self._charges))

    # --- workers -----------------------------------------------------------------------------------------------------

    def _reconcile(self, now_ns: int) -> list[Command]:
        """Bring about what the muster says."""
        assert self.muster is not None
        posted = {(post.worker, post.incarnation): post for post in self.muster.posts}
        commands: list[Command] = []
        for name in [name for name in self._charges if name not in posted]:
            if self._charges[name].end is None:
                commands.append(Kill(*name))
            else:
                del self._charges[name]
                commands.append(Forget(*name))
        for name, post in posted.items():
            commands += self._see_to(name, post)
        return commands

    def _see_to(self, name: Name, post: Post) -> list[Command]:
        charge = self._charges.get(name)
        if charge is None:
            return self._take_on(name, post)
        if charge.end is None:
            return [Kill(*name)] if post.duty is Duty.END else []
        if post.duty is Duty.RECOVER and not charge.is_recovering:
            charge.is_recovering = True
            return [Recover(*name, post.applied, post.to_position)]
        return []

    def _take_on(self, name: Name, post: Post) -> list[Command]:
        because = self._enlist.failure or ("its machine is leaving" if self._enlist.leaving else "")
        if because or post.duty is not Duty.RUN:
            self._charges[name] = Charge(Ended(*name, f"was not started{f': {because}' if because else ''}"))
            return []
        if self.phase is not SupervisorPhase.SERVING:
            return []
        self._charges[name] = Charge()
        self.launched += 1
        return [Launch(*name)]

    def _ended(self, event: ProcessEnded, now_ns: int) -> list[Command]:
        name = event.worker, event.incarnation
        charge = self._charges.get(name)
        if charge is None or charge.end is not None:
            return []
        charge.end = Ended(*name, event.because, event.output)
        is_routine = self._over_ns is not None or event.because == "ended with exit code 0"
        said: list[Command] = [] if is_routine else [Say(f"worker {event.worker}.{event.incarnation} {event.because}")]
        return said + (self._reconcile(now_ns) if self._over_ns is None else [])

    def _recovered(self, name: Name, parts: tuple[Remains, ...], now_ns: int) -> list[Command]:
        charge = self._charges.get(name)
        if charge is None:
            return []
        charge.parts, charge.sent_ns = parts, now_ns
        self.recovered += 1
        self.segments_recovered += sum(len(part.segments) for part in parts)
        return [Send(part) for part in parts]

    def _send_again(self, now_ns: int) -> list[Command]:
        """Remains that do not seem to have come."""
        assert self.muster is not None
        applied = {(post.worker, post.incarnation): post.applied for post in self.muster.posts}
        commands: list[Command] = []
        for name, charge in self._charges.items():
            if charge.parts and now_ns - charge.sent_ns >= SEND_AGAIN_NS:
                charge.sent_ns = now_ns
                *rest, last = charge.parts
                missing = [part for part in rest if part.segments[-1].sequence > applied.get(name, 0)]
                commands += [Send(part) for part in (*missing, last)]
        return commands

    # --- the end -----------------------------------------------------------------------------------------------------

    def _leave(self, now_ns: int) -> list[Command]:
        if self.muster is None:
            return self._exit(0, "left before there was a run")
        if self._enlist.leaving:
            return []
        self._enlist = msgspec.structs.replace(self._enlist, leaving=True)
        asked: list[Command] = [Terminate(*name) for name in self.running]
        return [Say("leaving: the workers hand over what they have"), *asked, *self._reconcile(now_ns)]

    def _fail(self, because: str, now_ns: int) -> list[Command]:
        self._enlist = msgspec.structs.replace(self._enlist, failure=because)
        return self._reconcile(now_ns)

    def _run_is_over(self, now_ns: int) -> list[Command]:
        if self._over_ns is None:
            self._over_ns = now_ns
        return []

    def _finish(self, now_ns: int) -> list[Command]:
        """Whether there is nothing left to do."""
        if self.muster is None or self.phase is SupervisorPhase.OVER:
            return []
        if self._over_ns is not None:
            is_done = not self.running or now_ns - self._over_ns >= PARTING_NS
            return self._exit_at_the_end() if is_done else []
        if not self._charges and not self.muster.posts and (self._enlist.leaving or self._enlist.failure):
            return self._exit_at_the_end()
        return []

    def _exit_at_the_end(self) -> list[Command]:
        if self._enlist.failure:
            return self._exit(RUN_FAILED, self._enlist.failure)
        return self._exit(0, self._account())

    def _account(self) -> str:
        """What it did."""
        assert self.muster is not None
        has_left = self._enlist.leaving and self._over_ns is None
        done = f"has left run {self.muster.run}" if has_left else f"run {self.muster.run} is over"
        ran = f"{self.launched} worker process{'es' * (self.launched != 1)} ran here"
        if not self.recovered:
            return f"{done}: {ran}"
        return f"{done}: {ran}; {self.recovered} died, and what they had measured was recovered"

    def _exit(self, exit_code: int, text: str, keep: bool = False) -> list[Command]:
        self.phase = SupervisorPhase.OVER
        return [Exit(exit_code, text, keep)]

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        for name, charge in self._charges.items():
            assert charge.end is None or (charge.end.worker, charge.end.incarnation) == name
            assert charge.end is not None or not charge.is_recovering
            assert charge.is_recovering or not charge.parts
        assert self.phase is not SupervisorPhase.SEEKING or not self._charges
