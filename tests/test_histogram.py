"""The histogram against a slow oracle: a sorted list of all the values."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from swell.histogram import BUCKETS, MAX_NS, Histogram, bounds_ns, index_of, middle_ns, quantiles_ns, rank_of

US = 1_000
durations_ns = st.one_of(
    st.integers(0, 10 * US),
    st.integers(0, MAX_NS),
    st.integers(0, 41).map(lambda bits: 1 << bits),
    st.integers(1, 41).map(lambda bits: (1 << bits) - 1),
)
shares = st.sampled_from([0.0, 0.001, 0.07, 0.5, 0.55, 0.7, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0])


def histogram_of(values_ns: list[int]) -> Histogram:
    histogram = Histogram()
    for value_ns in values_ns:
        histogram.add(value_ns)
    return histogram


def exact_quantile_ns(values_ns: list[int], q: float) -> int:
    rank = max(1, math.ceil(Fraction(str(q)) * len(values_ns)))
    return sorted(values_ns)[rank - 1]


def test_buckets_lie_side_by_side_and_cover_an_hour() -> None:
    bounds = [bounds_ns(bucket) for bucket in range(BUCKETS)]
    assert bounds[0][0] == 0
    assert all(one[1] == other[0] for one, other in pairwise(bounds))
    assert bounds[-1][0] <= MAX_NS < bounds[-1][1]


def test_every_bucket_is_the_bucket_of_its_least_and_its_greatest_duration() -> None:
    for bucket in range(BUCKETS - 1):
        low_ns, high_ns = bounds_ns(bucket)
        assert (index_of(low_ns), index_of(middle_ns(bucket)), index_of(high_ns - 1)) == (bucket, bucket, bucket)


@given(durations_ns)
def test_a_duration_falls_into_the_bucket_that_holds_it(value_ns: int) -> None:
    low_ns, high_ns = bounds_ns(index_of(value_ns))
    assert low_ns <= value_ns < high_ns


@given(st.integers(1 * US, MAX_NS))
def test_from_a_microsecond_to_an_hour_a_duration_is_reported_within_0_4_percent(value_ns: int) -> None:
    assert abs(middle_ns(index_of(value_ns)) - value_ns) <= value_ns * 0.004


def test_what_is_out_of_range_goes_into_the_first_and_the_last_bucket() -> None:
    assert index_of(-5) == 0
    assert index_of(10 * MAX_NS) == BUCKETS - 1


@given(st.lists(durations_ns, min_size=1), shares)
def test_a_quantile_lies_in_the_bucket_of_the_exact_one(values_ns: list[int], q: float) -> None:
    exact_ns = exact_quantile_ns(values_ns, q)
    found_ns = histogram_of(values_ns).quantile_ns(q)
    assert index_of(found_ns) == index_of(exact_ns)
    assert min(values_ns) <= found_ns <= max(values_ns)


@given(st.lists(durations_ns, min_size=1), st.lists(shares, min_size=1))
def test_quantiles_never_go_down_and_do_not_depend_on_which_others_are_asked(
    values_ns: list[int], qs: list[float]
) -> None:
    histogram = histogram_of(values_ns)
    found = quantiles_ns(histogram, qs)
    assert found == {q: histogram.quantile_ns(q) for q in qs}
    assert sorted(found.values()) == [found[q] for q in sorted(found)]


@given(st.lists(durations_ns))
def test_the_totals_are_exact(values_ns: list[int]) -> None:
    histogram = histogram_of(values_ns)
    histogram.check()
    assert histogram.total == len(values_ns)
    assert histogram.sum_ns == sum(values_ns)
    assert (histogram.min_ns, histogram.max_ns) == (min(values_ns, default=0), max(values_ns, default=0))


@given(st.lists(st.lists(durations_ns), max_size=5), st.randoms())
def test_merged_in_any_order_they_are_the_histogram_of_all_values(parts: list[list[int]], order: Random) -> None:
    shuffled = list(parts)
    order.shuffle(shuffled)
    merged = Histogram()
    for part in shuffled:
        merged.merge(histogram_of(part))
    merged.check()
    assert merged == histogram_of([value_ns for part in parts for value_ns in part])


def test_a_value_counted_n_times_is_n_values() -> None:
    once = Histogram()
    once.add(5 * US, 3)
    assert once == histogram_of([5 * US] * 3)


def test_an_empty_histogram_has_zeros_everywhere() -> None:
    empty = Histogram()
    empty.merge(Histogram())
    empty.add(5 * US, 0)
    empty.check()
    assert (empty.quantile_ns(0.99), empty.mean_ns(), repr(empty)) == (0, 0.0, "<Histogram of 0 in 0 buckets, 0..0 ns>")


def test_the_rank_of_a_quantile_is_not_moved_by_rounding() -> None:
    assert [rank_of(0.07, 100), rank_of(0.55, 100), rank_of(0.999, 1000), rank_of(0.5, 1), rank_of(0.0, 9)] == [
        *(7, 55, 999, 1, 1),
    ]
