"""The document `swell.result/1`: the summary of a `RunResult` that is written as JSON.

Durations are in milliseconds with the fraction kept. Keys may be added under /1; a block without a sample is null.
"""

from __future__ import annotations

import enum

import msgspec

from swell.feed_plan import FeedCount
from swell.plan import Revision, RunPlan
from swell.result import (
    REVISIONS_CAP,
    ExportCount,
    Redeal,
    RefusedCount,
    SampleFile,
    Shortfall,
    StrangerCount,
)
from swell.segment import MEASURE_CAP, ErrorSample, ExceptionCount

SCHEMA = "swell.result/1"
WINDOW_SCHEMA = "swell.window/1"


class Latency(msgspec.Struct, frozen=True):
    """Durations in milliseconds. `clock` says which one timed them: kernel, user, or mixed."""

    clock: str
    count: int
    min: float
    mean: float
    p50: float
    p75: float
    p90: float
    p95: float
    p99: float
    p99_9: float
    max: float
    few_from: str | None = None
    """From this quantile on, fewer than 10 samples lie beyond."""


class ReasonCode(enum.Enum):
    """Why numbers need a caveat; `analysis/verdict.py` holds the limits."""

    WORKER_LOST = "worker_lost"
    UNACCOUNTED = "unaccounted"
    LOAD_NOT_REACHED = "load_not_reached"
    GENERATOR_SATURATED = "generator_saturated"
    SCHEDULE_LATE = "schedule_late"
    LOOP_STALLED = "loop_stalled"
    CONTROLLER_STALLED = "controller_stalled"
    UNSTAMPED = "unstamped"
    SAMPLES_LOST = "samples_lost"
    FD_EXHAUSTED = "fd_exhausted"
    PORTS_EXHAUSTED = "ports_exhausted"
    SPOOL_FAILED = "spool_failed"
    STORE_FAILED = "store_failed"
    CONTROLLER_RESTARTED = "controller_restarted"


class State(enum.Enum):
    """Whether the numbers may be used: as they are, with a caveat, not at all."""

    VALID = "valid"
    DEGRADED = "degraded"
    INVALID = "invalid"


class Reason(msgspec.Struct, frozen=True):
    """One caveat. `own_fault`: the load was lost or not reached through the generator, not through target or script."""

    code: ReasonCode
    text: str
    from_s: float | None = None
    to_s: float | None = None
    own_fault: bool = False
    invalidates: bool = False


class Verdict(msgspec.Struct, frozen=True):
    """Whether the numbers may be used, and why not."""

    state: State = State.VALID
    reasons: tuple[Reason, ...] = ()


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Which run it was."""

    id: str
    script: str
    target: str
    started_at: str
    duration_s: float
    end: str | None
    end_text: str
    workers: int
    plan: RunPlan
    revisions: tuple[Revision, ...]


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """All series together."""

    requests: int
    failures: int
    rps: float
    failures_per_s: float
    users_peak: int
    dropped: int
    missed: int
    bytes_sent: int
    bytes_received: int
    statuses: dict[str, int]
    response_ms: Latency | None
    service_ms: Latency | None
    failed_ms: Latency | None
    all_ms: Latency | None


class ScenarioSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario."""

    name: str
    model: str
    planned: int | None = None
    """How many arrivals, or iterations, its load plans in all; null where nobody knows, or others have a part in it."""
    users_peak: int
    iterations: int
    dropped: int
    missed: int


class ArrivalSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the arrivals of a load: planned = started + dropped + not_started."""

    scenarios: tuple[str, ...]
    planned: int
    """As far as they were due before the run ended."""
    started: int
    dropped: int
    """There could be no more users, and all were busy."""
    not_started: int
    """Nobody was there to start them: a worker had died, or stood still."""


class SeriesSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One series."""

    scenario: str
    method: str
    name: str
    tags: str = ""
    requests: int
    failures: int
    rps: float
    failures_per_s: float
    bytes_sent: int
    bytes_received: int
    statuses: dict[str, int]
    response_ms: Latency | None
    service_ms: Latency | None
    failed_ms: Latency | None
    all_ms: Latency | None
    connect_ms: Latency | None
    first_byte_ms: Latency | None


class ErrorSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One error of one series."""

    scenario: str
    method: str
    name: str
    error: str
    count: int
    first_s: float
    last_s: float
    samples: tuple[ErrorSample, ...]


class CheckSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How often a check of the script's passed and failed."""

    scenario: str
    name: str
    passed: int
    failed: int


class TransactionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A group of calls, measured together."""

    scenario: str
    name: str
    count: int
    failures: int
    response_ms: Latency | None
    failed_ms: Latency | None


class MeasureSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A measure of the script's own. What its sort does not have is null."""

    scenario: str
    name: str
    sort: str
    """counter, gauge, rate or trend"""
    count: int
    """How often it was recorded."""
    sum: float | None = None
    """Of a counter: all amounts."""
    per_s: float | None = None
    last: float | None = None
    """Of a gauge."""
    share: float | None = None
    """Of a rate: how much of it was true, 0 to 1."""
    min: float | None = None
    max: float | None = None
    """Of a gauge: its least and its greatest value."""
    trend: Latency | None = None
    """Of a trend, in its own unit; its clock is `script`."""


class TraceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A call that an APM can show: one of the slowest of its series, or one that failed."""

    scenario: str
    method: str
    name: str
    tags: str
    trace_id: str
    at_s: float
    """When it was done."""
    response_ms: float
    status: int
    error: str | None
    """Null where it went well: then it is one of the slowest."""


class ThresholdSummary(msgspec.Struct, frozen=True):
    """What the team demanded and what it got; `ok` is null where there were too few samples."""

    expression: str
    ok: bool | None
    value: float | None
    unit: str
    reason: str = ""
    """Why `ok` is null, or what was compared with."""
    limit: float | None = None
    """In the unit of the value; null where there is no baseline to take it from."""


class Accounting(msgspec.Struct, frozen=True):
    """Exchanges on the wire: answered <= the target's log <= sent, for each worker incarnation."""

    sent: int = 0
    answered: int = 0
    unanswered: int = 0
    not_sent: int = 0
    retried: int = 0
    redirected: int = 0
    unaccounted: int = 0


class Stretch(msgspec.Struct, frozen=True):
    """Some seconds of the run, `to_s` not among them."""

    from_s: int
    to_s: int


class WorkerSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One incarnation of a worker."""

    id: str
    incarnation: int
    host: str
    capacity: float
    """Requests per second, as it has measured; 1.0 where nothing had to be."""
    joined_s: float = 0.0
    reported_s: float = 0.0
    """When its last report was made."""
    requests: int = 0
    requests_share: float = 0.0
    """Of all of the run."""
    users_most: int = 0
    """At a time."""
    sent: int
    answered: int
    unanswered: int
    unaccounted: int
    left_s: float | None = None
    """It was asked to go, and had handed over all that it had."""
    lost_at_s: float | None
    lost_because: str = ""
    """How it ended, in words that follow its name."""
    taken_over_s: float | None = None
    """From then on others had all that it had when it was lost; null if nobody had by the end of the run."""
    missing_s: float = 0.0
    """So long nobody carried its part of the load: from its last report, or its end, until others did."""
    arrivals_not_started: int = 0
    """Arrivals that fell to it in that time, as many per second as before, as far as nobody has started them."""
    affected: tuple[Stretch, ...] = ()
    """The seconds in which its part of the load was missing, or it stood still."""


class ClusterSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How the load was dealt again; what the link turned away, and how its connections fared. Those of workers on the
    controller's machine, which come by a socket file, are not counted."""

    restarts: int = 0
    """Workers that were started again, each time counted."""
    redeals: tuple[Redeal, ...] = ()
    """The latest hundred."""
    shortfalls: tuple[Shortfall, ...] = ()
    refused: tuple[RefusedCount, ...] = ()
    """Frames that were not followed, by kind and sender."""
    strangers: tuple[StrangerCount, ...] = ()
    """Connections that ended before they had shown the key, by address."""
    connections: int = 0
    """Those that had."""
    disconnections: int = 0
    """Of those."""
    dropped: int = 0
    """Frames for somebody who was not there, or did not read."""
    crowded_out: int = 0
    """Frames that came faster than the controller could deal with them: what they said is said again."""


