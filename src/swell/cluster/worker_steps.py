"""What happens to a worker (events), and what it then does (commands); `worker_state.py` is the way between."""

from __future__ import annotations

from dataclasses import dataclass

from swell.cluster.messages import FromController, FromWorker, Rows, Welcome
from swell.cluster.user_steps import Arrive, Drop, LeaveUser, StartUser
from swell.segment import Segment

FENCED_EXIT_CODE = 75
"""Of a worker process that has lost its lease, so that whoever started it can say so."""

# --- events ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heard:
    """The controller said something."""

    message: FromController


@dataclass(frozen=True, slots=True)
class Garbled:
    """A frame from the controller was no message."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The script is loaded and users can be started."""


@dataclass(frozen=True, slots=True)
class WarmedUp:
    """Nothing is left that would hold the loop up once the run has begun."""


@dataclass(frozen=True, slots=True)
class Woke:
    """Time has passed; at `wake_ns` at the latest."""


@dataclass(frozen=True, slots=True)
class PulseDue:
    """It is time to say that the worker lives."""


@dataclass(frozen=True, slots=True)
class Measured:
    """It is known how many calls a second the process can make; 0: it could not be found out."""

    calls_per_s: float


@dataclass(frozen=True, slots=True)
class LeaveWanted:
    """Somebody wants this worker to hand its users over, and to go."""


@dataclass(frozen=True, slots=True)
class UserReady:
    """A user has become ready, and others wait to get ready after it."""


@dataclass(frozen=True, slots=True)
class UserGone:
    """User `number` has ended and is closed."""

    number: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """A segment is in the spool."""

    segment: Segment


Event = Heard | Garbled | Loaded | WarmedUp | Woke | PulseDue | Measured | LeaveWanted | UserReady | UserGone | Sealed

# --- commands --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Send:
    """Say something to the controller."""

    message: FromWorker


@dataclass(frozen=True, slots=True)
class SendSpooled:
    """Say what the spool holds: the segment of this number."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Prepare:
    """Load the script and get everything ready; `Loaded` follows."""

    welcome: Welcome


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Do now what would hold the loop up later; `WarmedUp` follows."""


@dataclass(frozen=True, slots=True)
class MeasureCapacity:
    """Find out what the process can carry, from the clock's next multiple of `every_ns` on; `Measured` follows."""

    every_ns: int


@dataclass(frozen=True, slots=True)
class Begin:
    """The run's zero is known, by the worker's clock."""

    begin_ns: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Let no user send anything from `until_ns` on; None: there are no users any more that could."""

    until_ns: int | None


@dataclass(frozen=True, slots=True)
class Fence:
    """The lease is over: end all users at once, before any of them goes on. `LeaveUser` follows for each."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The plan is over: `LeaveUser` follows for each user that is there."""


@dataclass(frozen=True, slots=True)
class SealFinal:
    """No user is left: seal the last segment; `Sealed` follows."""


@dataclass(frozen=True, slots=True)
class Stock:
    """Rows for users have come."""

    rows: Rows


@dataclass(frozen=True, slots=True)
class Forget:
    """Segments up to `sequence` need no longer be kept."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Exit:
    """The worker's part is over."""

    because: str = ""
    """Empty: all went as planned."""


Command = (
    Send
    | SendSpooled
    | Prepare
    | WarmUp
    | MeasureCapacity
    | Begin
    | Hold
    | Fence
    | StartUser
    | LeaveUser
    | Arrive
    | Drop
    | Stop
    | SealFinal
    | Stock
    | Forget
    | Exit
)
