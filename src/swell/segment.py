"""What a worker reports: one segment covers the ring positions [from, to) and is applied exactly once.

A call becomes one record in the ring (`runtime/ring.py`); records are folded into a `SecondBlock` for each second
of the run; a segment carries the blocks, the names that appear in them for the first time, and counters.

Arrays travel as little-endian bytes, ready for `numpy.frombuffer`:

    hist_keys    u32   series << 17 | kind << 13 | bucket        (histogram.index_of)
    hist_counts  u32
    sum_keys     u32   series << 4 | kind
    sums         u64   three rows of len(sum_keys): sum, least, greatest, in ns
    tally_keys   u64   series << 40 | status << 24 | error << 4 | outcome bits
    tally_counts u32
    byte_keys    u32   series
    byte_sums    u64   two rows of len(byte_keys): bytes sent, bytes received
    gauge_keys   u32   series
    gauges       8 B   four rows of len(gauge_keys): instant of the last value in ns of the run (u64); last, least and
                       greatest value (f64)

A measure of the script's own (`Sort`) is in the same tables, with a series number from MEASURES_FROM on: in the tally
without status and error; in histogram and sums if it has a distribution; a counter's amounts in the bytes, whole ones
and millionths; a gauge in the gauges.

Series, error texts and exceptions are numbered by the worker from 0; number 0 of each is what lies beyond the cap.
A second is counted from the start of the run on the controller's time line.
"""

from __future__ import annotations

import enum
import struct

import msgspec

from swell.bounds import Finite, Natural, Whole
from swell.feed_plan import FeedUse

BUCKET_BITS = 13
KIND_BITS = 4
TALLY_SERIES_SHIFT = 40
SERIES_CAP = 1_000
MEASURES_FROM = 1_024
"""Series numbers from here on are the script's own measures (`Sort`): they are in no count of calls."""
MEASURES_BEYOND = MEASURES_FROM
"""The number that stands for all measures beyond the cap. They are tallied and nothing else."""
MEASURE_CAP = 1_000
VALUE_SCALE = 1_000_000
"""A measure's value v is recorded as a duration of v × 1,000,000 ns, so that milliseconds are what they say."""
ERROR_CAP = 1_000
EXCEPTION_CAP = 100
SAMPLES_PER_ERROR = 3
SAMPLE_BODY_BYTES = 1_024
BEYOND = 0
"""The number of the series, or error text, that stands for all beyond the cap: `(other)`. Error 0 also means none."""
RECORD_FORMAT = "=8q3H2B"
"""A call as it is recorded: done, service, response, first byte, connect, lag (ns; below 0: there was none, so is 0 for
first byte and connect); bytes out, in; series, error, status; outcome, and a byte of the ring's own."""
RECORD_BYTES = struct.calcsize(RECORD_FORMAT)
FIRST_SEQUENCE = 1
"""The sequence number of an incarnation's first segment; each further one is one more."""


class Sort(enum.IntEnum):
    """What a series holds."""

    CALL = 0
    CHECK = 1
    """Passed, or failed (`Outcome.FAILED`); no duration."""
    TRANSACTION = 2
    """How long a group of calls took together."""
    COUNTER = 3
    """Amounts, to be added up."""
    GAUGE = 4
    """Values, of which the last counts."""
    RATE = 5
    """True, or false (`Outcome.FAILED`)."""
    TREND = 6
    """Values, whose distribution counts."""


class Kind(enum.IntEnum):
    """Which duration a histogram holds."""

    RESPONSE = 0
    SERVICE = 1
    FAILED_RESPONSE = 2
    FAILED_SERVICE = 3
    CONNECT = 4
    FIRST_BYTE = 5
    LAG = 6


class Outcome(enum.IntFlag):
    """The bits of a record's outcome byte. None set: a successful call on the wire, on kernel stamps."""

    FAILED = 1
    USER_CLOCK = 2
    OWN = 4
    """Recorded by the script itself, outside the accounting against the target's log."""


class SeriesName(msgspec.Struct, frozen=True, array_like=True):
    """The worker's number for a series, the first time it is used."""

    number: Natural
    scenario: str
    method: str
    name: str
    sort: Sort = Sort.CALL
    tags: str = ""
    """`key=value` pairs in order of their keys, with commas between them."""


class ErrorSample(msgspec.Struct, frozen=True):
    """What one failed call looked like: at most 3 an error text."""

    status: Natural
    url: str
    headers: str
    body: str


