"""Durations as the document shows them."""

from __future__ import annotations

import pytest

from swell.histogram import Histogram
from swell.segment import Outcome
from swell.stats.counts import Tally
from swell.stats.latency import ends_of, few_from, latency


@pytest.mark.parametrize(
    ("count", "quantile"),
    [(1, "p50"), (19, "p50"), (20, "p75"), (40, "p90"), (100, "p95"), (200, "p99"), (999, "p99"), (1_000, "p99_9"),
     (9_999, "p99_9"), (10_000, None)],
)  # fmt: skip
def test_a_quantile_that_fewer_than_ten_samples_lie_beyond_is_named(count: int, quantile: str | None) -> None:
    assert few_from(count) == quantile


def test_without_a_sample_there_is_no_block() -> None:
    assert latency(Histogram(), "kernel") is None


@pytest.mark.parametrize(
    ("outcomes", "clocks"),
    [
        ([0, Outcome.FAILED], ("kernel", "kernel", "kernel")),
        ([0, Outcome.FAILED | Outcome.USER_CLOCK], ("mixed", "kernel", "user")),
        ([Outcome.OWN, 0], ("mixed", "mixed", "kernel")),
        ([Outcome.OWN, Outcome.USER_CLOCK], ("user", "user", "kernel")),
    ],
)
def test_the_clock_of_a_block_is_that_of_its_calls(outcomes: list[int], clocks: tuple[str, str, str]) -> None:
    ends = ends_of(Tally(1, 200, 0, outcome, 5) for outcome in outcomes)
    assert (ends.clock, ends.clock_of_successes, ends.clock_of_failures) == clocks
