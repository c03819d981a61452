"""What the script checked, grouped and measured itself, the traces it left, and what became of its rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from swell.document import Limits, ResultDocument
from swell.report.feed_section import is_slow
from swell.report.figures import NONE, clock_text, count_text, ms_text, seconds_text, share_text
from swell.report.html_bounds import Bounds, clipped
from swell.report.html_series import Duration, durations


@dataclasses.dataclass(frozen=True, slots=True)
class MeasureRow:
    """A row of checks, transactions or measures."""

    scenario: str
    name: str
    cells: tuple[Duration, ...]
    trouble: bool = False


def check_rows(document: ResultDocument, bounds: Bounds) -> Iterator[MeasureRow]:
    """Name, passed, failed, share that passed."""
    for check in document.checks[: bounds.measures]:
        share = share_text(check.passed, max(check.passed + check.failed, 1))
        cells = (count_text(check.passed), count_text(check.failed), share)
        yield _measure_row(check.scenario, check.name, cells, bounds, check.failed > 0)


def transaction_rows(document: ResultDocument, bounds: Bounds) -> Iterator[MeasureRow]:
    """Name, count, failed, durations."""
    for one in document.transactions[: bounds.measures]:
        cells = (count_text(one.count), count_text(one.failures))
        times = durations(one.response_ms, ("p50", "p90", "p95", "p99", "max"))
        yield _measure_row(one.scenario, one.name, (*cells, *times), bounds, one.failures > 0)


def measure_rows(document: ResultDocument, bounds: Bounds) -> Iterator[MeasureRow]:
    """Name, sort, how often, what it comes to, distribution of a trend."""
    for one in document.measures[: bounds.measures]:
        value = {
            "counter": f"{_number(one.sum)} ({_number(one.per_s)} per second)",
            "gauge": f"{_number(one.last)} last, {_number(one.min)} – {_number(one.max)}",
            "rate": NONE if one.share is None else f"{100 * one.share:.4g} %",
        }.get(one.sort, NONE)
        times = durations(one.trend, ("p50", "p95", "p99", "max"))
        yield _measure_row(one.scenario, one.name, (one.sort, count_text(one.count), value, *times), bounds)


def _measure_row(
    scenario: str, name: str, cells: Sequence[str | Duration], bounds: Bounds, trouble: bool = False
) -> MeasureRow:
    shown = tuple(Duration(cell) if isinstance(cell, str) else cell for cell in cells)
    return MeasureRow(clipped(scenario, bounds.name_characters), clipped(name, bounds.name_characters), shown, trouble)


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:,.6g}"


@dataclasses.dataclass(frozen=True, slots=True)
class TraceRow:
    """A call that an APM can show."""

    place: str
    trace_id: str
    response: str
    outcome: str
    failed: bool
    when: str
    at_s: float


def trace_rows(document: ResultDocument, bounds: Bounds) -> Iterator[TraceRow]:
    """The calls whose traces were kept."""
    for one in document.traces[: bounds.measures]:
        place = clipped(f"{one.method} {one.name}".strip(), bounds.name_characters) or NONE
        outcome = str(one.status or "no response") if one.error is None else clipped(one.error, bounds.name_characters)
        yield TraceRow(
            place,
            clipped(one.trace_id, bounds.name_characters),
            ms_text(one.response_ms),
            outcome,
            one.error is not None,
            clock_text(one.at_s),
            one.at_s,
        )


def feed_rows(document: ResultDocument, bounds: Bounds) -> Iterator[MeasureRow]:
    """Name, rows, used, unknown, how often it ran out, how long users waited."""
    for feed in document.feeds[: bounds.measures]:
        waited = seconds_text(feed.waited_s)
        cells = (*map(count_text, (feed.rows, feed.used, feed.unknown, feed.ran_out)), waited)
        yield _measure_row("", feed.name, cells, bounds, bool(feed.unknown or feed.ran_out or is_slow(feed, document)))


def feed_notes(document: ResultDocument) -> Iterator[str]:
    """What the columns of troubled feeds mean."""
    if any(feed.unknown for feed in document.feeds):
        yield "Unknown: rows that may have been used by a worker that died. Nobody else was given them."
    if any(is_slow(feed, document) for feed in document.feeds):
        yield "Users who wait for rows are slower than they are meant to be."


def loss_notes(limits: Limits) -> Iterator[str]:
    """What was measured and is in no row."""
    if beyond := limits.measures.beyond:
        yield f"{count_text(beyond)} values of checks and measures beyond the first {limits.measures.cap:,}: left out."
    if limits.values_refused:
        yield f"{count_text(limits.values_refused)} values that no measure can hold: left out."
