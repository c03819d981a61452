"""The console that everything is printed on."""

from __future__ import annotations

import io
from typing import TextIO

from rich.console import Console

PIPE_WIDTH = 100


def open_console(stream: TextIO, *, width: int | None = None) -> Console:
    """A console on a stream that interprets nothing in what it prints. A stream that is no terminal is 100 columns
    wide and gets no colours; what its encoding lacks is replaced."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")
    if width is None and not stream.isatty():
        width = PIPE_WIDTH
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False)
