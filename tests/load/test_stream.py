import itertools
import random

from swell.load.stream import seed_of


def test_a_seed_depends_on_the_run_and_the_number_only() -> None:
    assert [seed_of(1, 0), seed_of(1, 1), seed_of(2, 0)] == [seed_of(1, 0), seed_of(1, 1), seed_of(2, 0)]
    assert len({seed_of(run, number) for run in range(100) for number in range(100)}) == 10_000


def test_neighbouring_users_have_nothing_in_common() -> None:
    firsts = [random.Random(seed_of(7, number)).random() for number in range(4_000)]
    pairs = itertools.pairwise(firsts)
    assert 0.48 < sum(firsts) / len(firsts) < 0.52
    assert abs(sum((one - 0.5) * (two - 0.5) for one, two in pairs) / len(firsts)) < 0.01


def test_any_integer_is_a_seed() -> None:
    assert all(0 <= seed_of(seed, 3) < 2**64 for seed in (-1, 0, 2**80))
