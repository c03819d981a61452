"""Users over time: how many there were, second by second, and how many the plan wanted."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from swell.plan import Revision, RunPlan
from swell.result import RunResult


def users_per_second(result: RunResult) -> list[int]:
    """The most users of all scenarios that were there in each second, from 0 on."""
    each = [array("I", scenario.users) for scenario in result.scenarios]
    return [sum(users) for users in zip_longest(*each, fillvalue=0)]


def users_now(result: RunResult) -> int:
    """Users as the workers reported last."""
    return sum(scenario.users_now for scenario in result.scenarios)


def planned_users(plan: RunPlan, revisions: Iterable[Revision], at_s: float) -> int:
    """How many users the plan and its revisions want at `at_s`: each goes from where the one before had got to its
    own number, one by one at its rate."""
    users = 0.0
    steps = [Revision(0, 0.0, plan.users, plan.spawn_rate_per_s), *(step for step in revisions if step.number > 0)]
    for step, end_s in zip(steps, _ends_s(steps, at_s), strict=True):
        if step.at_s <= at_s:
            users = _towards(users, step, min(end_s, at_s) - step.at_s)
    return int(users + 1e-9)


def _ends_s(steps: Sequence[Revision], at_s: float) -> list[float]:
    return [*(step.at_s for step in steps[1:]), at_s]


def _towards(users: float, step: Revision, for_s: float) -> float:
    change = step.rate_per_s * max(for_s, 0.0)
    return min(users + change, step.users) if step.users >= users else max(users - change, step.users)
