"""Our buckets as exponential ones, against the bounds that the two formats define."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.histogram import MAX_NS, Histogram, bounds_ns, index_of
from swell.report.exponential import LEAST_SCALE, MOST_SCALE, exponential, fitted, places_of
from swell.segment import VALUE_SCALE

durations_ns = st.lists(st.integers(0, MAX_NS) | st.integers(0, 10_000), max_size=60)


def histogram_of(values_ns: list[int]) -> Histogram:
    histogram = Histogram()
    for value_ns in values_ns:
        histogram.add(value_ns)
    return histogram


@given(durations_ns, st.integers(-2, MOST_SCALE), st.sampled_from((NS_PER_S, VALUE_SCALE)))
def test_every_value_is_counted_in_its_bucket_or_within_our_error_of_it(
    values_ns: list[int], scale: int, one_ns: int
) -> None:
    histogram = histogram_of(values_ns)
    found = exponential(histogram, scale, one_ns)
    assert found.count == len(values_ns) == found.zero_count + sum(found.counts)
    assert found.zero_count == sum(value_ns < 8 for value_ns in values_ns)
    assert (found.sum, found.min, found.max) == pytest.approx(
        (sum(values_ns) / one_ns, min(values_ns, default=0) / one_ns, max(values_ns, default=0) / one_ns)
    )
    base = 2.0 ** (2.0**-scale)
    for value_ns in values_ns:
        if value_ns < 8:
            continue
        place = places_of(scale, one_ns)[index_of(value_ns)]
        low, high = base**place, base ** (place + 1)
        least_ns, most_ns = bounds_ns(index_of(value_ns))
        assert low <= most_ns / one_ns * (1 + 1e-9)
        assert high >= least_ns / one_ns * (1 - 1e-9)
        assert found.counts[place - found.first] > 0


@given(durations_ns, st.integers(2, 200))
def test_the_finest_scale_that_fits_is_taken(values_ns: list[int], most: int) -> None:
    histogram = histogram_of(values_ns)
    found = fitted(histogram, most)
    assert len(found.counts) <= most
    assert LEAST_SCALE <= found.scale <= MOST_SCALE
    if found.scale < MOST_SCALE:
        assert len(exponential(histogram, found.scale + 1).counts) > most


def test_an_empty_histogram_has_no_buckets() -> None:
    found = fitted(Histogram(), 160)
    assert (found.count, found.counts, found.scale) == (0, (), MOST_SCALE)


@pytest.mark.parametrize(("ms", "place"), [(1_000, -1), (1_001, -1), (1_010, 0), (2_000, 0), (2_020, 1), (500, -2)])
def test_a_power_of_two_closes_the_bucket_below_it_as_far_as_ours_tell(ms: int, place: int) -> None:
    """1 s lies in our bucket [999.3, 1003.5) ms, or one like it, whose middle decides."""
    found = exponential(histogram_of([ms * 1_000_000]), 0)
    middle_is_above = places_of(0)[index_of(ms * 1_000_000)] != place
    assert found.first == place + middle_is_above
