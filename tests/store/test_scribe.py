"""Pages are written without the controller waiting; what fails is said once, and made up for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from gevent.event import Event as Flag

from swell.cluster.controller import Controller
from swell.cluster.controller_steps import Stored
from swell.errors import RunFailed
from swell.result import End
from swell.stats.merge import RunMerge
from swell.stats.summary import summarise
from swell.store import scribe as scribes
from swell.store.reader import open_store
from swell.store.scribe import Scribe
from swell.store.writer import Heading, Page, RunWriter
from tests.report.sample_results import contest_segments, new_merge, plan


class FakeController:
    """A controller at second 10 of a run, that remembers what it was told."""

    def __init__(self, merge: RunMerge) -> None:
        self.merge = merge
        self.at_s = 10.0
        self.state = SimpleNamespace(members=[SimpleNamespace(worker=0, incarnation=1, applied=9)], record=lambda: None)
        self.told: list[object] = []
        self.was_told = Flag()

    def tell(self, event: object) -> None:
        self.told.append(event)
        self.was_told.set()

    def wait_told(self) -> object:
        assert self.was_told.wait(10)
        self.was_told.clear()
        return self.told[-1]


class FakeWriter:
    """Fails as often as it is told to, or waits."""

    def __init__(self, fails: int = 0) -> None:
        self.path = Path("runs.db")
        self.pages: list[Page] = []
        self.fails = fails
        self.go_on: threading.Event | None = None

    def write(self, page: Page) -> None:
        if self.go_on is not None:
            self.go_on.wait()
        if self.fails:
            self.fails -= 1
            raise RunFailed("runs.db: the disk is full")
        self.pages.append(page)

    def close(self) -> None: ...


class Scene:
    """A scribe, who it writes for, and what it said."""

    def __init__(self, writer: Any) -> None:
        merge = new_merge(plan())
        for one in contest_segments():
            merge.apply(one)
        self.controller = FakeController(merge)
        self.said: list[str] = []
        self.scribe = Scribe(writer, self.said.append)
        self.scribe.attend(cast(Controller, self.controller))

    def page(self) -> object:
        """Have a page written, and return what the controller is told then."""
        self.controller.was_told.clear()
        self.scribe.commit()
        return self.controller.wait_told()

    def finish(self) -> bool:
        self.controller.merge.ended(10.0, End.COMPLETED)
        result = self.controller.merge.snapshot()
        return self.scribe.finish(result, summarise(result))


@pytest.fixture
def scenes() -> Iterator[list[Scene]]:
    opened: list[Scene] = []
    yield opened
    for scene in opened:
        scene.scribe.close()


def begun(scenes: list[Scene], writer: Any) -> Scene:
    scene = Scene(writer)
    scenes.append(scene)
    scene.scribe.begun()
    scene.controller.wait_told()
    return scene


def test_the_first_page_comes_with_the_begin_and_the_last_says_how_it_ended(
    scenes: list[Scene], tmp_path: Path
) -> None:
    path = tmp_path / "runs.db"
    scene = begun(scenes, RunWriter(path, Heading(run="run", swell="0.1.0")))
    assert scene.controller.told == [Stored({(0, 1): 9})]
    with open_store(path) as store:
        assert store.find("run").state == "running"
        assert store.load("run") == scene.controller.merge.snapshot(10.0)
    assert scene.finish()
    scene.scribe.close()
    with open_store(path) as store:
        found = store.find("run")
        document = summarise(scene.controller.merge.snapshot())
        assert (found.state, found.verdict) == ("completed", document.verdict.state.value)
        assert (found.requests, found.failures) == (document.totals.requests, document.totals.failures)
        assert store.load("run") == scene.controller.merge.snapshot()
    assert scene.said == []


def test_workers_are_let_go_though_storing_fails_and_it_is_said_once(scenes: list[Scene]) -> None:
    scene = begun(scenes, FakeWriter(fails=3))
    for _ in range(3):
        assert scene.page() == Stored({(0, 1): 9})
    assert [text.split(":")[0] for text in scene.said] == [
        "the run cannot be stored",
        "the run is stored again, with all that was missing",
    ]
    (incident,) = scene.controller.merge.snapshot().controller.store_failures
    assert (incident.from_s, incident.to_s, incident.what) == (10.0, 10.0, "runs.db: the disk is full")
    assert not scene.scribe.is_failing


def test_an_end_that_cannot_be_stored_is_told(scenes: list[Scene]) -> None:
    writer = FakeWriter()
    scene = begun(scenes, writer)
    writer.fails = 1
    assert not scene.finish()
    assert scene.scribe.is_failing
    assert scene.controller.merge.snapshot().controller.store_failures


def test_a_disk_that_does_not_answer_holds_nobody_up_and_gets_one_page_at_a_time(
    scenes: list[Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribes, "SLOW_S", 0.05)
    writer = FakeWriter()
    writer.go_on = threading.Event()
    scene = begun(scenes, writer)
    assert scene.page() == Stored({(0, 1): 9})
    assert scene.page() == Stored({(0, 1): 9})
    assert [text.split(";")[0] for text in scene.said] == [
        "the run cannot be stored: runs.db: writing takes longer than 0.05 s"
    ]
    assert writer.pages == []
    monkeypatch.setattr(scribes, "SLOW_S", 10.0)
    writer.go_on.set()
    while scene.scribe.is_failing:
        scene.page()
    assert len(writer.pages) >= 2


def test_a_commit_before_the_begin_is_answered_at_once(scenes: list[Scene]) -> None:
    scene = Scene(FakeWriter())
    scenes.append(scene)
    scene.scribe.commit()
    assert scene.controller.told == [Stored({(0, 1): 9})]


def test_an_error_that_nobody_foresaw_is_a_failure_to_store_and_not_the_end(
    scenes: list[Scene], capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(FakeWriter):
        def write(self, page: Page) -> None:
            raise ZeroDivisionError("one")

    scene = begun(scenes, Broken())
    assert scene.page() == Stored({(0, 1): 9})
    assert "a bug in swell: ZeroDivisionError('one')" in scene.said[0]
    assert "ZeroDivisionError: one" in capsys.readouterr().err
    assert not scene.finish()
