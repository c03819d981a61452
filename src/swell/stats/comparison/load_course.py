"""What a plan says of how its load changes: whether there is a steady part, and where it ends."""

from __future__ import annotations

from collections.abc import Iterator

from swell.load_plan import Iterations, Load
from swell.plan import RunPlan


def varies(plan: RunPlan) -> bool:
    """Whether the load is meant to change more than once on its way: up at the begin, down at the end."""
    changes = [list(_changes(load)) for load in plan.loads]
    starts = {load.start_s for load in plan.loads}
    return len(starts) > 1 or any(
        len(found) > 1 + _goes_down(load) for load, found in zip(plan.loads, changes, strict=True)
    )


def cool_down_s(plan: RunPlan) -> float | None:
    """When the load goes down for the last time, in seconds of the run; None if it stays."""
    return min(
        (
            load.start_s + load.model.curve.duration_s - load.model.curve.legs[-1].duration_s
            for load in plan.loads
            if not isinstance(load.model, Iterations) and _goes_down(load)
        ),
        default=None,
    )


def _goes_down(load: Load) -> bool:
    if isinstance(load.model, Iterations) or load.model.curve.endless or not load.model.curve.legs:
        return False
    last = load.model.curve.legs[-1]
    return last.end < last.begin and len(load.model.curve.legs) > 1


def _changes(load: Load) -> Iterator[float]:
    """The levels that the load goes to, one after the other."""
    if isinstance(load.model, Iterations):
        return
    level = 0.0
    for leg in load.model.curve.legs:
        for to in (leg.begin, leg.end):
            if to != level:
                level = to
                yield level
