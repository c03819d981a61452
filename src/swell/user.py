"""What the parts that run users and the parts that define them agree on.

`runtime` starts greenlets for users and owns the ring; `script` holds the author's classes and the HTTP session.
Neither imports the other: both know the protocols here.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Protocol

from swell.clock import Clock
from swell.segment import ErrorSample, Sort


class Recorder(Protocol):
    """Takes what has been measured. One per worker process; no method waits."""

    def series(self, scenario: str, method: str, name: str, tags: str = "") -> int:
        """The number of a series, given out on first use; `BEYOND` when there are too many."""

    def error(self, text: str) -> int:
        """The number of an error text, given out on first use; `BEYOND` when there are too many."""

    def record(
        self,
        done_ns: int,
        service_ns: int,
        response_ns: int,
        first_byte_ns: int,
        connect_ns: int,
        lag_ns: int,
        bytes_out: int,
        bytes_in: int,
        series: int,
        error: int,
        status: int,
        outcome: int,
    ) -> None:
        """Record one call. `connect_ns` 0: no connection was opened for it. `lag_ns` < 0: not a planned start."""

    def traced(
        self, done_ns: int, trace_id: str, response_ns: int, series: int, error: int, status: int, outcome: int
    ) -> None:
        """The call just recorded carried this trace id, 32 hex digits."""

    def measure(self, sort: Sort, scenario: str, name: str) -> int:
        """The number of one of the script's own measures, given out on first use; `MEASURES_BEYOND` when there are too
        many."""

    def measured(self, at_ns: int, number: int, sort: Sort, value: float, outcome: int) -> bool:
        """Record a value of a measure, a duration in ns for a transaction. `outcome`: FAILED for a check that failed or
        a rate that is false. False, and counted, when such a measure cannot hold the value."""

    def wants_sample(self, series: int, error: int) -> bool:
        """Whether a sample of this error of this series is still wanted."""

    def sample(self, series: int, error: int, sample: ErrorSample) -> None:
        """Keep what a failed call looked like."""

    def exception(self, message: str, traceback: str) -> None:
        """Count an exception raised by user code."""


class Traffic(Protocol):
    """Counts exchanges on the wire (DESIGN's accounting); each count is one 8-byte store that survives a SIGKILL."""

    def sent(self) -> None:
        """A request is being given to the kernel: counted before, since a SIGKILL may fall within the system call."""

    def unsent(self) -> None:
        """The kernel has not taken a byte of what was counted as sent."""

    def answered(self) -> None: ...
    def unanswered(self) -> None: ...
    def not_sent(self) -> None: ...
    def retried(self) -> None: ...
    def redirected(self) -> None: ...
    def unstamped(self) -> None: ...
    def window_limited(self) -> None: ...


class CallListener(Protocol):
    """Is told of the calls of one user."""

    def heard(self, begun_ns: int, done_ns: int, outcome: int) -> None:
        """A call was recorded; `begun_ns` is what its response time counts from."""


class Admission(enum.Enum):
    """What a user is told that asks for its next iteration."""

    GO = "go"
    WAIT = "wait"
    """Until there is one for it."""
    LEAVE = "leave"
    """There will be none."""


class Gate(Protocol):
    """Where a user whose iterations are given out asks for each of them."""

    waits: bool
    """Whether the user waits between two iterations, as its `wait_time` says."""

    def admit(self, seat: Seat) -> bool:
        """Wait until the user may begin an iteration, whose planned start, if it has one, is in the seat then. False:
        the user is to leave."""


class Seat:
    """A simulated user's place in a run: who it is, what it may use, and whether it is to leave.

    `intended_ns`, `held_ns` and `lag_ns` describe the planned start of the iteration under way, for its first call,
    which sets `intended_ns` back to 0. Whoever sets `leaving` then ends the user's sleep on `clock`, if it is in one.

    `record` records a call: the recorder's own method, unless somebody listens.
    """

    __slots__ = ("arrived", "choices", "clock", "gate", "held_ns", "host", "intended_ns", "iterations", "lag_ns",
                 "leaving", "listeners", "missed", "number", "record", "recorder", "scenario", "seed", "shared",
                 "task_name")  # fmt: skip

    def __init__(
        self,
        *,
        number: int,
        scenario: str,
        seed: int,
        host: str,
        clock: Clock,
        recorder: Recorder,
        shared: object,
    ) -> None:
        self.number = number
        self.scenario = scenario
        self.seed = seed
        self.host = host
        self.clock = clock
        self.recorder = recorder
        self.record: Callable[..., None] = recorder.record
        self.listeners: tuple[CallListener, ...] = ()
        self.shared = shared
        self.leaving = False
        """No new iteration starts once this is set; a sleep on `clock` then ends early."""
        self.intended_ns = 0
        self.held_ns = 0
        """How long the target had held the user up beyond `intended_ns`, when the iteration began."""
        self.lag_ns = -1
        self.gate: Gate | None = None
        """None: the user goes from one iteration to the next by itself."""
        self.choices: int | None = None
        """What the choices in the iteration under way follow from, if not from the user."""
        self.arrived = 0
        """Arrivals that the user has taken up."""
        self.iterations = 0
        self.missed = 0
        self.task_name = ""
        """What the user is doing, for the report of a stalled loop."""

    def __repr__(self) -> str:
        state = "leaving" if self.leaving else "staying"
        return f"<Seat of user {self.number} ({self.scenario}), {state}, {self.iterations} iterations>"

    def listen(self, listener: CallListener) -> None:
        """Tell `listener` of every call of this user from now on."""
        self.listeners = (*self.listeners, listener)
        self.record = self._record_and_tell

    def unlisten(self, listener: CallListener) -> None:
        """Tell it no more."""
        self.listeners = tuple(one for one in self.listeners if one is not listener)
        if not self.listeners:
            self.record = self.recorder.record

    def _record_and_tell(self, done_ns: int, service_ns: int, response_ns: int, *others: int) -> None:
        self.recorder.record(done_ns, service_ns, response_ns, *others)
        for listener in self.listeners:
            listener.heard(done_ns - response_ns, done_ns, others[-1])


class SimulatedUser(Protocol):
    """A user as the runtime sees it."""

    def live(self) -> None:
        """Do everything the user does, from on_start to on_stop; returns when it is to leave, or stops itself."""

    def close(self) -> None:
        """Close what the user has open. Called once, after `live` has ended, however it ended."""


class UserFactory(Protocol):
    """Makes the users of a loaded script."""

    def make(self, seat: Seat) -> SimulatedUser:
        """A user of the class `seat.scenario`, not yet living."""
