"""How many samples a percentile needs before it is judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.histogram import rank_of
from swell.stats.latency import FEW
from swell.stats.thresholds.finding import needed

QUANTILES = st.floats(0, 1, exclude_max=True) | st.integers(1, 14).map(lambda nines: 1 - 10.0**-nines)


@pytest.mark.parametrize(("q", "count"), [(0.5, 20), (0.95, 200), (0.99, 1_000), (0.999, 10_000)])
def test_ten_samples_lie_beyond(q: float, count: int) -> None:
    assert needed(q) == count


@given(QUANTILES)
def test_it_is_the_least_number_of_which_ten_lie_beyond(q: float) -> None:
    count = needed(q)
    assert count - rank_of(q, count) >= FEW
    assert count - 1 - rank_of(q, count - 1) < FEW


def test_a_percentile_of_many_nines_is_no_work() -> None:
    assert needed(0.999_999_999_999_9) > 10**12
