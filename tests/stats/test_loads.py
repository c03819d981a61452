"""What a plan's loads mean for its result."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.load_plan import Closed, Curve, Iterations, Leg, Load, Model, Open, Sessions, Spread
from swell.plan import RunPlan, Scenario
from swell.stats.loads import MOST_LEGS_SHOWN, models, planned, readable

HELD = Curve((Leg(10, 100, 100),))
ENDLESS = Curve((Leg(0, 5, 5),), endless=True)


def plan(*made: Model, run_time_s: float | None = None, scenarios: tuple[str, ...] = ()) -> RunPlan:
    """A plan of these models, each for a class of its own: A, B, ..."""
    loads = tuple(Load(model=model, scenarios=scenarios or (name,)) for name, model in zip("ABCD", made, strict=False))
    names = tuple(Scenario(name) for load in loads for name in load.scenarios)
    return RunPlan(script="s.py", scenarios=names, loads=loads, run_time_s=run_time_s)


def test_each_scenario_has_the_name_of_its_model() -> None:
    found = models(plan(Closed(HELD), Open(HELD, 5), Sessions(HELD, 5, iterations=1), Iterations(5, each=1)))
    assert found == {"A": "closed", "B": "open", "C": "partly_open", "D": "iterations"}
    assert models(plan(Open(HELD, 5), scenarios=("A", "B"))) == {"A": "open", "B": "open"}


@pytest.mark.parametrize(
    ("model", "run_time_s", "count"),
    [
        (Open(HELD, 5), None, 1_000),
        (Open(HELD, 5), 2.5, 250),
        (Open(ENDLESS, 5), None, None),
        (Open(ENDLESS, 5), 60, 300),
        (Sessions(HELD, 5, iterations=1), 60, 1_000),
        (Iterations(5, total=70), None, 70),
        (Iterations(5, each=70), None, 350),
        (Closed(HELD), 60, None),
    ],
)
def test_what_is_planned_is_known_of_arrivals_and_iterations(
    model: Model, run_time_s: float | None, count: int | None
) -> None:
    assert planned(plan(model, run_time_s=run_time_s)).get("A") == count


def test_poisson_arrivals_are_counted_by_the_seed() -> None:
    count = planned(plan(Open(HELD, 5, spread=Spread.POISSON)))["A"]
    assert count != 1_000
    assert abs(count - 1_000) < 150


def test_nothing_is_known_of_a_share_of_a_load() -> None:
    assert planned(plan(Open(HELD, 5), scenarios=("A", "B"))) == {}


def test_a_short_plan_is_shown_as_it_is() -> None:
    short = plan(Open(HELD, 5), Closed(Curve((Leg(1, 1, 1),) * 1_000)))
    assert readable(short) == short


rates = st.floats(0, 100)


@given(st.lists(st.tuples(st.floats(0.1, 10), rates, rates), min_size=MOST_LEGS_SHOWN + 1, max_size=200), st.booleans())
def test_a_long_curve_is_shown_in_few_legs_with_as_many_arrivals(
    rows: list[tuple[float, float, float]], endless: bool
) -> None:
    curve = Curve(tuple(Leg(*row) for row in rows), endless)
    (load,) = readable(plan(Open(curve, 5))).loads
    assert isinstance(load.model, Open)
    shown = load.model.curve
    assert len(shown.legs) == MOST_LEGS_SHOWN + endless
    assert shown.legs_in_all == len(rows)
    assert shown.duration_s == pytest.approx(curve.duration_s, rel=1e-4)
    area, expected = (sum((leg.begin + leg.end) / 2 * leg.duration_s for leg in each.legs) for each in (shown, curve))
    assert area == pytest.approx(expected, rel=1e-3, abs=1e-2)
    assert shown.legs[-1].end == curve.legs[-1].end if endless else True
