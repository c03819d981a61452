"""Two runs side by side, with a verdict on each thing: throughput, failures, p50, p95 and p99 of every series.

    span      the seconds that both runs have, without warm-up, cool-down and drain      warm_up, load_course
    cells     per second and series: calls, failures, calls below each quantile          cells
    spread    how far a difference strays by chance, calls being dependent over time     dependence, spread
    trials    value, interval and p of each thing                                        order_statistics, trials
    verdicts  each p held against the level that Holm leaves it                          holm

docs/design/comparison.md says why it is done so, and what it costs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from swell.analysis.verdict import judge
from swell.document import State
from swell.errors import PlanError, Problem
from swell.result import RunResult, Series
from swell.segment import BEYOND, MEASURES_FROM, Sort
from swell.stats import packed
from swell.stats.comparison import holm
from swell.stats.comparison.cells import ALL, Cells, Grid, cells
from swell.stats.comparison.document import (
    Comparison,
    Estimate,
    Finding,
    Gate,
    RunCompared,
    SeriesCompared,
    ThingCompared,
)
from swell.stats.comparison.load_course import cool_down_s, varies
from swell.stats.comparison.notable import target_of, warnings
from swell.stats.comparison.span import choose
from swell.stats.comparison.spread import Footing, footing, footing_alone
from swell.stats.comparison.student import critical_t
from swell.stats.comparison.trials import QUANTILES, Estimated, Trial, trials
from swell.stats.counts import measure_tallies, tallies

LEVEL = 0.02
MUCH_LONGER = 1.2
NAMES = {Sort.CALL: "call", Sort.TRANSACTION: "transaction"}


def compare(
    base: RunResult,
    run: RunResult,
    *,
    limit: float | None = None,
    names: Sequence[str] = ("", ""),
    also: Sequence[str] = (),
    level: float = LEVEL,
) -> Comparison:
    """What has become faster or slower from `base` to `run`. `names` is what people call them, `also` what else the two
    differ in. With a `limit` (0.05: 5 %) it is also said what is slower by more. Raises PlanError where a run
    cannot be compared."""
    if faults := [*_faults("BASE", base), *_faults("RUN", run)]:
        raise PlanError(faults)
    verdicts = judge(base), judge(run)
    grid, span = choose(base, run)
    one, other = _numbers(base), _numbers(run)
    both = [series for series in one if series in other]
    before = cells(base, grid, [one[series] for series in both], list(QUANTILES.values()))
    after = cells(run, grid, [other[series] for series in both], list(QUANTILES.values()))
    known = footing(before, after, ALL)
    for result in (base, run):
        known = known.joined(_beyond(result, grid))
    rows = _trials(before, after, len(both), known, alone=_is_alone(one, other))
    ps = [trial.p for row in rows for trial in row if trial.p is not None]
    found = _held(rows, iter(holm.levels(ps, level)), level)
    things = [tuple(_compared(trial, held, level) for trial, held in row) for row in found]
    return Comparison(
        level=level,
        verdicts=len(ps),
        base=_described(base, names[0], verdicts[0].state),
        run=_described(run, names[1], verdicts[1].state),
        warnings=(*also, *warnings(base, run, verdicts)),
        span=span,
        all=SeriesCompared(base_calls=_sum(before, ALL), run_calls=_sum(after, ALL), things=things[ALL]),
        series=(
            *(
                _series(series, _sum(before, column), _sum(after, column), things[min(column, len(things) - 1)])
                for column, series in enumerate(both, 1)
            ),
            *_unmatched(base, one, other, "base"),
            *_unmatched(run, other, one, "run"),
        ),
        gate=None if limit is None else _gate(found, both, limit),
    )


Held = tuple[Trial, float | None]
"""A trial, and the level that its p was held against."""


def _faults(which: str, result: RunResult) -> list[Problem]:
    if result.end is None:
        return [Problem(f"{result.run} is still running", which, "compare it when it has ended")]
    if not result.blocks:
        return [Problem(f"{result.run} has no seconds stored: no call was done in it", which)]
    return []


def _numbers(result: RunResult) -> dict[Series, int]:
    """The series that can be compared: calls, and transactions."""
    calls = {series: number for number, series in enumerate(result.series) if number != BEYOND}
    measures = enumerate(result.measures, MEASURES_FROM)
    return calls | {series: number for number, series in measures if series.sort is Sort.TRANSACTION}


def _is_alone(one: dict[Series, int], other: dict[Series, int]) -> bool:
    """Whether both runs have only one series, the same: then it is all calls, and one verdict is enough."""
    return one.keys() == other.keys() and [series.sort for series in one] == [Sort.CALL]


def _beyond(result: RunResult, grid: Grid) -> Footing:
    """What the seconds of a run that the other does not have tell of how its calls depend on each other."""
    to_s = cool_down_s(result.plan) or result.duration_s
    own = Grid(grid.from_s, int(min(to_s, result.duration_s)), grid.step_s)
    if own.count < MUCH_LONGER * grid.count or varies(result.plan):
        return Footing()
    return footing_alone(cells(result, own, [], ()))


def _trials(before: Cells, after: Cells, count: int, known: Footing, *, alone: bool) -> list[list[Trial]]:
    return [list(trials(before, after, column, known)) for column in range(1 if alone else count + 1)]


def _held(rows: list[list[Trial]], levels: Iterator[float], level: float) -> list[list[Held]]:
    return [[(trial, next(levels) if trial.p is not None else None) for trial in row] for row in rows]


def _compared(trial: Trial, held: float | None, level: float) -> ThingCompared:
    own = critical_t(level, trial.degrees)
    verdict = Finding.TOO_FEW if trial.reason else Finding.NO_DIFFERENCE
    if trial.p is not None and held is not None and trial.p <= held:
        verdict = Finding.SLOWER if trial.slower else Finding.FASTER
    return ThingCompared(
        thing=trial.thing,
        unit=trial.unit,
        base=_estimate(trial.base, own),
        run=_estimate(trial.run, own),
        change=_estimate(trial.change, critical_t(held or level, trial.degrees)),
        verdict=verdict,
        p=trial.p,
        level=held,
        reason=trial.reason,
    )


def _estimate(estimated: Estimated | None, errors: float) -> Estimate | None:
    if estimated is None:
        return None
    low, high = (estimated.bound(side * errors) for side in (-1, 1))
    return Estimate(estimated.value, low if math.isfinite(low) else None, high if math.isfinite(high) else None)


def _known_as(series: Series) -> str:
    method = series.method or series.sort.name.lower()
    return f"{method} {series.name}" + (f" [{series.tags}]" if series.tags else "")


def _gate(rows: list[list[Held]], both: Sequence[Series], limit: float) -> Gate:
    names = ["all calls", *(_known_as(series) for series in both)]
    because = tuple(
        f"{name}: {trial.thing.value}"
        for name, row in zip(names, rows, strict=False)
        for trial, held in row
        if trial.p is not None
        and held is not None
        and trial.p <= held
        and trial.slower
        and trial.worse_than(limit, critical_t(held, trial.degrees))
    )
    return Gate(limit=limit, failed=bool(because), because=because)


def _series(
    series: Series, base_calls: int, run_calls: int, things: tuple[ThingCompared, ...] = (), only_in: str | None = None
) -> SeriesCompared:
    return SeriesCompared(
        scenario=series.scenario,
        method=series.method,
        name=series.name,
        tags=series.tags,
        sort=NAMES[series.sort],
        base_calls=base_calls,
        run_calls=run_calls,
        only_in=only_in,
        things=things,
    )


def _unmatched(
    result: RunResult, own: dict[Series, int], others: dict[Series, int], which: str
) -> list[SeriesCompared]:
    lone = {series: number for series, number in own.items() if series not in others}
    if not lone:
        return []
    whole = packed.unpack(result.whole)
    counts: dict[int, int] = {}
    for row in (*tallies(whole), *measure_tallies(whole)):
        counts[row.series] = counts.get(row.series, 0) + row.count
    return [
        _series(
            series,
            counts.get(number, 0) if which == "base" else 0,
            counts.get(number, 0) if which == "run" else 0,
            only_in=which,
        )
        for series, number in lone.items()
    ]


def _sum(found: Cells, column: int) -> int:
    return round(float(found.calls[:, column].sum()))


def _described(result: RunResult, name: str, state: State) -> RunCompared:
    return RunCompared(
        id=result.run,
        name=name,
        script=result.plan.script,
        target=target_of(result.plan),
        started_at=result.started_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        duration_s=result.duration_s,
        state=state.value,
    )
