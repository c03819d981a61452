"""Those who look at a running run once a second: thresholds, Prometheus, OpenTelemetry.

One greenlet takes one snapshot a second and shows it to all of them, a little after the second is over, so that its
counts have come. After the end they are shown the result itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Protocol

import gevent
from gevent.event import Event as Flag

from swell.cluster.controller import Controller
from swell.result import RunResult

AFTER_SECOND_S = 0.3
"""Counts of a second come a little later; and the first user has started before anything heavy is imported."""
SOONEST_S = 0.1
PARTING_S = 2.0


class Observer(Protocol):
    """One of them. Neither method may hold the controller up."""

    def observe(self, result: RunResult) -> None:
        """The run as it stands now."""

    def ended(self, result: RunResult) -> None:
        """The run as it has ended."""


class Observers:
    """All of them."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers
        self._begun = Flag()

    def __repr__(self) -> str:
        return f"<Observers: {list(self._observers)}>"

    def begun(self) -> None:
        """The first user starts."""
        self._begun.set()

    @contextlib.contextmanager
    def watching(self, controller: Controller) -> Iterator[None]:
        """Let them see the run, while it goes on."""
        if not self._observers:
            yield
            return
        watcher = gevent.spawn(self._watch, controller)
        try:
            yield
        finally:
            watcher.kill(timeout=PARTING_S)

    def ended(self, result: RunResult) -> None:
        """Let them see what it came to."""
        for observer in self._observers:
            observer.ended(result)

    def _watch(self, controller: Controller) -> None:
        self._begun.wait()
        while True:
            gevent.sleep(SOONEST_S + (AFTER_SECOND_S - SOONEST_S - controller.at_s) % 1)
            result = controller.merge.snapshot(controller.at_s)
            for observer in self._observers:
                observer.observe(result)
