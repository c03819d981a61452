"""What a controller and its workers say to each other: MessagePack, decoded by type at one boundary.

A message may be lost, repeated or late (ZeroMQ is at-most-once), so nothing depends on a single one:

- `Orders` are all that a worker is to do, numbered; a `Pulse` says which number the worker has. Who has an old number
  gets them again. There is no message for the change alone.
- `Pulse` is all that a worker is at the moment; the next one, a second later, makes up for one that was lost.
- A `Segment` is sent until an `Acknowledge` covers it; it is applied in the order of its number, once.
- `Enlist` and `Musters`, between a supervisor and the controller, each say all that there is to say, and are repeated.
- `RowsWanted` and `Rows` each say the whole state of the rows that a worker has of a feed; who wants some asks again.
- `Output`, `Report`, `Quit` and `Failed` are what is left: they are sent once.

Instants are the controller's CLOCK_MONOTONIC, in nanoseconds, unless they are said to be the worker's own. What follows
from leases, terms and incarnations is told in docs/design/cluster.md.
"""

from __future__ import annotations

import enum
from typing import TypeVar

import msgspec

from swell.bounds import Finite, Natural, Whole
from swell.errors import LinkError
from swell.load.shares import NOTHING, Share
from swell.plan import Revision, RunPlan
from swell.result import Refusal
from swell.segment import Segment

Said = TypeVar("Said")

PROTOCOL = 2
FRAME_BYTES_MAX = 32 << 20
LINES_PER_OUTPUT = 200
LINE_CHARACTERS = 2_000


class WorkerPhase(enum.Enum):
    """How far a worker has come."""

    LOADING = "loading"
    READY = "ready"
    MEASURING = "measuring"
    """It finds out what it can carry."""
    PREPARING = "preparing"
    """Users get ready before the run begins."""
    RUNNING = "running"
    DRAINING = "draining"
    DONE = "done"
    """No user is left and the final segment is sealed."""
    FENCED = "fenced"
    """Its lease had run out: it has stopped at once, and ends when its last segment is acknowledged."""


# --- from a worker ---------------------------------------------------------------------------------------------------


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """A worker introduces itself; repeated until it is welcomed."""

    run: str
    worker: Natural
    incarnation: Natural
    host: str
    pid: Natural
    protocol: Natural = PROTOCOL
    version: str = ""
    """Of swell."""
    machine: str = ""
    """Which supervisor started it; '': the controller itself."""


class Strain(msgspec.Struct, frozen=True, array_like=True):
    """How a worker fared over the last second."""

    cpu: Finite = 0.0
    """CPU time over the time that its quota and affinity let it have; 1.0: it can do no more."""
    lag_p99_ms: Finite = 0.0
    """How late planned starts were."""
    loop_lag_p99_ms: Finite = 0.0
    throttled: Finite = 0.0
    """The share of the second in which the quota held it up."""
    calls_per_s: Finite = 0.0


class Pulse(msgspec.Struct, frozen=True, tag="pulse"):
    """A worker is alive, and this is its state; once a second, and when something has changed."""

    phase: WorkerPhase
    orders: Natural
    """The number of the orders that it follows."""
    at_ns: Whole
    users: Natural = 0
    idle: bool = False
    """All users that these orders will ever bring here have started and gone."""
    prepared: bool = False
    """All users that are to be ready before the run begins are."""
    sent_ns: Whole = 0
    """When this was said, by the worker's own clock: the `Lease` that answers it says it again."""
    term: Natural = 0
    """The highest that it has heard of."""
    followed_ns: Whole = 0
    """From when on, in ns of the run, its share is without what was taken from it last: up to here, it has started what
    arrived there."""
    settled: bool = True
    """Nobody is here any more whom these orders' share does not hold."""
    leaving: bool = False
    """It was asked to go (SIGTERM): it wants to hand its users over."""
    capacity: Finite = 0.0
    """Calls per second that it could make when it measured; 0: it has not."""
    load: Strain = Strain()
    given: tuple[Natural, ...] = ()
    """Of each load of iterations: how many, of all that its share has lost so far, it had begun already. Whoever gets
    them has so many fewer to do."""
    refused: Natural = 0
    """Frames from the controller that it has not heeded: of a lower term, or no message."""


class Output(msgspec.Struct, frozen=True, tag="output"):
    """Lines that user code, or a log, has written in the worker."""

    lines: tuple[str, ...]
    error: bool = False
    """Written to standard error."""


class Report(msgspec.Struct, frozen=True, tag="report"):
    """What listeners of `report_to_master` want those of `worker_report` to have: MessagePack of their dict."""

    data: bytes


