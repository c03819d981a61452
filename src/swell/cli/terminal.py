"""What a run shows: a live view on a terminal, a line now and then elsewhere, a table at the end.

What draws (rich, numpy) is imported when the first user has started: the first request does not wait for it.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TextIO

import gevent
from gevent.event import Event as Flag

from swell.cli.keys import pressed_keys
from swell.cluster.controller import Controller
from swell.cluster.controller_steps import Revised
from swell.document import ResultDocument

if TYPE_CHECKING:
    from swell.report.live_view import LiveView

USERS_BY_KEY = {"w": 1, "W": 10, "s": -1, "S": -10}
DRAW_AFTER_S = 0.3
"""The first second of a run has better things to do than to import what draws it."""


class Terminal:
    """Standard output and standard error. `to_stderr`: standard output is for the document alone."""

    def __init__(self, *, to_stderr: bool, quiet: bool) -> None:
        self._out: TextIO = sys.stderr if to_stderr else sys.stdout
        self._err: TextIO = sys.stderr
        for stream in (self._out, self._err):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        self._quiet = quiet
        self._begun = Flag()
        self._view: LiveView | None = None

    def __repr__(self) -> str:
        return f"<Terminal, {'live' if self._view else 'quiet' if self._quiet else 'plain'}>"

    def begun(self) -> None:
        """The first user starts."""
        self._begun.set()

    def note(self, text: str) -> None:
        """Something has happened to the run."""
        if not self._quiet:
            self.lines([f"swell: {text}"], error=True)

    def lines(self, lines: Iterable[str], error: bool) -> None:
        """User code has printed something in a worker."""
        stream = self._err if error else self._out
        for line in lines:
            if self._view is not None and stream.isatty():
                self._view.say(line)
            else:
                _print(line, stream)

    @contextlib.contextmanager
    def showing(self, controller: Controller) -> Iterator[None]:
        """Show how the run goes, while it goes."""
        if self._quiet:
            yield
            return
        follow = self._draw if self._out.isatty() else self._report
        follower = gevent.spawn(follow, controller)
        try:
            yield
        finally:
            follower.kill()

    def finish(self, document: ResultDocument) -> None:
        """Show what it came to."""
        if self._quiet:
            return
        from swell.report.console import open_console
        from swell.report.final_table import print_final

        try:
            print_final(document, open_console(self._out))
            self._out.flush()
        except BrokenPipeError:
            _let_go(self._out)

    def _draw(self, controller: Controller) -> None:
        self._begun.wait()
        with pressed_keys(sys.stdin, lambda key: _press(controller, key)) as keys:
            gevent.sleep(DRAW_AFTER_S)
            from swell.report.console import open_console
            from swell.report.live_view import FRAME_S, LiveView

            with LiveView(open_console(self._out), keys=keys) as view:
                self._view = view
                try:
                    while True:
                        view.show(controller.merge.snapshot(controller.at_s))
                        gevent.sleep(FRAME_S)
                finally:
                    self._view = None

    def _report(self, controller: Controller) -> None:
        self._begun.wait()
        gevent.sleep(DRAW_AFTER_S)
        from swell.report.progress_line import EVERY_S, progress_line

        while True:
            gevent.sleep(EVERY_S - controller.at_s % EVERY_S)
            _print(progress_line(controller.merge.snapshot(controller.at_s)), self._out)


def _press(controller: Controller, key: str) -> None:
    if key in USERS_BY_KEY:
        controller.tell(Revised(USERS_BY_KEY[key]))


def _print(line: str, stream: TextIO) -> None:
    """Print a line; whoever read it and has gone, as `| head` does, is no reason to end a run."""
    try:
        print(line, file=stream, flush=True)
    except BrokenPipeError:
        _let_go(stream)


def _let_go(stream: TextIO) -> None:
    """What is printed there from now on goes nowhere, without a complaint at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
