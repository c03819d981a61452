"""A user's own stream of random numbers."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from swell.script.draws import Draws, stable_hash


def test_a_hash_is_the_same_in_every_process() -> None:
    assert stable_hash(1, 2, "draws") == 352233261476638866
    assert len({stable_hash(seed, number, "x") for seed in range(100) for number in range(100)}) == 10_000


@given(st.integers(0, 2**64), st.integers(0, 2**40))
def test_draws_are_in_the_unit_interval_and_repeatable(seed: int, number: int) -> None:
    first, second = Draws(seed, number), Draws(seed, number)
    drawn = [first.next() for _ in range(50)]
    assert drawn == [second.next() for _ in range(50)]
    assert all(0 <= value < 1 for value in drawn)


def test_draws_fill_a_hundred_squares_of_consecutive_pairs_evenly() -> None:
    draws = Draws(3, 4)
    counts = [0] * 100
    drawn = [draws.next() for _ in range(100_001)]
    for before, after in pairwise(drawn):
        counts[int(before * 10) * 10 + int(after * 10)] += 1
    assert sum((count - 1_000) ** 2 / 1_000 for count in counts) < 160  # chi-squared, 99 degrees: p < 1e-4 beyond


def test_the_streams_of_neighbouring_users_are_not_correlated() -> None:
    streams = [[draws.next() for _ in range(2_000)] for draws in (Draws(1, number) for number in range(20))]
    for left, right in pairwise(streams):
        mean_product = sum((a - 0.5) * (b - 0.5) for a, b in zip(left, right, strict=True)) / len(left)
        assert abs(mean_product) < 5 / 12 / len(left) ** 0.5


def test_it_shows_its_state() -> None:
    assert repr(Draws(0, 0)) == f"<Draws at {stable_hash(0, 0, 'draws'):#018x}>"
