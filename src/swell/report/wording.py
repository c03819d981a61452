"""Texts from outside (URLs, errors, tracebacks) made safe and short enough to print.

They go into `rich.text.Text`, never into markup, so that `[red]` in a URL stays what it is. Characters that would move
the cursor, change colours or turn the line's direction are shown as escapes.
"""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len, set_cell_size

ELLIPSIS = "…"
UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}
"""Unicode categories: controls, formats (joiners and direction marks), surrogates, unassigned, line ends, spaces but
the one that everybody knows."""


def visible(text: str) -> str:
    """The text on one line, each unsafe character as its escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _escaped(character) if unicodedata.category(character) in UNSAFE else character for character in text
    )


def visible_lines(text: str) -> list[str]:
    """The lines of the text, tabs as spaces, each unsafe character as its escape."""
    return [visible(line.expandtabs(4)) for line in text.rstrip("\n").split("\n")]


def shortened(text: str, cells: int) -> str:
    """The text in at most `cells` columns, its middle left out: the beginning of a URL and its end both tell."""
    if cell_len(text) <= cells:
        return text
    if cells < 3:
        return set_cell_size(text, max(cells, 0)).rstrip() if cells != 1 else ELLIPSIS
    room = cells - 1
    tail = _tail(text, room // 2)
    return set_cell_size(text, room - cell_len(tail)).rstrip() + ELLIPSIS + tail


def _tail(text: str, cells: int) -> str:
    """As much of the end as fits."""
    start, width = len(text), 0
    while start and width + cell_len(text[start - 1]) <= cells:
        start -= 1
        width += cell_len(text[start])
    return text[start:]


def _is_safe(character: str) -> bool:
    return character == " " or unicodedata.category(character) not in UNSAFE


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
