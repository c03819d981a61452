"""What the comparison promises, on simulated pairs of runs: few false alarms, few misses. `bench/comparison.py` has
many more cases and pairs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bench.simulated_runs import Target, simulated
from swell.stats.comparison.compare import compare
from swell.stats.comparison.document import Comparison, Finding, Thing

PAIRS = 40
SAME = {
    "independent calls": Target(seconds=100),
    "a few seconds": Target(seconds=10, calls_per_s=1_000),
    "several series": Target(series=5, calls_per_s=300),
    "failures": Target(failing=0.02),
    "a level that wanders": Target(seconds=120, correlation=0.9, wander=0.1),
    "a load that swings": Target(seconds=120, correlation=0.8, swing=0.3),
    "bursts": Target(seconds=120, bursts_per_s=1 / 30),
    "drift": Target(drift=0.5),
    "whole multiples of 5 ms": Target(rounded_ms=5),
}


def pairs(base: Target, run: Target, seed: int) -> list[Comparison]:
    random = np.random.default_rng(seed)
    return [compare(simulated(base, random), simulated(run, random)) for _ in range(PAIRS)]


def differs(found: Comparison) -> bool:
    rows = (found.all, *found.series)
    return any(thing.verdict in (Finding.FASTER, Finding.SLOWER) for row in rows for thing in row.things)


@pytest.mark.parametrize("name", SAME)
def test_two_runs_of_the_same_thing_seldom_differ_in_anything(name: str) -> None:
    assert sum(map(differs, pairs(SAME[name], SAME[name], seed=1))) <= 0.05 * PAIRS


@pytest.mark.parametrize("seconds", [10, 60, 100])
def test_a_p95_that_is_ten_percent_slower_is_found(seconds: int) -> None:
    base = Target(seconds=seconds, calls_per_s=10_000 / seconds)
    found = pairs(base, dataclasses.replace(base, median_ms=22), seed=2)
    p95 = [thing for one in found for thing in one.all.things if thing.thing is Thing.P95]
    assert sum(thing.verdict is Finding.SLOWER for thing in p95) >= 0.9 * PAIRS


def test_runs_of_unequal_length_seldom_differ() -> None:
    base = Target(correlation=0.8, wander=0.1)
    assert sum(map(differs, pairs(base, dataclasses.replace(base, seconds=150), seed=3))) <= 0.05 * PAIRS


def test_twice_as_slow_is_found_in_a_short_run_whose_level_wanders() -> None:
    base = Target(seconds=18, calls_per_s=20, sigma=0.2, correlation=0.7, wander=0.05, even=True)
    found = pairs(base, dataclasses.replace(base, median_ms=46), seed=3)
    p50 = [thing for one in found for thing in one.all.things if thing.thing is Thing.P50]
    assert sum(thing.verdict is Finding.SLOWER for thing in p50) >= 0.95 * PAIRS
