"""Loads in words."""

from __future__ import annotations

import pytest

from swell.load_plan import Closed, Curve, Iterations, Leg, Load, Model, Open, Sessions, Spread, spawned
from swell.report.load_wording import load_text

RAMP = Curve((Leg(120, 0, 2_000), Leg(600, 2_000, 2_000), Leg(30, 2_000, 0)))
AT_MOST = "at most 50 users"
SPIKE = Curve((Leg(60, 0, 500), Leg(60, 1_500, 1_500)))


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (Closed(RAMP), "to 2,000 users over 2 min, 10 min at 2,000 users, to 0 users over 30 s"),
        (Closed(Curve((Leg(0, 0, 5), Leg(60, 5, 5)))), "a jump to 5 users, 1 min at 5 users"),
        (Closed(Curve()), "0 users"),
        (Iterations(20, total=1_000), "1,000 iterations, shared by 20 users"),
        (Iterations(1, each=1, within_s=90), "1 user, 1 iteration each, begun within 1 min 30 s"),
        (Open(SPIKE, 50, users=20, spread=Spread.POISSON),
         "Poisson arrivals: to 500/s over 1 min, a jump to 1,500/s, 1 min at 1,500/s; 20 users ready before the first; "
         + AT_MOST),
        (Open(Curve((Leg(1, 5, 5), Leg(59, 1, 1)), source="access.log"), 50),
         "evenly spaced arrivals: as in access.log, 64 in 1 min; " + AT_MOST),
        (Sessions(Curve((Leg(60, 0.5, 0.5),)), 50, iterations=3),
         "evenly spaced arrivals: a jump to 0.5/s, 1 min at 0.5/s; each a new user for 3 iterations; " + AT_MOST),
        (Sessions(Curve((Leg(60, 2, 2),), endless=True), 50, lives_s=120),
         "evenly spaced arrivals: a jump to 2/s, 1 min at 2/s, and so on; each a new user for 2 min; " + AT_MOST),
    ],
)  # fmt: skip
def test_a_model_is_said_in_a_line(model: Model, text: str) -> None:
    assert load_text(Load(model=model, scenarios=("Visitor",))) == text


def test_users_and_spawn_rate_are_said_as_they_were_asked_for() -> None:
    assert load_text(spawned(20, 2.5, ["Visitor"])) == "20 users, started at 2.5/s"
    assert load_text(spawned(1, 1, ["Visitor"])) == "1 user"


def test_a_late_start_is_said() -> None:
    load = Load(model=Closed(Curve((Leg(10, 3, 3),))), scenarios=("Visitor",), start_s=75)
    assert load_text(load).endswith("; from 1 min 15 s on")


def test_of_many_legs_the_rest_is_counted() -> None:
    legs = tuple(Leg(10, number, number + 1) for number in range(30))
    assert load_text(Load(model=Closed(Curve(legs)), scenarios=())).endswith(", and 22 legs more")
