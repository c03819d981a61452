"""The run over time in at most so many points: blocks of time are merged, never picked from."""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from swell.histogram import quantiles_ns
from swell.result import Block, RunResult
from swell.segment import Kind
from swell.stats import counts, packed
from swell.stats.latency import ends_by_series
from swell.stats.packed import Tables
from swell.stats.users import users_per_second
from swell.stats.windows import Window

STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400)
QUANTILES = (0.5, 0.95, 0.99)


@dataclasses.dataclass(frozen=True, slots=True)
class Bin:
    """Some blocks of the run as one."""

    from_s: int
    to_s: int
    tables: Tables

    @property
    def span_s(self) -> int:
        """How long it is."""
        return self.to_s - self.from_s


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """What all calls, or those of a series, did in each bin. Percentiles are of successful calls, None without one."""

    rps: list[float]
    failures_per_s: list[float]
    p50_ms: list[float | None]
    p95_ms: list[float | None]
    p99_ms: list[float | None]

    def add(self, rps: float, failures_per_s: float, times_ms: Sequence[float] | None) -> None:
        """The next bin."""
        self.rps.append(rps)
        self.failures_per_s.append(failures_per_s)
        for place, column in enumerate((self.p50_ms, self.p95_ms, self.p99_ms)):
            column.append(times_ms[place] if times_ms else None)


@dataclasses.dataclass(frozen=True, slots=True)
class Lines:
    """All calls together, and some series by their numbers."""

    whole: Line
    each: dict[int, Line]


def new_line() -> Line:
    """A line without a point."""
    return Line([], [], [], [], [])


def edges_s(result: RunResult, points: int) -> list[int]:
    """Where the bins begin, and where the last one ends: steps of a round width, none of which cuts a block."""
    end_s = max(math.ceil(result.duration_s), result.blocks[-1].to_s if result.blocks else 0, 1)
    step_s = next((step_s for step_s in STEPS_S if end_s <= step_s * points), -(-end_s // points))
    starts = [block.from_s for block in result.blocks]
    edges = (edge for edge in range(0, end_s, step_s) if not _cuts(result.blocks, starts, edge))
    return [*edges, end_s]


def coarser(edges: Sequence[int], points: int) -> list[int]:
    """Some of the edges, for at most so many bins."""
    bins = len(edges) - 1
    return [*edges[: bins : -(-bins // points)], edges[-1]]


def merged(result: RunResult, edges: Sequence[int]) -> Iterator[Bin]:
    """The blocks of each bin added up, one bin at a time."""
    starts = [block.from_s for block in result.blocks]
    for from_s, to_s in pairwise(edges):
        blocks = result.blocks[bisect_left(starts, from_s) : bisect_left(starts, to_s)]
        yield Bin(from_s, to_s, packed.add([packed.unpack(block) for block in blocks]))


def lines(result: RunResult, edges: Sequence[int], wide: Sequence[int], numbers: Sequence[int]) -> Lines:
    """The line of all calls with a point for each of the bins, and the lines of some series with a point for each of
    the wider ones, whose edges are among the others."""
    whole, each = new_line(), {number: new_line() for number in numbers}
    waiting: list[Bin] = []
    ends = set(wide)
    for one in merged(result, edges):
        window = Window(one.from_s, one.to_s, one.tables)
        whole.add(window.rps, window.failures_per_s, window.quantiles_ms(QUANTILES))
        waiting.append(one)
        if one.to_s in ends:
            _add_points(each, _joined(waiting))
            waiting = []
    return Lines(whole, each)


def _joined(bins: Sequence[Bin]) -> Bin:
    return Bin(bins[0].from_s, bins[-1].to_s, packed.add([one.tables for one in bins]))


def _add_points(each: dict[int, Line], one: Bin) -> None:
    ends = ends_by_series(counts.tallies(one.tables))
    for number, line in each.items():
        requests, failures = (ends[number].requests, ends[number].failures) if number in ends else (0, 0)
        histogram = counts.histogram(one.tables, (Kind.RESPONSE,), number)
        quantiles = quantiles_ns(histogram, QUANTILES)
        times_ms = [quantiles[q] / 1e6 for q in QUANTILES] if histogram.total else None
        line.add(requests / one.span_s, failures / one.span_s, times_ms)


def users_of(result: RunResult, edges: Sequence[int]) -> list[int]:
    """The most users at the end of any second of each bin."""
    users = users_per_second(result)
    return [max(users[from_s:to_s], default=0) for from_s, to_s in pairwise(edges)]


def _cuts(blocks: Sequence[Block], starts: Sequence[int], edge: int) -> bool:
    """Whether a block begins before the edge and ends after it."""
    before = bisect_right(starts, edge - 1)
    return before > 0 and blocks[before - 1].to_s > edge