class RowsWanted(msgspec.Struct, frozen=True, tag="rows_wanted"):
    """The worker wants rows of a feed: its stream of them is to reach so far (`feed_state.py`)."""

    feed: Natural
    number: Natural
    """Of this request, from 1 on."""
    up_to: Natural
    received: Natural
    """How far the worker has the stream."""
    taken: Natural = 0
    """How far users have taken rows from it."""
    waiting: Natural = 0
    """Users that wait for a row and have none in stock."""


class Standing(msgspec.Struct, frozen=True, tag="standing"):
    """What a worker does, told to a controller of a higher term than its orders are; repeated until it has new ones."""

    term: Natural
    orders: Orders
    capacity: Finite = 0.0
    host: str = ""
    pid: Natural = 0
    machine: str = ""
    given: tuple[Natural, ...] = ()
    """As a pulse says it."""


class Quit(msgspec.Struct, frozen=True, tag="quit"):
    """User code in the worker wants the run to end, as Ctrl-C would end it."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The worker cannot take part; it ends."""

    text: str
    exit_code: Natural = 4
    author_traceback: str = ""


# --- from a supervisor -----------------------------------------------------------------------------------------------


class Ended(msgspec.Struct, frozen=True, array_like=True):
    """A worker process has ended. `because` says how, in words that follow "worker 1 "."""

    worker: Natural
    incarnation: Natural
    because: str
    output: str = ""
    """The last it wrote, outside the link."""


class Enlist(msgspec.Struct, frozen=True, tag="enlist"):
    """A supervisor is there, and this is its state; once a second, and when something has changed."""

    machine: str
    """Random, made when the supervisor started: its identity on the link too."""
    host: str
    processes: Natural
    """How many workers it would run."""
    pid: Natural
    """Its own: who has the same `machine` and another one is somebody else."""
    protocol: Natural = PROTOCOL
    version: str = ""
    ended: tuple[Ended, ...] = ()
    """Processes that have ended, until a muster no longer names them."""
    leaving: bool = False
    """It was asked to go (SIGTERM): its workers are leaving, and no new one is to be started there."""
    failure: str = ""
    """Why it cannot take part, if so."""


class Fetch(msgspec.Struct, frozen=True, tag="fetch"):
    """A supervisor wants the script's archive from byte `start` on."""

    sha256: str
    start: Natural


class Remains(msgspec.Struct, frozen=True, tag="remains"):
    """What a worker that has ended left behind, in order; repeated until a muster no longer names the worker. Several
    where one would be too long."""

    worker: Natural
    incarnation: Natural
    segments: tuple[Segment, ...]
    last: Natural
    """The sequence number of the very last: once all up to it are applied, nothing more can come."""


# --- from the controller ---------------------------------------------------------------------------------------------


class Duty(enum.Enum):
    """What a supervisor is to see to at a post."""

    RUN = "run"
    END = "end"
    """The process is to be ended at once, if it has not ended yet."""
    RECOVER = "recover"
    """It has ended: what it left behind is wanted."""


class Post(msgspec.Struct, frozen=True, array_like=True):
    """A worker under a supervisor."""

    worker: int
    incarnation: int
    duty: Duty = Duty.RUN
    applied: int = 0
    """How far its segments have come, and ..."""
    to_position: int = 0
    """... how far into its ring these reach."""


class Muster(msgspec.Struct, frozen=True, tag="muster"):
    """All that a supervisor is to do; a higher number, or term, replaces a lower one. It answers each `Enlist`."""

    number: int
    term: int
    run: str
    sha256: str
    """Of the script's archive."""
    archive_bytes: int
    script: str
    """The script's path in the archive."""
    version: str
    """Of the controller's swell."""
    posts: tuple[Post, ...]
    """Who is to run there. Whoever is not named is ended at once, and what it left behind may be forgotten."""
    keep_records: bool = False
    lease_s: float = 15.0
    """How long it waits for a controller of which nothing is heard."""
    over: bool = False
    """The run is over: there is nothing left to do."""


class Part(msgspec.Struct, frozen=True, tag="part"):
    """A piece of the script's archive."""

    sha256: str
    start: int
    data: bytes


class Lease(msgspec.Struct, frozen=True, tag="lease"):
    """Answers a pulse: the worker may go on until `lease_s` after it had said it."""

    sent_ns: int
    """Of the pulse, by the worker's clock."""
    now_ns: int
    """The controller's clock."""
    term: int
    lease_s: float


