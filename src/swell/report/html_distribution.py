"""How durations are distributed, in few numbers: a histogram of coarser bins, and percentiles up to the rarest.

A bin is an octave of durations, or one of the 2, 4, ... equal parts of it: as fine as their number allows. The buckets
of `histogram.py` nest in them, so that nothing is estimated (below 2 µs, where a bucket may be wider than a bin, it
counts in the bin of its lower end). Bin c of a fineness f stands for [2**(c >> f) * (1 + (c % 2**f) / 2**f), ...) ns.

Percentiles are taken where 1 / (1 - q) grows by a constant factor, as HdrHistogram's plots show them; the last is the
greatest of all.
"""

from __future__ import annotations

import math
from collections import Counter

from swell.histogram import Histogram, bounds_ns, quantiles_ns
from swell.report.html_json import Json, all_rounded

FINEST = 5
LEAST_BINS, MOST_BINS = 8, 60
BINS_PER_CUBE_ROOT = 3
"""As many bins as the samples can fill: 3 n^(1/3), half as many again as the rule of Terrell and Scott (1985), since a
long tail takes most of them."""
PER_DECADE = 8
MOST_DECADES = 7


def distribution(histogram: Histogram) -> Json:
    """What the page's script draws of a histogram; None of an empty one."""
    if not histogram.total:
        return None
    fineness, counts = _bins(histogram)
    first, last = min(counts), max(counts)
    return {
        "count": histogram.total,
        "fineness": fineness,
        "first": first,
        "bins": [counts[place] for place in range(first, last + 1)],
        "percentiles_ms": all_rounded(percentiles_ms(histogram)),
    }


def percentiles_ms(histogram: Histogram) -> list[float]:
    """The durations at 1 / (1 - q) = 10 ** (n / 8), from the least on, while there is a sample beyond; then the
    greatest."""
    beyond = [10 ** (n / PER_DECADE) for n in range(1, MOST_DECADES * PER_DECADE + 1)]
    within = [1 - 1 / share for share in beyond if share < histogram.total]
    found = quantiles_ns(histogram, within)
    return [ns / 1e6 for ns in (histogram.min_ns, *(found[q] for q in within), histogram.max_ns)]


def _bins(histogram: Histogram) -> tuple[int, Counter[int]]:
    most = min(max(round(BINS_PER_CUBE_ROOT * math.cbrt(histogram.total)), LEAST_BINS), MOST_BINS)
    for fineness in range(FINEST, -1, -1):
        counts: Counter[int] = Counter()
        for bucket, count in histogram.counts.items():
            counts[_bin_of(bounds_ns(bucket)[0], fineness)] += count
        if max(counts) - min(counts) < most:
            return fineness, counts
    return 0, counts


def _bin_of(low_ns: int, fineness: int) -> int:
    octave = max(low_ns.bit_length() - 1, 0)
    part = (low_ns << fineness >> octave) - (1 << fineness) if low_ns else 0
    return (octave << fineness) + part
