"""Our buckets as exponential ones: OpenTelemetry's, and Prometheus's native histograms.

Both have a base of 2**(2**-scale). OpenTelemetry's bucket i holds (base**i, base**(i+1)]; Prometheus counts from one
more. One of our buckets, at most 0.8 % wide, is put as a whole where its middle belongs: so every count is right, and a
value within 0.4 % of a boundary may lie on its other side. What is below 8 ns is zero.

They are of seconds, or of what `one_ns` says that a value of 1 is in ns.
"""

from __future__ import annotations

import dataclasses
import functools
import math

from swell.clock import NS_PER_S
from swell.histogram import BUCKETS, Histogram, middle_ns
from swell.stats.measures import sum_ns

ZERO_BELOW_NS = 8
"""The width of our first bucket."""
MOST_SCALE = 7
"""Beyond, the buckets would be narrower than ours."""
LEAST_SCALE = -10


@dataclasses.dataclass(frozen=True, slots=True)
class Exponential:
    """A histogram. `counts[k]` belongs to OpenTelemetry's bucket `first + k`."""

    scale: int
    count: int
    zero_count: int
    zero_below: float
    sum: float
    min: float
    max: float
    first: int
    counts: tuple[int, ...]


def exponential(histogram: Histogram, scale: int, one_ns: int = NS_PER_S) -> Exponential:
    """The histogram with buckets of a scale."""
    places = places_of(scale, one_ns)
    counts: dict[int, int] = {}
    for bucket, count in histogram.counts.items():
        if bucket:
            counts[places[bucket]] = counts.get(places[bucket], 0) + count
    first, last = min(counts, default=0), max(counts, default=-1)
    return Exponential(
        scale=scale,
        count=histogram.total,
        zero_count=histogram.counts.get(0, 0),
        zero_below=ZERO_BELOW_NS / one_ns,
        sum=sum_ns(histogram) / one_ns,
        min=histogram.min_ns / one_ns,
        max=histogram.max_ns / one_ns,
        first=first,
        counts=tuple(counts.get(place, 0) for place in range(first, last + 1)),
    )


def fitted(histogram: Histogram, most_buckets: int, one_ns: int = NS_PER_S) -> Exponential:
    """The finest one that has no more than so many buckets."""
    filled = [bucket for bucket in histogram.counts if bucket]
    scale = MOST_SCALE
    while filled and scale > LEAST_SCALE:
        places = places_of(scale, one_ns)
        if places[max(filled)] - places[min(filled)] < most_buckets:
            break
        scale -= 1
    return exponential(histogram, scale, one_ns)


@functools.cache
def places_of(scale: int, one_ns: int = NS_PER_S) -> tuple[int, ...]:
    """OpenTelemetry's bucket of each of ours, but for the first, which is zero."""
    return (0, *(math.ceil(math.log2(middle_ns(bucket) / one_ns) * 2.0**scale) - 1 for bucket in range(1, BUCKETS)))
