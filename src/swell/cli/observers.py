"""Those who look at a running run once a second: the terminal, thresholds, Prometheus, OpenTelemetry.

One greenlet takes one snapshot a second and shows it to all of them, a little after the second is over, so that its
counts have come. After the end they are shown the result itself. One that fails does not end the others, nor the run.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import gevent
from gevent.event import Event as Flag

from swell.cli.contained import Contained
from swell.cluster.controller import Controller
from swell.result import RunResult

AFTER_SECOND_S = 0.3
"""Counts of a second come a little later; and the first user has started before anything heavy is imported."""
SOONEST_S = 0.1
PARTING_S = 2.0


class Observer(Protocol):
    """One of them. No method may hold the controller up."""

    name: str
    """What it is to the user: `the thresholds`."""

    def observe(self, result: RunResult) -> None:
        """The run as it stands now."""

    def ended(self, result: RunResult) -> None:
        """The run as it has ended."""

    def failed(self, why: str) -> None:
        """What it has just raised. It is shown nothing more but the end."""


class Observers:
    """All of them. `note` tells the user of one that fails."""

    def __init__(self, observers: Sequence[Observer], note: Callable[[str], None]) -> None:
        self._observers = observers
        self._watching = list(observers)
        self._note = note
        self._begun = Flag()

    def __repr__(self) -> str:
        return f"<Observers: {', '.join(observer.name for observer in self._watching)}>"

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

    def show(self, result: RunResult) -> None:
        """Let them see how the run stands."""
        for observer in tuple(self._watching):
            with Contained(functools.partial(self._retire, observer)):
                observer.observe(result)

    def ended(self, result: RunResult) -> None:
        """Let them see what it came to."""
        for observer in self._observers:
            with Contained(functools.partial(self._retire, observer)):
                observer.ended(result)

    def _watch(self, controller: Controller) -> None:
        self._begun.wait()
        while self._watching:
            gevent.sleep(SOONEST_S + (AFTER_SECOND_S - SOONEST_S - controller.at_s) % 1)
            self.show(controller.merge.snapshot(controller.at_s))

    def _retire(self, observer: Observer, why: str) -> None:
        self._watching = [other for other in self._watching if other is not observer]
        observer.failed(why)
        self._note(f"{observer.name} failed, and the run goes on: {why}")