class Measure(msgspec.Struct, frozen=True, tag="measure"):
    """Find out what you can carry, beginning when the machine's CLOCK_MONOTONIC is next a multiple of `every_ns`: all
    workers of a machine do so at the same moment. Pulses tell what was found."""

    every_ns: int


class SentSecrets(msgspec.Struct, frozen=True):
    """The secrets that the script has asked for where it was loaded first. Whatever prints a message shows only their
    names."""

    values: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<SentSecrets {', '.join(self.values) or '(none)'}>"


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """The worker is in: what it needs to get ready."""

    plan: RunPlan
    shared: bytes = b"\x80"
    """The value of the script's `@setup` function, in MessagePack."""
    pulse_interval_s: float = 1.0
    report_interval_s: float = 1.0
    term: int = 1
    lease_s: float = 15.0
    secrets: SentSecrets = SentSecrets()


class Orders(msgspec.Struct, frozen=True, tag="orders"):
    """All that one worker is to do; a higher number replaces a lower one."""

    number: int
    begin_ns: int | None = None
    """The run's zero. None: have those users get ready that are to be before it."""
    ends_ns: int | None = None
    """No new task starts from here on. None: until further orders."""
    revisions: tuple[Revision, ...] = ()
    share: Share = NOTHING
    share_from_ns: int = 0
    """Users of the share that should long be there are started from here on, one after the other; what arrives from
    here on is dealt by it."""
    done: tuple[int, ...] = ()
    """Of each load, the iterations that others with this share have done before."""
    term: int = 1


class Acknowledge(msgspec.Struct, frozen=True, tag="acknowledge"):
    """All segments up to this number have been applied."""

    sequence: int


class Rows(msgspec.Struct, frozen=True, tag="rows"):
    """Rows of a worker's stream of a feed, from number `start` on, in answer to a request; none when it has run out."""

    feed: int
    request: int
    start: int
    rows: tuple[bytes, ...]


class Dismiss(msgspec.Struct, frozen=True, tag="dismiss"):
    """The worker is not, or no longer, part of the run: it ends at once."""

    because: str


FromWorker = (
    Hello | Pulse | Segment | Output | Report | RowsWanted | Standing | Quit | Failed | Enlist | Fetch | Remains
)
FromController = Welcome | Orders | Acknowledge | Rows | Lease | Measure | Dismiss | Muster | Part
Message = FromWorker | FromController

_encoder = msgspec.msgpack.Encoder()
_from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)
_from_controller: msgspec.msgpack.Decoder[FromController] = msgspec.msgpack.Decoder(FromController)
_any_value: msgspec.msgpack.Decoder[object] = msgspec.msgpack.Decoder(strict=False)


class Refused(LinkError):
    """A frame is no message of ours; `kind` says why."""

    def __init__(self, kind: Refusal, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def encode(message: Message) -> bytes:
    """A message as one frame."""
    return _encoder.encode(message)


def decode_from_worker(frame: bytes) -> FromWorker:
    """What a worker said. Raises Refused for anything else."""
    return _decode(_from_worker, frame)


def decode_from_controller(frame: bytes) -> FromController:
    """What the controller said. Raises Refused for anything else."""
    return _decode(_from_controller, frame)


def _decode(decoder: msgspec.msgpack.Decoder[Said], frame: bytes) -> Said:
    if not frame:
        raise Refused(Refusal.EMPTY, "a frame is empty")
    if len(frame) > FRAME_BYTES_MAX:
        raise Refused(Refusal.OVERSIZE, f"a frame of {len(frame):,} bytes is over the limit of {FRAME_BYTES_MAX:,}")
    try:
        return decoder.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise Refused(Refusal.MALFORMED, f"a frame is no message of swell's: {exc}") from exc


def pack_value(value: object) -> bytes:
    """A value of user code as it travels. Raises LinkError where it cannot."""
    try:
        return _encoder.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as exc:
        raise LinkError(f"a value cannot be sent to another process: {exc}") from exc


def unpack_value(packed: bytes) -> object:
    """The value again. Raises LinkError."""
    return _decode(_any_value, packed)


def clipped_lines(text: str) -> tuple[str, ...]:
    """A text of user code as lines that fit into an `Output`; a longer one is cut, visibly."""
    return tuple(
        sendable(line if len(line) <= LINE_CHARACTERS else line[: LINE_CHARACTERS - 1] + "…")
        for line in text.splitlines()
    )


def sendable(text: str) -> str:
    """The text with what UTF-8 does not know (half a surrogate pair) replaced."""
    return text.encode("utf-8", "replace").decode()
