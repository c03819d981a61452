"""What a run shows on the terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator

from swell.cluster.controller import Controller
from swell.plan import RunPlan
from swell.result import RunResult


class Terminal:
    """Standard output and standard error. `to_stderr`: standard output is for the document alone."""

    def __init__(self, plan: RunPlan, *, to_stderr: bool, quiet: bool) -> None:
        self._plan = plan
        self._out = sys.stderr if to_stderr else sys.stdout
        self._quiet = quiet

    def begun(self) -> None:
        """The first user starts."""

    def note(self, text: str) -> None:
        """Something that has happened to the run."""
        print(f"swell: {text}", file=sys.stderr)

    def lines(self, lines: Iterable[str], error: bool) -> None:
        """What user code has printed in a worker."""
        for line in lines:
            print(line, file=sys.stderr if error else self._out)

    @contextlib.contextmanager
    def showing(self, controller: Controller) -> Iterator[None]:
        """Show how the run goes, while it goes."""
        yield

    def finish(self, result: RunResult) -> None:
        """Show what it came to."""
