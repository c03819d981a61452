"""What a threshold asks for, of a stretch of the run: read out of its steps, added up, and taken away again.

A step is a block of the result, or a second without one. All that a figure can need is in a `Part`; a `Span` is the
sum of parts, from which the oldest can be dropped, each in a time that does not grow with the span.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from swell.histogram import BUCKETS, middle_ns, rank_of
from swell.segment import BUCKET_BITS, KIND_BITS, MEASURES_FROM, TALLY_SERIES_SHIFT, Outcome, Sort
from swell.stats.measures import LEAST_OVERFLOW
from swell.stats.packed import BUCKET_MASK, F64, Tables
from swell.stats.reported import SERIES_SHIFT
from swell.stats.thresholds.expression import DURATIONS, Figure, Metric

Ints = npt.NDArray[np.int64]
SERIES_NUMBERS = 1 << (32 - SERIES_SHIFT)
KIND_MASK = (1 << KIND_BITS) - 1
MILLION = 1_000_000
NO_BUCKETS = np.empty(0, np.int64)


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """The counts of a step, or of the whole run, as far as a figure needs them."""

    requests: int = 0
    failures: int = 0
    amount_millionths: int = 0
    buckets: Ints = dataclasses.field(default_factory=lambda: NO_BUCKETS)
    counts: Ints = dataclasses.field(default_factory=lambda: NO_BUCKETS)
    total: int = 0
    sum_ns: int = 0
    least: float | None = None
    greatest: float | None = None
    last: float | None = None


class Chosen:
    """The series that are read, for each number whether it is one."""

    def __init__(self, numbers: Iterable[int] | None) -> None:
        self._wanted = np.zeros(SERIES_NUMBERS, dtype=bool)
        if numbers is None:
            self._wanted[:MEASURES_FROM] = True
        else:
            self._wanted[list(numbers)] = True

    def places(self, keys: npt.NDArray[np.unsignedinteger], shift: int) -> npt.NDArray[np.bool_]:
        """Which keys are of them."""
        found: npt.NDArray[np.bool_] = self._wanted[keys >> np.uint8(shift)]
        return found


def read(metric: Metric, chosen: Chosen, tables: Tables) -> Part:
    """What a figure needs of a block."""
    if metric.measure and metric.measure.sort is Sort.GAUGE:
        return _gauge(chosen, tables)
    if metric.figure in DURATIONS:
        return _durations(metric, chosen, tables)
    if metric.figure in (Figure.SUM, Figure.SUM_PER_S):
        whole, millionths = (row[chosen.places(tables.bytes_.keys, 0)].sum() for row in tables.bytes_.rows)
        return Part(amount_millionths=int(whole) * MILLION + int(millionths))
    chosen_rows = chosen.places(tables.tally.keys, TALLY_SERIES_SHIFT)
    keys, counts = tables.tally.keys[chosen_rows], tables.tally.rows[0][chosen_rows]
    failed = keys & np.uint64(Outcome.FAILED) != 0
    return Part(requests=int(counts.sum()), failures=int(counts[failed].sum()))


def _durations(metric: Metric, chosen: Chosen, tables: Tables) -> Part:
    kinds = metric.duration.kinds
    hist, sums = tables.hist, tables.sums
    here = chosen.places(hist.keys, SERIES_SHIFT) & np.isin(hist.keys >> BUCKET_BITS & KIND_MASK, kinds)
    of_sums = chosen.places(sums.keys, KIND_BITS) & np.isin(sums.keys & KIND_MASK, kinds)
    if not of_sums.any():
        return Part()
    total_ns, least_ns, greatest_ns = (row[of_sums] for row in sums.rows)
    counts = hist.rows[0][here].astype(np.int64)
    return Part(
        buckets=(hist.keys[here] & BUCKET_MASK).astype(np.int64),
        counts=counts,
        total=int(counts.sum()),
        sum_ns=int(total_ns.sum()),
        least=float(least_ns.min()),
        greatest=float(greatest_ns.max()),
    )


def _gauge(chosen: Chosen, tables: Tables) -> Part:
    here = chosen.places(tables.gauges.keys, 0)
    if not here.any():
        return Part()
    instant_ns = tables.gauges.rows[0][here]
    last, least, greatest = (row.view(F64)[here] for row in tables.gauges.rows[1:])
    newest = int(np.argmax(instant_ns))
    return Part(least=float(least.min()), greatest=float(greatest.max()), last=float(last[newest]))


class Span:
    """Parts, oldest first, and their sum. One that keeps none forgets which they were: nothing can be dropped."""

    def __init__(self, *, keeps: bool) -> None:
        self.requests = self.failures = self.amount_millionths = self.total = self.sum_ns = 0
        self._parts: deque[Part] | None = deque() if keeps else None
        self._counts: Ints | None = None
        self._least = _Extreme(-1)
        self._greatest = _Extreme(1)
        self._lasts: deque[tuple[int, float]] = deque(maxlen=None if keeps else 1)
        self._added = self._dropped = 0

    def add(self, part: Part) -> None:
        """The next step."""
        self._count(part, 1)
        for value, extreme in ((part.least, self._least), (part.greatest, self._greatest)):
            if value is not None:
                extreme.add(self._added, value)
        if part.last is not None:
            self._lasts.append((self._added, part.last))
        self._added += 1
        if self._parts is not None:
            self._parts.append(part)

    def drop(self) -> None:
        """Without the oldest step."""
        assert self._parts is not None
        self._count(self._parts.popleft(), -1)
        self._dropped += 1
        self._least.forget(self._dropped)
        self._greatest.forget(self._dropped)
        while self._lasts and self._lasts[0][0] < self._dropped:
            self._lasts.popleft()

    def _count(self, part: Part, sign: int) -> None:
        self.requests += sign * part.requests
        self.failures += sign * part.failures
        self.amount_millionths += sign * part.amount_millionths
        self.total += sign * part.total
        self.sum_ns += sign * part.sum_ns
        if len(part.buckets):
            if self._counts is None:
                self._counts = np.zeros(BUCKETS, np.int64)
            np.add.at(self._counts, part.buckets, sign * part.counts)

    @property
    def least(self) -> float | None:
        """The smallest value, in ns or in a gauge's own unit."""
        return self._least.value

    @property
    def greatest(self) -> float | None:
        """The greatest value."""
        return self._greatest.value

    @property
    def last(self) -> float | None:
        """The newest value of a gauge."""
        return self._lasts[-1][1] if self._lasts else None

    def mean_ns(self) -> float:
        """The exact mean; by the middles of buckets where values are so great that their sum may not have fitted."""
        assert self._counts is not None
        assert self.greatest is not None
        if self.total * self.greatest < LEAST_OVERFLOW:
            return self.sum_ns / self.total
        middles = ((middle_ns(int(bucket)), int(self._counts[bucket])) for bucket in np.flatnonzero(self._counts))
        return sum(middle * count for middle, count in middles) / self.total

    def quantile_ns(self, q: float) -> float:
        """As `histogram.quantiles_ns` has it. There is a value at all."""
        assert self._counts is not None
        assert self.least is not None
        assert self.greatest is not None
        bucket = int(np.searchsorted(np.cumsum(self._counts), rank_of(q, self.total)))
        return min(max(float(middle_ns(bucket)), self.least), self.greatest)


class _Extreme:
    """The greatest (sign 1) or least (sign -1) of numbered values, of which the oldest are forgotten."""

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._candidates: deque[tuple[int, float]] = deque()
        """Each with no greater one after it: the first is the greatest."""

    def add(self, number: int, value: float) -> None:
        while self._candidates and self._sign * self._candidates[-1][1] <= self._sign * value:
            self._candidates.pop()
        self._candidates.append((number, value))

    def forget(self, before: int) -> None:
        while self._candidates and self._candidates[0][0] < before:
            self._candidates.popleft()

    @property
    def value(self) -> float | None:
        return self._candidates[0][1] if self._candidates else None
