"""The report at the end of a run, for a terminal or a pipe: first what was asked, last whether it may be believed."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.text import Text

from swell.document import Latency, ResultDocument, SeriesSummary
from swell.report.arrival_lines import arrival_section, iteration_section
from swell.report.columns import columns
from swell.report.failure_sections import error_section, exception_section
from swell.report.feed_section import feed_section
from swell.report.figures import bytes_text, count_text, rate_text, seconds_text, share_text
from swell.report.labelled import Labelled
from swell.report.measure_sections import measure_sections
from swell.report.series_table import HEADS, SeriesRow, duration, is_few, series_table
from swell.report.threshold_lines import threshold_section
from swell.report.trace_section import trace_section
from swell.report.trust_sections import accounting_section, generator_section, verdict_section
from swell.report.wording import shortened, visible
from swell.report.worker_section import worker_section
from swell.result import ExportCount
from swell.stats.latency import QUANTILES

MOST_ROWS = 60
WIDEST = 160
SHOW_ALL_SHARE = 0.01
ENDINGS = {"threshold": "ended by a threshold"}
TIME_COLUMNS = (
    (94, ("min", "mean", "p50", "p75", "p90", "p95", "p99", "p99_9", "max")),
    (76, ("mean", "p50", "p90", "p95", "p99", "p99_9", "max")),
    (0, ("p50", "p95", "p99", "max")),
)
"""From how many columns on which durations are shown of all series together."""


def print_final(document: ResultDocument, console: Console) -> None:
    """Print the report of a run that has ended."""
    console.print(final_report(document, console.width))


def final_report(document: ResultDocument, width: int) -> RenderableType:
    """The whole report, at most `width` columns wide, in parts with a line between them."""
    parts: list[RenderableType] = []
    for part in _parts(document, min(width, WIDEST)):
        parts += [part, Text()]
    return Group(*parts[:-1])


def _parts(document: ResultDocument, width: int) -> Iterator[RenderableType]:
    yield from _heading(document, width)
    yield from count_sections(document, width)
    yield from arrival_section(document)
    yield from iteration_section(document)
    yield from measure_sections(document, width)
    yield from feed_section(document)
    yield from trace_section(document, width)
    yield from error_section(document, width)
    yield from exception_section(document, width)
    yield from threshold_section(document.thresholds)
    yield from _samples(document)
    yield from _exports(document)
    yield from worker_section(document, width)
    yield Group(accounting_section(document), generator_section(document), verdict_section(document))


def count_sections(document: ResultDocument, width: int) -> Iterator[RenderableType]:
    """Every series, the times of all together, and what came back; nothing where there was no request."""
    if document.totals.requests:
        yield _series(document, width)
        yield _times(document, width)
        yield Group(*_statuses(document), _transfer(document))


def _heading(document: ResultDocument, width: int) -> Iterator[RenderableType]:
    run, totals = document.run, document.totals
    title = f"{run.script} → {run.target}" if run.target else run.script
    ending = f"{ENDINGS.get(run.end, run.end)} after" if run.end else "running for"
    users = f"{count_text(totals.users_peak)} {'user' if totals.users_peak == 1 else 'users'}"
    failed = f"{count_text(totals.failures)} failed ({share_text(totals.failures, max(totals.requests, 1))})"
    line = Text.assemble(
        f"{ending} {seconds_text(run.duration_s)} · ",
        f"{count_text(totals.requests)} requests · {rate_text(totals.rps)}/s · ",
        (failed, "bold red" if totals.failures else ""),
        f" · {users}",
    )
    lines = [Text(shortened(visible(title), width), style="bold"), line]
    if run.end_text:
        lines.append(Text(shortened(visible(run.end_text), 2 * width), style="yellow"))
    yield Labelled("", lines, indent=0)


def _series(document: ResultDocument, width: int) -> RenderableType:
    busiest = sorted(document.series, key=lambda row: -row.requests)[:MOST_ROWS]
    chosen = {id(row) for row in busiest}
    rows = [_row(row) for row in document.series if id(row) in chosen]
    totals = document.totals
    total = SeriesRow("", "", "all", totals.requests, totals.failures, totals.rps, totals.response_ms)
    table = series_table(rows, total, width)
    hidden = len(document.series) - len(rows)
    if not hidden:
        return table
    more = Text(f"(and {hidden:,} series more, with fewer requests: --json has them all)", style="dim")
    return Group(table, Labelled("", [more], indent=0))


def _row(series: SeriesSummary) -> SeriesRow:
    return SeriesRow(
        series.scenario,
        series.method,
        series.name,
        series.requests,
        series.failures,
        series.rps,
        series.response_ms,
        series.tags,
    )


def _times(document: ResultDocument, width: int) -> RenderableType:
    """All series together: what a person would have felt, what the target alone took, and how failures fared."""
    totals = document.totals
    rows: list[tuple[str, Latency | None]] = [("response", totals.response_ms), ("service", totals.service_ms)]
    if totals.failures:
        rows.append(("failed", totals.failed_ms))
    if totals.failures > SHOW_ALL_SHARE * totals.requests:
        rows.append(("all", totals.all_ms))
    names = next(names for least, names in TIME_COLUMNS if width >= least)
    heads = [Text(name, style="dim") for name in ("ms", *(HEADS.get(name, name) for name in names))]
    lines = [[Text(row), *(duration(latency, name) for name in names)] for row, latency in rows]
    table = columns(heads, lines, least=6)
    return Group(table, Labelled("", [Text(" · ".join(_notes(document)), style="dim")], indent=0))


def _notes(document: ResultDocument) -> Iterator[str]:
    """What is to be known of the durations above."""
    clock = document.generator.clock
    if clock == "kernel":
        yield "timed by the kernel's clock"
    elif clock == "user":
        yield "timed by the user's clock: the generator's own delays are in them"
    else:
        yield "timed by the kernel's clock and, where it gave no stamp, by the user's"
    blocks = [document.totals.response_ms, document.totals.failed_ms, *(row.response_ms for row in document.series)]
    if any(is_few(block, name) for block in blocks if block for name in QUANTILES):
        yield "~ fewer than 10 samples lie beyond"


def _statuses(document: ResultDocument) -> Iterator[RenderableType]:
    statuses = document.totals.statuses
    answered = sum(statuses.values())
    parts = [
        Text.assemble((status, _status_style(status)), f" {count_text(count)}") for status, count in statuses.items()
    ]
    if unanswered := document.totals.requests - answered:
        parts.append(Text.assemble(("no response", "red"), f" {count_text(unanswered)}"))
    if parts:
        yield Labelled("statuses", [Text("  ").join(parts)])


def _samples(document: ResultDocument) -> Iterator[RenderableType]:
    """Where every call was written to."""
    file = document.samples
    if file is not None:
        line = Text(f"{count_text(file.rows)} calls written to {visible(file.path)}")
        if file.lost:
            line.append(f" · {count_text(file.lost)} could not be: {visible(file.fault)}", "bold red")
        yield Labelled("samples", [line])


def _exports(document: ResultDocument) -> Iterator[RenderableType]:
    """Where metrics could not be sent; nothing where all of them could."""
    lines = [_export(export) for export in document.exports if export.failed or export.skipped]
    if lines:
        yield Labelled("exports", lines)


def _export(export: ExportCount) -> Text:
    tried = export.sent + export.failed + export.skipped
    line = Text(f"{visible(export.to)}: {count_text(export.failed)} of {count_text(tried)} failed", "yellow")
    if export.skipped:
        line.append(f", {count_text(export.skipped)} left out: the one before took too long")
    return line.append(f" · {visible(export.fault)}" if export.fault else "")


def _transfer(document: ResultDocument) -> RenderableType:
    sent, received = document.totals.bytes_sent, document.totals.bytes_received
    return Labelled("transfer", [Text(f"{bytes_text(received)} received, {bytes_text(sent)} sent")])


def _status_style(status: str) -> str:
    return {"4": "yellow", "5": "red"}.get(status[:1], "")
