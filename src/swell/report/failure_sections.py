"""What failed: errors grouped by their text, and exceptions of the author's code."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from swell.document import ErrorSummary, ResultDocument
from swell.report.figures import NONE, count_text, seconds_text
from swell.report.labelled import INDENT, Labelled
from swell.report.wording import shortened, visible, visible_lines
from swell.segment import ErrorSample, ExceptionCount

MOST_ERRORS = 12
MOST_SERIES = 3
MOST_EXCEPTIONS = 5
MOST_TRACEBACK_LINES = 16
COUNT_WIDTH = 9


@dataclasses.dataclass(frozen=True, slots=True)
class ErrorGroup:
    """An error text, with every series that it occurred in, the most frequent first."""

    text: str
    rows: tuple[ErrorSummary, ...]

    @property
    def count(self) -> int:
        """How often it occurred."""
        return sum(row.count for row in self.rows)

    @property
    def sample(self) -> ErrorSample | None:
        """What one such call looked like."""
        return next((sample for row in self.rows for sample in row.samples), None)


def error_groups(errors: Sequence[ErrorSummary]) -> list[ErrorGroup]:
    """Errors by their text, the most frequent first."""
    found: dict[str, list[ErrorSummary]] = {}
    for row in errors:
        found.setdefault(row.error, []).append(row)
    groups = [ErrorGroup(text, tuple(sorted(rows, key=lambda row: -row.count))) for text, rows in found.items()]
    return sorted(groups, key=lambda group: -group.count)


def error_section(document: ResultDocument, width: int) -> Iterator[RenderableType]:
    """The most frequent errors; nothing where there was none."""
    groups = error_groups(document.errors)
    lines = [line for group in groups[:MOST_ERRORS] for line in _error_lines(group, width - INDENT)]
    if len(groups) > MOST_ERRORS:
        lines.append(Text(f"(and {len(groups) - MOST_ERRORS:,} errors more)", style="dim"))
    if lines:
        yield Labelled("errors", lines)


def _error_lines(group: ErrorGroup, width: int) -> Iterator[Text]:
    first_s, last_s = min(row.first_s for row in group.rows), max(row.last_s for row in group.rows)
    when = f"at {seconds_text(first_s)}" if first_s == last_s else f"{seconds_text(first_s)} – {seconds_text(last_s)}"
    text = shortened(visible(group.text) or NONE, max(width - COUNT_WIDTH - len(when) - 5, 12))
    yield Text.assemble((f"{count_text(group.count):>{COUNT_WIDTH}}", "bold red"), f"  {text}  ", (when, "dim"))
    yield _indented(_where(group.rows), width)
    if group.sample:
        yield _indented(f"e.g. {_essence(group.sample)}", width)


def _where(rows: Sequence[ErrorSummary]) -> str:
    shown = [f"{row.method} {row.name}".strip() + f" {count_text(row.count)}" for row in rows[:MOST_SERIES]]
    if len(rows) == 1:
        shown = [f"{rows[0].method} {rows[0].name}".strip()]
    more = f" (and {len(rows) - MOST_SERIES:,} series more)" if len(rows) > MOST_SERIES else ""
    return " · ".join(shown) + more


def _essence(sample: ErrorSample) -> str:
    """A sample on one line: status, URL and what the target said."""
    said = " ".join(sample.body.split())
    return " ".join(part for part in (str(sample.status or ""), sample.url, said) if part)


def _indented(text: str, width: int) -> Text:
    room = width - COUNT_WIDTH - 2
    return Text(" " * (COUNT_WIDTH + 2) + shortened(visible(text), room), style="dim")


def exception_section(document: ResultDocument, width: int) -> Iterator[RenderableType]:
    """The most frequent exceptions of user code with the author's own traceback."""
    exceptions = document.exceptions
    room = width - INDENT - COUNT_WIDTH - 2
    lines = [line for exception in exceptions[:MOST_EXCEPTIONS] for line in _exception_lines(exception, room)]
    hidden = sum(exception.count for exception in exceptions[MOST_EXCEPTIONS:]) + document.limits.exceptions.beyond
    if hidden:
        lines.append(Text(f"(and {hidden:,} times another exception)", style="dim"))
    if lines:
        yield Labelled("exceptions", lines)


def _exception_lines(exception: ExceptionCount, room: int) -> Iterator[Text]:
    message = shortened(visible(exception.message), room)
    yield Text.assemble((f"{count_text(exception.count):>{COUNT_WIDTH}}", "bold red"), f"  {message}")
    lines = visible_lines(exception.traceback) if exception.traceback.strip() else []
    cut = len(lines) - MOST_TRACEBACK_LINES
    if cut > 0:
        yield Text(f"{'':{COUNT_WIDTH}}  ({cut} lines before)", style="dim")
    for line in lines[max(cut, 0) :]:
        yield Text(f"{'':{COUNT_WIDTH}}  {shortened(line, room)}", style="dim")
