from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.load.shares import NOTHING, Share, deal, everything
from swell.load.starts import Starts, starts_of
from swell.load_plan import Closed, Curve, Leg, Load, Open, Sessions, Spread, spawned
from tests.load.curves import curves, start_delays
from tests.load.test_exponentials import distance

HELD = Curve((Leg(10, 100, 100),))
spreads = st.sampled_from(Spread)
seeds = st.integers(0, 1_000)


def starts(curve: Curve = HELD, spread: Spread = Spread.EVEN, seed: int = 1, start_s: float = 0.0) -> Starts:
    return Starts(curve, spread, seed, start_s)


def mine(planned: Starts, share: Share, most: int = 3_000) -> dict[int, int]:
    """The arrivals of a share, below number `most`, walked as a worker walks them."""
    found: dict[int, int] = {}
    number = 0
    while (step := planned.next_due(share, number)) is not None and step[0] < most:
        found[step[0]] = step[1]
        number = step[0] + 1
    return found


def test_a_hundred_a_second_for_ten_seconds_are_a_thousand() -> None:
    planned = starts()
    assert planned.total == 1_000
    assert planned.due_ns(999) == 9_990_000_000
    assert planned.due_ns(1_000) is None
    assert planned.due_by(0) == 1
    assert planned.due_by(20 * NS_PER_S) == 1_000


def test_a_late_start_moves_everything() -> None:
    early, late = starts(), starts(start_s=30)
    assert [late.due_ns(number) for number in (0, 500)] == [30 * NS_PER_S, 35 * NS_PER_S]
    assert late.due_by(30 * NS_PER_S - 1) == 0
    assert late.total == early.total


def test_poisson_arrivals_follow_the_curve() -> None:
    planned = starts(Curve((Leg(100, 0, 200), Leg(50, 0, 0), Leg(50, 200, 200))), Spread.POISSON)
    assert planned.total is not None
    assert abs(planned.total - 20_000) < 500
    assert abs(planned.due_by(50 * NS_PER_S) - 2_500) < 200
    assert planned.due_by(100 * NS_PER_S) == planned.due_by(150 * NS_PER_S - 1)


def test_poisson_gaps_at_a_held_rate_are_exponential() -> None:
    planned = starts(Curve((Leg(1, 50, 50),), endless=True), Spread.POISSON, seed=9)
    due = [planned.due_ns(number) or 0 for number in range(10_001)]
    assert distance([50 * (later - earlier) / NS_PER_S for earlier, later in pairwise(due)]) < 0.02


def test_loads_side_by_side_have_poisson_streams_of_their_own() -> None:
    load = Load(model=Open(HELD, max_users=5, spread=Spread.POISSON), scenarios=("A",), start_s=2.0)
    first, second, again = (starts_of(load, number, 7) for number in (0, 1, 0))
    assert first is not None
    assert second is not None
    assert again is not None
    assert first.due_ns(10) == again.due_ns(10) != second.due_ns(10)
    assert (first.due_ns(0) or 0) >= 2 * NS_PER_S


def test_only_models_with_arrivals_have_starts() -> None:
    assert starts_of(spawned(5, 1.0, ["A"]), 0, 1) is None
    assert starts_of(Load(model=Closed(HELD), scenarios=("A",)), 0, 1) is None
    assert starts_of(Load(model=Sessions(HELD, max_users=5, iterations=1), scenarios=("A",)), 0, 1) is not None


def test_a_worker_without_a_share_has_nothing_to_start() -> None:
    assert starts().next_due(NOTHING, 0) is None


@settings(deadline=None, max_examples=50)
@given(curves, spreads, seeds, start_delays)
def test_the_same_arrivals_on_one_two_and_five_workers(curve: Curve, spread: Spread, seed: int, start_s: float) -> None:
    planned = starts(curve, spread, seed, start_s)
    whole = mine(planned, everything())
    for workers in (2, 5):
        parts = [mine(starts(curve, spread, seed, start_s), share) for share in deal(workers)]
        assert sum(map(len, parts)) == len(whole)
        assert {number: due_ns for part in parts for number, due_ns in part.items()} == whole


@settings(deadline=None)
@given(curves, spreads, seeds, start_delays, st.integers(0, 10**6), st.integers(0, 2_000))
def test_due_instants_and_counts_agree_and_never_go_backwards(
    curve: Curve, spread: Spread, seed: int, start_s: float, number: int, step: int
) -> None:
    planned = starts(curve, spread, seed, start_s)
    due_ns, later_ns = planned.due_ns(number), planned.due_ns(number + step)
    if due_ns is None:
        assert planned.total is not None
        assert planned.total <= number
        assert later_ns is None
        return
    assert planned.total is None or planned.total > number
    assert later_ns is None or later_ns >= due_ns
    assert planned.due_by(due_ns - 1) <= number < planned.due_by(due_ns)
