"""Stored runs, a line each, the latest first."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from swell.report.columns import columns
from swell.report.figures import NONE, count_text, ms_text, rate_text, seconds_text, share_text
from swell.report.labelled import Labelled
from swell.report.wording import shortened, visible
from swell.store.reader import INTERRUPTED, StoredRun
from swell.store.writer import RUNNING

STATE_STYLES = {RUNNING: "green", INTERRUPTED: "yellow", "stopped": "", "threshold": "red", "failed": "bold red"}
VERDICT_STYLES = {"valid": "green", "degraded": "yellow", "invalid": "bold red"}
WORDS = ("run", "name", "tags", "script", "started", "state", "verdict")
HEADS = (*WORDS, "took", "requests", "req/s", "failed", "p95 ms")
NAME_WIDTH, TAGS_WIDTH, SCRIPT_WIDTH = 24, 20, 20
DROPPED = ("req/s", "script", "took", "tags", "verdict", "name")
"""What is left out first where there is no room."""

Cells = dict[str, Text]


def run_list(runs: Sequence[StoredRun], hidden: int, width: int, zone: datetime.tzinfo | None = None) -> RenderableType:
    """The runs, at most `width` columns wide, with local times; `hidden` more are not shown."""
    rows = [_cells(run, zone) for run in runs]
    shown = [head for head in HEADS if head in ("run", "started") or any(row[head].plain for row in rows)]
    for head in DROPPED:
        if _width(shown, rows) > width and head in shown:
            shown.remove(head)
    table = columns(
        [Text(head, style="dim") for head in shown],
        [[_filled(row[head], head, rows) for head in shown] for row in rows],
    )
    if not hidden:
        return table
    more = Text(f"(and {hidden:,} earlier: --limit 0 lists all)", style="dim")
    return Group(table, Labelled("", [more], indent=0))


def _cells(run: StoredRun, zone: datetime.tzinfo | None) -> Cells:
    rps = run.requests / run.duration_s if run.duration_s > 0 else 0.0
    failed = share_text(run.failures, max(run.requests, 1))
    return {
        "run": Text(run.id, style="bold"),
        "name": Text(shortened(visible(run.name), NAME_WIDTH)),
        "tags": Text(shortened(visible(" ".join(run.tags)), TAGS_WIDTH), style="cyan"),
        "script": Text(shortened(visible(run.script), SCRIPT_WIDTH), style="dim"),
        "started": Text(started_text(run.started_at, zone)[: len("2026-01-31 12:00")]),
        "took": Text(seconds_text(float(round(run.duration_s, 1)))),
        "state": Text(run.state, style=STATE_STYLES.get(run.state, "")),
        "requests": Text(count_text(run.requests)),
        "req/s": Text(rate_text(rps)),
        "failed": Text(failed, style="bold red" if run.failures else "dim"),
        "p95 ms": Text(NONE, style="dim") if run.p95_ms is None else Text(ms_text(run.p95_ms)),
        "verdict": Text(run.verdict, style=VERDICT_STYLES.get(run.verdict, "")),
    }


def started_text(started_at: datetime.datetime, zone: datetime.tzinfo | None = None) -> str:
    """A start, in local time."""
    return started_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _width(shown: Sequence[str], rows: Sequence[Cells]) -> int:
    return sum(max(len(head), *(row[head].cell_len for row in rows)) + 2 for head in shown) - 2


def _filled(cell: Text, head: str, rows: Sequence[Cells]) -> Text:
    """Words are filled up behind, so that they start at the left."""
    if head not in WORDS:
        return cell
    filled = cell.copy()
    filled.append(" " * (max(len(head), *(row[head].cell_len for row in rows)) - cell.cell_len))
    return filled
