"""What a run shows: a live view on a terminal, a line now and then elsewhere, a table at the end.

What draws (rich, numpy) is imported when the first user has started: the first request does not wait for it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import gevent
from gevent.event import Event as Flag

from swell.cli.keys import pressed_keys
from swell.cli.printing import Printer
from swell.cluster.controller import Controller
from swell.cluster.controller_steps import Nudged
from swell.document import ResultDocument, ThresholdSummary

if TYPE_CHECKING:
    from rich.console import RenderableType

    from swell.report.live_view import LiveView

USERS_BY_KEY = {"w": 1, "W": 10, "s": -1, "S": -10}
DRAW_AFTER_S = 0.3
"""The first second of a run has better things to do than to import what draws it."""
FOLLOWER_END_S = 2.0


class Terminal:
    """Standard output and standard error. `to_stderr`: standard output is for the document alone."""

    def __init__(
        self, *, to_stderr: bool, quiet: bool, thresholds: Callable[[], Sequence[ThresholdSummary]] = tuple
    ) -> None:
        self._printer = Printer(to_stderr=to_stderr)
        self._quiet = quiet
        self._thresholds = thresholds
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
        printer = self._printer
        stream = printer.err if error else printer.out
        for line in lines:
            if self._view is None or not printer.is_terminal(stream):
                printer.line(line, stream)
            else:
                with printer.printing(stream):
                    self._view.say(line)

    def hang_up(self) -> None:
        """The terminal was closed: the run goes on to its end without it."""
        self._printer.hang_up()

    @contextlib.contextmanager
    def showing(self, controller: Controller) -> Iterator[None]:
        """Show how the run goes, while it goes."""
        if self._quiet:
            yield
            return
        follow = self._draw if self._printer.is_terminal(self._printer.out) else self._report
        follower = gevent.spawn(follow, controller)
        try:
            yield
        finally:
            follower.kill(timeout=FOLLOWER_END_S)

    def finish(self, document: ResultDocument, stored: RenderableType | None = None) -> None:
        """Show what it came to, and where it is stored."""
        if self._quiet:
            return
        from swell.report.console import open_console
        from swell.report.final_table import print_final

        out = self._printer.out
        with self._printer.printing(out):
            console = open_console(out)
            print_final(document, console)
            if stored is not None:
                console.print(stored)
            out.flush()

    def _draw(self, controller: Controller) -> None:
        self._begun.wait()
        with pressed_keys(sys.stdin, lambda key: _press(controller, key)) as keys:
            gevent.sleep(DRAW_AFTER_S)
            from swell.report.console import open_console
            from swell.report.live_view import LiveView

            out = self._printer.out
            with self._printer.printing(out), LiveView(open_console(out), keys=keys) as view:
                self._view = view
                try:
                    self._keep_drawing(view, controller)
                finally:
                    self._view = None

    def _keep_drawing(self, view: LiveView, controller: Controller) -> None:
        from swell.report.live_view import FRAME_S

        while True:
            view.show(controller.merge.snapshot(controller.at_s), self._thresholds())
            gevent.sleep(FRAME_S)

    def _report(self, controller: Controller) -> None:
        self._begun.wait()
        gevent.sleep(DRAW_AFTER_S)
        from swell.report.progress_line import EVERY_S, progress_line

        while True:
            gevent.sleep(EVERY_S - controller.at_s % EVERY_S)
            self._printer.line(progress_line(controller.merge.snapshot(controller.at_s)), self._printer.out)


def _press(controller: Controller, key: str) -> None:
    if key in USERS_BY_KEY:
        controller.tell(Nudged(USERS_BY_KEY[key]))
