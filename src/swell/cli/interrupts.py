"""Ctrl-C, SIGTERM, a closed terminal: the first ends a run, or one's part in it, gracefully, the second at once."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import TracebackType
from typing import Any

import gevent

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class InterruptedTwice(BaseException):
    """The user does not want to wait for the result."""


class Interrupts:
    """Listens for signals while it is entered. What cannot end gracefully yet is interrupted as Python does it."""

    def __init__(self, on_hang_up: Callable[[], None]) -> None:
        self._on_hang_up = on_hang_up
        self._stop: Callable[[], None] | None = None
        self._main = gevent.getcurrent()
        self._watchers: list[Any] = []
        self._count = 0

    def __enter__(self) -> Interrupts:
        heeded = [number for number in SIGNALS if number is not signal.SIGHUP or not _is_ignored(number)]
        self._watchers = [gevent.signal_handler(number, self._interrupt, number) for number in heeded]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for watcher in self._watchers:
            watcher.cancel()

    def attend(self, stop: Callable[[], None]) -> None:
        """From now on there is something that can end gracefully."""
        self._stop = stop

    def _interrupt(self, number: signal.Signals) -> None:
        self._count += 1
        if number is signal.SIGHUP:
            self._on_hang_up()
        if self._stop is None:
            gevent.kill(self._main, KeyboardInterrupt())
        elif self._count == 1:
            self._stop()
        else:
            gevent.kill(self._main, InterruptedTwice())


def _is_ignored(number: signal.Signals) -> bool:
    """As `nohup` has it."""
    return signal.getsignal(number) is signal.SIG_IGN
