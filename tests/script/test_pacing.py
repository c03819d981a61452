"""The due moments of a paced user, against a slow and obvious way to find them."""

from hypothesis import given
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.script.pacing import MOST_ARREARS_NS, Pace


@given(st.integers(1, 20 * NS_PER_S), st.lists(st.integers(0, 60 * NS_PER_S), max_size=60))
def test_each_due_moment_is_the_next_multiple_that_is_not_over_ten_seconds_past(
    period_ns: int, took: list[int]
) -> None:
    pace, free_ns, last, missed = Pace(period_ns, 500), 500, 0, 0
    for took_ns in took:
        free_ns = max(free_ns, 500 + last * period_ns) + took_ns
        oldest_ns = free_ns - MOST_ARREARS_NS
        last, before = max(last + 1, -(-(oldest_ns - 500) // period_ns)), last
        missed += last - before - 1
        assert pace.next_ns(free_ns) == 500 + last * period_ns
    assert pace.take_missed() == missed
    assert pace.take_missed() == 0


def test_a_period_of_nothing_is_due_at_once() -> None:
    pace = Pace(0, 500)
    assert [pace.next_ns(free_ns) for free_ns in (500, 700, 90 * NS_PER_S)] == [500, 700, 90 * NS_PER_S]
    assert pace.take_missed() == 0


def test_it_shows_its_state() -> None:
    assert repr(Pace(NS_PER_S // 4, 3 * NS_PER_S)) == "<Pace of 0.25 s, due at 3.000000 s, 0 missed>"
