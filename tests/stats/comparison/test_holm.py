"""Holm's levels against the procedure as it is told: the least p first, until one is too great."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from swell.stats.comparison.holm import levels

ps_lists = st.lists(st.floats(0, 1), max_size=12)


def rejected(ps: list[float], level: float) -> set[int]:
    """Which are differences, found one at a time."""
    left, found = dict(enumerate(ps)), set()
    while left:
        least = min(left, key=lambda index: left[index])
        if left[least] > level / len(left):
            break
        found.add(least)
        del left[least]
    return found


@given(ps_lists)
def test_a_p_at_or_below_its_level_is_a_difference_and_no_other(ps: list[float]) -> None:
    found = levels(ps, 0.02)
    assert {index for index, p in enumerate(ps) if p <= found[index]} == rejected(ps, 0.02)


@given(ps_lists)
def test_no_level_is_below_bonferroni_s_or_above_the_whole(ps: list[float]) -> None:
    assert all(0.02 / len(ps) <= one <= 0.02 for one in levels(ps, 0.02))


def test_a_level_grows_with_each_difference_and_then_stays() -> None:
    assert levels([0.5, 0.001, 0.009, 0.7], 0.02) == [0.02 / 3, 0.02 / 4, 0.02 / 3, 0.02 / 3]


def test_nothing_has_no_levels() -> None:
    assert levels([], 0.02) == []
