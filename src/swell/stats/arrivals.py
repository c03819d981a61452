"""What became of the arrivals of open and partly open loads: planned = started + dropped + not started, always.

Started are those that a user took up; dropped those for which there could be no user any more. What is left is the
generator's own fault: nobody was there to start them, because a worker had died or stood still. What a worker did since
its last report before it was killed is not known, and so among them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TypeGuard

from swell.clock import NS_PER_S
from swell.document import ArrivalSummary
from swell.load.exact import exact
from swell.load.starts import Starts, starts_of
from swell.load_plan import Curve, Load, Model, Open, Sessions
from swell.plan import RunPlan
from swell.result import RunResult


def arrivals(result: RunResult) -> tuple[ArrivalSummary, ...]:
    """The account of each load of arrivals, as far as all workers have reported."""
    return tuple(_account(result, number, load) for number, load in _loads(result.plan))


def planned_rate_per_s(plan: RunPlan, at_s: float) -> float:
    """How many arrivals per second the plan wants at `at_s`, of all loads together."""
    return sum(_level(load.model.curve, at_s - load.start_s) for load in plan.loads if _arrives(load.model))


def _account(result: RunResult, number: int, load: Load) -> ArrivalSummary:
    totals = [scenario for scenario in result.scenarios if scenario.name in load.scenarios]
    started, dropped = sum(total.arrived for total in totals), sum(total.dropped for total in totals)
    until_s = result.duration_s if result.end is not None else min(result.settled_s, result.duration_s)
    planned = _starts(load, number, result.plan.seed).due_by(int(exact(until_s) * NS_PER_S) - 1)
    not_started = max(planned - started - dropped, 0)
    return ArrivalSummary(
        scenarios=load.scenarios,
        planned=started + dropped + not_started,
        started=started,
        dropped=dropped,
        not_started=not_started,
    )


def _loads(plan: RunPlan) -> Iterator[tuple[int, Load]]:
    return ((number, load) for number, load in enumerate(plan.loads) if _arrives(load.model))


def _arrives(model: Model) -> TypeGuard[Open | Sessions]:
    return isinstance(model, Open | Sessions)


@functools.lru_cache(maxsize=16)
def _starts(load: Load, number: int, seed: int) -> Starts:
    starts = starts_of(load, number, seed)
    assert starts is not None
    return starts


def _level(curve: Curve, at_s: float) -> float:
    """The level of a curve, so long after it began."""
    if at_s < 0:
        return 0.0
    for leg in curve.legs:
        if at_s < leg.duration_s:
            return leg.begin + (leg.end - leg.begin) * at_s / leg.duration_s
        at_s -= leg.duration_s
    return curve.legs[-1].end if curve.endless and curve.legs else 0.0
