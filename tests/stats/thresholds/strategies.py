"""Thresholds as hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st

from swell.segment import Sort
from swell.stats.thresholds.expression import (
    DURATIONS,
    OF_SCENARIOS,
    RUNNING_TOTALS,
    UNITS,
    Comparison,
    Dimension,
    Duration,
    Figure,
    Limit,
    Measure,
    Metric,
    Selector,
    Threshold,
)
from swell.stats.thresholds.parser import COUNTS, DURATIONS_OF_TRANSACTIONS, OF_TRANSACTIONS
from swell.stats.thresholds.tags import Tags

names = st.text(max_size=20) | st.sampled_from(
    ["GET /a: b", "transaction x", '"', "\\", 'a" b', "x:", "/problems/:id", "/a [b]", "[c]"]
)
amounts = st.integers(0, 10**12).map(float) | st.floats(0, 1e12, allow_nan=False)
percents = st.floats(1e-9, 99.999_999).map(lambda percent: round(percent, 9)).filter(lambda percent: 0 < percent < 100)
OWN_FIGURES = {
    Sort.CHECK: [Figure.PASSED],
    Sort.RATE: [Figure.PASSED],
    Sort.COUNTER: [Figure.SUM, Figure.SUM_PER_S],
    Sort.GAUGE: [Figure.LAST, Figure.MIN, Figure.MAX],
    Sort.TREND: list(DURATIONS),
}


@st.composite
def tags(draw: st.DrawFn) -> Tags:
    """Such as a call can have."""
    sides = (names | st.sampled_from(["]", "[x", " y ", "a: b", '" ', "z=z"])).map(lambda text: text.replace(",", ""))
    keys = sides.map(lambda key: key.replace("=", "")).filter(bool)
    return Tags(tuple(draw(st.dictionaries(keys, sides, min_size=1, max_size=3)).items()))


@st.composite
def metrics(draw: st.DrawFn, *, transaction: bool) -> Metric:
    """Of calls, of transactions, or, outside a transaction, of a measure of the script's own."""
    if not transaction and draw(st.booleans()):
        sort = draw(st.sampled_from(list(OWN_FIGURES)))
        figure = draw(st.sampled_from(OWN_FIGURES[sort]))
        return Metric(figure, _percent(draw, figure), measure=Measure(sort, draw(names)))
    known = OF_TRANSACTIONS if transaction else (*DURATIONS, *COUNTS.values())
    figure = draw(st.sampled_from(known))
    if figure not in DURATIONS:
        return Metric(figure)
    durations = DURATIONS_OF_TRANSACTIONS if transaction else tuple(Duration)
    return Metric(figure, _percent(draw, figure), draw(st.sampled_from(durations)))


def _percent(draw: st.DrawFn, figure: Figure) -> float:
    return draw(percents) if figure is Figure.QUANTILE else 0.0


@st.composite
def limits(draw: st.DrawFn, metric: Metric) -> Limit:
    """One that fits the metric."""
    if draw(st.integers(0, 5)) == 0:
        return Limit(draw(amounts), of_baseline=True)
    amount, unit = draw(amounts), draw(st.sampled_from(list(UNITS[metric.dimension])))
    sign = draw(st.sampled_from([1, -1])) if metric.dimension is Dimension.VALUE and amount else 1
    return Limit(sign * amount, unit)


@st.composite
def thresholds(draw: st.DrawFn) -> Threshold:
    """Any threshold that can be written."""
    selector = draw(st.none() | st.builds(Selector, names, st.booleans()) | st.builds(Selector, names, tags=tags()))
    not_of_calls = (*OF_SCENARIOS, Figure.EXCEPTIONS)
    of_calls = st.builds(Metric, st.sampled_from([figure for figure in COUNTS.values() if figure not in not_of_calls]))
    tagged = selector is not None and selector.tags is not None
    metric = draw(of_calls if tagged else metrics(transaction=bool(selector and selector.transaction)))
    limit = draw(limits(metric))
    selector = None if metric.figure is Figure.EXCEPTIONS else selector
    if limit.of_baseline and metric.figure is Figure.SUM_PER_S:
        metric = Metric(Figure.SUM, measure=metric.measure)  # without a unit it is the sum
    timed = metric.figure not in RUNNING_TOTALS
    return Threshold(
        metric,
        draw(st.sampled_from(Comparison)),
        limit,
        selector,
        draw(st.none() | st.integers(1, 3_600)) if timed else None,
        draw(st.integers(0, 100_000)) if timed else 0,
        draw(st.booleans()),
    )
