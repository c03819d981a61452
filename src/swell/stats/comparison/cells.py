"""The counts of a run as matrices over time: a row for each cell (a second, or a longer stretch), a column for each
series that is compared.

Blocks are read three times, many of them at once, so that no more than a few numbers a cell and series are held: for
the calls of all series together, which tell the warm-up; for the histograms of the span that is compared; and for how
many calls of each cell lie below that span's quantiles.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from swell.histogram import BUCKETS
from swell.result import RunResult
from swell.segment import BUCKET_BITS, KIND_BITS, MEASURE_CAP, MEASURES_FROM, TALLY_SERIES_SHIFT, Kind, Outcome
from swell.stats import packed
from swell.stats.comparison.order_statistics import LOG_EDGES, LOG_MIDDLES, Ecdf
from swell.stats.packed import BUCKET_MASK, Table, Tables

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Counts = npt.NDArray[np.uint64]
Batch = Sequence[tuple[int, Tables]]
"""Blocks, each with its cell."""

KIND_MASK = (1 << KIND_BITS) - 1
ALL = 0
"""The column of all calls together; those of series follow."""
READ_AT_ONCE_BYTES = 8_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Grid:
    """Cells of `step_s` seconds from `from_s` on, to `to_s`."""

    from_s: int
    to_s: int
    step_s: int = 1

    @property
    def count(self) -> int:
        """How many cells there are."""
        return max(self.to_s - self.from_s, 0) // self.step_s

    def batches(self, result: RunResult) -> Iterator[Batch]:
        """The blocks that lie wholly inside, each with its cell: whole cells, as many at once as take about so much
        room."""
        batch: list[tuple[int, Tables]] = []
        room = READ_AT_ONCE_BYTES
        for block in result.blocks:
            if block.from_s < self.from_s or block.to_s > self.from_s + self.count * self.step_s:
                continue
            cell = (block.from_s - self.from_s) // self.step_s
            if room < 0 and cell != batch[-1][0]:
                yield batch
                batch, room = [], READ_AT_ONCE_BYTES
            tables = packed.unpack(block)
            batch.append((cell, tables))
            room -= tables.hist.keys.nbytes + tables.tally.keys.nbytes
        if batch:
            yield batch


@dataclasses.dataclass(frozen=True, slots=True)
class Course:
    """All calls over time: how many there were in each cell, and the mean logarithm of their durations."""

    calls: Floats
    log_means: Floats


@dataclasses.dataclass(frozen=True, slots=True)
class Cells:
    """What is compared of a run: matrices of cells × columns, histograms of columns × buckets."""

    step_s: int
    calls: Floats
    failed: Floats
    timed: Floats
    """Calls that have a duration: those that succeeded."""
    log_sums: Floats
    """The sum of the logarithms of their durations."""
    log_squares: Floats
    """The sum of the squares of these, one for each column."""
    below: Floats
    """Of each cell, column and quantile, how many lie below the quantile of the whole span."""
    ecdfs: tuple[Ecdf, ...]
    log_quantiles: Floats
    """The logarithm of each quantile of each cell and column alone; not a number where there is no call."""


@dataclasses.dataclass(frozen=True, slots=True)
class Entries:
    """Entries of tables: the cell, column and count of each. What is in a series and in all calls is there twice."""

    cells: Ints
    columns: Ints
    counts: Floats
    buckets: Ints
    """Of durations."""
    failed: npt.NDArray[np.bool_]
    """Of tallies."""

    def summed(self, weights: Floats, grid: Grid, width: int) -> Floats:
        """Weights added up, as a matrix of cells × columns."""
        found = np.bincount(self.cells * width + self.columns, weights=weights, minlength=grid.count * width)
        return found.astype(np.float64).reshape(grid.count, width)

    def log_quantiles(self, grid: Grid, width: int, qs: Sequence[float]) -> Floats:
        """The logarithm of quantiles of each cell and column, a call within a bucket being where its rank puts it."""
        found = np.full((grid.count * width, len(qs)), np.nan)
        if not len(self.cells):
            return found.reshape(grid.count, width, len(qs))
        places = self.cells * width + self.columns
        order = np.lexsort((self.buckets, places))
        places, buckets, counts = places[order], self.buckets[order], self.counts[order]
        ends = np.cumsum(counts)
        firsts = np.flatnonzero(np.concatenate(([True], places[1:] != places[:-1])))
        lasts = np.concatenate((firsts[1:], [len(places)])) - 1
        before = ends[firsts] - counts[firsts]
        for column, q in enumerate(qs):
            ranks = before + q * (ends[lasts] - before)
            at = np.clip(np.searchsorted(ends, ranks), firsts, lasts)
            share = np.clip((ranks - (ends[at] - counts[at])) / counts[at], 0, 1)
            low, high = LOG_EDGES[buckets[at]], LOG_EDGES[buckets[at] + 1]
            found[places[firsts], column] = low + share * (high - low)
        return found.reshape(grid.count, width, len(qs))


def course(result: RunResult, grid: Grid) -> Course:
    """The calls of all series over time. A cell without a success has the mean of the one before."""
    reader = Reader(())
    calls, timed, sums = (np.zeros(grid.count) for _ in range(3))
    for batch in grid.batches(result):
        tally, durations = reader.tally(batch), reader.durations(batch)
        calls += tally.summed(tally.counts, grid, 1)[:, ALL]
        timed += durations.summed(durations.counts, grid, 1)[:, ALL]
        sums += durations.summed(durations.counts * LOG_MIDDLES[durations.buckets], grid, 1)[:, ALL]
    known = np.flatnonzero(timed)
    if not len(known):
        return Course(calls, np.zeros(grid.count))
    latest = known[np.maximum(np.searchsorted(known, np.arange(grid.count), side="right") - 1, 0)]
    return Course(calls, sums[latest] / timed[latest])


def cells(result: RunResult, grid: Grid, numbers: Sequence[int], qs: Sequence[float]) -> Cells:
    """The matrices of a run: a column for all calls, then one for each of these series."""
    reader = Reader(numbers)
    width = len(numbers) + 1
    calls, failed, timed, log_sums = (np.zeros((grid.count, width)) for _ in range(4))
    histograms, log_squares = np.zeros((width, BUCKETS)), np.zeros(width)
    log_quantiles = np.full((grid.count, width, len(qs)), np.nan)
    for batch in grid.batches(result):
        tally, durations = reader.tally(batch), reader.durations(batch)
        calls += tally.summed(tally.counts, grid, width)
        failed += tally.summed(tally.counts * tally.failed, grid, width)
        logs = LOG_MIDDLES[durations.buckets]
        timed += durations.summed(durations.counts, grid, width)
        log_sums += durations.summed(durations.counts * logs, grid, width)
        log_squares += durations.summed(durations.counts * logs * logs, grid, width).sum(axis=0)
        log_quantiles = np.fmax(log_quantiles, durations.log_quantiles(grid, width, qs))
        np.add.at(histograms, (durations.columns, durations.buckets), durations.counts)
    ecdfs = tuple(Ecdf(row) for row in histograms)
    below = _below(result, grid, reader, ecdfs, qs)
    return Cells(grid.step_s, calls, failed, timed, log_sums, log_squares, below, ecdfs, log_quantiles)


class Reader:
    """Reads blocks for a choice of series, whose columns are those of their order, from 1 on."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._columns = np.zeros(MEASURES_FROM + MEASURE_CAP + 1, dtype=np.int64)
        self._columns[list(numbers)] = range(1, len(numbers) + 1)

    def __repr__(self) -> str:
        return f"<Reader of {np.count_nonzero(self._columns)} series>"

    def durations(self, batch: Batch) -> Entries:
        """What the histograms of successful calls' response hold."""
        keys, counts, cells = _joined([(cell, tables.hist) for cell, tables in batch])
        chosen = np.flatnonzero((keys >> BUCKET_BITS & KIND_MASK) == Kind.RESPONSE)
        keys = keys[chosen]
        return self._entries(
            cells[chosen], keys >> (BUCKET_BITS + KIND_BITS), counts[chosen], keys & BUCKET_MASK, np.zeros(len(keys))
        )

    def tally(self, batch: Batch) -> Entries:
        """How calls ended."""
        keys, counts, cells = _joined([(cell, tables.tally) for cell, tables in batch])
        return self._entries(cells, keys >> TALLY_SERIES_SHIFT, counts, np.zeros(len(keys)), keys & Outcome.FAILED)

    def _entries(
        self,
        cells: Ints,
        numbers: Ints,
        counts: Counts,
        buckets: npt.NDArray[np.generic],
        failed: npt.NDArray[np.generic],
    ) -> Entries:
        columns = self._columns[np.minimum(numbers, len(self._columns) - 1)]
        of_calls, of_series = np.flatnonzero(numbers < MEASURES_FROM), np.flatnonzero(columns)
        both = np.concatenate((of_calls, of_series))
        return Entries(
            cells[both],
            np.concatenate((np.full(len(of_calls), ALL), columns[of_series])),
            counts[both].astype(np.float64),
            buckets[both].astype(np.int64),
            failed[both].astype(bool),
        )


def _below(result: RunResult, grid: Grid, reader: Reader, ecdfs: Sequence[Ecdf], qs: Sequence[float]) -> Floats:
    width = len(ecdfs)
    found = np.zeros((grid.count, width, len(qs)))
    splits = np.array([[ecdf.split(q) if ecdf.total else (0, 0.0) for q in qs] for ecdf in ecdfs])
    for batch in grid.batches(result):
        durations = reader.durations(batch)
        for place in range(len(qs)):
            at, share = (splits[durations.columns, place, part] for part in (0, 1))
            weights = durations.counts * ((durations.buckets < at) + share * (durations.buckets == at))
            found[:, :, place] += durations.summed(weights, grid, width)
    return found


def _joined(found: Sequence[tuple[int, Table]]) -> tuple[Ints, Counts, Ints]:
    """Keys and counts of tables, one after another, and the cell of each."""
    keys = np.concatenate([table.keys for _, table in found]).astype(np.int64)
    cells = np.repeat(np.array([cell for cell, _ in found], dtype=np.int64), [len(table.keys) for _, table in found])
    return keys, np.concatenate([table.rows[0] for _, table in found]).astype(np.uint64, copy=False), cells
