from fractions import Fraction
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.load.interleave import Interleave, interleaved, reduced

weights_lists = st.lists(st.integers(0, 40), min_size=1, max_size=8).filter(any)


def furthest_off(weights: list[float], dealt: list[int]) -> Fraction:
    """The slow oracle: the furthest that any claimant is from its due, after any place."""
    whole = reduced(weights)
    held = [0] * len(whole)
    furthest = Fraction(0)
    for place, winner in enumerate(dealt, 1):
        held[winner] += 1
        for weight, has in zip(whole, held, strict=True):
            furthest = max(furthest, abs(Fraction(weight * place, sum(whole)) - has))
    return furthest


@given(weights_lists, st.integers(1, 300))
def test_every_prefix_is_shared_out_by_weight_to_within_one_place(weights: list[float], places: int) -> None:
    claimants = sum(weight > 0 for weight in weights)
    bound = 1 - Fraction(1, max(2 * claimants - 2, 1))
    assert furthest_off(weights, list(islice(interleaved(weights), places))) <= bound


@given(weights_lists, st.randoms(use_true_random=False))
def test_no_tie_break_can_make_it_worse(weights: list[float], random: object) -> None:
    order = interleaved(weights, tie_break=lambda held, who: hash((held, who, random)))
    assert furthest_off(weights, list(islice(order, 200))) < 1


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=5))
def test_fractional_weights_count_too(weights: list[float]) -> None:
    assert furthest_off(weights, list(islice(interleaved(weights), 100))) < 1


@given(weights_lists, st.integers(0, 2_000))
def test_one_period_stands_for_all(weights: list[float], place: int) -> None:
    assert Interleave(weights)[place] == next(islice(interleaved(weights), place, None))


def test_a_large_claimant_does_not_push_many_small_ones_back() -> None:
    dealt = list(islice(interleaved([100] + [1] * 100), 100))
    assert dealt.count(0) == 50


def test_weights_are_taken_as_they_are_written() -> None:
    assert reduced([0.1, 0.3, 1]) == (1, 3, 10)
    assert reduced([2, 4, 0]) == (1, 2, 0)


@pytest.mark.parametrize("weights", [[0.0], [], [1.0, -1.0]])
def test_weights_that_share_out_nothing_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        next(interleaved(weights))
