import math
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from swell.load.exponentials import BLOCKS, GAPS, PARTS, Exponentials, gamma

CHAPTER = BLOCKS * GAPS
seeds = st.integers(0, 2**64 - 1)


def distance(gaps: list[float]) -> float:
    """Kolmogorov and Smirnov's, from the unit exponential."""
    reached = [1 - math.exp(-gap) for gap in sorted(gaps)]
    count = len(gaps)
    return max(max((at + 1) / count - share, share - at / count) for at, share in enumerate(reached))


def gaps_of(sums: list[int]) -> list[float]:
    return [(later - earlier) / PARTS for earlier, later in pairwise([0, *sums])]


def test_gaps_are_exponential() -> None:
    stream = Exponentials(3)
    assert distance(gaps_of([stream.sum_to(number) for number in range(10_000)])) < 0.02


def test_gaps_around_the_edges_of_blocks_and_chapters_are_no_others() -> None:
    first, edges = Exponentials(5), range(GAPS, 3_000 * GAPS, GAPS)
    assert distance([(first.sum_to(edge) - first.sum_to(edge - 1)) / PARTS for edge in edges]) < 0.03


def test_numbers_of_arrivals_are_spread_as_poisson_says() -> None:
    stream = Exponentials(8)
    counts = [stream.below((second + 1) * 20 * PARTS) - stream.below(second * 20 * PARTS) for second in range(5_000)]
    mean = sum(counts) / len(counts)
    variance = sum((count - mean) ** 2 for count in counts) / len(counts)
    assert abs(mean - 20) < 0.3
    assert 0.93 < variance / mean < 1.07


def test_gaps_do_not_follow_from_those_before() -> None:
    stream = Exponentials(13)
    gaps = gaps_of([stream.sum_to(number) for number in range(2_000)])
    for lag in (1, 2, 10, GAPS):
        pairs = list(zip(gaps, gaps[lag:], strict=False))
        assert abs(sum((one - 1) * (other - 1) for one, other in pairs) / len(pairs)) < 0.1


def test_a_gamma_variate_has_its_mean_and_variance() -> None:
    random = Random(1)
    for shape in (1.0, 3.0, 1_000.0):
        found = [gamma(random, shape) for _ in range(5_000)]
        mean = sum(found) / len(found)
        assert abs(mean - shape) < 4 * math.sqrt(shape / len(found))
        assert 0.9 < sum((each - mean) ** 2 for each in found) / len(found) / shape < 1.1


def test_it_is_the_same_from_any_place() -> None:
    walked, jumped = Exponentials(21), Exponentials(21)
    sums = [walked.sum_to(number) for number in range(5_000)]
    assert [jumped.sum_to(number) for number in reversed(range(5_000))] == sums[::-1]
    assert sums == sorted(sums)


def test_a_far_place_costs_no_walk() -> None:
    far = Exponentials(34).sum_to(10**9)
    assert abs(far / PARTS / 10**9 - 1) < 0.001


@settings(deadline=None, max_examples=40)
@given(seeds, st.integers(0, 3 * CHAPTER), st.integers(-1, 1))
def test_counting_is_the_inverse_of_summing(seed: int, number: int, near: int) -> None:
    stream = Exponentials(seed)
    limit = stream.sum_to(number) + near
    below = stream.below(limit)
    assert stream.sum_to(below) >= limit
    assert not below or stream.sum_to(below - 1) < limit


@settings(deadline=None, max_examples=30)
@given(seeds, st.sampled_from([GAPS, 7 * GAPS, CHAPTER, 2 * CHAPTER]))
def test_sums_rise_across_edges(seed: int, edge: int) -> None:
    stream = Exponentials(seed)
    sums = [stream.sum_to(number) for number in range(edge - 3, edge + 3)]
    assert sums == sorted(sums)
    assert stream.below(0) == 0
