"""A line that says what holds at the moment, in place, below what is printed meanwhile. Only on a terminal."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from swell.cli.printing import Printer

CLEAR_LINE = "\r\x1b[2K"


class StatusLine:
    """At the end of standard error."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._text = ""

    def __repr__(self) -> str:
        return f"<StatusLine {self._text!r}>"

    def show(self, text: str) -> None:
        """Say this from now on; '': nothing."""
        printer = self._printer
        if text == self._text or not printer.is_terminal(printer.err):
            return
        self._text = text
        shown = text[: shutil.get_terminal_size().columns - 1]
        with printer.printing(printer.err):
            print(f"{CLEAR_LINE}{shown}", end="", file=printer.err, flush=True)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """A block in which whole lines can be printed."""
        text = self._text
        self.show("")
        try:
            yield
        finally:
            self.show(text)
