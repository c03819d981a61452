"""Columns of figures as lines of text: the first to the left, the others to the right.

rich's own tables measure and wrap every cell, which took three times as long, once a second, beside the workers.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

RULE = "─"

Row = Sequence[Text]


def columns(heads: Row, body: Sequence[Row], foot: Row | None = None, *, gap: int = 2, least: int = 0) -> Text:
    """Heads, rows and, between rules, a foot. A row may be shorter than the heads. `least`: how wide a column of
    figures is at least."""
    every = [heads, *body, *([foot] if foot else [])]
    widths = [max(row[place].cell_len for row in every if place < len(row)) for place in range(len(heads))]
    widths = [widths[0], *(max(width, least) for width in widths[1:])]
    rule = [Text(RULE * (sum(widths) + gap * (len(widths) - 1)))] if foot else []
    lines = [_line(heads, widths, gap), *rule, *(_line(row, widths, gap) for row in body), *rule]
    if foot:
        lines.append(_line(foot, widths, gap))
    joined = Text("\n").join(lines)
    joined.no_wrap, joined.overflow = True, "ellipsis"
    return joined


def _line(row: Row, widths: Sequence[int], gap: int) -> Text:
    line = row[0].copy()
    line.append(" " * (widths[0] - row[0].cell_len if len(row) > 1 else 0))
    for cell, width in zip(row[1:], widths[1:], strict=False):
        line.append(" " * (gap + width - cell.cell_len))
        line.append_text(cell)
    return line
