"""Prints on standard output and standard error, and goes on when nobody is there any more.

Whoever read a pipe may have gone (`| head`), a terminal may have been closed, a disk may be full: none of these is a
reason to end a load test. What cannot be printed goes nowhere from then on.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import TextIO

GONE = (errno.EPIPE, errno.EIO)
"""Nobody reads any more: that needs no words."""


class Printer:
    """The two streams of this process. `to_stderr`: standard output is for the document alone."""

    def __init__(self, *, to_stderr: bool) -> None:
        self._real = sys.stdout, sys.stderr
        self.out: TextIO = sys.stderr if to_stderr else sys.stdout
        self.err: TextIO = sys.stderr
        self._terminals = [stream for stream in {self.out, self.err} if stream.isatty()]
        for stream in (self.out, self.err):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")

    def __repr__(self) -> str:
        return f"<Printer, {len(self._terminals)} terminals>"

    def is_terminal(self, stream: TextIO) -> bool:
        """Whether somebody looks at it. No question to the system: a terminal that was closed is none to that."""
        return stream in self._terminals

    def line(self, text: str, stream: TextIO) -> None:
        """Print a line."""
        with self.printing(stream):
            print(text, file=stream, flush=True)

    @contextlib.contextmanager
    def printing(self, stream: TextIO) -> Iterator[None]:
        """A block that prints on `stream`, and is given up where that cannot be."""
        try:
            yield
        except OSError as error:
            self.let_go(stream)
            if error.errno not in GONE and stream is not self.err:
                self.line(f"swell: cannot print on standard output: {error.strerror}", self.err)

    def let_go(self, stream: TextIO) -> None:
        """What is printed on `stream` from now on goes nowhere, without a complaint at exit."""
        sys.stdout, sys.stderr = self._real  # a live view stands in for both, and has just failed
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)

    def hang_up(self) -> None:
        """The terminal was closed."""
        for stream in self._terminals:
            self.let_go(stream)
