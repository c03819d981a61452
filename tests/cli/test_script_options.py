"""What a script finds as the options of the command line."""

from __future__ import annotations

import msgspec

from swell.cli.script_options import parsed_options
from swell.load_plan import Closed, Curve, Load
from swell.plan import RunPlan, ShapeOptions
from tests.plans import plan_with

PLAN = plan_with(40, 2.5, run_time_s=60.0, tags=("read",))
OF_SHAPE = msgspec.structs.replace(
    PLAN, shape="Steps", loads=(Load(model=Closed(Curve(endless=True)), scenarios=("Reader",)),)
)


def found(plan: RunPlan) -> tuple[object, ...]:
    options = parsed_options(plan)
    assert options.users == options.num_users
    assert options.tags == ["read"]
    return options.users, options.spawn_rate, options.run_time


def test_they_are_what_the_load_has_come_to() -> None:
    assert found(PLAN) == (40, 2.5, 60.0)


def test_users_that_a_shape_asks_for_are_not_known_before() -> None:
    assert found(OF_SHAPE) == (None, None, 60.0)


def test_a_shape_that_uses_them_finds_them_as_they_were_given() -> None:
    plan = msgspec.structs.replace(OF_SHAPE, run_time_s=None, shape_options=ShapeOptions(7, None, 90.0))
    assert found(plan) == (7, None, 90.0)
