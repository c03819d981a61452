"""Warm-ups that are there are found, and none where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from swell.stats.comparison.warm_up import warm_up

Random = np.random.Generator


def steady(random: Random, length: int) -> np.ndarray:
    return 100 + random.normal(0, 5, length)


def test_noise_has_no_warm_up() -> None:
    random = np.random.default_rng(1)
    assert sum(warm_up(steady(random, length)) != 0 for length in (10, 20, 60, 300) for _ in range(100)) <= 8


def test_a_constant_has_none() -> None:
    assert warm_up(np.full(60, 7.0)) == 0


@pytest.mark.parametrize("length", [40, 60, 300])
def test_a_beginning_of_another_level_is_left_out_to_the_next_batch(length: int) -> None:
    signal = steady(np.random.default_rng(2), length)
    signal[:8] = 40
    assert 8 <= (warm_up(signal) or 0) <= 15


def test_a_ramp_is_left_out() -> None:
    signal = steady(np.random.default_rng(3), 120)
    signal[:30] *= np.linspace(0, 1, 30)
    assert 20 <= (warm_up(signal) or 0) <= 35


def test_slow_answers_at_first_are_left_out_too() -> None:
    signal = steady(np.random.default_rng(4), 100)
    signal[:10] += 150 * np.exp(-np.arange(10) / 4)
    assert 5 <= (warm_up(signal) or 0) <= 15


def test_where_half_would_not_be_enough_there_is_no_steady_part() -> None:
    assert warm_up(np.linspace(0, 100, 100)) is None


def test_never_more_than_half_is_left_out() -> None:
    random = np.random.default_rng(5)
    for ramp in range(5, 95, 5):
        signal = steady(random, 100)
        signal[:ramp] *= np.linspace(0, 1, ramp)
        assert (warm_up(signal) or 0) <= 50


def test_a_few_seconds_are_all_kept() -> None:
    assert warm_up(np.array([0.0, 1.0, 9.0, 9.0, 9.0])) == 0
    assert warm_up(np.zeros(0)) == 0
