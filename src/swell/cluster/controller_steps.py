"""What happens to a controller (events), and what it then does (commands); `controller_state.py` is the way between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from swell.cluster.feed_state import Block
from swell.cluster.messages import Fetch, FromController, FromWorker, Hello, Output, Pulse, Report, RowsWanted
from swell.load.shape import Wanted
from swell.plan import Revision
from swell.result import End, Redeal, Refusal, Shortfall
from swell.segment import Segment

# --- events ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Started:
    """The controller is up; workers can be launched."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """What has to be done here before the first user starts is done."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame from `sender` was a message."""

    sender: bytes
    message: FromWorker


@dataclass(frozen=True, slots=True)
class Garbled:
    """A frame from `sender` was none."""

    sender: bytes
    kind: Refusal = Refusal.MALFORMED


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Died:
    """Whoever launched a worker has seen it end. `because` says how, in words that follow "worker 1 "."""

    worker: int
    incarnation: int
    because: str
    output: str = ""
    """The last it wrote, outside the link."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a dead worker left behind, in order; some of it may have come before."""

    worker: int
    incarnation: int
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Revised:
    """A closed load is to go to another number of users, at a rate."""

    load: int
    users: int
    rate_per_s: float


@dataclass(frozen=True, slots=True)
class Reshaped:
    """The script's shape wants another number of users, of all loads together."""

    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Nudged:
    """Somebody wants more users, or fewer."""

    more: int


@dataclass(frozen=True, slots=True)
class StopWanted:
    """Somebody, or something, wants the run to end gracefully now."""

    end: End
    text: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """Segments up to these numbers, by worker and incarnation, are on disk; or it is known that they cannot be now."""

    applied: Mapping[tuple[int, int], int]


Event = (
    Started | Cleared | Heard | Garbled | Ticked | Died | Recovered | Revised | Reshaped | Nudged | StopWanted | Stored
)


def is_routine(event: Event) -> bool:
    """Whether it cannot have brought the run any further. Most frames are such; to look costs a turn of all members."""
    if not isinstance(event, Heard):
        return False
    message = event.message
    routine = isinstance(message, Pulse | Output | Report | RowsWanted)  # what a pulse brings about is seen to with it
    return routine or (isinstance(message, Segment) and not message.final)


# --- commands --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Send:
    to: bytes
    message: FromController


@dataclass(frozen=True, slots=True)
class Launch:
    """Start a worker process; `Hello` or `Died` follows."""

    worker: int
    incarnation: int


@dataclass(frozen=True, slots=True)
class Kill:
    """End a worker process at once; `Died` follows."""

    worker: int
    incarnation: int


@dataclass(frozen=True, slots=True)
class Recover:
    """Read what a dead worker left behind; `Recovered` follows."""

    worker: int
    incarnation: int


@dataclass(frozen=True, slots=True)
class Commit:
    """Store what has been applied, at once; `Stored` follows."""


@dataclass(frozen=True, slots=True)
class Serve:
    """Answer a worker's request for rows of a feed: read these, and send them."""

    to: bytes
    feed: int
    request: int
    block: Block


@dataclass(frozen=True, slots=True)
class Supply:
    """Send a part of the script's archive."""

    to: bytes
    asked: Fetch


@dataclass(frozen=True, slots=True)
class Joined:
    """A worker is in."""

    hello: Hello


@dataclass(frozen=True, slots=True)
class Apply:
    """Take a segment in: it is the next of its worker."""

    segment: Segment


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker is gone that should not be."""

    worker: int
    incarnation: int
    because: str


@dataclass(frozen=True, slots=True)
class TakenOver:
    """Others have all that a lost worker had."""

    worker: int
    incarnation: int


@dataclass(frozen=True, slots=True)
class Left:
    """A worker that was asked to go has handed over all that it had, and goes."""

    worker: int
    incarnation: int


@dataclass(frozen=True, slots=True)
class Note:
    """Something that whoever watches the run should know."""

    text: str


@dataclass(frozen=True, slots=True)
class Begin:
    """All workers are ready: the run's zero is at `begin_ns`."""

    begin_ns: int


@dataclass(frozen=True, slots=True)
class TakenUp:
    """The run, whose zero is at `begin_ns`, goes on under this controller."""

    begin_ns: int


@dataclass(frozen=True, slots=True)
class Spawned:
    """All users that the plan has asked for so far have had their start."""

    users: int


@dataclass(frozen=True, slots=True)
class Revise:
    """The plan has a new revision."""

    revision: Revision


@dataclass(frozen=True, slots=True)
class Redealt:
    """The shares of the workers are dealt again."""

    redeal: Redeal


@dataclass(frozen=True, slots=True)
class Carries:
    """A worker has measured how many calls per second it can make."""

    worker: int
    incarnation: int
    capacity: float


@dataclass(frozen=True, slots=True)
class TooFew:
    """The workers are too few for the plan."""

    shortfall: Shortfall


@dataclass(frozen=True, slots=True)
class Ending:
    """The plan has come to its end; workers let their users finish."""

    end: End
    text: str
    ends_ns: int


@dataclass(frozen=True, slots=True)
class Show:
    """Lines that a worker's user code has written."""

    worker: int
    lines: tuple[str, ...]
    error: bool


@dataclass(frozen=True, slots=True)
class Deliver:
    """A worker's listeners of `report_to_master` have sent this."""

    worker: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing more is expected from any worker. `failure`: the run could not be carried out, and why."""

    failure: str = ""
    exit_code: int = 4
    author_traceback: str = ""


Command = (
    Send
    | Launch
    | Kill
    | Recover
    | Joined
    | Apply
    | Commit
    | Serve
    | Supply
    | Lost
    | TakenOver
    | Left
    | Note
    | Begin
    | TakenUp
    | Spawned
    | Revise
    | Redealt
    | TooFew
    | Carries
    | Ending
    | Show
    | Deliver
    | Over
)
