"""The value of a figure over a stretch of a run, or why there is none."""

from __future__ import annotations

import dataclasses
from bisect import bisect_left

from swell.histogram import rank_of
from swell.segment import VALUE_SCALE, Sort
from swell.stats.latency import FEW
from swell.stats.thresholds.expression import DURATIONS, GROWING, Comparison, Figure, Metric, Threshold, plain
from swell.stats.thresholds.span import MILLION, Span

LEAST_S = 10.0
"""A rate of the run so far is no reason to end it before it is one of so many seconds."""
MOST_NEEDED = 10**18
"""No percentile that can be written needs more samples."""
UPPER = (Comparison.LESS, Comparison.AT_MOST)


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """A value, and the reason why it cannot be judged by, or why there is none."""

    value: float | None
    reason: str = ""

    @property
    def judged(self) -> bool:
        """Whether there is a value to judge by."""
        return self.value is not None and not self.reason


def find(metric: Metric, span: Span, seconds: float) -> Finding:
    """The figure over a span that took so many seconds of the run."""
    figure = metric.figure
    if metric.measure and metric.measure.sort is Sort.GAUGE:
        return _known({Figure.LAST: span.last, Figure.MIN: span.least, Figure.MAX: span.greatest}[figure], "no value")
    if figure in DURATIONS:
        return _duration(metric, span)
    if figure in (Figure.RPS, Figure.FAILURES_PER_S, Figure.SUM_PER_S):
        counted = {
            Figure.RPS: span.requests,
            Figure.FAILURES_PER_S: span.failures,
            Figure.SUM_PER_S: span.amount_millionths / MILLION,
        }[figure]
        return _known(counted / seconds if seconds > 0 else None, "no time has passed")
    if figure in (Figure.ERRORS, Figure.PASSED):
        part = span.failures if figure is Figure.ERRORS else span.requests - span.failures
        return _known(100 * part / span.requests if span.requests else None, "nothing was counted")
    return _count(figure, span)


def standing(threshold: Threshold, finding: Finding, limit: float, *, running: bool) -> bool | None:
    """Whether the demand is met; None while something that only grows may still come to meet it."""
    comparison, value = threshold.comparison, finding.value
    assert value is not None
    met = comparison.holds(value, limit)
    if met or not running or threshold.over_s is not None or threshold.metric.figure not in GROWING:
        return met
    settled = comparison in UPPER or (comparison is Comparison.EQUAL and value > limit)
    return False if settled else None


def enough(threshold: Threshold, limit: float, span: Span, seconds: float) -> bool:
    """Whether a value that does not meet the demand is based on enough to end a run for it."""
    figure, comparison = threshold.metric.figure, threshold.comparison
    if figure is Figure.MEAN:
        return span.total >= FEW
    if figure in (Figure.RPS, Figure.FAILURES_PER_S, Figure.SUM_PER_S):
        return seconds >= LEAST_S or threshold.over_s is not None
    if figure not in (Figure.ERRORS, Figure.PASSED):
        return True
    counted = span.failures if figure is Figure.ERRORS else span.requests - span.failures
    rest = span.requests - counted
    if comparison in UPPER:
        return counted >= (FEW if limit else 1)
    if comparison in (Comparison.MORE, Comparison.AT_LEAST):
        return rest >= (FEW if limit < 100 else 1)
    return span.requests >= FEW


def _known(value: float | None, otherwise: str) -> Finding:
    return Finding(value, "" if value is not None else otherwise)


def _count(figure: Figure, span: Span) -> Finding:
    if figure is Figure.SUM:
        return Finding(span.amount_millionths / MILLION)
    if figure is Figure.USERS:
        return Finding(span.greatest or 0.0)
    return Finding(float(span.failures if figure is Figure.FAILURES else span.requests))


def _duration(metric: Metric, span: Span) -> Finding:
    least, greatest = span.least, span.greatest
    if least is None or greatest is None:
        return Finding(None, "too few samples: there is none")
    if metric.figure is Figure.QUANTILE:
        value_ns = span.quantile_ns(metric.q)
    else:
        value_ns = {Figure.MIN: least, Figure.MAX: greatest, Figure.MEAN: span.mean_ns()}[metric.figure]
    few = metric.figure is Figure.QUANTILE and span.total - rank_of(metric.q, span.total) < FEW
    reason = f"too few samples: {span.total:,}, and p{plain(metric.percent)} needs {needed(metric.q):,}" if few else ""
    return Finding(value_ns / VALUE_SCALE, reason)


def value_text(value: float, unit: str) -> str:
    """A value as it is written out: 312.4 ms, 0.51 %, 12,345."""
    digits = f"{value:,.0f}" if abs(value) >= 1_000 or value == int(value) else f"{value:.4g}"
    return f"{digits} {unit}".replace(" /", "/").strip()


def needed(q: float) -> int:
    """How many samples it takes for ten to lie beyond a quantile."""
    return bisect_left(range(MOST_NEEDED), FEW, key=lambda count: count - rank_of(q, count))
