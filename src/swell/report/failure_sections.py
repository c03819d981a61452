"""What failed: errors grouped by their text, and exceptions of the author's code."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import RenderableType
from rich.text import Text

from swell.document import ErrorSummary, ResultDocument
from swell.report.figures import NONE, count_text, seconds_text
from swell.report.labelled import INDENT, Labelled
from swell.report.wording import ELLIPSIS, shortened, visible, visible_lines
from swell.segment import ErrorSample, ExceptionCount

MOST_ERRORS = 12
MOST_SERIES = 3
MOST_EXCEPTIONS = 5
MOST_TRACEBACK_LINES = 16
COUNT_WIDTH = 9
LEAST_SAID = 12
"""Columns of what the target said, below which it says nothing."""


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
    room = width - COUNT_WIDTH - 2
    yield _indented(_where(group.rows, room), room)
    if group.sample:
        yield _indented(_essence(group.sample, room), room)


def _where(rows: Sequence[ErrorSummary], room: int) -> str:
    """The series that it occurred in, as many as there is room for, and how many more there are."""
    names = [visible(f"{row.method} {row.name}".strip()) for row in rows[:MOST_SERIES]]
    if len(rows) == 1:
        return names[0]
    counted = [f"{name} {count_text(row.count)}" for name, row in zip(names, rows, strict=False)]
    while len(counted) > 1 and cell_len(_with_more(counted, len(rows))) > room:
        counted.pop()
    return _with_more(counted, len(rows))


def _with_more(shown: Sequence[str], total: int) -> str:
    more = f" (and {total - len(shown):,} series more)" if total > len(shown) else ""
    return " · ".join(shown) + more


def _essence(sample: ErrorSample, room: int) -> str:
    """A sample on one line: status, URL and how what the target said begins."""
    asked = " ".join(part for part in ("e.g.", str(sample.status or ""), visible(sample.url)) if part)
    said = visible(" ".join(sample.body.split()))
    left = room - cell_len(asked) - 2
    if not said or left < LEAST_SAID:
        return asked
    return f"{asked}  {said if cell_len(said) <= left else set_cell_size(said, left - 1).rstrip() + ELLIPSIS}"


def _indented(text: str, room: int) -> Text:
    return Text(" " * (COUNT_WIDTH + 2) + shortened(text, room), style="dim")


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
    if lines and lines[-1] == visible(exception.message):
        lines.pop()
    cut = len(lines) - MOST_TRACEBACK_LINES
    if cut > 0:
        yield Text(f"{'':{COUNT_WIDTH}}  ({cut} lines before)", style="dim")
    for line in lines[max(cut, 0) :]:
        yield Text(f"{'':{COUNT_WIDTH}}  {shortened(line, room)}", style="dim")
