"""Durations as the document shows them, and how the calls of a series ended."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping

from swell.document import Latency
from swell.histogram import Histogram, quantiles_ns, rank_of
from swell.segment import Outcome
from swell.stats.counts import Tally

NS_PER_MS = 1_000_000
QUANTILES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99_9": 0.999}
FEW = 10
"""A quantile that fewer samples lie beyond is shown as such."""
FAILED = int(Outcome.FAILED)
USER_CLOCKS = int(Outcome.USER_CLOCK | Outcome.OWN)


def latency(histogram: Histogram, clock: str) -> Latency | None:
    """A block of durations; None without a sample."""
    if not histogram.total:
        return None
    quantiles_ms = {name: ns / NS_PER_MS for name, ns in _named_quantiles(histogram).items()}
    return Latency(
        clock=clock,
        count=histogram.total,
        min=histogram.min_ns / NS_PER_MS,
        mean=histogram.mean_ns() / NS_PER_MS,
        max=histogram.max_ns / NS_PER_MS,
        few_from=few_from(histogram.total),
        **quantiles_ms,
    )


def _named_quantiles(histogram: Histogram) -> Mapping[str, int]:
    found = quantiles_ns(histogram, QUANTILES.values())
    return {name: found[q] for name, q in QUANTILES.items()}


def few_from(count: int) -> str | None:
    """The first of the quantiles of `count` samples that fewer than 10 lie beyond."""
    return next((name for name, q in QUANTILES.items() if count - rank_of(q, count) < FEW), None)


@dataclasses.dataclass(slots=True)
class Ends:
    """How calls ended. `statuses` counts the responses; a call without one is in none."""

    requests: int = 0
    failures: int = 0
    by_user_clock: int = 0
    failures_by_user_clock: int = 0
    statuses: dict[int, int] = dataclasses.field(default_factory=lambda: defaultdict(int))

    def add(self, row: Tally) -> None:
        """Count the calls of a tally."""
        failed = row.count if row.outcome & FAILED else 0
        by_user = bool(row.outcome & USER_CLOCKS)
        self.requests += row.count
        self.failures += failed
        self.by_user_clock += row.count * by_user
        self.failures_by_user_clock += failed * by_user
        if row.status:
            self.statuses[row.status] += row.count

    @property
    def clock(self) -> str:
        """The clock of all calls."""
        return clock(self.by_user_clock, self.requests)

    @property
    def clock_of_successes(self) -> str:
        """The clock of the calls that succeeded."""
        return clock(self.by_user_clock - self.failures_by_user_clock, self.requests - self.failures)

    @property
    def clock_of_failures(self) -> str:
        """The clock of the calls that failed."""
        return clock(self.failures_by_user_clock, self.failures)


def clock(by_user_clock: int, calls: int) -> str:
    """Which clock timed them: the kernel's, the user's, or each some."""
    if by_user_clock == 0:
        return "kernel"
    return "user" if by_user_clock == calls else "mixed"


def ends_of(rows: Iterable[Tally]) -> Ends:
    """How all calls ended."""
    ends = Ends()
    for row in rows:
        ends.add(row)
    return ends


def ends_by_series(rows: Iterable[Tally]) -> dict[int, Ends]:
    """How the calls of each series ended."""
    found: dict[int, Ends] = defaultdict(Ends)
    for row in rows:
        found[row.series].add(row)
    return found
