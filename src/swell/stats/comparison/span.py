"""Which seconds of two runs are compared: those that both have, from where both are steady."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from swell.result import RunResult
from swell.stats.comparison.cells import Grid, course
from swell.stats.comparison.document import Span
from swell.stats.comparison.load_course import cool_down_s, varies
from swell.stats.comparison.warm_up import warm_up

MOST_CELLS = 600
METHOD = "MSER-5"


def choose(base: RunResult, run: RunResult) -> tuple[Grid, Span]:
    """The cells to be compared, and what is to be said of them."""
    ends_s = [int(base.duration_s), int(run.duration_s)]
    falls_s = [fall_s for result in (base, run) if (fall_s := cool_down_s(result.plan)) is not None]
    end_s = min(*ends_s, *map(int, falls_s))
    width_s = max(block.to_s - block.from_s for result in (base, run) for block in result.blocks)
    step_s = width_s * max(math.ceil(end_s / (width_s * MOST_CELLS)), 1)
    whole = Grid(0, end_s // step_s * step_s, step_s)
    warm_up_s, method = _warm_up(base, run, whole)
    grid = Grid(warm_up_s, whole.to_s, step_s)
    left_out = tuple(_left_out(ends_s, end_s, min(falls_s, default=None)))
    return grid, Span(
        from_s=grid.from_s, to_s=grid.to_s, step_s=step_s, warm_up_s=warm_up_s, warm_up=method, left_out=left_out
    )


def _warm_up(base: RunResult, run: RunResult, grid: Grid) -> tuple[int, str]:
    if varies(base.plan) or varies(run.plan):
        return 0, "none left out: the load is meant to change all the time"
    found = [
        warm_up(signal)
        for result in (base, run)
        for seen in [course(result, grid)]
        for signal in (seen.calls, seen.log_means)
    ]
    longest = max((cells for cells in found if cells is not None), default=0)
    if longest:
        return longest * grid.step_s, f"found by {METHOD} in throughput and response times"
    if None in found:
        return 0, f"none left out: {METHOD} finds no steady part in the first half"
    return 0, f"none found by {METHOD} in throughput and response times"


def _left_out(ends_s: Sequence[int], end_s: int, fall_s: float | None) -> Iterator[str]:
    if fall_s is not None and int(fall_s) == end_s:
        yield f"what follows {end_s} s, when the load goes down"
        return
    for which, own_s in zip(("base", "run"), ends_s, strict=True):
        if own_s > end_s:
            yield f"the last {own_s - end_s} s of {which}, which the other does not have"
