"""What a supervisor does next: pure, so that lost messages and dying workers can be tried without a process.

    SEEKING ──the first muster──► FETCHING ──the script is here──► SERVING ──the run is over, or all have left──► OVER

It says each second how it stands (`Enlist`), and what is to be done by the latest `Muster`: it starts who is posted,
ends who is not, recovers what a dead worker left behind when the controller wants it, and forgets it when the post is
gone (`charges_state.py`). So any message may be lost or repeated. It never decides whether a worker is replaced.

When nothing is heard of the controller, its workers stop by their leases. It waits for it to come back all the same,
to hand over what they had measured: four leases in all.
"""

from __future__ import annotations

import enum

import msgspec

from swell.clock import NS_PER_S
from swell.cluster.charges_state import CLEAN_END, Charges
from swell.cluster.fetch_state import ArchiveFetch
from swell.cluster.messages import Dismiss, Enlist, FromController, Muster, Part
from swell.cluster.supervisor_steps import (
    Command,
    Event,
    Exit,
    Heard,
    LeaveWanted,
    NotUnpacked,
    ProcessEnded,
    Recovered,
    Say,
    Send,
    Terminate,
    Ticked,
    Unpack,
    Unpacked,
)

ENLIST_NS = NS_PER_S
REMIND_NS = 10 * NS_PER_S
"""So often it is said who is waited for."""
SILENCE_NS = 3 * NS_PER_S
"""A controller that has not answered for so long is said to be silent."""
PARTING_NS = 2 * NS_PER_S
"""When the run is over, workers end by themselves; not for ever."""
PATIENCE_LEASES = 4
"""A controller that has not been heard for so long will not be back."""
RUN_FAILED = 4


class SupervisorPhase(enum.Enum):
    """How far a supervisor has come."""

    SEEKING = "seeking"
    FETCHING = "fetching"
    SERVING = "serving"
    OVER = "over"


