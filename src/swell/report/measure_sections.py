"""What the script checked and measured itself: checks, transactions, counters, gauges, rates and trends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from rich.console import Group, RenderableType
from rich.text import Text

from swell.document import CheckSummary, Latency, MeasureSummary, ResultDocument, TransactionSummary
from swell.report.columns import columns
from swell.report.figures import NONE, count_text, rate_text, share_text, value_text
from swell.report.labelled import INDENT, Labelled
from swell.report.series_table import FEW_MARK, GAP, HEADS, LAYOUTS, LEAST_NAME_WIDTH, duration, is_few
from swell.report.wording import shortened, visible

MOST_ROWS = 20
SHARE_WIDTH = 9
TREND_PARTS = ("p50", "p95", "p99", "max")
NARROW_TREND_PARTS = ("p50", "p95", "max")
WIDE = 94

Row = TypeVar("Row", CheckSummary, TransactionSummary, MeasureSummary)


def measure_sections(document: ResultDocument, width: int) -> Iterator[RenderableType]:
    """Whatever the script has of these; nothing where it has none."""
    if document.transactions:
        yield _transactions(document.transactions, width)
    if document.checks:
        worst_first = sorted(document.checks, key=lambda row: row.passed / max(row.passed + row.failed, 1))
        yield Labelled("checks", list(_bounded(worst_first, [_check(row, width) for row in _named(worst_first)])))
    if document.measures:
        yield Labelled("measures", list(_bounded(document.measures, [*_measures(document.measures, width)])))


def _named(rows: Sequence[Row]) -> list[tuple[Row, str]]:
    """The first rows with the names to show: with the scenario's, where there are several."""
    several = len({row.scenario for row in rows}) > 1
    return [(row, visible(f"{row.scenario}: {row.name}" if several else row.name)) for row in rows[:MOST_ROWS]]


def _bounded(rows: Sequence[Any], lines: Sequence[Text]) -> Iterator[Text]:
    yield from lines
    if hidden := len(rows) - len(lines):
        yield Text(f"(and {hidden:,} more: --json has them all)", style="dim")


def _transactions(rows: Sequence[TransactionSummary], width: int) -> RenderableType:
    durations = next(names for least, names in LAYOUTS if width >= least)
    heads = [Text(title, style="dim") for title in ("count", "failed", *(f"{HEADS[name]} ms" for name in durations))]
    named = _named(rows)
    cells = [_transaction_cells(row, durations) for row, _ in named]
    taken = sum(max(cell.cell_len for cell in column) + GAP for column in zip(heads, *cells, strict=True))
    room = max(width - taken, LEAST_NAME_WIDTH)
    body = [[Text(shortened(name, room)), *line] for (_, name), line in zip(named, cells, strict=True)]
    table = columns([Text("transaction", style="dim"), *heads], body, gap=GAP)
    more = list(_bounded(rows, [Text()] * len(named)))[len(named) :]
    return Group(table, Labelled("", more, indent=0))


def _transaction_cells(row: TransactionSummary, durations: Sequence[str]) -> list[Text]:
    failed = Text(count_text(row.failures), style="bold red" if row.failures else "dim")
    return [Text(count_text(row.count)), failed, *(duration(row.response_ms, name) for name in durations)]


def _check(named: tuple[CheckSummary, str], width: int) -> Text:
    row, name = named
    share = Text(
        f"{share_text(row.passed, row.passed + row.failed):>{SHARE_WIDTH}}", "bold red" if row.failed else "green"
    )
    counts = (
        f"{count_text(row.failed)} of {count_text(row.passed + row.failed)} failed"
        if row.failed
        else f"{count_text(row.passed)} passed"
    )
    room = width - INDENT - SHARE_WIDTH - len(counts) - 4
    return Text.assemble(share, f"  {shortened(name, room)}  ", (counts, "dim"))


def _measures(rows: Sequence[MeasureSummary], width: int) -> Iterator[Text]:
    named = _named(rows)
    sorts = max(len(row.sort) for row, _ in named)
    widest = max(len(name) for _, name in named)
    values = [_value(row, width) for row, _ in named]
    room = max(width - INDENT - sorts - 4 - max(len(value) for value in values), LEAST_NAME_WIDTH)
    for (row, name), value in zip(named, values, strict=True):
        shown = shortened(name, room)
        line = Text.assemble((f"{row.sort:<{sorts}}  ", "dim"), shown)
        line.append(" " * (min(widest, room) - Text(shown).cell_len + 2) + value)
        yield line


def _value(row: MeasureSummary, width: int) -> str:
    match row.sort:
        case "counter" if row.sum is not None:
            return f"{value_text(row.sum)}, {rate_text(row.per_s or 0)}/s"
        case "gauge" if row.last is not None and row.min is not None and row.max is not None:
            return f"{value_text(row.last)} at last, {value_text(row.min)} to {value_text(row.max)}"
        case "rate" if row.share is not None:
            return f"{share_text(round(row.share * row.count), row.count)} of {count_text(row.count)}"
        case "trend" if row.trend is not None:
            return _trend(row.trend, width)
    return NONE


def _trend(found: Latency, width: int) -> str:
    """Where there is little room, less of it, so that something is left of the name."""
    wide = width >= WIDE
    names = TREND_PARTS if wide else NARROW_TREND_PARTS
    parts = (f"{HEADS[name]} {FEW_MARK * is_few(found, name)}{value_text(getattr(found, name))}" for name in names)
    return "  ".join(parts) + (f", {count_text(found.count)} values" if wide else "")
