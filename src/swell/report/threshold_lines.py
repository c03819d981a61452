"""What the team demanded, a line each: whether it is met, the demand, and the value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from swell.document import ThresholdSummary
from swell.report.labelled import Labelled
from swell.report.wording import shortened, visible
from swell.stats.thresholds.finding import value_text

MARKS = {True: ("✓", "green"), False: ("✗", "bold red"), None: ("?", "yellow")}
ORDER = {False: 0, None: 1, True: 2}
MOST_LIVE = 5


def threshold_section(thresholds: Sequence[ThresholdSummary]) -> Iterator[RenderableType]:
    """All thresholds, where there are any."""
    if thresholds:
        yield Labelled("thresholds", [threshold_line(threshold) for threshold in thresholds])


def live_lines(thresholds: Sequence[ThresholdSummary], width: int) -> list[Text]:
    """As many as a live view has room for: first those that are not met."""
    chosen = sorted(thresholds, key=lambda threshold: ORDER[threshold.ok])[:MOST_LIVE]
    lines = [threshold_line(threshold) for threshold in thresholds if any(threshold is one for one in chosen)]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    hidden = len(thresholds) - len(lines)
    return [*lines, Text(shortened(f"(and {hidden:,} thresholds more)", width), style="dim")] if hidden else lines


def threshold_line(threshold: ThresholdSummary) -> Text:
    """`✗ p95 < 300ms  412.3 ms`, and what else is to be known."""
    line = Text.assemble(MARKS[threshold.ok], f" {visible(threshold.expression)}")
    if threshold.value is not None:
        line.append(f"  {value_text(threshold.value, threshold.unit)}", "dim" if threshold.ok else "bold")
    notes = [threshold.reason] if threshold.reason else []
    if threshold.limit is not None and " of baseline" in threshold.expression:
        notes.insert(0, f"limit {value_text(threshold.limit, threshold.unit)}")
    if notes:
        line.append(f"  ({visible(', '.join(notes))})", "dim")
    return line
