"""Trace ids to look up in an APM: those of the slowest calls, and of some that failed."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from swell.document import ResultDocument, TraceSummary
from swell.report.figures import ms_text
from swell.report.labelled import INDENT, Labelled
from swell.report.wording import shortened, visible

MOST_SLOW = 5
MOST_FAILED = 5
MS_WIDTH = 9
ID_LENGTH = 32


def trace_section(document: ResultDocument, width: int) -> Iterator[RenderableType]:
    """A few of them; nothing where no call was marked."""
    slow = sorted((seen for seen in document.traces if seen.error is None), key=lambda seen: -seen.response_ms)
    failed = sorted((seen for seen in document.traces if seen.error is not None), key=lambda seen: seen.at_s)
    shown = [*slow[:MOST_SLOW], *failed[:MOST_FAILED]]
    lines = [_line(seen, width - INDENT) for seen in shown]
    if hidden := len(document.traces) - len(shown):
        lines.append(Text(f"(and {hidden:,} more: --json has them all)", style="dim"))
    if lines:
        yield Labelled("traces", lines)


def _line(seen: TraceSummary, width: int) -> Text:
    what = f"{seen.method} {seen.name}" + (f" [{seen.tags}]" if seen.tags else "")
    why = f": {seen.error}" if seen.error is not None else ""
    room = max(width - MS_WIDTH - ID_LENGTH - 7, 8)
    line = Text.assemble(f"{ms_text(seen.response_ms):>{MS_WIDTH}} ms  ", seen.trace_id)
    return line.append("  " + shortened(visible(what + why), room), "" if seen.error is None else "red")
