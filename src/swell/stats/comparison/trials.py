"""One thing of one series in two runs: what it was, how sure that is, how probable so great a change is by chance."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator

from swell.stats.comparison.cells import Cells, Floats
from swell.stats.comparison.document import Thing
from swell.stats.comparison.order_statistics import RESOLUTION, Quantile, least_errors, log_ratio_bound
from swell.stats.comparison.spread import Footing, Spread, footing, spread
from swell.stats.comparison.student import critical_t, two_sided_p

QUANTILES = {Thing.P50: 0.5, Thing.P95: 0.95, Thing.P99: 0.99}
FEW_BEYOND = 10
FEW_BEYOND_IN_A_CELL = 5
FEW_CALLS = 20
SURE = 1e-4
"""A p that ranks can reach, or they are not left alone to judge."""
TOO_FEW_CELLS = "too few seconds"
MS_PER_NS = 1e-6

Bound = Callable[[float], float]
"""From a number of standard errors, negative ones downwards, to the bound that lies there."""


@dataclasses.dataclass(frozen=True, slots=True)
class Estimated:
    """A value with its bounds."""

    value: float
    bound: Bound


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What can be said of one thing. Without `change` there is only what each run showed, and a reason."""

    thing: Thing
    unit: str
    base: Estimated | None = None
    run: Estimated | None = None
    change: Estimated | None = None
    degrees: float = math.inf
    p: float | None = None
    slower: bool = False
    """The change, if it is one, is for the worse."""
    worse_than: Callable[[float, float], bool] = lambda limit, errors: False
    """Whether it is for the worse by more than `limit` (0.05: 5 %), at so many standard errors."""
    reason: str = ""


def trials(base: Cells, run: Cells, column: int, known: Footing) -> Iterator[Trial]:
    """Every trial of a column. `known` is what all calls together say of their dependence."""
    if not (base.calls[:, column].sum() and run.calls[:, column].sum()):
        return
    known = known.joined(footing(base, run, column))
    yield _throughput(base, run, column, known)
    yield _failures(base, run, column, known)
    for place, (thing, q) in enumerate(QUANTILES.items()):
        yield _quantile(base, run, column, known, thing, q, place)


def _throughput(base: Cells, run: Cells, column: int, known: Footing) -> Trial:
    before, after = base.calls[:, column], run.calls[:, column]
    means = float(before.mean()), float(after.mean())
    found = spread(after / means[1] - before / means[0], None, known)
    rates = means[0] / base.step_s, means[1] / run.step_s
    trial = Trial(thing=Thing.THROUGHPUT, unit="/s", base=_exact(rates[0]), run=_exact(rates[1]))
    few = "fewer than 10 calls" if min(before.sum(), after.sum()) < FEW_BEYOND else _too_little(found)
    if few or found is None:
        return dataclasses.replace(trial, reason=few)
    change = math.log(means[1] / means[0])
    error = math.sqrt(found.variance)
    parts = _parts(found, before / means[0], after / means[1], (0.0, 0.0))

    def log_bound(errors: float) -> float:
        return change + math.copysign(math.hypot(errors * error, RESOLUTION), errors)

    return dataclasses.replace(
        trial,
        base=Estimated(rates[0], lambda errors: rates[0] * _exp(errors * math.sqrt(parts[0]))),
        run=Estimated(rates[1], lambda errors: rates[1] * _exp(errors * math.sqrt(parts[1]))),
        change=Estimated(math.exp(change), lambda errors: _exp(log_bound(errors))),
        degrees=found.degrees,
        p=_p(change, log_bound, found.degrees),
        slower=change < 0,
        worse_than=lambda limit, errors: limit < 1 and log_bound(errors) < math.log1p(-limit),
    )


def _failures(base: Cells, run: Cells, column: int, known: Footing) -> Trial:
    calls = [cells.calls[:, column] for cells in (base, run)]
    failed = [cells.failed[:, column] for cells in (base, run)]
    shares = [float(part.sum() / whole.sum()) for part, whole in zip(failed, calls, strict=True)]
    trial = Trial(thing=Thing.FAILURES, unit="share", base=_exact(shares[0]), run=_exact(shares[1]))
    if min(whole.sum() for whole in calls) < FEW_CALLS:
        return dataclasses.replace(trial, reason=f"fewer than {FEW_CALLS} calls")
    share = float((failed[0] + failed[1]).sum() / (calls[0] + calls[1]).sum())
    courses = [(part - own * whole) / whole.mean() for part, whole, own in zip(failed, calls, shares, strict=True)]
    chance = share * (1 - share) * sum(1 / float(whole.mean()) for whole in calls)
    found = Spread(chance, math.inf) if not chance else spread(courses[1] - courses[0], chance, known)
    if found is None:
        return dataclasses.replace(trial, reason=_too_little(found))
    inflation = found.variance * len(calls[0]) / chance if chance else 1.0
    worth = [float(whole.sum()) / inflation for whole in calls]
    bounds = [_wilson(own, count) for own, count in zip(shares, worth, strict=True)]

    def change_bound(errors: float, factor: float = 1.0) -> float:
        room = math.hypot(bounds[1](errors) - shares[1], factor * (bounds[0](-errors) - shares[0]))
        return shares[1] - factor * shares[0] + math.copysign(room, errors)

    change = shares[1] - shares[0]
    return dataclasses.replace(
        trial,
        base=Estimated(shares[0], bounds[0]),
        run=Estimated(shares[1], bounds[1]),
        change=Estimated(change, change_bound),
        degrees=found.degrees,
        p=_p(change, change_bound, found.degrees) if chance else None,
        slower=change > 0,
        worse_than=lambda limit, errors: change_bound(-errors, 1 + limit) > 0,
    )


