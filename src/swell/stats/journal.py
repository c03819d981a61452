"""All that a `RunMerge` knows, in parts that never change: what the store keeps, and what a merge is made of again.

    merge = RunMerge.restore(merge.journal())

A journal is taken once a second. Its parts are handed over by reference; what has changed since the one before shows by
their identity or, where they only grow, by their number, so that nothing has to be written twice.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping

import msgspec

from swell.feed_plan import FeedCount
from swell.plan import Revision, RunPlan
from swell.result import Block, ControllerFacts, End, ErrorSeen, ExportCount, HealthSpan, SampleFile, Series
from swell.segment import FIRST_SEQUENCE, Counters, ErrorSample, ScenarioCount, Segment, TraceSeen
from swell.stats.per_second import Chunk

Worker = tuple[int, int]
"""A worker's number, and that of its incarnation."""
SampleOrder = tuple[int, int, int, int]
"""Worker, incarnation, sequence and place of a sample: the least are kept, in whatever order they arrive."""
KeptSamples = tuple[tuple[SampleOrder, ErrorSample], ...]
SeriesError = tuple[int, int]


class WorkerState(msgspec.Struct, frozen=True, kw_only=True):
    """What every report of a worker's changes."""

    host: str = ""
    capacity: float = 1.0
    joined_s: float = 0.0
    reported_s: float = 0.0
    lost_at_s: float | None = None
    lost_because: str = ""
    final: bool = False
    recovered: bool = False
    left_s: float | None = None
    taken_over_s: float | None = None
    calls: int = 0
    users_most: int = 0
    arrived: int = 0
    counters: Counters = Counters()
    scenarios: tuple[ScenarioCount, ...] = ()
    last_second: int | None = None
    """The latest second that its users were counted in."""
    latest: int = 0
    """The sequence number that its counters are from."""
    next_sequence: int = FIRST_SEQUENCE
    """All before this one have been applied, but for those that were passed over."""
    passed_over: tuple[int, ...] = ()
    covered: int = 0
    """How many ring positions its reports have covered; they go up to the last position."""
    last_position: int = 0


class WorkerNumbers(msgspec.Struct, frozen=True):
    """The run's numbers for what a worker has named, by its own."""

    series: tuple[int, ...] = ()
    errors: tuple[int, ...] = ()
    measures: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WorkerJournal:
    """One incarnation of a worker."""

    state: WorkerState
    numbers: WorkerNumbers
    held: tuple[Segment, ...] = ()
    """They have overtaken one that is still to come."""
    health: tuple[HealthSpan, ...] = ()
    thinned: int = 0
    """How often earlier spans of its health were joined: in between, they only grow in number."""
    calls: Mapping[int, Chunk] = dataclasses.field(default_factory=dict)


class MergeState(msgspec.Struct, frozen=True, kw_only=True):
    """What there is one of."""

    end: End | None = None
    end_text: str = ""
    ended_s: float = 0.0
    facts: ControllerFacts = ControllerFacts()
    feeds: tuple[FeedCount, ...] = ()
    exception_counts: tuple[int, ...] = ()
    exceptions_beyond: int = 0
    traces: tuple[TraceSeen, ...] = ()
    samples: SampleFile | None = None
    exports: tuple[ExportCount, ...] = ()
    scenarios: tuple[str, ...] = ()
    horizon_s: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MergeJournal:
    """A whole run."""

    run: str
    plan: RunPlan
    started_at: datetime.datetime
    state: MergeState
    revisions: tuple[Revision, ...] = ()
    series: tuple[Series, ...] = ()
    """Names only grow in number, those of measures, errors and exceptions too."""
    measures: tuple[Series, ...] = ()
    errors: tuple[str, ...] = ()
    exceptions: tuple[tuple[str, str], ...] = ()
    """Message and traceback; how often is in the state."""
    samples: Mapping[SeriesError, KeptSamples] = dataclasses.field(default_factory=dict)
    errors_seen: tuple[ErrorSeen, ...] = ()
    blocks: tuple[Block, ...] = ()
    users: tuple[Mapping[int, Chunk], ...] = ()
    """By how much the users of each scenario change in each second."""
    workers: Mapping[Worker, WorkerJournal] = dataclasses.field(default_factory=dict)
