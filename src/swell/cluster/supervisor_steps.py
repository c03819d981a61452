"""What happens to a supervisor (events), and what it then does (commands); `supervisor_state.py` is the way between."""

from __future__ import annotations

from dataclasses import dataclass

from swell.cluster.messages import FromController, FromWorker, Remains

# --- events ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heard:
    """The controller has said something."""

    message: FromController


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time has passed, a quarter of a second at most."""

    trouble: str = ""
    """Why the controller cannot be reached at the moment, in words that follow its address; '' if that is not known."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The archive is there, as files."""


@dataclass(frozen=True, slots=True)
class NotUnpacked:
    """It cannot be."""

    because: str


@dataclass(frozen=True, slots=True)
class ProcessEnded:
    """A worker process has ended. `because` says how, in words that follow "worker 1 "."""

    worker: int
    incarnation: int
    because: str
    output: str = ""
    """The last it wrote, outside the link."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a worker that has ended left behind, in parts that can be sent."""

    worker: int
    incarnation: int
    parts: tuple[Remains, ...]


@dataclass(frozen=True, slots=True)
class LeaveWanted:
    """Somebody wants this machine to leave the run, gracefully."""


Event = Heard | Ticked | Unpacked | NotUnpacked | ProcessEnded | Recovered | LeaveWanted


# --- commands --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Send:
    message: FromWorker


@dataclass(frozen=True, slots=True)
class Unpack:
    """Make files of the script's archive; `Unpacked` or `NotUnpacked` follows."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Launch:
    """Start a worker process; `ProcessEnded` follows at some time, also where it cannot be started."""

    worker: int
    incarnation: int


@dataclass(frozen=True, slots=True)
class Terminate:
    """Ask a worker process to leave (SIGTERM)."""

    worker: int
    incarnation: int


@dataclass(frozen=True, slots=True)
class Kill:
    """End a worker process at once; `ProcessEnded` follows."""

    worker: int
    incarnation: int


@dataclass(frozen=True, slots=True)
class Recover:
    """Read what a worker left behind beyond its segment `applied`, which reaches so far into its ring; `Recovered`
    follows."""

    worker: int
    incarnation: int
    applied: int
    to_position: int


@dataclass(frozen=True, slots=True)
class Forget:
    """What a worker left behind is not needed any more."""

    worker: int
    incarnation: int


@dataclass(frozen=True, slots=True)
class Say:
    """Something that whoever watches should know."""

    text: str


@dataclass(frozen=True, slots=True)
class Exit:
    """There is nothing left to do; processes that still run are ended. `keep`: what workers have left behind stays."""

    exit_code: int
    text: str
    keep: bool = False


Command = Send | Unpack | Launch | Terminate | Kill | Recover | Forget | Say | Exit
