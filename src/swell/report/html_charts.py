"""What the page's script draws: lines over time, distributions, what opens below a row; and each chart in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from itertools import pairwise

from swell.document import ResultDocument, SeriesSummary
from swell.load_plan import Closed
from swell.report.figures import NONE, clock_text, count_text, ms_text, rate_text, seconds_text
from swell.report.html_bounds import Bounds
from swell.report.html_health import HealthLines, health_lines
from swell.report.html_json import Json
from swell.report.html_marks import Mark
from swell.report.html_plan import started_at
from swell.report.html_series import detail_json, distributions, line_json, numbers_of
from swell.report.html_timeline import Line, coarser, edges_s, lines, users_of
from swell.result import RunResult
from swell.stats import packed
from swell.stats.revisions import known_from_s
from swell.stats.users import planned_over

Entry = tuple[str, str, str]
"""A line's key, its name, and what is said of it while nobody points at a moment."""


@dataclasses.dataclass(frozen=True, slots=True)
class Charts:
    """Everything that is drawn, and what a person who cannot see it is told."""

    data: Json
    texts: dict[str, str]
    legends: dict[str, list[Entry]]
    step: str
    """How long a point of a line is, in words."""


def charts(
    result: RunResult, document: ResultDocument, marks: Sequence[Mark], opening: Sequence[SeriesSummary], bounds: Bounds
) -> Charts:
    """The charts of a page."""
    edges, numbers = edges_s(result, bounds.points), numbers_of(result, opening)
    wide = coarser(edges, bounds.series_points)
    drawn, users = lines(result, edges, wide, numbers), users_of(result, edges)
    health = health_lines(result, edges, bounds.worker_lines)
    whole = packed.unpack(result.whole)
    data: dict[str, Json] = {
        "started_ms": round(started_at(document).timestamp() * 1_000),
        "edges_s": edges,
        "all": line_json(drawn.whole),
        "users": users,
        "planned": _planned(result, edges),
        "health": health.json,
        "marks": [[mark.from_s, mark.to_s, mark.sort, mark.text] for mark in marks],
        "distributions": distributions(whole),
        "wide_edges_s": wide,
        "details": [
            detail_json(summary, distributions(whole, number), drawn.each[number])
            for summary, number in zip(opening, numbers, strict=True)
        ],
    }
    texts = _texts(document, edges, drawn.whole, users, health)
    return Charts(data, texts, _legends(document, health, data["planned"]), seconds_text(edges[1] - edges[0]))


def _legends(document: ResultDocument, health: HealthLines, planned: Json) -> dict[str, list[Entry]]:
    totals, found = document.totals, document.generator
    times = [(name, getattr(totals.response_ms, name, None)) for name in ("p50", "p95", "p99")]
    return {
        "rates": [
            ("rps", "requests", f"{rate_text(totals.rps)} mean"),
            ("failures", "failures", f"{rate_text(totals.failures_per_s)} mean"),
        ],
        "users": [
            ("users", "users", f"{count_text(totals.users_peak)} at most"),
            *([("planned", "planned", "")] if planned else []),
        ],
        "times": [(name, name, NONE if ms is None else ms_text(ms)) for name, ms in times],
        "cpu": [(f"c{place}", name, "") for place, name in enumerate(health.cpu)],
        "lags": [
            ("loop", "loop", f"{ms_text(found.loop_lag_max_ms)} at most"),
            ("schedule", "schedule p99", ms_text(found.schedule_lag_p99_ms)),
        ],
    }


def _planned(result: RunResult, edges: Sequence[int]) -> Json:
    """The most users that the plan wanted at the end of any second of each bin; None where a load is not of users, and
    for bins of which nobody knows any more."""
    if not all(isinstance(load.model, Closed) for load in result.plan.loads):
        return None
    wanted = list(planned_over(result.plan, result.revisions, range(edges[-1] + 1)))
    known_s = known_from_s(result.revisions)
    planned = [max(wanted[from_s + 1 : to_s + 1]) if from_s >= known_s else None for from_s, to_s in pairwise(edges)]
    return [*planned] if any(planned) else None


def _texts(
    document: ResultDocument, edges: Sequence[int], line: Line, users: Sequence[int], health: HealthLines
) -> dict[str, str]:
    totals, found = document.totals, document.generator
    response = totals.response_ms
    times = (
        f"p50 {ms_text(response.p50)} ms, p95 {ms_text(response.p95)} ms, p99 {ms_text(response.p99)} ms over the run; "
        f"the highest p99 {_peak(line.p99_ms, edges, ms_text)} ms"
        if response
        else "no successful call"
    )
    return {
        "rates": f"{rate_text(totals.rps)} requests per second on average, at most "
        f"{_peak(line.rps, edges, rate_text)}; {rate_text(totals.failures_per_s)} failures per second on average, "
        f"at most {_peak(line.failures_per_s, edges, rate_text)}",
        "users": f"at most {count_text(max(users, default=0))} users",
        "times": times,
        "cpu": f"the busiest of {len(health.cpu):,} workers used {100 * found.cpu_max:.0f} % of a core",
        "lags": f"loop lag at most {ms_text(found.loop_lag_max_ms)} ms, "
        f"schedule lag p99 {ms_text(found.schedule_lag_p99_ms)} ms",
    }


def _peak(values: Sequence[float | None], edges: Sequence[int], text: Callable[[float], str]) -> str:
    """The greatest value, and when it first came."""
    known = [(value, -place) for place, value in enumerate(values) if value is not None]
    if not known:
        return NONE
    value, place = max(known)
    return f"{text(value)} (at {clock_text(edges[-place])})"
