"""Curves for tests, and their integral by the definition: slow, and obvious."""

from fractions import Fraction

from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.load.exact import exact
from swell.load_plan import Curve, Leg

durations = st.sampled_from([0.0, 1e-9, 0.001, 0.1, 1.0, 3.3, 60.0]) | st.floats(0, 1_000)
rates = st.sampled_from([0.0, 1e-9, 0.1, 0.5, 1.0, 3.0, 7.3, 999.9, 1e6]) | st.floats(0, 2_000)
legs = st.builds(Leg, durations, rates, rates)
joined = st.lists(st.tuples(durations, rates), max_size=5).map(
    lambda rows: tuple(
        Leg(duration, rows[number - 1][1] if number else 0.0, rate) for number, (duration, rate) in enumerate(rows)
    )
)
curves = st.builds(Curve, st.lists(legs, max_size=5).map(tuple) | joined, st.booleans())
start_delays = st.sampled_from([0.0, 0.1, 30.0]) | st.floats(0, 100)


def area(curve: Curve, start_s: float, ns: int) -> Fraction:
    """How many have arrived by an instant of the run, exactly."""
    left_s = Fraction(ns, NS_PER_S) - exact(start_s)
    found = Fraction(0)
    for leg in curve.legs:
        duration_s, begin, end = (exact(number) for number in (leg.duration_s, leg.begin, leg.end))
        past_s = min(max(left_s, Fraction(0)), duration_s)
        rate = begin + (end - begin) * past_s / duration_s if duration_s else begin
        found += (begin + rate) / 2 * past_s
        left_s -= duration_s
    if curve.endless and curve.legs:
        found += max(left_s, Fraction(0)) * exact(curve.legs[-1].end)
    return found


def end_ns(curve: Curve, start_s: float) -> int:
    """A whole nanosecond at which the legs are over."""
    seconds = exact(start_s) + sum(exact(leg.duration_s) for leg in curve.legs)
    return -(-seconds * NS_PER_S // 1)
