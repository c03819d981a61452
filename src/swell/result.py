"""What a run found out: `RunResult` holds all its counts; its summary is `document.py`.

Every face (terminal, page, JSON, HTML, comparison) takes a RunResult, live or read from the store: a report can be
made again from it. Counts stay packed, in memory as in the store: `stats/packed.py` makes tables of them, which are
those of `segment.py` with the run's own numbers and wider counts.

Series 0 and error 0 stand for all beyond their cap; so does series MEASURES_FROM, for the script's own measures.
"""

from __future__ import annotations

import datetime
import enum

import msgspec

from swell.feed_plan import FeedCount
from swell.plan import Revision, RunPlan
from swell.segment import BEYOND, MEASURES_FROM, Counters, ErrorSamples, ExceptionCount, Health, Sort, TraceSeen

OTHER = "(other)"
RESULT_VERSION = 1
REVISIONS_CAP = 10_000
"""So many of the plan's revisions are kept, the latest of each load."""


class End(enum.Enum):
    """Why a run ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    THRESHOLD = "threshold"
    FAILED = "failed"


class Series(msgspec.Struct, frozen=True, array_like=True):
    """What calls are grouped by; or a measure of the script's own, which has no method. Its number is its place in
    `RunResult.series`, or in `RunResult.measures` from MEASURES_FROM on."""

    scenario: str
    method: str
    name: str
    sort: Sort = Sort.CALL
    tags: str = ""
    """`key=value` pairs in order of their keys, with commas between them."""


class Block(msgspec.Struct, frozen=True):
    """All calls that were done within [from_s, to_s) of the run, in all workers. Without one, `counts` is empty."""

    from_s: int
    to_s: int
    counts: bytes = b""


class ErrorSeen(msgspec.Struct, frozen=True):
    """How often an error of a series occurred, and in which seconds first and last."""

    series: int
    error: int
    count: int
    first_s: float
    last_s: float


class ScenarioTotals(msgspec.Struct, frozen=True):
    """One scenario over the whole run; `users` holds its users at the end of each second from 0 on, u32."""

    name: str
    users: bytes = b""
    users_now: int = 0
    users_peak: int = 0
    started: int = 0
    iterations: int = 0
    dropped: int = 0
    missed: int = 0
    arrived: int = 0
    """Arrivals that a user has taken up."""


class HealthSpan(msgspec.Struct, frozen=True, gc=False):
    """How a worker fared over [from_s, to_s): of several seconds, the worst of each."""

    from_s: float
    to_s: float
    health: Health


class WorkerResult(msgspec.Struct, frozen=True, kw_only=True):
    """One incarnation of a worker."""

    worker: int
    incarnation: int
    host: str = ""
    capacity: float = 1.0
    joined_s: float = 0.0
    reported_s: float = 0.0
    """When its last report was sealed."""
    lost_at_s: float | None = None
    lost_because: str = ""
    """How it ended, in words that follow its name: `was killed by signal 9`."""
    final: bool = False
    """Its last report said that it was the last."""
    recovered: bool = False
    """What it left behind was folded by whoever had started it."""
    left_s: float | None = None
    """It had been asked to go, and from then on had handed over all that it had."""
    taken_over_s: float | None = None
    """From then on others had all that it had when it was lost."""
    calls: int = 0
    """Requests in its reports."""
    users_most: int = 0
    """At a time."""
    arrived: int = 0
    """Arrivals that its users have taken up."""
    counters: Counters = Counters()
    calls_missing: int = 0
    """Calls in ring positions that no report has covered, though a later one has come."""
    reports_missing: int = 0
    calls_per_s: bytes = b""
    """Pairs of a second and the calls done in it, u64, ascending; ten minutes of it at least."""
    health: tuple[HealthSpan, ...] = ()


class Incident(msgspec.Struct, frozen=True):
    """Something that happened to the controller, and what it was (a hook's name, a path)."""

    from_s: float
    to_s: float
    what: str = ""


class Refusal(enum.Enum):
    """Why a frame that came over the link was not followed."""

    PARTS = "parts"
    """Not one part, as every message has."""
    EMPTY = "empty"
    OVERSIZE = "oversize"
    MALFORMED = "malformed"
    """No message of this protocol: not MessagePack, or of other types, or with a value out of its range."""
    OTHER_VERSION = "other_version"
    OTHER_RUN = "other_run"
    OTHER_TERM = "other_term"
    OTHER_INCARNATION = "other_incarnation"
    """Of a worker, or for an incarnation of it, that its sender is not."""
    UNKNOWN_SENDER = "unknown_sender"
    """Nobody of this run is called so, or it has not introduced itself."""
    OUT_OF_PLACE = "out_of_place"
    """A message that its sender has no business to send, or that asks for what there is not."""
    UNSOUND = "unsound"
    """A report that contradicts itself."""


class RefusedCount(msgspec.Struct, frozen=True):
    """How many frames of one sender were refused for one reason."""

    kind: Refusal
    sender: str
    """What it is called on the link; `(other)` beyond a hundred of them."""
    count: int


class StrangerCount(msgspec.Struct, frozen=True):
    """How many connections from one IP address came to nothing."""

    address: str
    count: int


class LinkCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to the connections of the link over TCP, and to frames before anybody read them."""

    admitted: int = 0
    """Connections whose other end has the cluster's key; where there is none, that spoke the protocol."""
    ended: int = 0
    """Those of them that have ended, for whatever reason."""
    strangers: tuple[StrangerCount, ...] = ()
    """Connections that ended before they had shown the key: they had another or none, spoke something else, said
    nothing, or broke."""
    dropped: int = 0
    """Frames for somebody who was not there, or did not read."""
    crowded_out: int = 0
    """Frames that came faster than they could be dealt with: what they said is said again."""


class LinkFacts(msgspec.Struct, frozen=True):
    """What was turned away at the link."""

    refused: tuple[RefusedCount, ...] = ()
    counts: LinkCounts = LinkCounts()


class Redeal(msgspec.Struct, frozen=True):
    """The load was dealt again among the workers, from `at_s` on."""

    number: int
    at_s: float
    moved: float
    """Which part of it is with somebody else from then on."""
    because: str = ""


class Shortfall(msgspec.Struct, frozen=True):
    """The workers that there were at `at_s` were too few for the plan."""

    at_s: float
    workers: int
    needed: int
    """At least so many like them."""

    @property
    def text(self) -> str:
        """In words."""
        if self.workers == 1:
            return f"one worker is too few for this plan: it takes at least {self.needed:,} like it"
        return f"{self.workers:,} workers are too few for this plan: it takes at least {self.needed:,} like them"


class ControllerFacts(msgspec.Struct, frozen=True):
    """What befell the controller while the run went on."""

    stalls: tuple[Incident, ...] = ()
    """The first hundred."""
    stalls_beyond: int = 0
    store_failures: tuple[Incident, ...] = ()
    restarts: tuple[Incident, ...] = ()
    redeals: tuple[Redeal, ...] = ()
    shortfalls: tuple[Shortfall, ...] = ()
    """Each time that it was found to take notably more workers than before."""
    """The latest hundred; their numbers say how many there were."""
    link: LinkFacts = LinkFacts()


class Beyond(msgspec.Struct, frozen=True):
    """What did not fit: calls under (other), failures under (other), exceptions not listed, lines of output, values of
    measures beyond the cap, values that no measure can hold."""

    series: int = 0
    errors: int = 0
    exceptions: int = 0
    output: int = 0
    measures: int = 0
    values: int = 0


class SampleFile(msgspec.Struct, frozen=True):
    """Where every call was written to, how many were, and how many could not be."""

    path: str
    rows: int
    lost: int = 0
    fault: str = ""


class ExportCount(msgspec.Struct, frozen=True):
    """Where a run's metrics went while it went on: how often they got there, and how often they did not."""

    to: str
    sent: int
    failed: int = 0
    skipped: int = 0
    """Left out, because the one before took too long."""
    fault: str = ""
    """Why the last of those that failed did."""


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """A run, finished or not, as seen at `at_s` on its clock."""

    version: int = RESULT_VERSION
    run: str
    plan: RunPlan
    revisions: tuple[Revision, ...] = ()
    """In the order of their numbers, from 1 on; what is missing was forgotten (`stats/revisions.py`)."""
    started_at: datetime.datetime
    at_s: float
    settled_s: int
    """All workers still heard of have reported the seconds before this one."""
    duration_s: float
    """From the first start to the end of the plan, without the drain; so far, while it runs."""
    end: End | None = None
    """None while it runs."""
    end_text: str = ""
    series: tuple[Series, ...] = (Series("", "", OTHER),)
    measures: tuple[Series, ...] = (Series("", "", OTHER),)
    """The script's own: the number of each is MEASURES_FROM and its place here."""
    errors: tuple[str, ...] = (OTHER,)
    whole: Block
    blocks: tuple[Block, ...] = ()
    """In order of time, never overlapping; a second without a call has none. One second each, wider where long ago."""
    errors_seen: tuple[ErrorSeen, ...] = ()
    error_samples: tuple[ErrorSamples, ...] = ()
    exceptions: tuple[ExceptionCount, ...] = ()
    traces: tuple[TraceSeen, ...] = ()
    """Of the slowest calls of each series, and of failed ones, where the run marks calls with trace ids."""
    samples: SampleFile | None = None
    exports: tuple[ExportCount, ...] = ()
    scenarios: tuple[ScenarioTotals, ...] = ()
    workers: tuple[WorkerResult, ...] = ()
    feeds: tuple[FeedCount, ...] = ()
    beyond: Beyond = Beyond()
    controller: ControllerFacts = ControllerFacts()

    def series_of(self, number: int) -> Series:
        """The series, or the script's own measure, of a number; (other) for one that has no name."""
        named = self.series
        if number >= MEASURES_FROM:
            named, number = self.measures, number - MEASURES_FROM
        return named[number if number < len(named) else BEYOND]

    def error_text(self, number: int) -> str:
        """The error text of a number; (other) for one that has none."""
        return self.errors[number if number < len(self.errors) else BEYOND]
