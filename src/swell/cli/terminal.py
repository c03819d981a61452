"""What a run shows: a live view on a terminal, a line now and then elsewhere, a table at the end.

It is an observer, so it begins when the first user has started: what draws (rich, numpy) is imported then.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from swell.cli.keys import pressed_keys
from swell.cli.printing import Printer
from swell.cli.status_line import StatusLine
from swell.cluster.controller import Controller
from swell.cluster.controller_steps import Nudged
from swell.document import ResultDocument, ThresholdSummary
from swell.result import RunResult

if TYPE_CHECKING:
    from rich.console import RenderableType

    from swell.report.live_view import LiveView

USERS_BY_KEY = {"w": 1, "W": 10, "s": -1, "S": -10}


class Terminal:
    """Standard output and standard error. `to_stderr`: standard output is for the document alone."""

    name = "the live view"

    def __init__(
        self, *, to_stderr: bool, quiet: bool, thresholds: Callable[[], Sequence[ThresholdSummary]] = tuple
    ) -> None:
        self._printer = Printer(to_stderr=to_stderr)
        self._quiet = quiet
        self._thresholds = thresholds
        self._controller: Controller | None = None
        self._while_showing = contextlib.ExitStack()
        self._view: LiveView | None = None
        self._reported_s = 0.0
        self._status = StatusLine(self._printer)

    def __repr__(self) -> str:
        return f"<Terminal, {'live' if self._view else 'quiet' if self._quiet else 'plain'}>"

    def note(self, text: str) -> None:
        """Something has happened to the run."""
        if not self._quiet:
            self.lines([f"swell: {text}"], error=True)

    def lines(self, lines: Iterable[str], error: bool) -> None:
        """User code has printed something in a worker."""
        printer = self._printer
        stream = printer.err if error else printer.out
        with self._status.aside():
            for line in lines:
                if self._view is None or not printer.is_terminal(stream):
                    printer.line(line, stream)
                else:
                    with printer.printing(stream):
                        self._view.say(line)

    def status(self, text: str) -> None:
        """What holds until the run begins; '': nothing."""
        if not self._quiet:
            self._status.show(text)

    def hang_up(self) -> None:
        """The terminal was closed: the run goes on to its end without it."""
        self._printer.hang_up()

    @contextlib.contextmanager
    def showing(self, controller: Controller) -> Iterator[None]:
        """A block in which the run may be shown as it goes."""
        self._controller = controller
        try:
            yield
        finally:
            self._hide()

    def observe(self, result: RunResult) -> None:
        """Show how the run goes."""
        if self._printer.is_terminal(self._printer.out):
            self._draw(result)
        else:
            self._report(result)

    def ended(self, result: RunResult) -> None:
        """The table comes when all that is in it is known: `finish`."""

    def failed(self, why: str) -> None:
        """What was shown last goes away with the view."""
        self._hide()

    def finish(self, document: ResultDocument, code: int, stored: RenderableType | None = None) -> None:
        """Show what it came to, and where it is stored; where nothing is shown, why it ends with this exit code."""
        if self._quiet:
            from swell.report.exit_reason import exit_reasons

            self.lines([f"swell: {text}" for text in exit_reasons(document, code)], error=True)
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

    def _draw(self, result: RunResult) -> None:
        with self._printer.printing(self._printer.out):
            if self._view is None:
                self._view = self._while_showing.enter_context(self._drawing())
            self._view.show(result, self._thresholds())

    @contextlib.contextmanager
    def _drawing(self) -> Iterator[LiveView]:
        """The view, and the keys that it names."""
        from swell.report.console import open_console
        from swell.report.live_view import LiveView

        console = open_console(self._printer.out)
        with pressed_keys(sys.stdin, self._press) as keys, LiveView(console, keys=keys) as view:
            try:
                yield view
            finally:
                self._view = None

    def _hide(self) -> None:
        with self._printer.printing(self._printer.out):
            self._while_showing.close()

    def _report(self, result: RunResult) -> None:
        from swell.report.progress_line import EVERY_S, progress_line

        if result.at_s >= self._reported_s + EVERY_S:
            self._reported_s = result.at_s // EVERY_S * EVERY_S
            self._printer.line(progress_line(result), self._printer.out)

    def _press(self, key: str) -> None:
        if key in USERS_BY_KEY and self._controller is not None:
            self._controller.tell(Nudged(USERS_BY_KEY[key]))
