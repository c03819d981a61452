"""Whole texts as a person reads them, kept in files: `REWRITE_EXPECTED=1 pytest tests/report` writes them anew."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console, RenderableType

FOLDER = Path(__file__).parent / "expected"


def rendered(renderable: RenderableType, width: int, height: int = 40) -> str:
    """What a pipe of this width would get."""
    console = Console(
        file=io.StringIO(), width=width, height=height, markup=False, emoji=False, highlight=False, color_system=None
    )
    console.print(renderable)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def assert_expected(name: str, text: str) -> None:
    """The text is the one in the file."""
    path = FOLDER / f"{name}.txt"
    if os.environ.get("REWRITE_EXPECTED"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def assert_fits(text: str, width: int) -> None:
    """No line is wider than the console, ends in spaces or holds a control character."""
    for line in text.removesuffix("\n").split("\n"):
        assert cell_len(line) <= width
        assert line == line.rstrip()
        assert line.isprintable()
    assert not re.search(r"\bnan\b", text, re.IGNORECASE)
