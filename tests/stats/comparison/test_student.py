"""Student's distribution against tables, closed forms and its own density."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.stats.comparison.student import critical_t, incomplete_beta, two_sided_p

TABLE = {(0.05, 1): 12.706, (0.05, 2): 4.303, (0.05, 10): 2.228, (0.02, 30): 2.457, (0.01, 5): 4.032, (0.002, 9): 4.297}
"""Any textbook's table of two-sided critical values."""


@pytest.mark.parametrize(("p", "df"), TABLE)
def test_critical_values_are_those_of_the_tables(p: float, df: int) -> None:
    assert critical_t(p, df) == pytest.approx(TABLE[p, df], abs=6e-4)


def test_one_and_two_degrees_have_closed_forms() -> None:
    for t in (0.0, 0.1, 1.0, 7.0, 500.0):
        assert two_sided_p(t, 1) == pytest.approx(1 - 2 / math.pi * math.atan(t), rel=1e-9)
        assert two_sided_p(t, 2) == pytest.approx(1 - t / math.sqrt(2 + t * t), rel=1e-6)


def test_with_no_end_of_degrees_it_is_the_normal_distribution() -> None:
    assert two_sided_p(1.959964, math.inf) == pytest.approx(0.05, rel=1e-6)
    assert two_sided_p(3.0, 1e7) == pytest.approx(two_sided_p(3.0, math.inf), rel=1e-4)
    assert two_sided_p(math.inf, 3) == 0.0


@given(st.floats(0, 50), st.floats(0.5, 200))
def test_it_is_the_integral_of_its_density(t: float, df: float) -> None:
    angles = np.linspace(0, math.atan(t / math.sqrt(df)), 4_001)
    density = np.cos(angles) ** (df - 1)
    total = math.exp(math.lgamma(df / 2) - math.lgamma((df + 1) / 2)) * math.sqrt(math.pi) / 2
    inside = float(np.trapezoid(density, angles)) / total
    assert two_sided_p(t, df) == pytest.approx(1 - inside, abs=2e-3)


@given(st.floats(1e-6, 0.999), st.floats(1, 1e4))
def test_a_critical_value_has_its_probability(p: float, df: float) -> None:
    t = critical_t(p, df)
    assert two_sided_p(t, df) == pytest.approx(p, rel=1e-3) or t > 1e4


@given(st.floats(0.5, 50), st.floats(0.5, 50), st.floats(0.001, 0.999))
def test_the_two_halves_of_a_beta_distribution_are_one(a: float, b: float, x: float) -> None:
    assert incomplete_beta(a, b, x) + incomplete_beta(b, a, 1 - x) == pytest.approx(1, abs=1e-9)
