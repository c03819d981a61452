"""Distributions on the page: coarser bins, no estimate."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from swell.histogram import BUCKETS, Histogram, bounds_ns
from swell.report.html_distribution import MOST_BINS, distribution, percentiles_ms

values = st.lists(st.tuples(st.integers(0, 3_600 * 10**9), st.integers(1, 10_000)), min_size=1, max_size=60)


def histogram_of(counts: list[tuple[int, int]]) -> Histogram:
    histogram = Histogram()
    for value_ns, count in counts:
        histogram.add(value_ns, count)
    return histogram


def edge_ns(fineness: int, place: int) -> float:
    """The rule that the page's script goes by."""
    parts = 2**fineness
    return 2 ** (place // parts) * (1 + place % parts / parts)


def of(histogram: Histogram) -> dict[str, Any]:
    found = distribution(histogram)
    assert isinstance(found, dict)
    return found


@given(values)
def test_every_sample_is_in_one_of_few_bins(counts: list[tuple[int, int]]) -> None:
    histogram = histogram_of(counts)
    found = of(histogram)
    assert sum(found["bins"]) == found["count"] == histogram.total
    assert len(found["bins"]) <= MOST_BINS
    assert found["bins"][0] > 0
    assert found["bins"][-1] > 0


@given(st.integers(0, BUCKETS - 1))
def test_a_bucket_lies_whole_within_its_bin(bucket: int) -> None:
    low_ns, high_ns = bounds_ns(bucket)
    histogram = Histogram()
    histogram.add_buckets([(bucket, 1_000)], low_ns * 1_000, low_ns, low_ns)
    found = of(histogram)
    assert edge_ns(found["fineness"], found["first"]) <= max(low_ns, 1)
    if low_ns >= 2_048:
        assert high_ns <= edge_ns(found["fineness"], found["first"] + 1)


@given(values)
def test_percentiles_rise_from_the_least_to_the_greatest(counts: list[tuple[int, int]]) -> None:
    histogram = histogram_of(counts)
    found = percentiles_ms(histogram)
    assert found == sorted(found)
    assert (found[0], found[-1]) == (histogram.min_ns / 1e6, histogram.max_ns / 1e6)


def test_percentiles_go_as_far_as_samples_do() -> None:
    histogram = histogram_of([(number * 1_000_000, 1) for number in range(1, 1_001)])
    found = percentiles_ms(histogram)
    assert len(found) == 1 + 23 + 1  # the least, 8 a decade while one of a thousand lies beyond, the greatest
    assert round(found[8]) == 900  # p90
    assert found[-1] == 1_000


def test_few_samples_make_few_bins() -> None:
    spread = [(round(1e6 * 1.1**number), 1) for number in range(24)]
    assert len(of(histogram_of(spread))["bins"]) <= 9


def test_nothing_has_no_distribution() -> None:
    assert distribution(Histogram()) is None