class Limit(msgspec.Struct, frozen=True):
    """How many of something are told apart, and how much lay beyond."""

    cap: int
    beyond: int


class Limits(msgspec.Struct, frozen=True):
    """What is bounded."""

    series: Limit
    errors: Limit
    exceptions: Limit
    measures: Limit = Limit(MEASURE_CAP, 0)
    """Checks, transactions and measures; `beyond` counts values."""
    values_refused: int = 0
    """Values that no measure can hold."""
    revisions: Limit = Limit(REVISIONS_CAP, 0)
    """Of the plan; `beyond` are not listed, the earliest."""


class GeneratorSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How the generator itself fared."""

    healthy: bool
    reasons: tuple[str, ...]
    clock: str
    cpu_max: float
    busy_max: float = 0.0
    """Of the CPU that quota and other processes left for a worker; 1.0: it could do no more."""
    throttled_max: float = 0.0
    """For what share of a second a CPU quota held a worker up."""
    loop_lag_p99_ms: float
    loop_lag_max_ms: float
    schedule_lag_p50_ms: float = 0.0
    schedule_lag_p99_ms: float
    gc_pause_max_ms: float
    fds_max: int
    ports_max: int
    rss_max_bytes: int
    unstamped: int
    window_limited: int
    samples_lost: int
    output_lost: int


class TimelinePoint(msgspec.Struct, frozen=True):
    """One second of the run, or `step_s` of them where long ago; the percentiles are of successful calls' response."""

    t_s: int
    step_s: int
    users: int
    requests: int
    failures: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    affected: bool = False
    """A part of the load was missing: a worker was lost, or stood still."""


class WindowTotals(msgspec.Struct, frozen=True, kw_only=True):
    """All series together, of a stretch of a run."""

    requests: int
    failures: int
    rps: float
    failures_per_s: float
    users_peak: int
    bytes_sent: int
    bytes_received: int
    statuses: dict[str, int]
    response_ms: Latency | None
    service_ms: Latency | None
    failed_ms: Latency | None
    all_ms: Latency | None


class WindowDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a run: what can be told of it alone, in the form that `ResultDocument` has for the whole run."""

    schema: str = WINDOW_SCHEMA
    run: str
    from_s: int
    to_s: int
    totals: WindowTotals
    series: tuple[SeriesSummary, ...]
    errors: tuple[ErrorSummary, ...]
    checks: tuple[CheckSummary, ...]
    transactions: tuple[TransactionSummary, ...]
    measures: tuple[MeasureSummary, ...]
    timeline: tuple[TimelinePoint, ...]


class ResultDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The whole document."""

    schema: str = SCHEMA
    run: RunSummary
    totals: Totals
    scenarios: tuple[ScenarioSummary, ...]
    arrivals: tuple[ArrivalSummary, ...] = ()
    """Of each load of arrivals or sessions."""
    series: tuple[SeriesSummary, ...]
    errors: tuple[ErrorSummary, ...]
    exceptions: tuple[ExceptionCount, ...]
    checks: tuple[CheckSummary, ...] = ()
    transactions: tuple[TransactionSummary, ...] = ()
    measures: tuple[MeasureSummary, ...] = ()
    traces: tuple[TraceSummary, ...] = ()
    samples: SampleFile | None = None
    """Where every call was written to, if anywhere."""
    exports: tuple[ExportCount, ...] = ()
    """Where the metrics went while the run went on."""
    feeds: tuple[FeedCount, ...] = ()
    thresholds: tuple[ThresholdSummary, ...] = ()
    verdict: Verdict
    accounting: Accounting
    workers: tuple[WorkerSummary, ...]
    cluster: ClusterSummary = ClusterSummary()
    limits: Limits
    generator: GeneratorSummary
    timeline: tuple[TimelinePoint, ...]
