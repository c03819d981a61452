"""What the loads of a plan mean for its result: each scenario's model, how much was planned, and a plan to be read."""

from __future__ import annotations

import functools

import msgspec

from swell.clock import NS_PER_S
from swell.load.exact import exact
from swell.load.starts import starts_of
from swell.load_plan import Closed, Curve, Iterations, Leg, Load
from swell.plan import RunPlan

MOST_LEGS_SHOWN = 60


def models(plan: RunPlan) -> dict[str, str]:
    """The name of each scenario's model: closed, open, partly_open or iterations."""
    return {name: str(load.model.__struct_config__.tag) for load in plan.loads for name in load.scenarios}


def planned(plan: RunPlan) -> dict[str, int]:
    """How many arrivals or iterations each scenario's load plans in all, where it is alone in it, and anybody knows."""
    return dict(_planned(plan.loads, plan.run_time_s, plan.seed))


@functools.lru_cache(maxsize=4)
def _planned(loads: tuple[Load, ...], run_time_s: float | None, seed: int) -> tuple[tuple[str, int], ...]:
    counts = ((load, _count(load, number, run_time_s, seed)) for number, load in enumerate(loads))
    return tuple((load.scenarios[0], count) for load, count in counts if len(load.scenarios) == 1 and count is not None)


def _count(load: Load, number: int, run_time_s: float | None, seed: int) -> int | None:
    if isinstance(load.model, Iterations):
        return load.model.total if load.model.each is None else load.model.each * load.model.users
    starts = starts_of(load, number, seed)
    if starts is None or run_time_s is None:
        return starts.total if starts is not None else None
    return starts.due_by(int(exact(run_time_s) * NS_PER_S) - 1)


def readable(plan: RunPlan) -> RunPlan:
    """The plan with no more legs than a reader has patience for: the mean rates of thousands, over equal times."""
    if all(isinstance(load.model, Iterations) or _is_short(load.model.curve) for load in plan.loads):
        return plan
    return msgspec.structs.replace(plan, loads=_readable(plan.loads))


@functools.lru_cache(maxsize=4)
def _readable(loads: tuple[Load, ...]) -> tuple[Load, ...]:
    return tuple(
        load
        if isinstance(load.model, Iterations | Closed) or _is_short(load.model.curve)
        else msgspec.structs.replace(load, model=msgspec.structs.replace(load.model, curve=_means(load.model.curve)))
        for load in loads
    )


def _is_short(curve: Curve) -> bool:
    return len(curve.legs) <= MOST_LEGS_SHOWN


def _means(curve: Curve) -> Curve:
    """The curve in few legs, each with as many arrivals as those that it stands for."""
    step_s = curve.duration_s / MOST_LEGS_SHOWN
    areas = [0.0] * MOST_LEGS_SHOWN
    at_s = 0.0
    for leg in curve.legs:
        end_s = at_s + leg.duration_s
        for number in range(int(at_s / step_s), MOST_LEGS_SHOWN):
            from_s, to_s = max(at_s, number * step_s), min(end_s, (number + 1) * step_s)
            if from_s >= to_s:
                break
            middle = leg.begin + (leg.end - leg.begin) * ((from_s + to_s) / 2 - at_s) / leg.duration_s
            areas[number] += middle * (to_s - from_s)
        at_s = end_s
    legs = tuple(Leg(round(step_s, 6), mean, mean) for mean in (round(area / step_s, 6) for area in areas))
    last = (Leg(0.0, curve.legs[-1].end, curve.legs[-1].end),) if curve.endless else ()
    return msgspec.structs.replace(curve, legs=legs + last, legs_in_all=len(curve.legs))
