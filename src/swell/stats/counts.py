"""Questions to the tables of a block: histograms, how calls ended, bytes.

Whatever is asked of all series together, or for each of them, is asked of calls. The script's own measures stand
behind them in every table, since their numbers are greater: `stats/measures.py` asks for these.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from swell.histogram import Histogram
from swell.segment import BUCKET_BITS, KIND_BITS, MEASURES_FROM, TALLY_SERIES_SHIFT, Kind, Outcome
from swell.stats.packed import BUCKET_MASK, F64, U32, Keys, Table, Tables
from swell.stats.reported import (
    ERROR_MASK,
    OUTCOME_MASK,
    SERIES_SHIFT,
    STATUS_MASK,
    TALLY_ERROR_SHIFT,
    TALLY_STATUS_SHIFT,
)

KIND_MASK = (1 << KIND_BITS) - 1


def histogram(tables: Tables, kinds: Sequence[Kind], series: int | None = None) -> Histogram:
    """All durations of `kinds`, of one series (or measure) or of all calls."""
    made = Histogram()
    for kind in kinds:
        buckets, counts = _buckets(tables.hist, kind, series)
        sum_ns, min_ns, max_ns = _exact(tables.sums, kind, series)
        made.add_buckets(zip(buckets, counts, strict=True), sum_ns, min_ns, max_ns)
    return made


@dataclasses.dataclass(frozen=True, slots=True)
class Tally:
    """How many calls of a series ended in the same way."""

    series: int
    status: int
    error: int
    outcome: int
    count: int


@dataclasses.dataclass(frozen=True, slots=True)
class Gauge:
    """The latest value of a gauge, and the range of all."""

    last: float
    least: float
    greatest: float


def tallies(tables: Tables) -> list[Tally]:
    """How the calls ended, in the order of series, status and error."""
    end = _calls_end(tables.tally, TALLY_SERIES_SHIFT)
    return _tallies(tables.tally.keys[:end], tables.tally.rows[0][:end])


def measure_tallies(tables: Tables) -> list[Tally]:
    """How often each of the script's own measures was recorded, with what outcome: a check that failed, a rate that was
    false and a transaction that failed have `Outcome.FAILED`."""
    end = _calls_end(tables.tally, TALLY_SERIES_SHIFT)
    return _tallies(tables.tally.keys[end:], tables.tally.rows[0][end:])


def gauges(tables: Tables) -> dict[int, Gauge]:
    """The gauges that were set, by number."""
    columns = (row.view(F64).tolist() for row in tables.gauges.rows[1:])
    return dict(zip(tables.gauges.keys.tolist(), map(Gauge, *columns), strict=True))


def failures(tables: Tables) -> list[tuple[int, int, int]]:
    """Series, error and count of the calls that failed."""
    end = _calls_end(tables.tally, TALLY_SERIES_SHIFT)
    keys, counts = tables.tally.keys[:end], tables.tally.rows[0][:end]
    failed = keys.astype(np.int64) & Outcome.FAILED != 0
    return [(row.series, row.error, row.count) for row in _tallies(keys[failed], counts[failed])]


def requests(tables: Tables) -> int:
    """How many calls there are."""
    return int(tables.tally.rows[0][: _calls_end(tables.tally, TALLY_SERIES_SHIFT)].sum())


def bytes_by_series(tables: Tables) -> dict[int, tuple[int, int]]:
    """Bytes sent and received of each series. Of a counter: its sum, in whole amounts and in millionths."""
    sent, received = (row.tolist() for row in tables.bytes_.rows)
    return dict(zip(tables.bytes_.keys.tolist(), zip(sent, received, strict=True), strict=True))


def all_bytes(tables: Tables) -> tuple[int, int]:
    """Bytes sent and received of all calls."""
    end = _calls_end(tables.bytes_, 0)
    sent, received = (int(row[:end].sum()) for row in tables.bytes_.rows)
    return sent, received


def _calls_end(table: Table, shift: int) -> int:
    """Where the script's own measures begin in a table whose keys, ascending, hold the series from bit `shift` on."""
    return int(np.searchsorted(table.keys, table.keys.dtype.type(MEASURES_FROM << shift)))


def _tallies(keys: Keys, counts: Keys) -> list[Tally]:
    return [
        Tally(
            key >> TALLY_SERIES_SHIFT,
            key >> TALLY_STATUS_SHIFT & STATUS_MASK,
            key >> TALLY_ERROR_SHIFT & ERROR_MASK,
            key & OUTCOME_MASK,
            count,
        )
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True)
    ]


def _buckets(hist: Table, kind: Kind, series: int | None) -> tuple[list[int], list[int]]:
    if series is None:
        end = _calls_end(hist, SERIES_SHIFT)
        keys, counts = hist.keys[:end], hist.rows[0][:end]
        chosen = (keys >> BUCKET_BITS & KIND_MASK) == kind
        total = np.bincount(keys[chosen] & BUCKET_MASK, weights=counts[chosen])
        filled = np.flatnonzero(total)
        return filled.tolist(), total[filled].astype(np.int64).tolist()
    first = series << SERIES_SHIFT | kind << BUCKET_BITS
    low, high = np.searchsorted(hist.keys, np.array([first, first + BUCKET_MASK + 1], dtype=U32))
    return (hist.keys[low:high] & BUCKET_MASK).tolist(), hist.rows[0][low:high].tolist()


def _exact(sums: Table, kind: Kind, series: int | None) -> tuple[int, int, int]:
    if series is None:
        keys = sums.keys[: _calls_end(sums, KIND_BITS)]
        chosen = np.flatnonzero((keys & KIND_MASK) == kind)
    else:
        chosen = np.flatnonzero(sums.keys == (series << KIND_BITS | kind))
    if not len(chosen):
        return 0, 0, 0
    total, least, greatest = (row[chosen] for row in sums.rows)
    return int(total.sum()), int(least.min()), int(greatest.max())
