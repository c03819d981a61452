"""Dependence over time against theory: what autocorrelated series do, and what independent ones do not."""

from __future__ import annotations

import numpy as np
import pytest

from swell.stats.comparison.dependence import autocorrelation, exceeds_chance, mean_variance, reach, stretches

Random = np.random.Generator


def autoregression(random: Random, length: int, correlation: float) -> np.ndarray:
    found = random.normal(0, 1, length)
    for place in range(1, length):
        found[place] = correlation * found[place - 1] + np.sqrt(1 - correlation**2) * found[place]
    return found


def test_autocorrelation_is_that_of_the_slow_sum() -> None:
    series = np.random.default_rng(3).normal(0, 1, 40)
    centred = series - series.mean()
    slow = [float(centred[lag:] @ centred[: len(centred) - lag]) / float(centred @ centred) for lag in range(40)]
    assert autocorrelation(series) == pytest.approx(slow, abs=1e-12)


def test_a_constant_series_correlates_with_nothing() -> None:
    assert not autocorrelation(np.ones(10)).any()
    assert reach([np.ones(10)], 2.0) == 0


def test_independent_values_rarely_reach_anywhere() -> None:
    random = np.random.default_rng(4)
    assert sum(reach([random.normal(0, 1, 60)], 2.8) > 0 for _ in range(500)) < 0.04 * 500


def test_dependent_values_reach_farther_the_longer_they_depend() -> None:
    random = np.random.default_rng(5)
    means = [np.mean([reach([autoregression(random, 300, phi)], 2.0) for _ in range(50)]) for phi in (0.5, 0.8, 0.95)]
    assert 1 <= means[0] < means[1] < means[2]
    assert means[2] > 10


def test_two_series_show_what_one_does_not() -> None:
    random = np.random.default_rng(6)
    weak = [
        [0.6 * autoregression(random, 60, 0.9) + 0.8 * random.normal(0, 1, 60) for _ in range(2)] for _ in range(300)
    ]
    alone, together = sum(reach(pair[:1], 2.0) > 0 for pair in weak), sum(reach(pair, 2.0) > 0 for pair in weak)
    assert together > alone


def test_independent_values_have_the_ordinary_variance_of_a_mean() -> None:
    series = np.random.default_rng(7).normal(0, 1, 50)
    assert mean_variance(series, stretches(50, 0)) == pytest.approx(float(series.var(ddof=1)) / 50)


def test_of_dependent_values_the_variance_of_the_mean_is_the_true_one_on_average() -> None:
    random = np.random.default_rng(8)
    found = [mean_variance(autoregression(random, 1_000, 0.8), 12) for _ in range(200)]
    lags = np.arange(1, 1_000)
    true = (1 + 2 * float(((1 - lags / 1_000) * 0.8**lags).sum())) / 1_000
    assert np.mean(found) == pytest.approx(true, rel=0.15)


def test_what_cancels_out_is_not_counted_as_certain() -> None:
    series = np.tile([1.0, -1.0], 50)
    assert mean_variance(series, 5) == pytest.approx(float(series.var(ddof=1)) / 100)


def test_the_number_of_stretches_is_what_the_length_has_room_for() -> None:
    assert [stretches(60, 0), stretches(60, 1), stretches(60, 5), stretches(60, 40)] == [59, 15, 3, 0]


def test_chance_is_exceeded_as_seldom_as_the_errors_say() -> None:
    random = np.random.default_rng(9)
    ratios = random.chisquare(19, 4_000) / 19
    assert sum(exceeds_chance(ratio, 19, 2.326) for ratio in ratios) / 4_000 == pytest.approx(0.01, abs=0.006)
    assert exceeds_chance(3.0, 19, 3.0)