class SupervisorState:
    """One supervisor. `enlist`: what it says of itself, `address`: where it looks for the controller."""

    def __init__(self, enlist: Enlist, address: str, connect_timeout_s: float, now_ns: int) -> None:
        self.phase = SupervisorPhase.SEEKING
        self.muster: Muster | None = None
        self.charges = Charges()
        self._enlist = enlist
        self._address = address
        self._connect_timeout_s = connect_timeout_s
        self._fetch: ArchiveFetch | None = None
        self._begun_ns = self._heard_ns = self._reminded_ns = now_ns
        self._enlisted_ns = now_ns - ENLIST_NS
        self._joined_ns = now_ns
        self._is_silent = False
        self._over_ns: int | None = None

    def __repr__(self) -> str:
        number = self.muster.number if self.muster is not None else 0
        return f"<SupervisorState {self.phase.value}, muster {number}, {self.charges!r}>"

    def summary(self, now_ns: int) -> str:
        """How it stands, in words."""
        if self.muster is None:
            waited_s = (now_ns - self._begun_ns) / NS_PER_S
            return f"looking for a controller at {self._address}, for {_duration(waited_s)}"
        if self._fetch is not None:
            whole = self.muster.archive_bytes
            return f"fetching the script: {self._fetch.received_bytes / whole:.0%} of {whole / 1e6:,.1f} MB"
        running = len(self.charges.running)
        leaving = "leaving, " if self._enlist.leaving else ""
        return f"run {self.muster.run}: {leaving}{_processes(running)} here, for {_duration(self._joined_s(now_ns))}"

    def _joined_s(self, now_ns: int) -> float:
        return (now_ns - self._joined_ns) / NS_PER_S

    def handle(self, event: Event, now_ns: int) -> list[Command]:
        """Take in what has happened at `now_ns`, and say what is to be done about it, in this order."""
        if self.phase is SupervisorPhase.OVER:
            return []
        before = self._standing
        match event:
            case Heard(message):
                commands = self._hear(message, now_ns)
            case Ticked(trouble):
                commands = self._tick(trouble, now_ns)
            case Unpacked():
                self.phase = SupervisorPhase.SERVING
                commands = self._follow()
            case NotUnpacked(because):
                commands = self._fail(because)
            case ProcessEnded():
                commands = self._ended(event)
            case Recovered():
                commands = self.charges.recovered(event, now_ns)
            case LeaveWanted():
                commands = self._leave(now_ns)
        if self.phase is SupervisorPhase.OVER:
            return commands
        if self._standing != before or now_ns - self._enlisted_ns >= ENLIST_NS:
            self._enlisted_ns = now_ns
            commands.append(Send(self._standing))
        return commands + self._finish(now_ns)

    @property
    def _standing(self) -> Enlist:
        """How it stands."""
        return msgspec.structs.replace(self._enlist, ended=self.charges.ended)

    # --- the controller ----------------------------------------------------------------------------------------------

    def _hear(self, message: FromController, now_ns: int) -> list[Command]:
        match message:
            case Dismiss(because):
                return self._exit(RUN_FAILED, because)
            case Part() if self._fetch is not None:
                self._fetch.arrived(message, now_ns)
                return self._go_on_fetching(self._fetch, now_ns)
            case Muster():
                return self._mustered(message, now_ns)
        return []

    def _mustered(self, muster: Muster, now_ns: int) -> list[Command]:
        known = self.muster
        if known is not None and muster.run != known.run:
            return self._exit(RUN_FAILED, f"run {known.run} is gone: {self._address} has run {muster.run} now")
        if known is not None and (muster.term, muster.number) < (known.term, known.number):
            return []
        back: list[Command] = [Say(f"the controller at {self._address} is back")] if self._is_silent else []
        self._heard_ns, self._is_silent, self.muster = now_ns, False, muster
        if muster.over:
            self._over_ns = now_ns if self._over_ns is None else self._over_ns
            return back
        return back + (self._join(muster, now_ns) if known is None else []) + self._follow()

    def _join(self, muster: Muster, now_ns: int) -> list[Command]:
        self.phase = SupervisorPhase.FETCHING
        self._joined_ns = now_ns
        self._fetch = ArchiveFetch(muster.sha256, muster.archive_bytes)
        said = Say(f"joined run {muster.run} at {self._address} with {_processes(self._enlist.processes)}")
        return [said, *self._go_on_fetching(self._fetch, now_ns)]

    def _go_on_fetching(self, fetch: ArchiveFetch, now_ns: int) -> list[Command]:
        if not fetch.failure and not fetch.whole:
            return [Send(wanted) for wanted in fetch.due(now_ns)]
        self._fetch = None
        return self._fail(fetch.failure) if fetch.failure else [Unpack(fetch.content())]

    def _tick(self, trouble: str, now_ns: int) -> list[Command]:
        if self.muster is None:
            return self._seek(trouble, now_ns)
        fetching = self._go_on_fetching(self._fetch, now_ns) if self._fetch is not None else []
        again = self.charges.send_again(self.muster.posts, now_ns)
        return [*fetching, *again, *self._watch(self.muster.lease_s, trouble, now_ns), *self._remind(now_ns)]

    def _seek(self, trouble: str, now_ns: int) -> list[Command]:
        why = f": it {trouble}" if trouble else ""
        if now_ns - self._begun_ns >= self._connect_timeout_s * NS_PER_S:
            return self._exit(RUN_FAILED, f"no controller at {self._address} within {self._connect_timeout_s:g} s{why}")
        if now_ns - self._reminded_ns < REMIND_NS:
            return []
        self._reminded_ns = now_ns
        return [Say(f"waiting for a controller at {self._address}{why}")]

    def _watch(self, lease_s: float, trouble: str, now_ns: int) -> list[Command]:
        """What a controller's silence means."""
        silent_ns, lease_ns = now_ns - self._heard_ns, round(lease_s * NS_PER_S)
        if silent_ns >= PATIENCE_LEASES * lease_ns:
            return self._give_up(PATIENCE_LEASES * lease_s)
        if self._is_silent or silent_ns < min(SILENCE_NS, lease_ns):
            return []
        self._is_silent = True
        silent = f"the controller at {self._address} {trouble or 'does not answer'}"
        return [Say(f"{silent}: users go on until the workers' lease of {lease_s:g} s is over")]

    def _remind(self, now_ns: int) -> list[Command]:
        """Whoever has asked for the end is told why it does not come."""
        running = len(self.charges.running)
        if not self._enlist.leaving or not running or now_ns - self._reminded_ns < REMIND_NS:
            return []
        self._reminded_ns = now_ns
        return [Say(f"nobody has taken over from {_processes(running)} yet; a second signal ends them at once")]

    def _give_up(self, silent_s: float) -> list[Command]:
        if len(self.charges) and not self.charges.owes:
            return self._exit(0, self._account("the controller is gone"))
        text = f"nothing was heard of the controller at {self._address} for {silent_s:g} s"
        return self._exit(RUN_FAILED, text, keep=self.charges.owes)

    # --- workers -----------------------------------------------------------------------------------------------------

    def _follow(self) -> list[Command]:
        """Bring about what the muster says."""
        if self.muster is None or self._over_ns is not None:
            return []
        obstacle = self._enlist.failure or ("its machine is leaving" if self._enlist.leaving else "")
        can_launch = self.phase is SupervisorPhase.SERVING
        return self.charges.follow(self.muster.posts, obstacle, can_launch=can_launch)

    def _ended(self, event: ProcessEnded) -> list[Command]:
        if not self.charges.end(event):
            return []
        is_routine = self._over_ns is not None or event.because == CLEAN_END
        said: list[Command] = [] if is_routine else [Say(f"worker {event.worker}.{event.incarnation} {event.because}")]
        return said + self._follow()

    # --- the end -----------------------------------------------------------------------------------------------------

    def _leave(self, now_ns: int) -> list[Command]:
        if self.muster is None:
            return self._exit(0, "left before there was a run")
        if self._enlist.leaving:
            return []
        self._enlist, self._reminded_ns = msgspec.structs.replace(self._enlist, leaving=True), now_ns
        asked: list[Command] = [Terminate(*name) for name in self.charges.running]
        return [Say("leaving: others take over what the workers here do"), *asked, *self._follow()]

    def _fail(self, because: str) -> list[Command]:
        self._enlist = msgspec.structs.replace(self._enlist, failure=because)
        return self._follow()

    def _finish(self, now_ns: int) -> list[Command]:
        """Whether there is nothing left to do."""
        if self.muster is None:
            return []
        if self._over_ns is not None:
            is_done = not self.charges.running or now_ns - self._over_ns >= PARTING_NS
            ending = f"run {self.muster.run} is over"
        else:
            is_done = not len(self.charges) and not self.muster.posts and self._is_unfit
            ending = f"left run {self.muster.run}"
        if not is_done:
            return []
        failure = self._enlist.failure
        return self._exit(RUN_FAILED, failure) if failure else self._exit(0, self._account(ending))

    @property
    def _is_unfit(self) -> bool:
        return self._enlist.leaving or bool(self._enlist.failure)

    def _account(self, ending: str) -> str:
        """What it did."""
        ran = f"{ending}: {_processes(self.charges.launched)} ran here"
        if not self.charges.died:
            return ran
        return f"{ran}, {self.charges.died} died and what they had measured was recovered"

    def _exit(self, exit_code: int, text: str, keep: bool = False) -> list[Command]:
        self.phase = SupervisorPhase.OVER
        return [Exit(exit_code, text, keep)]

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        self.charges.check()
        assert self.phase is not SupervisorPhase.SEEKING or not len(self.charges)
        assert self._fetch is None or self.phase is SupervisorPhase.FETCHING


def _processes(count: int) -> str:
    return f"{count:,} worker{'s' * (count != 1)}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
