import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.load.exact import exact
from swell.load.integral import Integral
from swell.load_plan import Curve, Leg
from tests.load.curves import area, curves, end_ns, start_delays

DAY_NS = 86_400 * NS_PER_S


def integral(*legs: tuple[float, float, float], endless: bool = False) -> Integral:
    return Integral(Curve(tuple(Leg(*leg) for leg in legs), endless=endless))


@pytest.mark.parametrize(
    "legs",
    [
        [(10, 100, 100)],
        [(3, 100, 100), (7, 100, 100)],
        [(1 / 3, 0, 0), (5, 0, 400)],
        [(0.1, 100, 100)] * 100,
        [(10, 200, 0)],
        [(120, 500 / 60, 500 / 60)],
        [(1 / 3, 700, 700), (1 / 3, 2300, 2300)],
        [(2, 0, 100), (2, 300, 0), (0, 900, 900), (6, 100, 100)],
    ],
)
def test_a_thousand_arrivals_are_exactly_a_thousand(legs: list[tuple[float, float, float]]) -> None:
    assert integral(*legs).end == 1_000


def test_a_held_rate_spaces_arrivals_evenly() -> None:
    held = integral((10, 100, 100))
    assert [held.ns_of(number) for number in (0, 1, 999)] == [0, 10_000_000, 9_990_000_000]


def test_a_ramp_brings_its_arrivals_by_the_square_of_time() -> None:
    ramp = integral((10, 0, 20))
    assert [ramp.ns_of(number) / NS_PER_S for number in (0, 1, 4, 9, 81)] == [0, 1, 2, 3, 9]
    assert [ramp.by(second * NS_PER_S) for second in range(11)] == [1, 2, 5, 10, 17, 26, 37, 50, 65, 82, 100]


def test_a_ramp_down_is_the_mirror_of_a_ramp_up() -> None:
    up, down = integral((10, 0, 20)), integral((10, 20, 0))
    for number in range(1, 100):
        assert abs(up.ns_of(number) + down.ns_of(100 - number) - 10 * NS_PER_S) <= 1


def test_nothing_arrives_where_the_rate_is_nothing() -> None:
    paused = integral((1, 2, 2), (5, 0, 0), (1, 2, 2))
    assert [paused.ns_of(number) / NS_PER_S for number in range(4)] == [0, 0.5, 6, 6.5]
    assert integral((5, 0, 0), endless=True).end == 0
    assert integral().end == 0


def test_it_does_not_drift_over_thousands_of_millions() -> None:
    endless = integral((1, 3, 3), endless=True)
    assert endless.end is None
    assert endless.ns_of(3 * 10**9) == 10**9 * NS_PER_S
    assert endless.by(10**9 * NS_PER_S) == 3 * 10**9 + 1


def test_a_tenth_is_a_tenth() -> None:
    assert integral((10, 0.1, 0.1)).end == 1
    assert integral((0.3, 10, 10), (0.6, 10, 10), (0.1, 10, 10)).end == 10


@pytest.mark.parametrize("number", [-1.0, math.inf, math.nan])
def test_what_is_no_rate_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        integral((1, 0, number))


@given(curves, start_delays, st.floats(0, 1))
def test_an_arrival_is_due_where_the_integral_passes_it(curve: Curve, start_s: float, place: float) -> None:
    found = Integral(curve, start_s)
    last = 10**12 if found.end is None else found.end - 1
    for number in {0, 1, int(last * place), last}:
        if 0 <= number <= last:
            due_ns = found.ns_of(number)
            assert area(curve, start_s, due_ns) <= number < area(curve, start_s, due_ns + 1)


@given(curves, start_delays, st.integers(0, DAY_NS), st.integers(1, 1_000))
def test_those_due_by_an_instant_are_those_below_the_integral_just_after(
    curve: Curve, start_s: float, now_ns: int, parts: int
) -> None:
    assert Integral(curve, start_s, parts).by(now_ns) == math.ceil(area(curve, start_s, now_ns + 1) * parts)


@given(curves, start_delays)
def test_all_that_there_are_come_before_the_end(curve: Curve, start_s: float) -> None:
    found = Integral(curve, start_s)
    if found.end is None:
        return
    assert found.end == math.ceil(area(curve, start_s, end_ns(curve, start_s)))
    assert found.by(end_ns(curve, start_s)) == found.end
    assert not found.end or found.ns_of(found.end - 1) < end_ns(curve, start_s)


@given(curves, start_delays, st.lists(st.integers(0, 10**10), min_size=2, max_size=20))
def test_no_curve_goes_backwards(curve: Curve, start_s: float, numbers: list[int]) -> None:
    found = Integral(curve, start_s)
    due = [found.ns_of(number) for number in sorted(numbers) if found.end is None or number < found.end]
    assert due == sorted(due)
    assert not due or due[0] >= exact(start_s) * NS_PER_S - 1
