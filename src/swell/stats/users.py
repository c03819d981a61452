"""Users over time: how many there were, second by second, and how many the plan wanted."""

from __future__ import annotations

import functools
from array import array
from collections.abc import Container, Sequence
from itertools import zip_longest

from swell.clock import NS_PER_S
from swell.load.schedule import Schedule
from swell.load_plan import Closed, Load
from swell.plan import Revision, RunPlan
from swell.result import RunResult


def users_per_second(result: RunResult, scenarios: Container[str] | None = None) -> list[int]:
    """The most users of all scenarios, or of some, that were there in each second, from 0 on."""
    chosen = (scenario for scenario in result.scenarios if scenarios is None or scenario.name in scenarios)
    each = [array("I", scenario.users) for scenario in chosen]
    return [sum(users) for users in zip_longest(*each, fillvalue=0)]


def users_now(result: RunResult) -> int:
    """Users as the workers reported last."""
    return sum(scenario.users_now for scenario in result.scenarios)


def planned_users(plan: RunPlan, revisions: Sequence[Revision], at_s: float) -> int:
    """How many users the closed loads of the plan, with its revisions, want at `at_s`."""
    return sum(schedule.users_at(round(at_s * NS_PER_S)) for schedule in _schedules(plan.loads, tuple(revisions)))


@functools.lru_cache(maxsize=4)
def _schedules(loads: tuple[Load, ...], revisions: tuple[Revision, ...]) -> tuple[Schedule, ...]:
    return tuple(
        Schedule([change for change in revisions if change.load == number], load.model.curve, load.start_s)
        for number, load in enumerate(loads)
        if isinstance(load.model, Closed)
    )
