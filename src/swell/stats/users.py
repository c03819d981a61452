"""Users over time: how many there were, second by second, and how many the plan wanted."""

from __future__ import annotations

from array import array
from collections.abc import Container, Iterator, Sequence
from itertools import zip_longest

from swell.clock import NS_PER_S
from swell.load.schedule import Schedule
from swell.load_plan import Closed, Curve, Load
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
    return next(planned_over(plan, revisions, [at_s]))


def planned_over(plan: RunPlan, revisions: Sequence[Revision], instants_s: Sequence[float]) -> Iterator[int]:
    """The same at instants in ascending order: each revision is looked at once."""
    instants = [round(at_s * NS_PER_S) for at_s in instants_s]
    each = [
        _wanted([revision for revision in revisions if revision.load == number], load, load.model.curve, instants)
        for number, load in enumerate(plan.loads)
        if isinstance(load.model, Closed)
    ]
    return map(sum, zip(*each, strict=True)) if each else iter([0] * len(instants))


def _wanted(revisions: Sequence[Revision], load: Load, curve: Curve, instants: Sequence[int]) -> Iterator[int]:
    """The users that one load wants at each instant."""
    schedule, taken = Schedule((), curve, load.start_s), 0
    for now_ns in instants:
        before = taken
        while taken < len(revisions) and round(revisions[taken].at_s * NS_PER_S) <= now_ns:
            taken += 1
        if taken != before:
            schedule = _schedule(revisions[:taken], curve, load.start_s)
        yield schedule.users_at(now_ns)


def _schedule(revisions: Sequence[Revision], curve: Curve, start_s: float) -> Schedule:
    """What holds from the last of the revisions on: alone, if it says what it found."""
    last = revisions[-1]
    return Schedule([last]) if last.from_users is not None else Schedule(revisions, curve, start_s)
