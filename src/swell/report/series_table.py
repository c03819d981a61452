"""One row per series: what the live view and the final report have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from swell.document import Latency
from swell.report.figures import NONE, count_text, ms_text, rate_text
from swell.report.wording import shortened, visible
from swell.stats.latency import QUANTILES

HEADS = {"p50": "p50", "p75": "p75", "p90": "p90", "p95": "p95", "p99": "p99", "p99_9": "p99.9", "max": "max"}
LAYOUTS = (
    (120, ("p50", "p90", "p95", "p99", "p99_9", "max")),
    (94, ("p50", "p95", "p99", "max")),
    (72, ("p50", "p95", "p99")),
    (0, ("p50", "p99")),
)
"""From how many columns on which durations are shown."""
LEAST_NAME_WIDTH = 12
GAP = 2
FEW_MARK = "~"


@dataclasses.dataclass(frozen=True, slots=True)
class SeriesRow:
    """What is shown of a series. Without a scenario it is the sum of all."""

    scenario: str
    method: str
    name: str
    requests: int
    failures: int
    rps: float
    response_ms: Latency | None

    @property
    def label(self) -> str:
        """Method and name on one line."""
        return visible(f"{self.method} {self.name or NONE}".strip())


def duration(latency: Latency | None, name: str) -> Text:
    """One of the durations of a block; marked where fewer than 10 samples lie beyond it."""
    if latency is None:
        return Text(NONE, style="dim")
    text = ms_text(getattr(latency, name))
    return Text(FEW_MARK + text, style="dim") if is_few(latency, name) else Text(text)


def is_few(latency: Latency, name: str) -> bool:
    """Whether fewer than 10 samples lie beyond this quantile."""
    order = list(QUANTILES)
    return name in order and latency.few_from is not None and order.index(name) >= order.index(latency.few_from)


def series_table(rows: Sequence[SeriesRow], total: SeriesRow | None, width: int, *, head: str = "series") -> Table:
    """The rows, under their scenarios where there are several, and their sum; at most `width` columns wide."""
    durations = next(durations for least, durations in LAYOUTS if width >= least)
    heads = [Text(head) for head in ("requests", "failed", "req/s", *(f"{HEADS[name]} ms" for name in durations))]
    body = [_cells(row, durations) for row in rows]
    foot = _cells(total, durations) if total else [Text() for _ in heads]
    widths = [max(cell.cell_len for cell in column) for column in zip(heads, foot, *body, strict=True)]
    name_width = max(width - sum(widths) - GAP * len(widths), LEAST_NAME_WIDTH)
    table = Table(
        box=SIMPLE, padding=(0, 0, 0, GAP - 1), pad_edge=False, show_edge=False, show_footer=total is not None
    )
    foot_label = Text(shortened(total.label, name_width), style="bold") if total else Text()
    table.add_column(head, footer=foot_label, header_style="dim", no_wrap=True, max_width=name_width)
    for title, cell, cells in zip(heads, foot, widths, strict=True):
        table.add_column(title, footer=cell, justify="right", header_style="dim", min_width=cells, no_wrap=True)
    _fill(table, rows, body, name_width)
    return table


def _fill(table: Table, rows: Sequence[SeriesRow], body: Sequence[list[Text]], name_width: int) -> None:
    grouped = len({row.scenario for row in rows}) > 1
    scenario = None
    for row, cells in zip(rows, body, strict=True):
        if grouped and row.scenario != scenario:
            scenario = row.scenario
            table.add_row(Text(shortened(visible(scenario) or NONE, name_width), style="dim italic"))
        table.add_row(Text(shortened(row.label, name_width)), *cells)


def _cells(row: SeriesRow, durations: Sequence[str]) -> list[Text]:
    failed = Text(count_text(row.failures), style="bold red" if row.failures else "dim")
    found = (duration(row.response_ms, name) for name in durations)
    return [Text(count_text(row.requests)), failed, Text(rate_text(row.rps)), *found]
