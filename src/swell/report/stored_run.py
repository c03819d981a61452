"""A stored run, and a stretch of it, as a report on the terminal."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import msgspec
from rich.console import Group, RenderableType
from rich.text import Text

from swell.document import ResultDocument
from swell.report.failure_sections import error_section
from swell.report.figures import bytes_text, count_text, rate_text, seconds_text, share_text
from swell.report.final_table import WIDEST, count_sections, final_report
from swell.report.labelled import Labelled
from swell.report.measure_sections import measure_sections
from swell.report.run_list import started_text
from swell.report.wording import shortened, visible
from swell.store.reader import INTERRUPTED, StoredRun


def stored_report(
    run: StoredRun, document: ResultDocument, width: int, zone: datetime.tzinfo | None = None
) -> RenderableType:
    """All there is to show of a run, at most `width` columns wide."""
    if run.state == INTERRUPTED:
        document = msgspec.structs.replace(document, run=msgspec.structs.replace(document.run, end=INTERRUPTED))
    return Group(_identity(run, zone), Text(), final_report(document, width))


def stretch_report(
    run: StoredRun, document: ResultDocument, from_s: int, to_s: int, width: int, zone: datetime.tzinfo | None = None
) -> RenderableType:
    """What was counted within [from_s, to_s); `document` is that of the stretch."""
    parts: list[RenderableType] = []
    for part in _stretch_parts(document, from_s, to_s, min(width, WIDEST)):
        parts += [Text(), part]
    return Group(_identity(run, zone), *parts)


def _identity(run: StoredRun, zone: datetime.tzinfo | None) -> RenderableType:
    line = Text.assemble((run.id, "bold"), f" ({visible(run.name)})" if run.name else "")
    line.append(f" · began {started_text(run.started_at, zone)}", "dim")
    if run.tags:
        line.append(" · ", "dim").append(visible(" ".join(run.tags)), "cyan")
    lines = [line]
    if run.state == INTERRUPTED:
        what = f"interrupted: what ran it ended without a word; here is all that it had until {seconds_text(run.at_s)}"
        lines.append(Text(what, style="yellow"))
    return Labelled("run", lines)


def _stretch_parts(document: ResultDocument, from_s: int, to_s: int, width: int) -> Iterator[RenderableType]:
    run, totals = document.run, document.totals
    title = f"{run.script} → {run.target}" if run.target else run.script
    failed = f"{count_text(totals.failures)} failed ({share_text(totals.failures, max(totals.requests, 1))})"
    line = Text.assemble(
        f"from {seconds_text(from_s)} to {seconds_text(to_s)} · ",
        f"{count_text(totals.requests)} requests · {rate_text(totals.rps)}/s · ",
        (failed, "bold red" if totals.failures else ""),
        f" · up to {count_text(totals.users_peak)} {'user' if totals.users_peak == 1 else 'users'}",
    )
    yield Labelled("", [Text(shortened(visible(title), width), style="bold"), line], indent=0)
    yield from count_sections(document, width)
    yield from measure_sections(document, width)
    yield from error_section(document, width)


def freed_text(runs: int, freed_bytes: int) -> str:
    """What deleting runs has come to."""
    return f"{runs:,} {'run' if runs == 1 else 'runs'} deleted, {bytes_text(freed_bytes)} freed"