def _quantile(base: Cells, run: Cells, column: int, known: Footing, thing: Thing, q: float, place: int) -> Trial:
    trial = Trial(thing=thing, unit="ms")
    ecdfs = base.ecdfs[column], run.ecdfs[column]
    if not (ecdfs[0].total and ecdfs[1].total):
        return dataclasses.replace(trial, reason="no call that succeeded")
    courses = _quantile_course(base, column, place), _quantile_course(run, column, place)
    alone = [q * (1 - q) / ecdf.total for ecdf in ecdfs]
    cells = len(courses[0])
    found = spread(courses[1] - courses[0], sum(alone) * cells, known)
    trial = dataclasses.replace(
        trial,
        base=_exact(math.exp(ecdfs[0].log_at(q)) * MS_PER_NS),
        run=_exact(math.exp(ecdfs[1].log_at(q)) * MS_PER_NS),
    )
    if found is None:
        return dataclasses.replace(trial, reason=_too_little(found))
    parts = _parts(found, *courses, (alone[0], alone[1]))
    before, after = (Quantile(ecdf, q, q * (1 - q) / part) for ecdf, part in zip(ecdfs, parts, strict=True))
    if min(ecdf.total for ecdf in ecdfs) * (1 - q) < FEW_BEYOND:
        return dataclasses.replace(trial, reason=f"fewer than {FEW_BEYOND} calls lie beyond it")
    if q * (1 - q) / max(parts) * (1 - q) < FEW_BEYOND:
        return _second_by_second(base, run, column, known, trial, q, place)
    change = after.log - before.log

    def log_bound(errors: float) -> float:
        return log_ratio_bound(before, after, errors)

    trial = dataclasses.replace(
        trial,
        base=Estimated(_ms(before.log), lambda errors: _ms(before.log_bound(errors))),
        run=Estimated(_ms(after.log), lambda errors: _ms(after.log_bound(errors))),
    )
    by_rank = dataclasses.replace(
        trial,
        change=Estimated(math.exp(change), lambda errors: _exp(log_bound(errors))),
        degrees=found.degrees,
        p=_p(change, log_bound, found.degrees),
        slower=change > 0,
        worse_than=lambda limit, errors: log_bound(-errors) > math.log1p(limit),
    )
    if math.isfinite(log_bound(-math.copysign(critical_t(SURE, found.degrees), change))):
        return by_rank
    by_second = _second_by_second(base, run, column, known, trial, q, place)
    return by_second if by_second.p is not None and by_second.p < (by_rank.p or 0.0) else by_rank


def _second_by_second(
    base: Cells, run: Cells, column: int, known: Footing, trial: Trial, q: float, place: int
) -> Trial:
    """A quantile of calls that depend on each other so much that ranks do not tell: few beyond it are independent, or
    all of one run may be beyond all of the other and yet prove nothing. Judged by the quantile of each second, where
    each has calls enough."""
    if min(base.timed[:, column].min(), run.timed[:, column].min()) * (1 - q) < FEW_BEYOND_IN_A_CELL:
        return dataclasses.replace(trial, reason=f"fewer than {FEW_BEYOND} independent calls lie beyond it")
    difference = run.log_quantiles[:, column, place] - base.log_quantiles[:, column, place]
    found = spread(difference, None, known)
    if found is None:
        return dataclasses.replace(trial, reason=_too_little(found))
    change, error = float(difference.mean()), math.sqrt(found.variance)

    def log_bound(errors: float) -> float:
        return change + math.copysign(math.hypot(errors * error, RESOLUTION), errors)

    return dataclasses.replace(
        trial,
        change=Estimated(math.exp(change), lambda errors: _exp(log_bound(errors))),
        degrees=found.degrees,
        p=_p(change, log_bound, found.degrees),
        slower=change > 0,
        worse_than=lambda limit, errors: log_bound(-errors) > math.log1p(limit),
    )


def _quantile_course(cells: Cells, column: int, place: int) -> Floats:
    """How many more calls of each cell than the share lie below the quantile of the whole span."""
    timed = cells.timed[:, column]
    if not timed.sum():
        return timed * 0
    course: Floats = (cells.below[:, column, place] - list(QUANTILES.values())[place] * timed) / timed.mean()
    return course


def _parts(found: Spread, before: Floats, after: Floats, least: tuple[float, float]) -> tuple[float, float]:
    """The variance of a difference, dealt to the two runs as their own variances stand to each other."""
    own = [
        max(float(course.var(ddof=1)) / len(course), floor)
        for course, floor in zip((before, after), least, strict=True)
    ]
    total = sum(own)
    return (found.variance * own[0] / total, found.variance * own[1] / total) if total else (0.0, 0.0)


def _p(change: float, bound: Bound, degrees: float) -> float:
    """The probability of so great a change either way: that of the narrowest interval which still holds 0."""
    side = -1.0 if change > 0 else 1.0
    return two_sided_p(least_errors(lambda errors: side * bound(side * errors) >= 0), degrees)


def _wilson(share: float, count: float) -> Bound:
    """E. Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22, 209-212."""

    def bound(errors: float) -> float:
        square = errors * errors
        middle = share + square / (2 * count)
        room = errors * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
        return min(max((middle + room) / (1 + square / count), 0.0), 1.0)

    return bound


def _too_little(found: Spread | None) -> str:
    return TOO_FEW_CELLS if found is None else ""


def _exact(value: float) -> Estimated:
    """A value of which nothing more is known."""
    return Estimated(value, lambda errors: math.copysign(math.inf, errors))


def _ms(log_ns: float) -> float:
    return _exp(log_ns) * MS_PER_NS


def _exp(log: float) -> float:
    return math.exp(log) if log < 700 else math.inf
