"""Questions to the tables of a block: histograms, how calls ended, bytes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from swell.histogram import Histogram
from swell.segment import BUCKET_BITS, KIND_BITS, Kind, Outcome
from swell.stats.packed import BUCKET_MASK, U32, Table, Tables
from swell.stats.reported import (
    ERROR_MASK,
    OUTCOME_MASK,
    SERIES_SHIFT,
    STATUS_MASK,
    TALLY_ERROR_SHIFT,
    TALLY_SERIES_SHIFT,
    TALLY_STATUS_SHIFT,
)

KIND_MASK = (1 << KIND_BITS) - 1


def histogram(tables: Tables, kinds: Sequence[Kind], series: int | None = None) -> Histogram:
    """All durations of `kinds`, of one series or of all."""
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


def tallies(tables: Tables) -> list[Tally]:
    """How the calls ended, in the order of series, status and error."""
    return _tallies(tables.tally.keys.tolist(), tables.tally.rows[0].tolist())


def failures(tables: Tables) -> list[tuple[int, int, int]]:
    """Series, error and count of what failed."""
    failed = tables.tally.keys.astype(np.int64) & Outcome.FAILED != 0
    rows = _tallies(tables.tally.keys[failed].tolist(), tables.tally.rows[0][failed].tolist())
    return [(row.series, row.error, row.count) for row in rows]


def requests(tables: Tables) -> int:
    """How many calls there are."""
    return int(tables.tally.rows[0].sum())


def bytes_by_series(tables: Tables) -> dict[int, tuple[int, int]]:
    """Bytes sent and received of each series."""
    sent, received = (row.tolist() for row in tables.bytes_.rows)
    return dict(zip(tables.bytes_.keys.tolist(), zip(sent, received, strict=True), strict=True))


def all_bytes(tables: Tables) -> tuple[int, int]:
    """Bytes sent and received of all series."""
    sent, received = (int(row.sum()) for row in tables.bytes_.rows)
    return sent, received


def _tallies(keys: list[int], counts: list[int]) -> list[Tally]:
    return [
        Tally(
            key >> TALLY_SERIES_SHIFT,
            key >> TALLY_STATUS_SHIFT & STATUS_MASK,
            key >> TALLY_ERROR_SHIFT & ERROR_MASK,
            key & OUTCOME_MASK,
            count,
        )
        for key, count in zip(keys, counts, strict=True)
    ]


def _buckets(hist: Table, kind: Kind, series: int | None) -> tuple[list[int], list[int]]:
    if series is None:
        chosen = (hist.keys >> BUCKET_BITS & KIND_MASK) == kind
        total = np.bincount(hist.keys[chosen] & BUCKET_MASK, weights=hist.rows[0][chosen])
        filled = np.flatnonzero(total)
        return filled.tolist(), total[filled].astype(np.int64).tolist()
    first = series << SERIES_SHIFT | kind << BUCKET_BITS
    low, high = np.searchsorted(hist.keys, np.array([first, first + BUCKET_MASK + 1], dtype=U32))
    return (hist.keys[low:high] & BUCKET_MASK).tolist(), hist.rows[0][low:high].tolist()


def _exact(sums: Table, kind: Kind, series: int | None) -> tuple[int, int, int]:
    if series is None:
        chosen = np.flatnonzero((sums.keys & KIND_MASK) == kind)
    else:
        chosen = np.flatnonzero(sums.keys == (series << KIND_BITS | kind))
    if not len(chosen):
        return 0, 0, 0
    total, least, greatest = (row[chosen] for row in sums.rows)
    return int(total.sum()), int(least.min()), int(greatest.max())
