"""Writes a run down while it goes on: a page a second, in a thread of its own, so that the controller never waits.

There is at most one page on its way to the disk. What it could not hold, or what a full disk refused, is in the next:
a page is the whole run as it stands, and the writer finds out what of it is new. Each time the controller is told up
to where its workers' reports are on disk; while storing fails it is told so all the same, since reports must not pile
up in the workers. Storing is tried again every second.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event as Flag
from gevent.threadpool import ThreadPool

from swell.cluster.controller import Controller
from swell.cluster.controller_steps import Stored
from swell.cluster.messages import sendable
from swell.document import ResultDocument
from swell.errors import SwellError
from swell.result import RunResult
from swell.stats.journal import MergeJournal
from swell.store.writer import Page, RunWriter

AFTER_SECOND_S = 0.15
"""A second is reported a little after its end, and stored when all workers have done so."""
SOONEST_S = 0.1
SLOW_S = 10.0
"""A page that takes longer counts as one that could not be stored."""
PARTING_S = 2.0


class Scribe:
    """The `Journal` of a controller. `say` is told when storing fails, and when it works again."""

    def __init__(self, writer: RunWriter, say: Callable[[str], None]) -> None:
        self._writer = writer
        self._say = say
        self._thread = ThreadPool(1)
        self._pending: Any = None
        self._controller: Controller | None = None
        self._greenlet: gevent.Greenlet | None = None
        self._now = Flag()
        self._fault = ""
        self._said: set[bool] = set()
        """Whether it was said that storing fails, and that it works again."""

    def __repr__(self) -> str:
        return f"<Scribe of {self._writer!r}{', failing' if self._fault else ''}>"

    def attend(self, controller: Controller) -> None:
        """This is whose run is written."""
        self._controller = controller

    def begun(self) -> None:
        """The first user starts."""
        self._greenlet = gevent.spawn(self._work, self._attended)

    def commit(self) -> None:
        """Write what there is now; the controller is told when that is done."""
        if self._greenlet is None or self._greenlet.dead:
            self._attended.tell(Stored(_applied(self._attended)))
        self._now.set()

    def finish(self, result: RunResult, document: ResultDocument) -> bool:
        """Write how the run has ended; False where that was not possible, which the result is then told."""
        self._rest()
        totals, p95 = document.totals, document.totals.response_ms
        journal = self._attended.merge.journal()
        page = Page(
            journal=journal,
            at_s=result.at_s,
            duration_s=result.duration_s,
            requests=totals.requests,
            failures=totals.failures,
            p95_ms=p95.p95 if p95 else None,
            state=document.run.end or "failed",
            verdict=document.verdict.state.value,
            thresholds=document.thresholds,
        )
        return self._put(page, result.at_s)

    def close(self) -> None:
        """Let go of the file. What was written stays, as of a run that was interrupted if it was not finished."""
        self._rest()
        with gevent.Timeout(PARTING_S, False):
            self._thread.spawn(self._writer.close).wait()
            self._thread.kill()

    @property
    def is_failing(self) -> bool:
        """The latest page could not be written."""
        return bool(self._fault)

    @property
    def _attended(self) -> Controller:
        assert self._controller is not None
        return self._controller

    def _rest(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()

    def _work(self, controller: Controller) -> None:
        gevent.sleep(SOONEST_S)
        while True:
            self._now.clear()
            applied = _applied(controller)
            try:
                at_s = controller.at_s
                page = _page(controller.merge.snapshot(at_s), controller.merge.journal())
                self._put(dataclasses.replace(page, cluster=controller.state.record()), at_s)
            finally:
                controller.tell(Stored(applied))
            self._now.wait(SOONEST_S + (AFTER_SECOND_S - SOONEST_S - controller.at_s) % 1)

    def _put(self, page: Page, at_s: float) -> bool:
        """Have a page written; whether it was."""
        before, self._fault = self._fault, self._write(page)
        if self._fault:
            self._attended.merge.store_failed(at_s, self._fault)
            self._say_once(f"the run cannot be stored: {self._fault}; it goes on, and storing is tried every second")
        elif before:
            self._say_once("the run is stored again, with all that was missing")
        return not self._fault

    def _say_once(self, text: str) -> None:
        """A disk that is full now and then is no reason to fill the terminal."""
        kind = bool(self._fault)
        if kind not in self._said:
            self._said.add(kind)
            self._say(text)

    def _write(self, page: Page) -> str:
        """Why the page could not be written, or ''."""
        fault = f"{self._writer.path}: writing takes longer than {SLOW_S:g} s"
        with gevent.Timeout(SLOW_S, False):
            if self._pending is not None:
                self._pending.wait()
            self._pending = self._thread.spawn(_attempt, self._writer, page)
            fault = self._pending.wait()
            if self._pending.exception is not None:  # its traceback is on standard error
                fault = f"a bug in swell: {self._pending.exception!r}"
            self._pending = None
        return str(fault)


def _attempt(writer: RunWriter, page: Page) -> str:
    """Runs in the thread."""
    try:
        writer.write(page)
    except SwellError as error:
        return sendable(str(error))
    return ""


def _applied(controller: Controller) -> dict[tuple[int, int], int]:
    """Up to where the reports of each worker have been taken in."""
    return {(member.worker, member.incarnation): member.applied for member in controller.state.members}


def _page(result: RunResult, journal: MergeJournal) -> Page:
    """The run as it goes on."""
    if not result.whole.counts:
        return Page(journal=journal, at_s=result.at_s, duration_s=result.duration_s)
    from swell.stats.windows import whole  # numpy: there are counts, so it has been imported

    everything = whole(result)
    quantiles_ms = everything.quantiles_ms((0.95,))
    return Page(
        journal=journal,
        at_s=result.at_s,
        duration_s=result.duration_s,
        requests=everything.requests,
        failures=everything.failures,
        p95_ms=quantiles_ms[0] if quantiles_ms else None,
    )
