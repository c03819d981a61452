"""Lines of text beside a label: how everything but tables is laid out."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

LABEL_WIDTH = 10
INDENT = LABEL_WIDTH + 2
BETWEEN = " · "
"""A line breaks there, if it can."""


class Labelled:
    """The lines, one below the other, the label beside the first. Long ones are wrapped, with a hanging indent; no
    line ends in spaces, as those of a table would."""

    def __init__(self, label: str, lines: Sequence[Text], *, indent: int = INDENT, hanging: int = 2) -> None:
        self._label = label
        self._lines = lines
        self._indent = indent
        self._hanging = hanging

    def __repr__(self) -> str:
        return f"<Labelled {self._label}: {[line.plain for line in self._lines]}>"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(options.max_width - self._indent, 10)
        label = Text(f"{self._label:<{self._indent}}", style="dim")
        for line in self._lines:
            for place, part in enumerate(_wrapped(line, console, width, self._hanging)):
                part.rstrip()
                yield Text.assemble(label, " " * self._hanging if place else "", part)
                label = Text(" " * self._indent)


def _wrapped(line: Text, console: Console, width: int, hanging: int) -> list[Text]:
    """The line in parts; those after the first leave room for the indent."""
    if line.cell_len <= width:
        return [line]
    end = line.plain.rfind(BETWEEN, 0, width + len(BETWEEN))
    if end > width // 2 and cell_len(line.plain[:end]) <= width:
        return [line[:end], *_wrapped(line[end + len(BETWEEN) :], console, max(width - hanging, 8), 0)]
    first = line.wrap(console, width)[0]
    rest = line[len(first.plain) :]
    start = len(rest.plain) - len(rest.plain.lstrip())
    return [first, *rest[start:].wrap(console, max(width - hanging, 8))]
