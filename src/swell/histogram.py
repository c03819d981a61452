"""Log-linear integer buckets for durations in nanoseconds.

A value below 2**SUB_BITS units keeps a bucket of its own; above, every power of two is cut into 2**(SUB_BITS-1)
equal buckets. The unit is 8 ns, so that everything from 1 µs up has a relative error of at most 1/256 (0.4 %)
when a bucket is read at its middle, and 104 days still fit. The layout is HdrHistogram's (Gil Tene,
http://hdrhistogram.org), with a fixed precision, so that an index is a shift and an add.

    index(v) = u                        u = v >> 3, u < 256
             = shift*128 + (u >> shift) shift = bit_length(u) - 8, otherwise

Histograms are sparse (`dict[bucket, count]`) and are merged by exact addition: percentiles are asked for last.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

UNIT_BITS = 3
SUB_BITS = 8
HALF = 1 << (SUB_BITS - 1)
MAX_NS = (1 << 53) - 1
"""Longer durations are put into the last bucket: over 104 days, the most that a double tells apart by the ns."""


def index_of(value_ns: int) -> int:
    """The bucket of a duration; negative ones fall into bucket 0, those over MAX_NS into the last."""
    units = min(max(value_ns, 0), MAX_NS) >> UNIT_BITS
    shift = max(units.bit_length() - SUB_BITS, 0)
    return shift * HALF + (units >> shift)


BUCKETS = index_of(MAX_NS) + 1


def bounds_ns(bucket: int) -> tuple[int, int]:
    """The half-open interval [low, high) of durations that fall into `bucket`, in nanoseconds."""
    shift = max(bucket // HALF - 1, 0)
    low = (bucket - shift * HALF) << shift
    return low << UNIT_BITS, (low + (1 << shift)) << UNIT_BITS


def middle_ns(bucket: int) -> int:
    """What a duration in `bucket` is reported as."""
    low_ns, high_ns = bounds_ns(bucket)
    return (low_ns + high_ns) // 2


class Histogram:
    """Counts per bucket, plus the exact count, sum, smallest and largest value (ns)."""

    __slots__ = ("counts", "max_ns", "min_ns", "sum_ns", "total")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.total = 0
        self.sum_ns = 0
        self.min_ns = 0
        self.max_ns = 0

    def __repr__(self) -> str:
        return f"<Histogram of {self.total} in {len(self.counts)} buckets, {self.min_ns}..{self.max_ns} ns>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]

    def add(self, value_ns: int, count: int = 1) -> None:
        """Count `value_ns` (`count` times)."""
        self.add_buckets([(index_of(value_ns), count)], value_ns * count, value_ns, value_ns)

    def add_buckets(self, buckets: Iterable[tuple[int, int]], sum_ns: int, min_ns: int, max_ns: int) -> None:
        """Count whole buckets, given the exact sum, least and greatest of what is in them."""
        counts = self.counts
        added = 0
        for bucket, count in buckets:
            if count:
                counts[bucket] = counts.get(bucket, 0) + count
                added += count
        if not added:
            return
        self.min_ns = min(self.min_ns, min_ns) if self.total else min_ns
        self.max_ns = max(self.max_ns, max_ns) if self.total else max_ns
        self.sum_ns += sum_ns
        self.total += added

    def merge(self, other: Histogram) -> None:
        """Add everything that `other` has counted; exact, in any order."""
        self.add_buckets(other.counts.items(), other.sum_ns, other.min_ns, other.max_ns)

    def quantile_ns(self, q: float) -> int:
        """The least reported duration that at least the share `q` (0..1) of the values do not exceed; 0 when empty."""
        return quantiles_ns(self, (q,))[q]

    def mean_ns(self) -> float:
        """The exact mean; 0 when empty."""
        return self.sum_ns / self.total if self.total else 0.0

    def check(self) -> None:
        """Raise AssertionError if the totals do not agree with the buckets."""
        assert self.total == sum(self.counts.values())
        assert all(0 <= bucket < BUCKETS and count > 0 for bucket, count in self.counts.items())
        assert self.min_ns <= self.max_ns


def rank_of(q: float, total: int) -> int:
    """Which of `total` values in ascending order, from 1 on, is their quantile `q`: the first that at least the share
    `q` of them do not exceed. A product that misses a whole number by no more than a double's rounding is that number.
    """
    return min(max(1, math.ceil(q * total * (1 - 1e-12))), max(total, 1))


def quantiles_ns(histogram: Histogram, qs: Iterable[float]) -> Mapping[float, int]:
    """Several quantiles in one pass; each lies between the exact minimum and maximum."""
    wanted = sorted(set(qs))
    found = dict.fromkeys(wanted, 0)
    buckets = iter(sorted(histogram.counts.items()))
    seen, bucket = 0, 0
    for q in wanted:
        rank = rank_of(q, histogram.total)
        while seen < rank:
            pair = next(buckets, None)
            if pair is None:
                break
            bucket, count = pair
            seen += count
        found[q] = min(max(middle_ns(bucket), histogram.min_ns), histogram.max_ns)
    return found
