"""One row per series: what the live view and the final report have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from rich.text import Text

from swell.document import Latency
from swell.report.columns import columns
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
    tags: str = ""

    @property
    def label(self) -> str:
        """Method, name and tags on one line."""
        tags = f" [{self.tags}]" if self.tags else ""
        return visible(f"{self.method} {self.name or NONE}{tags}".strip())


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


def series_table(rows: Sequence[SeriesRow], total: SeriesRow, width: int, *, head: str = "series") -> Text:
    """The rows, under their scenarios where there are several, and their sum; at most `width` columns wide."""
    durations = next(durations for least, durations in LAYOUTS if width >= least)
    titles = ("requests", "failed", "req/s", *(f"{HEADS[name]} ms" for name in durations))
    heads = [Text(title, style="dim") for title in titles]
    body, foot = [_cells(row, durations) for row in rows], _cells(total, durations)
    taken = sum(max(cell.cell_len for cell in column) + GAP for column in zip(heads, foot, *body, strict=True))
    room = max(width - taken, LEAST_NAME_WIDTH)
    lines = list(_lines(rows, body, room))
    return columns(
        [Text(head, style="dim"), *heads], lines, [Text(shortened(total.label, room), style="bold"), *foot], gap=GAP
    )


def _lines(rows: Sequence[SeriesRow], body: Sequence[list[Text]], room: int) -> Iterator[list[Text]]:
    grouped = len({row.scenario for row in rows}) > 1
    scenario = None
    for row, cells in zip(rows, body, strict=True):
        if grouped and row.scenario != scenario:
            scenario = row.scenario
            yield [Text(shortened(visible(scenario) or NONE, room), style="dim italic")]
        yield [Text(shortened(row.label, room)), *cells]


def _cells(row: SeriesRow, durations: Sequence[str]) -> list[Text]:
    failed = Text(count_text(row.failures), style="bold red" if row.failures else "dim")
    found = (duration(row.response_ms, name) for name in durations)
    return [Text(count_text(row.requests)), failed, Text(rate_text(row.rps)), *found]
