"""The rows of the page's table of series, and what opens below the busiest of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

from swell.document import Latency, SeriesSummary
from swell.report.figures import NONE, bytes_text, count_text, ms_text, rate_text, share_text
from swell.report.html_bounds import Bounds, clipped
from swell.report.html_distribution import distribution
from swell.report.html_json import Json, all_rounded
from swell.report.html_timeline import Line
from swell.report.series_table import is_few
from swell.result import RunResult
from swell.segment import Kind, Sort
from swell.stats import counts
from swell.stats.packed import Tables

TIMES = ("min", "mean", "p50", "p75", "p90", "p95", "p99", "p99_9", "max")
COLUMNS = ("p50", "p90", "p95", "p99", "max")
KINDS = {"response": (Kind.RESPONSE,), "service": (Kind.SERVICE,), "failed": (Kind.FAILED_RESPONSE,)}
STRIP_WIDTH = 100
METHOD_CHARACTERS = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Duration:
    """A duration in milliseconds as it is shown; `few`: fewer than 10 samples lie beyond."""

    text: str
    few: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class TimeRow:
    """The durations of one kind, by the names in TIMES or COLUMNS."""

    name: str
    clock: str
    times: tuple[Duration, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Strip:
    """Where durations lie on the strip that all rows have in common, from 0 to 100."""

    least: int
    p50: int
    p95: int
    p99: int
    greatest: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRow:
    """One row of the table."""

    scenario: str
    method: str
    name: str
    tags: str
    requests: str
    failures: str
    share: str
    failed: bool
    rps: str
    times: tuple[Duration, ...]
    strip: Strip | None
    detail: int | None
    """Its place among those that open."""


@dataclasses.dataclass(frozen=True, slots=True)
class StripScale:
    """A logarithmic scale from the least duration of all series to the greatest."""

    least_ms: float
    greatest_ms: float

    def place(self, ms: float) -> int:
        """0 to 100."""
        low, high = math.log(self.least_ms), math.log(self.greatest_ms)
        return round(STRIP_WIDTH * (math.log(max(ms, self.least_ms)) - low) / (high - low)) if high > low else 0

    def strip(self, latency: Latency | None) -> Strip | None:
        """Where the durations of a series lie."""
        if latency is None:
            return None
        return Strip(*map(self.place, (latency.min, latency.p50, latency.p95, latency.p99, latency.max)))


def strip_scale(series: Sequence[SeriesSummary]) -> StripScale:
    """The scale that fits them all."""
    found = [row.response_ms for row in series if row.response_ms]
    least_ms = min((latency.min for latency in found), default=1.0)
    return StripScale(max(least_ms, 0.001), max((latency.max for latency in found), default=1.0))


def chosen(series: Sequence[SeriesSummary], bounds: Bounds) -> list[SeriesSummary]:
    """The series that get a row: all, or the busiest, in the order that they come in."""
    kept = {id(row) for row in sorted(series, key=_weight, reverse=True)[: bounds.series]}
    return [row for row in series if id(row) in kept]


def detailed(series: Sequence[SeriesSummary], bounds: Bounds) -> list[SeriesSummary]:
    """The series that open: half of them for their requests, the others for their failures, or requests again."""
    failing = sorted((row for row in series if row.failures), key=lambda row: row.failures, reverse=True)
    first = failing[: bounds.detailed_series // 2]
    taken = {id(row) for row in first}
    others = [row for row in sorted(series, key=_weight, reverse=True) if id(row) not in taken]
    kept = taken | {id(row) for row in others[: bounds.detailed_series - len(first)]}
    return [row for row in series if id(row) in kept]


def rows_of(
    series: Sequence[SeriesSummary], opening: Sequence[SeriesSummary], scale: StripScale, bounds: Bounds
) -> Iterator[SeriesRow]:
    """A row each."""
    places = {id(row): place for place, row in enumerate(opening)}
    for row in series:
        yield SeriesRow(
            scenario=clipped(row.scenario, bounds.name_characters),
            method=clipped(row.method, METHOD_CHARACTERS),
            name=clipped(row.name, bounds.name_characters) or NONE,
            tags=clipped(row.tags, bounds.name_characters),
            requests=count_text(row.requests),
            failures=count_text(row.failures),
            share=share_text(row.failures, max(row.requests, 1)),
            failed=row.failures > 0,
            rps=rate_text(row.rps),
            times=durations(row.response_ms, COLUMNS),
            strip=scale.strip(row.response_ms),
            detail=places.get(id(row)),
        )


def durations(latency: Latency | None, names: Sequence[str] = TIMES) -> tuple[Duration, ...]:
    """The durations of a block, by their names."""
    if latency is None:
        return tuple(Duration(NONE) for _ in names)
    return tuple(Duration(ms_text(getattr(latency, name)), is_few(latency, name)) for name in names)


def time_rows(summary: SeriesSummary) -> list[TimeRow]:
    """Every kind of duration that a series has."""
    blocks = {
        "response": summary.response_ms,
        "service": summary.service_ms,
        "first byte": summary.first_byte_ms,
        "connect": summary.connect_ms,
        "failed": summary.failed_ms,
        "all": summary.all_ms if summary.failures else None,
    }
    return [TimeRow(name, block.clock, durations(block)) for name, block in blocks.items() if block]


def numbers_of(result: RunResult, series: Sequence[SeriesSummary]) -> list[int]:
    """The number of each series in the result."""
    numbers = {
        (one.scenario, one.method, one.name, one.tags): number
        for number, one in reversed(list(enumerate(result.series)))
        if one.sort is Sort.CALL
    }
    return [numbers.get((row.scenario, row.method, row.name, row.tags), 0) for row in series]


def distributions(whole: Tables, number: int | None = None) -> dict[str, Json]:
    """How the durations of a series, or of all calls, are distributed, kind by kind."""
    return {name: distribution(counts.histogram(whole, kinds, number)) for name, kinds in KINDS.items()}


def detail_json(summary: SeriesSummary, found: dict[str, Json], line: Line) -> Json:
    """What opens below a row."""
    statuses = [f"{status} × {count_text(count)}" for status, count in summary.statuses.items()]
    unanswered = summary.requests - sum(summary.statuses.values())
    return {
        "times": [
            [row.name, row.clock, *(f"~{time.text}" if time.few else time.text for time in row.times)]
            for row in time_rows(summary)
        ],
        "statuses": [*statuses[:20], *([f"no response × {count_text(unanswered)}"] if unanswered > 0 else [])],
        "transfer": f"{bytes_text(summary.bytes_received)} received, {bytes_text(summary.bytes_sent)} sent",
        "distributions": found,
        "line": line_json(line),
    }


def line_json(line: Line) -> Json:
    """A line over time."""
    return {
        "rps": all_rounded(line.rps),
        "failures_per_s": all_rounded(line.failures_per_s),
        "p50_ms": all_rounded(line.p50_ms),
        "p95_ms": all_rounded(line.p95_ms),
        "p99_ms": all_rounded(line.p99_ms),
    }


def _weight(row: SeriesSummary) -> tuple[int, int]:
    return row.requests, row.failures