class ErrorText(msgspec.Struct, frozen=True, array_like=True):
    """The worker's number for an error text, the first time it is used."""

    number: Natural
    text: str


class ErrorSamples(msgspec.Struct, frozen=True, array_like=True):
    """New samples for an error of a series."""

    series: Natural
    error: Natural
    samples: tuple[ErrorSample, ...]


class TraceSeen(msgspec.Struct, frozen=True, array_like=True):
    """A call that carried a `traceparent`: one of the slowest of its series, or one that failed."""

    series: Natural
    error: Natural
    status: Natural
    failed: bool
    trace_id: str
    at_s: Finite
    """When it was done, in seconds of the run."""
    response_ns: Whole


class ExceptionCount(msgspec.Struct, frozen=True):
    """An exception in user code, grouped by its message and place; `count` is what this segment adds."""

    message: str
    traceback: str
    count: Natural


class SecondBlock(msgspec.Struct, frozen=True, gc=False):
    """All calls that were done within one second of the run, in one worker."""

    second: Natural
    hist_keys: bytes
    hist_counts: bytes
    sum_keys: bytes
    sums: bytes
    tally_keys: bytes
    tally_counts: bytes
    byte_keys: bytes
    byte_sums: bytes
    gauge_keys: bytes = b""
    gauges: bytes = b""


class Counters(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Running totals of one worker incarnation since its start: the last one received holds.

    Those of the accounting count exchanges (DESIGN: sent, answered, unanswered, not sent).
    """

    sent: Natural = 0
    answered: Natural = 0
    unanswered: Natural = 0
    not_sent: Natural = 0
    retried: Natural = 0
    redirected: Natural = 0
    unstamped: Natural = 0
    window_limited: Natural = 0
    samples_lost: Natural = 0
    series_beyond: Natural = 0
    errors_beyond: Natural = 0
    exceptions_beyond: Natural = 0
    output_lost: Natural = 0
    values_refused: Natural = 0
    """Values that no measure can hold: no numbers, or out of range."""


class ScenarioCount(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One scenario's users at this moment, and running totals since the worker's start."""

    name: str
    users: Natural
    started: Natural = 0
    iterations: Natural = 0
    dropped: Natural = 0
    missed: Natural = 0
    arrived: Natural = 0
    """Arrivals that a user has taken up."""
    most_users: Natural = 0
    """At a time, since the report before; 0: not known."""


class Health(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """How the generator itself fared over the second that a segment reports."""

    cpu: Finite = 0.0
    """CPU time of the worker over wall time: 1.0 is one whole core."""
    loop_lag_p99_ms: Finite = 0.0
    loop_lag_max_ms: Finite = 0.0
    stalled_by: str = ""
    """The task that held the loop for over 100 ms, with its place, where one did."""
    schedule_lag_p50_ms: Finite = 0.0
    schedule_lag_p99_ms: Finite = 0.0
    gc_pause_max_ms: Finite = 0.0
    fds: Natural = 0
    fds_limit: Whole = 0
    ports: Natural = 0
    rss_bytes: Natural = 0
    fd_exhausted: Natural = 0
    ports_exhausted: Natural = 0
    busy: Finite = 0.0
    """CPU time over what quota and other processes had left for it; 1.0: it could do no more. 0: not known."""
    throttled: Finite = 0.0
    """The share of the time for which the CPU quota held it up."""
    unspooled: Natural = 0
    """Whether the report before this one found no room on the disk: 1, or 0."""


class Segment(msgspec.Struct, frozen=True, tag="segment"):
    """A numbered report; (run, worker, incarnation, sequence) names it for ever."""

    run: str
    worker: Natural
    incarnation: Natural
    sequence: Natural
    from_position: Natural
    to_position: Natural
    sealed_s: Finite
    """When it was sealed, in seconds of the run."""
    seconds: tuple[SecondBlock, ...] = ()
    records: bytes = b""
    """Every call by itself (RECORD_FORMAT), done in ns of the run, where the plan wants them kept."""
    series: tuple[SeriesName, ...] = ()
    errors: tuple[ErrorText, ...] = ()
    error_samples: tuple[ErrorSamples, ...] = ()
    exceptions: tuple[ExceptionCount, ...] = ()
    traces: tuple[TraceSeen, ...] = ()
    counters: Counters = Counters()
    scenarios: tuple[ScenarioCount, ...] = ()
    feeds: tuple[FeedUse, ...] = ()
    health: Health = Health()
    final: bool = False
    recovered: bool = False
    """Made by whoever started the worker, from the ring that it left behind."""
