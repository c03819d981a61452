"""What the page says in figures and tables beside its series: each a small view for the templates."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import msgspec

from swell.analysis.health_reasons import THROTTLED_SHARE
from swell.document import Latency, Reason, ResultDocument, ScenarioSummary, ThresholdSummary
from swell.report.figures import NONE, bytes_text, clock_text, count_text, ms_text, rate_text, seconds_text, share_text
from swell.report.html_bounds import Bounds, clipped
from swell.report.html_series import TimeRow, durations
from swell.report.series_table import FEW_MARK, is_few

SHOW_ALL_SHARE = 0.01
OUTCOMES = {True: ("passed", "✓"), False: ("failed", "✗"), None: ("too few samples", "–")}


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """A key figure. `trouble`: it stands out."""

    label: str
    value: str
    unit: str = ""
    note: str = ""
    trouble: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class ThresholdRow:
    """What was demanded, and what came of it."""

    state: str
    mark: str
    expression: str
    value: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class ReasonRow:
    """A caveat of the verdict."""

    code: str
    text: str
    when: str
    from_s: float | None
    to_s: float | None


def key_figures(document: ResultDocument) -> Iterator[Figure]:
    """What is looked at first."""
    totals = document.totals
    failed = share_text(totals.failures, max(totals.requests, 1))
    yield Figure("requests", count_text(totals.requests), note=f"{rate_text(totals.rps)} per second")
    yield Figure(
        "failed", failed, note=f"{count_text(totals.failures)} requests" if totals.failures else "none",
        trouble=totals.failures > 0,
    )  # fmt: skip
    for name, label in (("p50", "median response"), ("p95", "p95 response"), ("p99", "p99 response")):
        yield _time_figure(label, totals.response_ms, name)
    yield Figure("users", count_text(totals.users_peak), note="at most at a time")
    for count, label, note in (
        (totals.dropped, "dropped", "arrivals that found no user"),
        (totals.missed, "missed", "starts too late to be made up"),
    ):
        if count:
            yield Figure(label, count_text(count), note=note, trouble=True)
    yield _bytes_figure("received", totals.bytes_received, f"{bytes_text(totals.bytes_sent)} sent")


def _time_figure(label: str, latency: Latency | None, name: str) -> Figure:
    if latency is None:
        return Figure(label, NONE, note="no successful call")
    few = is_few(latency, name)
    text = (FEW_MARK if few else "") + ms_text(getattr(latency, name))
    return Figure(label, text, "ms", note="fewer than 10 samples lie beyond" if few else "of successful calls")


def _bytes_figure(label: str, count: int, note: str) -> Figure:
    value, unit = bytes_text(count).split()
    return Figure(label, value, unit, note)


def threshold_rows(thresholds: Sequence[ThresholdSummary], bounds: Bounds) -> Iterator[ThresholdRow]:
    """Every threshold."""
    for one in thresholds[: bounds.texts]:
        state, mark = OUTCOMES[one.ok]
        value = NONE if one.value is None else f"{one.value:,.4g} {one.unit}".strip()
        yield ThresholdRow(
            state,
            mark,
            clipped(one.expression, bounds.text_characters),
            clipped(value, bounds.text_characters),
            clipped(one.reason, bounds.text_characters),
        )


def reason_rows(reasons: Sequence[Reason], bounds: Bounds) -> Iterator[ReasonRow]:
    """Every caveat."""
    for reason in reasons[: bounds.texts]:
        text = clipped(reason.text, bounds.text_characters)
        yield ReasonRow(reason.code.value, text, _stretch(reason.from_s, reason.to_s), reason.from_s, reason.to_s)


def _stretch(from_s: float | None, to_s: float | None) -> str:
    if from_s is None:
        return ""
    first, last = clock_text(from_s), clock_text(from_s if to_s is None else to_s)
    return first if first == last else f"{first} – {last}"


def latency_rows(document: ResultDocument) -> list[TimeRow]:
    """All calls together: what a person would have felt, what the target alone took, how failures fared."""
    totals = document.totals
    blocks = {"response": totals.response_ms, "service": totals.service_ms, "failed": totals.failed_ms}
    if totals.failures > SHOW_ALL_SHARE * totals.requests:
        blocks["all"] = totals.all_ms
    return [TimeRow(name, block.clock, durations(block)) for name, block in blocks.items() if block]


@dataclasses.dataclass(frozen=True, slots=True)
class AccountRow:
    """One count of the accounting, and what it means."""

    name: str
    count: str
    meaning: str
    trouble: bool = False


def account_rows(document: ResultDocument) -> Iterator[AccountRow]:
    """Where every exchange went."""
    found = document.accounting
    under_way = found.sent - found.answered - found.unanswered
    rest = "under way" if document.run.end is None else "without an outcome"
    for name, count, meaning, trouble in (
        ("sent", found.sent, "at least one byte was given to the kernel", False),
        ("answered", found.answered, "a whole response was read", False),
        ("unanswered", found.unanswered, "sent, but timed out, reset, cut off, or ended with the run", True),
        (rest, max(under_way, 0), "sent, and nothing more is known so far", True),
        ("not sent", found.not_sent, "no connection, DNS or TLS: no target can have logged it", True),
        ("retried", found.retried, "a second attempt: the connection was closed as the request crossed", False),
        ("redirected", found.redirected, "a further hop", False),
        ("unaccounted", found.unaccounted, "nobody can tell what became of it: a worker died", True),
    ):
        if count or name in ("sent", "answered", "unanswered"):
            yield AccountRow(name, f"{count:,}", meaning, trouble and count > 0)


def generator_figures(document: ResultDocument) -> Iterator[Figure]:
    """The generator's health; what the verdict found fault with stands out."""
    found, troubles = document.generator, set(document.generator.reasons)
    yield Figure("workers", count_text(document.run.workers), trouble="worker_lost" in troubles)
    cpu_note = "of a core, the busiest worker"
    if found.throttled_max > THROTTLED_SHARE:
        cpu_note += f"; a quota was used up for {100 * found.throttled_max:.0f} % of a second"
    yield Figure("CPU", f"{100 * found.cpu_max:.0f}", "%", cpu_note, "generator_saturated" in troubles)
    lag_note = f"at most {ms_text(found.loop_lag_max_ms)} ms"
    yield Figure("loop lag p99", ms_text(found.loop_lag_p99_ms), "ms", lag_note, "loop_stalled" in troubles)
    yield Figure("schedule lag p99", ms_text(found.schedule_lag_p99_ms), "ms", trouble="schedule_late" in troubles)
    yield Figure("longest GC pause", ms_text(found.gc_pause_max_ms), "ms")
    yield Figure("open files", count_text(found.fds_max), trouble="fd_exhausted" in troubles)
    yield Figure("ports", count_text(found.ports_max), trouble="ports_exhausted" in troubles)
    yield _bytes_figure("memory", found.rss_max_bytes, "of the largest worker")
    for count, label, note in (
        (found.unstamped, "unstamped", "responses timed by the user's clock"),
        (found.window_limited, "window limited", "responses that waited for the receive window"),
        (found.samples_lost, "samples lost", "calls in no table"),
        (found.output_lost, "output lost", "lines that workers printed"),
    ):
        if count:
            yield Figure(label, count_text(count), note=note, trouble=label in ("unstamped", "samples lost"))


def scenario_rows(document: ResultDocument, bounds: Bounds) -> list[ScenarioSummary]:
    """The user classes, their names cut to size."""
    found = document.scenarios[: bounds.texts]
    return [msgspec.structs.replace(one, name=clipped(one.name, bounds.name_characters)) for one in found]


def duration_text(document: ResultDocument) -> str:
    """How it ended, and after what time."""
    after = seconds_text(document.run.duration_s)
    return f"{document.run.end} after {after}" if document.run.end else f"running for {after}"
