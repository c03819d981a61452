"""Two runs side by side, for a terminal or a pipe: what was compared, each thing with its verdict, what follows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.text import Text

from swell.report.columns import columns
from swell.report.comparison_wording import (
    STYLES,
    change_text,
    interval_text,
    range_text,
    series_label,
    value_text,
    verdict_text,
)
from swell.report.figures import NONE, count_text, seconds_text
from swell.report.labelled import Labelled
from swell.report.wording import shortened, visible
from swell.stats.comparison.document import (
    Comparison,
    Finding,
    RunCompared,
    SeriesCompared,
    Span,
    ThingCompared,
)

WIDE = 112
"""From so many columns on, each value has its interval beside it."""
MOST_SERIES = 20
MOST_LINES = 10
SHORT_S = 45
"""Of fewer seconds a reader who sees no difference is told that they are few."""
LEAST_NAME_WIDTH = 12
DIFFERENT = (Finding.SLOWER, Finding.FASTER)
ORDER = (Finding.SLOWER, Finding.FASTER, Finding.NO_DIFFERENCE, Finding.TOO_FEW)


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print the whole comparison."""
    console.print(comparison_report(comparison, console.width))


def comparison_report(comparison: Comparison, width: int) -> RenderableType:
    """The whole comparison, at most `width` columns wide, in parts with a line between them."""
    parts: list[RenderableType] = []
    for part in _parts(comparison, width):
        parts += [part, Text()]
    return Group(*parts[:-1])


def _parts(comparison: Comparison, width: int) -> Iterator[RenderableType]:
    yield Group(_run("base", comparison.base), _run("run", comparison.run))
    if comparison.warnings:
        yield Labelled("warning", [Text(visible(text), style="yellow") for text in comparison.warnings])
    yield _span(comparison.span)
    matched = [row for row in comparison.series if row.only_in is None]
    shown = _worth_showing(matched)
    yield _table(comparison.all, shown, width)
    yield from _beside(comparison.series, matched, shown)
    yield Group(_verdict(comparison), *_reasons(comparison), _method(comparison), *_gate(comparison))


def _run(which: str, run: RunCompared) -> RenderableType:
    title = f"{run.script} → {run.target}" if run.target else run.script
    known_as = f"{run.id} ({run.name})" if run.name else run.id
    return Labelled(
        which, [Text(visible(f"{known_as} · {title} · {_instant(run.started_at)} · {seconds_text(run.duration_s)}"))]
    )


def _instant(started_at: str) -> str:
    """`2026-01-31 12:00:05 UTC`; it is kept as `2026-01-31T12:00:05Z`."""
    return started_at.replace("T", " ").replace("Z", " UTC")


def _span(span: Span) -> RenderableType:
    lines = [Text(f"{seconds_text(span.from_s)} – {seconds_text(span.to_s)} of both")]
    if span.warm_up_s:
        lines.append(Text(f"a warm-up of {seconds_text(span.warm_up_s)} is left out, {span.warm_up}"))
    else:
        lines.append(Text(f"warm-up: {span.warm_up}"))
    lines += [Text(f"left out: {what}") for what in span.left_out]
    if span.to_s - span.from_s < SHORT_S:
        few = f"{seconds_text(span.to_s - span.from_s)} are few to tell a difference in: run for a minute or more"
        lines.append(Text(few, style="yellow"))
    return Labelled("compared", lines)


def _worth_showing(rows: Sequence[SeriesCompared]) -> list[SeriesCompared]:
    """Those with a difference, then the busiest, in the order of the run."""
    ranked = sorted(rows, key=lambda row: (-_differences(row), -row.base_calls - row.run_calls))
    chosen = {id(row) for row in ranked[:MOST_SERIES]}
    return [row for row in rows if id(row) in chosen]


def _differences(row: SeriesCompared) -> int:
    return sum(thing.verdict in DIFFERENT for thing in row.things)


def _table(total: SeriesCompared, rows: Sequence[SeriesCompared], width: int) -> RenderableType:
    wide = width >= WIDE
    names = ("", "base", *(["98 %"] if wide else []), "run", *(["98 %"] if wide else []), "change", "", "verdict")
    lines: list[list[Text]] = []
    for row in (total, *([] if _says_the_same(total, rows) else rows)):
        label = shortened(visible(series_label(row)), max(width, LEAST_NAME_WIDTH))
        lines += [[Text(label, style="bold")], *(_line(thing, wide=wide) for thing in row.things)]
    return columns([Text(name, style="dim") for name in names], lines)


