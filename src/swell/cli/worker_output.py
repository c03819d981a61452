"""What user code prints or logs in a worker, on its way to the controller's terminal: bounded, and counted beyond."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable

import gevent

from swell.cluster.messages import LINES_PER_OUTPUT, Output, clipped_lines

LINES_WAITING_MAX = 1_000
FLUSH_S = 0.1

Line = tuple[str, bool]
"""The text, and whether it was written to standard error."""


class Outlet:
    """Collects lines and hands them on ten times a second; `hide` takes out of them what nobody may see."""

    def __init__(self, hide: Callable[[str], str] = str) -> None:
        self._hide = hide
        self._lines: deque[Line] = deque()
        self._lost = 0
        self.send: Callable[[Output], bool] | None = None
        self.count_lost: Callable[[int], None] | None = None

    def __repr__(self) -> str:
        return f"<Outlet, {len(self._lines)} lines waiting, {self._lost} lost>"

    def write(self, text: str, error: bool) -> None:
        """Take whole lines."""
        for line in clipped_lines(self._hide(text)):
            if len(self._lines) < LINES_WAITING_MAX:
                self._lines.append((line, error))
            else:
                self._lost += 1

    def flush(self) -> None:
        """Hand on what has been collected."""
        while self._lines and self.send is not None:
            error = self._lines[0][1]
            lines: list[str] = []
            while self._lines and self._lines[0][1] is error and len(lines) < LINES_PER_OUTPUT:
                lines.append(self._lines.popleft()[0])
            if not self.send(Output(tuple(lines), error)):
                self._lost += len(lines)
        if self._lost and self.count_lost is not None:
            self.count_lost(self._lost)
            self._lost = 0

    def start(self) -> None:
        """Keep handing on, in a greenlet of its own."""
        gevent.spawn(self._keep_flushing)

    def _keep_flushing(self) -> None:
        while True:
            gevent.sleep(FLUSH_S)
            self.flush()


class OutletStream(io.TextIOBase):
    """Stands in for `sys.stdout` or `sys.stderr`: whole lines go to the outlet."""

    encoding = "utf-8"

    def __init__(self, outlet: Outlet, error: bool) -> None:
        self._outlet = outlet
        self._error = error
        self._rest = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        whole, newline, rest = (self._rest + text).rpartition("\n")
        if newline:
            self._outlet.write(whole, self._error)
        self._rest = rest
        if len(rest) > 65_536:
            self.flush()
        return len(text)

    def flush(self) -> None:
        if self._rest:
            self._outlet.write(self._rest, self._error)
            self._rest = ""
