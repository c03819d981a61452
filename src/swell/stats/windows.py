"""Any window of a run: exact percentiles, and rates anchored to the run's clock, so that a frozen target shows 0."""

from __future__ import annotations

import dataclasses
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from swell.histogram import Histogram, quantiles_ns
from swell.result import Block, RunResult
from swell.segment import Kind
from swell.stats import counts, packed
from swell.stats.packed import Tables

LIVE_S = 5
"""Percentiles while the run goes on are of so many seconds."""
ALL = (Kind.RESPONSE, Kind.FAILED_RESPONSE)


@dataclasses.dataclass(frozen=True, slots=True)
class Window:
    """The counts of [from_s, to_s), whole blocks of them."""

    from_s: int
    to_s: int
    tables: Tables

    @property
    def requests(self) -> int:
        """Calls done."""
        return counts.requests(self.tables)

    @property
    def failures(self) -> int:
        """Calls that failed."""
        return sum(count for _, _, count in counts.failures(self.tables))

    @property
    def rps(self) -> float:
        """Calls done per second of the run's clock, whether or not there were any."""
        return self.requests / (self.to_s - self.from_s) if self.to_s > self.from_s else 0.0

    @property
    def failures_per_s(self) -> float:
        """Failed calls per second of the run's clock."""
        return self.failures / (self.to_s - self.from_s) if self.to_s > self.from_s else 0.0

    def histogram(self, kinds: Sequence[Kind] = (Kind.RESPONSE,), series: int | None = None) -> Histogram:
        """The durations of some kinds, of one series or of all."""
        return counts.histogram(self.tables, kinds, series)

    def quantiles_ms(self, qs: Sequence[float], kinds: Sequence[Kind] = (Kind.RESPONSE,)) -> list[float] | None:
        """Quantiles over all series in milliseconds; None without a sample."""
        histogram = self.histogram(kinds)
        found = quantiles_ns(histogram, qs)
        return [found[q] / 1e6 for q in qs] if histogram.total else None


def window(result: RunResult, from_s: int, to_s: int) -> Window:
    """The counts of [from_s, to_s). Where a block is wider than a second, the window grows to hold it whole."""
    first = bisect_right(result.blocks, from_s, key=_end_s)
    chosen = result.blocks[first : bisect_left(result.blocks, to_s, key=_start_s)]
    tables = packed.add([packed.unpack(block) for block in chosen])
    if not chosen:
        return Window(from_s, to_s, tables)
    return Window(min(from_s, chosen[0].from_s), max(to_s, chosen[-1].to_s), tables)


def latest(result: RunResult, seconds: int = LIVE_S) -> Window:
    """The last seconds that all workers have reported."""
    return window(result, max(result.settled_s - seconds, 0), result.settled_s)


def whole(result: RunResult) -> Window:
    """The whole run, its drain too."""
    return Window(0, result.whole.to_s, packed.unpack(result.whole))


def _start_s(block: Block) -> int:
    return block.from_s


def _end_s(block: Block) -> int:
    return block.to_s