def _says_the_same(total: SeriesCompared, rows: Sequence[SeriesCompared]) -> bool:
    """Of a run with one series, all calls are that series."""
    return len(rows) == 1 and rows[0].things == total.things


def _line(thing: ThingCompared, *, wide: bool) -> list[Text]:
    style = STYLES[thing.verdict]
    cells = [Text(f"  {thing.thing.value}")]
    for estimate in (thing.base, thing.run):
        cells.append(Text(value_text(thing, estimate)))
        if wide:
            cells.append(Text(range_text(thing, estimate), style="dim"))
    changed = style if thing.verdict in DIFFERENT else "dim"
    cells += [Text(change_text(thing), style=changed), Text(interval_text(thing), style="dim")]
    return [*cells, Text(verdict_text(thing), style=style)]


def _beside(
    rows: Sequence[SeriesCompared], matched: Sequence[SeriesCompared], shown: Sequence[SeriesCompared]
) -> Iterator[RenderableType]:
    lines = []
    if hidden := len(matched) - len(shown):
        lines.append(Text(f"(and {hidden:,} series more: --json has them all)", style="dim"))
    for which in ("base", "run"):
        lone = [row for row in rows if row.only_in == which]
        for row in lone[:MOST_LINES]:
            calls = count_text(row.base_calls + row.run_calls)
            lines.append(Text(visible(f"only in {which}: {series_label(row)}, {calls} calls"), style="yellow"))
        if len(lone) > MOST_LINES:
            lines.append(Text(f"(and {len(lone) - MOST_LINES:,} series more only in {which})", style="yellow"))
    if lines:
        yield Labelled("", lines, indent=0)


def _verdict(comparison: Comparison) -> RenderableType:
    counted = Counter(thing.verdict for thing in _things(comparison))
    parts = [
        Text(f"{counted[finding]:,} {finding.value.replace('_', ' ')}", style=STYLES[finding])
        for finding in ORDER
        if counted[finding]
    ]
    return Labelled("verdict", [Text(" · ").join(parts) if parts else Text(NONE)])


def _reasons(comparison: Comparison) -> Iterator[RenderableType]:
    counted = Counter(thing.reason for thing in _things(comparison) if thing.verdict is Finding.TOO_FEW)
    if counted:
        lines = [Text(f"{reason} ({count:,})", style="dim") for reason, count in counted.most_common()]
        yield Labelled("too few", lines)


def _things(comparison: Comparison) -> list[ThingCompared]:
    """Every thing once."""
    rows = [row for row in comparison.series if row.only_in is None]
    return [
        thing
        for row in (comparison.all, *([] if _says_the_same(comparison.all, rows) else rows))
        for thing in row.things
    ]


def _method(comparison: Comparison) -> RenderableType:
    text = "throughput in calls/s, times in ms"
    if comparison.verdicts:
        chance = f"by chance with a probability of {100 * comparison.level:g} % at most"
        text += f"; of {count_text(comparison.verdicts)} things tested, any is found different {chance}"
    return Labelled("", [Text(text, style="dim")])


def _gate(comparison: Comparison) -> Iterator[RenderableType]:
    gate = comparison.gate
    if gate is None:
        return
    by = f" by more than {100 * gate.limit:g} %" if gate.limit else ""
    if not gate.failed:
        yield Labelled("gate", [Text(f"passed: nothing is shown to be slower{by}", style="green")])
        return
    found: dict[str, list[str]] = {}
    for text in gate.because:
        series, _, thing = text.rpartition(": ")
        found.setdefault(series, []).append(thing)
    lines = [Text(f"FAILED: slower{by}", style="bold red")]
    lines += [Text(visible(f"{name}: {', '.join(things)}")) for name, things in list(found.items())[:MOST_LINES]]
    if len(found) > MOST_LINES:
        lines.append(Text(f"(and {len(found) - MOST_LINES:,} series more)"))
    yield Labelled("gate", lines)
