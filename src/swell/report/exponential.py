"""Our buckets as exponential ones: OpenTelemetry's, and Prometheus's native histograms.

Both have a base of 2**(2**-scale). OpenTelemetry's bucket i holds (base**i, base**(i+1)]; Prometheus counts from one
more. One of our buckets, at most 0.8 % wide, is put as a whole where its middle belongs: so every count is right, and a
duration within 0.4 % of a boundary may lie on its other side. What is below 8 ns is zero.
"""

from __future__ import annotations

import dataclasses
import functools
import math

from swell.histogram import BUCKETS, Histogram, middle_ns

ZERO_BELOW_S = 8e-9
"""The width of our first bucket."""
MOST_SCALE = 7
"""Beyond, the buckets would be narrower than ours."""
LEAST_SCALE = -10


@dataclasses.dataclass(frozen=True, slots=True)
class Exponential:
    """A histogram of seconds. `counts[k]` belongs to OpenTelemetry's bucket `first + k`."""

    scale: int
    count: int
    zero_count: int
    sum_s: float
    min_s: float
    max_s: float
    first: int
    counts: tuple[int, ...]


def exponential(histogram: Histogram, scale: int) -> Exponential:
    """The histogram with buckets of a scale."""
    places = places_of(scale)
    counts: dict[int, int] = {}
    for bucket, count in histogram.counts.items():
        if bucket:
            counts[places[bucket]] = counts.get(places[bucket], 0) + count
    first, last = min(counts, default=0), max(counts, default=-1)
    return Exponential(
        scale=scale,
        count=histogram.total,
        zero_count=histogram.counts.get(0, 0),
        sum_s=histogram.sum_ns / 1e9,
        min_s=histogram.min_ns / 1e9,
        max_s=histogram.max_ns / 1e9,
        first=first,
        counts=tuple(counts.get(place, 0) for place in range(first, last + 1)),
    )


def fitted(histogram: Histogram, most_buckets: int) -> Exponential:
    """The finest one that has no more than so many buckets."""
    filled = [bucket for bucket in histogram.counts if bucket]
    scale = MOST_SCALE
    while filled and scale > LEAST_SCALE:
        places = places_of(scale)
        if places[max(filled)] - places[min(filled)] < most_buckets:
            break
        scale -= 1
    return exponential(histogram, scale)


@functools.cache
def places_of(scale: int) -> tuple[int, ...]:
    """OpenTelemetry's bucket of each of ours, but for the first, which is zero."""
    return (0, *(math.ceil(math.log2(middle_ns(bucket) / 1e9) * 2.0**scale) - 1 for bucket in range(1, BUCKETS)))
