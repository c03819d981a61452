"""The words and figures of a comparison: values, changes in percent, intervals, verdicts."""

from __future__ import annotations

from swell.report.figures import NONE, ms_text, rate_text, share_text
from swell.stats.comparison.document import Estimate, Finding, SeriesCompared, Thing, ThingCompared

STYLES = {
    Finding.SLOWER: "bold red",
    Finding.FASTER: "bold green",
    Finding.NO_DIFFERENCE: "",
    Finding.TOO_FEW: "dim",
}
OF_FAILURES = {Finding.SLOWER: "more failures", Finding.FASTER: "fewer failures"}
GREAT_FACTOR = 10


def series_label(row: SeriesCompared) -> str:
    """What a series is called; all calls, where it is them."""
    if not (row.scenario or row.method or row.name):
        return "all calls"
    name = f"{row.method or row.sort} {row.name or NONE}"
    return f"{name} [{row.tags}]" if row.tags else name


def verdict_text(thing: ThingCompared) -> str:
    """The verdict in words."""
    words = thing.verdict.value.replace("_", " ")
    return OF_FAILURES.get(thing.verdict, words) if thing.thing is Thing.FAILURES else words


def value_text(thing: ThingCompared, estimate: Estimate | None) -> str:
    """A value in the unit of its thing."""
    return NONE if estimate is None else _figure(thing.thing, estimate.value)


def range_text(thing: ThingCompared, estimate: Estimate | None) -> str:
    """The interval of a value."""
    if estimate is None or (estimate.low is None and estimate.high is None):
        return ""
    low, high = ("" if bound is None else _figure(thing.thing, bound) for bound in (estimate.low, estimate.high))
    return f"{low}…{high}"


def change_text(thing: ThingCompared) -> str:
    """The change: in percent, in percentage points (pt) of failures, as a factor where it is a great one."""
    return NONE if thing.change is None else _change(thing.thing, thing.change.value)


def interval_text(thing: ThingCompared) -> str:
    """The interval of the change. One that nothing bounds above has no end."""
    if thing.change is None or thing.change.low is None:
        return ""
    low = _change(thing.thing, thing.change.low)
    high = "∞" if thing.change.high is None else _change(thing.thing, thing.change.high)
    number, _, unit = low.rpartition(" ")
    return f"{number if number and high.endswith(f' {unit}') else low} … {high}"


def _figure(thing: Thing, value: float) -> str:
    if thing is Thing.THROUGHPUT:
        return rate_text(value)
    if thing is Thing.FAILURES:
        return share_text(round(value * 1_000_000), 1_000_000)
    return ms_text(value)


def _change(thing: Thing, value: float) -> str:
    if thing is Thing.FAILURES:
        return f"{_signed(100 * value)} pt"
    if value >= GREAT_FACTOR:
        return f"×{value:.3g}" if value < 1e6 else "×>10⁶"
    return f"{_signed(100 * (value - 1))} %"


def _signed(number: float) -> str:
    digits = 2 if abs(number) < 0.995 else 1 if abs(number) < 99.95 else 0
    text = f"{abs(number):.{digits}f}"
    sign = "" if not text.strip("0.") else "+" if number > 0 else "−"
    return sign + text
