"""Who is told how a run goes: the script's hooks, and whoever sits at the terminal."""

from __future__ import annotations

from collections.abc import Callable

from swell.cli.hooks import Hooks
from swell.cli.observers import Observers
from swell.cli.shape_ticks import ShapeTicks
from swell.cli.terminal import Terminal


class Stage:
    """The `Audience` of a run on the command line."""

    def __init__(
        self,
        hooks: Hooks,
        terminal: Terminal,
        observers: Observers,
        ticks: ShapeTicks | None = None,
        host_of: Callable[[int, int], str] = lambda worker, incarnation: "",
    ) -> None:
        """`host_of`: on which other machine an incarnation of a worker runs, or ''."""
        self._host_of = host_of
        self._hooks = hooks
        self._terminal = terminal
        self._observers = observers
        self._ticks = ticks

    def begun(self, begin_ns: int) -> None:
        self._observers.begun()
        if self._ticks is not None:
            self._ticks.begun(begin_ns)

    def spawned(self, users: int) -> None:
        self._hooks.fire("spawning_complete", user_count=users)

    def joined(self, worker: int, incarnation: int) -> None:
        self._hooks.fire("worker_connect", client_id=f"{worker}.{incarnation}")

    def lost(self, worker: int, incarnation: int, because: str) -> None:
        host = self._host_of(worker, incarnation)
        self._terminal.note(f"worker {worker}.{incarnation}{f' on {host}' if host else ''} {because}")

    def note(self, text: str) -> None:
        self._terminal.note(text)

    def ending(self) -> None:
        if self._ticks is not None:
            self._ticks.stop()
        self._hooks.fire("test_stopping", environment=self._hooks.environment)

    def show(self, worker: int, lines: tuple[str, ...], error: bool) -> None:
        self._terminal.lines(lines, error)

    def deliver(self, worker: int, data: bytes) -> None:
        self._hooks.deliver(str(worker), data)
