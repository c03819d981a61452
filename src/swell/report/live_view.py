"""What a person sees on the terminal while a run goes on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from swell.document import ThresholdSummary
from swell.load_plan import Closed, Iterations
from swell.plan import RunPlan
from swell.report.arrival_lines import arrival_cells
from swell.report.columns import columns
from swell.report.figures import clock_text, count_text, cpu_text, ms_text, rate_text, share_text
from swell.report.live_measures import live_measures
from swell.report.series_table import SeriesRow, series_table
from swell.report.threshold_lines import live_lines
from swell.report.wording import shortened, visible
from swell.result import HealthSpan, RunResult
from swell.segment import Health, Kind
from swell.stats import counts, packed
from swell.stats.health_history import worst
from swell.stats.latency import Ends, ends_by_series, ends_of, latency
from swell.stats.packed import Tables
from swell.stats.users import planned_users, users_now
from swell.stats.windows import Window, latest

KEYS = "w/W one/ten users more · s/S one/ten fewer · Ctrl-C ends the run"
KEY_TO_END = "Ctrl-C ends the run"
FIXED_LINES = 13
LEAST_ROWS = 3
WIDEST = 160
NOW_LAYOUTS = (
    ((), 3, 8),
    ((), 2, 8),
    (("failures/s",), 2, 6),
    (("failures/s", "p50 ms"), 2, 6),
)
"""What is left out of the line of the moment, how far its columns are apart, how wide they are at least: the first that
fits."""
BUSY_CPU, LATE_LOOP_MS = 0.95, 100.0
HEALTH_S = 5.0


class LiveView:
    """Shows one snapshot after the other in place. It starts no thread: whoever owns it calls `show`."""

    def __init__(self, console: Console, *, keys: bool = True) -> None:
        self._console = console
        self._keys = keys
        self._live = Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop")

    def __repr__(self) -> str:
        return f"<LiveView, {'shown' if self._live.is_started else 'hidden'}>"

    def __enter__(self) -> LiveView:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, result: RunResult, thresholds: Sequence[ThresholdSummary] = ()) -> None:
        """Show a new frame."""
        size = self._console.size
        frame = live_frame(result, size.width, size.height, keys=self._keys, thresholds=thresholds)
        self._live.update(frame, refresh=True)

    def say(self, line: str) -> None:
        """Print a line above the view: what a worker printed, a notice."""
        self._console.print(Text(visible(line)))


def live_frame(
    result: RunResult, width: int, height: int, *, keys: bool = True, thresholds: Sequence[ThresholdSummary] = ()
) -> RenderableType:
    """One frame of at most `width` columns and `height` lines."""
    width = min(width, WIDEST)
    whole = packed.unpack(result.whole)
    lines: list[RenderableType] = [*_heading(result, width), Text(), _now(result, latest(result), width), Text()]
    demands = [*live_lines(thresholds, width), Text()] if thresholds else []
    measures = live_measures(result, whole, width)
    rows = max(height - FIXED_LINES - len(demands) - len(measures), LEAST_ROWS)
    lines += [*_series(result, whole, width, rows), Text(), *demands, *measures, _health(result, width)]
    if keys:
        lines.append(Text(shortened(KEY_TO_END if result.plan.adjustable is None else KEYS, width), style="dim"))
    return Group(*lines)


def _heading(result: RunResult, width: int) -> Iterator[RenderableType]:
    plan = result.plan
    target = f" → {plan.host}" if plan.host else ""
    planned_by = f" · planned by {plan.shape}" if plan.shape else ""
    yield Text(shortened(visible(f"{plan.script}{target}{planned_by}"), width), style="bold")
    elapsed, ends_s = clock_text(result.duration_s), plan.ends_s
    if ends_s is None:
        until = "until it is stopped" if _is_endless(plan) else "until all is done"
        until = f"until {plan.shape} ends it" if plan.shape else until
        yield Text(f"{elapsed}, {until}" if result.end is None else f"{elapsed}, ending", style="cyan")
        return
    times = f"  {elapsed} / {clock_text(ends_s)}" + (", ending" if result.end else "")
    grid = Table.grid()
    grid.add_row(_bar(result.duration_s, ends_s, width - len(times)), Text(times, style="cyan"))
    yield grid


def _is_endless(plan: RunPlan) -> bool:
    return any(load.ends_s is None and not isinstance(load.model, Iterations) for load in plan.loads)


def _bar(elapsed_s: float, planned_s: float, width: int) -> ProgressBar:
    return ProgressBar(
        total=planned_s,
        completed=min(elapsed_s, planned_s),
        width=width,
        style="grey30",
        complete_style="cyan",
        finished_style="cyan",
    )


def _now(result: RunResult, window: Window, width: int) -> RenderableType:
    """Users, rate and failures of the last whole second, percentiles of the last five."""
    second = latest(result, 1)
    quantiles_ms = window.quantiles_ms((0.5, 0.95, 0.99))
    durations = [ms_text(ms) for ms in quantiles_ms] if quantiles_ms else ["–"] * 3
    failing = "bold red" if second.failures else ""
    share = share_text(second.failures, max(second.requests, 1))
    cells = {
        "users": Text(_users(result), style="bold"),
        **arrival_cells(result),
        "requests/s": Text(rate_text(second.rps), style="bold"),
        "failures/s": Text(rate_text(second.failures_per_s), style=failing),
        "failed": Text(share, style=failing),
        **{f"{name} ms": Text(text, style="bold") for name, text in zip(("p50", "p95", "p99"), durations, strict=True)},
    }
    for left_out, gap, least in NOW_LAYOUTS:
        shown = {name: cell for name, cell in cells.items() if name not in left_out}
        heads = [Text(name, style="dim") for name in ("now", *shown)]
        table = columns(heads, [[Text(), *shown.values()]], gap=gap, least=least)
        if max(map(cell_len, table.plain.splitlines())) <= width:
            break
    return table


def _users(result: RunResult) -> str:
    """How many there are, and how many there should be, where that is planned for all of them."""
    there = count_text(users_now(result))
    if not all(isinstance(load.model, Closed) for load in result.plan.loads):
        return there
    return f"{there}/{count_text(planned_users(result.plan, result.revisions, result.at_s))}"


@dataclasses.dataclass(frozen=True, slots=True)
class _Busy:
    number: int
    ends: Ends


def _series(result: RunResult, whole: Tables, width: int, most: int) -> Iterator[RenderableType]:
    """The busiest series over the whole run, in the order of their names."""
    rows = counts.tallies(whole)
    every = [_Busy(number, ends) for number, ends in ends_by_series(rows).items()]
    scenarios = {result.series_of(busy.number).scenario for busy in every}
    room = most - (min(len(scenarios), most // 2) if len(scenarios) > 1 else 0)
    shown = every if len(every) <= room else sorted(every, key=lambda busy: -busy.ends.requests)[: max(room - 1, 1)]
    if not every:
        yield Text("no call is done yet", style="dim")
        return
    table_rows = sorted(
        (_row(result, whole, busy) for busy in shown), key=lambda row: (row.scenario, row.name, row.method)
    )
    total = _total(result, whole, ends_of(rows))
    yield series_table(table_rows, total, width, head="whole run")
    if hidden := len(every) - len(shown):
        yield Text(f"(and {hidden:,} more)", style="dim")


def _row(result: RunResult, whole: Tables, busy: _Busy) -> SeriesRow:
    series, ends = result.series_of(busy.number), busy.ends
    response = latency(counts.histogram(whole, (Kind.RESPONSE,), busy.number), ends.clock_of_successes)
    rps = _per_s(ends.requests, result)
    names = series.scenario, series.method, series.name
    return SeriesRow(*names, ends.requests, ends.failures, rps, response, series.tags)


def _total(result: RunResult, whole: Tables, ends: Ends) -> SeriesRow:
    response = latency(counts.histogram(whole, (Kind.RESPONSE,)), ends.clock_of_successes)
    return SeriesRow("", "", "all", ends.requests, ends.failures, _per_s(ends.requests, result), response)


def _per_s(count: int, result: RunResult) -> float:
    return count / result.duration_s if result.duration_s > 0 else 0.0


def _health(result: RunResult, width: int) -> Text:
    """How the generator fares now, and what it has lost."""
    alive = [worker for worker in result.workers if worker.lost_at_s is None]
    lost = len(result.workers) - len(alive)
    health = _recent([span for worker in alive for span in worker.health[-5:]], result.at_s - HEALTH_S)
    line = Text.assemble(("generator  ", "dim"), f"{len(alive)} {'worker' if len(alive) == 1 else 'workers'} · ")
    busy = max(health.cpu, health.busy) > BUSY_CPU
    line.append(f"CPU {cpu_text(health.cpu)}", "bold yellow" if busy else "")
    line.append(" · ")
    late = health.loop_lag_max_ms > LATE_LOOP_MS
    line.append(f"loop lag {ms_text(health.loop_lag_max_ms)} ms", "bold yellow" if late else "")
    if late and health.stalled_by:
        line.append(f" in {visible(health.stalled_by)}", "bold yellow")
    line.append(f" · {count_text(health.fds)} fds")
    if lost:
        line.append(f" · {lost} lost", "bold red")
    line.truncate(width, overflow="ellipsis")
    return line


def _recent(spans: Sequence[HealthSpan], since_s: float) -> Health:
    found = Health()
    for span in spans:
        if span.to_s >= since_s:
            found = worst(found, span.health)
    return found
