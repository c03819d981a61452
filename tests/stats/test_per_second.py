"""Numbers second by second, in minutes."""

from array import array
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from swell.stats.per_second import PerSecond

STEPS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 5), st.booleans()), max_size=40)


@given(STEPS)
def test_pairs_are_what_was_added_however_often_they_are_asked_for(steps: list[tuple[int, int, bool]]) -> None:
    numbers, plain = PerSecond(), Counter[int]()
    for second, amount, asked in steps:
        numbers.add(second, amount)
        plain[second] += amount
        if asked:
            numbers.pairs()
    found = array("Q", numbers.pairs())
    assert list(zip(found[::2], found[1::2], strict=True)) == sorted((+plain).items()) == list(numbers.items())


def test_pairs_of_long_ago_are_forgotten_with_their_minutes() -> None:
    numbers = PerSecond()
    for minute in range(7):
        numbers.add(minute * 60, minute + 1)
        numbers.pairs()
    numbers.keep_latest(3)
    assert list(array("Q", numbers.pairs())) == [240, 5, 300, 6, 360, 7]
