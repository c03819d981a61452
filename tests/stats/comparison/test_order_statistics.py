"""Quantiles and their intervals against sorted lists, and against many draws of a known distribution."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.simulated_runs import index_of
from swell import histogram
from swell.histogram import BUCKETS, bounds_ns
from swell.stats.comparison.order_statistics import (
    RESOLUTION,
    Ecdf,
    Quantile,
    least_errors,
    log_ratio_bound,
)

US = 1_000
durations_ns = st.lists(st.integers(1 * US, 10**12), min_size=1, max_size=60)
shares = st.sampled_from([0.01, 0.25, 0.5, 0.9, 0.95, 0.99])


def ecdf_of(values_ns: object) -> Ecdf:
    return Ecdf(np.bincount(index_of(np.asarray(values_ns, dtype=np.float64)), minlength=BUCKETS).astype(float))


@given(st.lists(st.integers(0, histogram.MAX_NS), max_size=50))
def test_many_indices_are_those_of_each(values_ns: list[int]) -> None:
    found = index_of(np.array(values_ns, dtype=np.float64))
    assert found.tolist() == [histogram.index_of(value) for value in values_ns]


@given(durations_ns, shares)
def test_a_quantile_lies_in_the_bucket_of_a_value_of_that_rank(values_ns: list[int], q: float) -> None:
    found = ecdf_of(values_ns).log_at(q)
    rank = q * len(values_ns)
    low, high = sorted(values_ns)[math.floor(rank - 1e-9)], sorted(values_ns)[min(math.ceil(rank), len(values_ns) - 1)]
    assert math.log(bounds_ns(histogram.index_of(low))[0]) - 1e-9 <= found
    assert found <= math.log(bounds_ns(histogram.index_of(high))[1]) + 1e-9


@given(durations_ns, shares)
def test_a_quantile_splits_its_bucket_so_that_the_share_lies_below(values_ns: list[int], q: float) -> None:
    bucket, part = ecdf_of(values_ns).split(q)
    indices = index_of(np.array(values_ns, dtype=np.float64))
    below = (indices < bucket).sum() + part * (indices == bucket).sum()
    assert below == pytest.approx(q * len(values_ns))


@given(durations_ns, shares, st.floats(0, 5), st.floats(0, 5))
def test_bounds_widen_with_the_standard_errors(values_ns: list[int], q: float, one: float, other: float) -> None:
    quantile = Quantile(ecdf_of(values_ns), q, len(values_ns))
    near, far = sorted((one, other))
    assert quantile.log_bound(-far) <= quantile.log_bound(-near) <= quantile.log + 1e-12
    assert quantile.log - 1e-12 <= quantile.log_bound(near) <= quantile.log_bound(far)


def test_an_interval_of_98_percent_holds_the_true_quantile_in_98_percent() -> None:
    random = np.random.default_rng(11)
    for q, normal in ((0.5, 0.0), (0.95, 1.644854), (0.99, 2.326348)):
        true, held = math.log(20e6) + 0.6 * normal, 0
        for _ in range(400):
            quantile = Quantile(ecdf_of(20e6 * np.exp(random.normal(0, 0.6, 2_000))), q, 2_000)
            held += quantile.log_bound(-2.326) <= true <= quantile.log_bound(2.326)
        assert 0.965 <= held / 400 <= 0.998


def test_near_the_end_nothing_bounds_a_quantile() -> None:
    quantile = Quantile(ecdf_of([1e6, 2e6, 3e6]), 0.95, 3)
    assert quantile.log_bound(2.0) == math.inf


def test_a_difference_of_one_bucket_is_never_shown_however_many_calls_there_are() -> None:
    for bucket in range(1_000, 3_000, 7):
        ecdfs = []
        for one in (bucket, bucket + 1):
            counts = np.zeros(BUCKETS)
            counts[one] = 1e9
            ecdfs.append(Ecdf(counts))
        base, run = (Quantile(ecdf, 0.95, 1e9) for ecdf in ecdfs)
        assert log_ratio_bound(base, run, -4.0) < 0 < log_ratio_bound(base, run, 4.0)


def test_a_difference_beyond_the_resolution_is_shown_where_nothing_scatters() -> None:
    base, run = (Quantile(ecdf_of([value] * 1_000), 0.5, 1e9) for value in (50e6, 51e6))
    assert log_ratio_bound(base, run, -4.0) > 0
    assert math.log(51 / 50) - log_ratio_bound(base, run, -4.0) == pytest.approx(RESOLUTION, rel=0.5)


def test_the_least_errors_are_where_an_interval_begins_to_hold() -> None:
    assert least_errors(lambda errors: errors >= 3.7) == pytest.approx(3.7, abs=1e-6)
    assert least_errors(lambda errors: True) == 0.0
    assert least_errors(lambda errors: False) == pytest.approx(64.0)
