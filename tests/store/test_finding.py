"""Which run a word means, and what becomes of runs in the list."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest

from swell.errors import PlanError
from swell.stats.merge import RunMerge
from swell.store import upkeep
from swell.store.database import open_to_write
from swell.store.life import LifeSign
from swell.store.reader import Store, open_store
from swell.store.writer import Heading, Page, RunWriter
from tests.stats.worker_runs import NOON, PLAN

IDS = ("aa10", "aa11", "bb20", "cc30")
NAMES = ("nightly", "", "nightly", "")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Four runs, begun an hour apart, the second one running."""
    for place, (run, name) in enumerate(zip(IDS, NAMES, strict=True)):
        merge = RunMerge(run, PLAN, NOON + datetime.timedelta(hours=place))
        writer = RunWriter(tmp_path / "runs.db", Heading(run=run, swell="0.1.0", name=name, tags=("ci", run[:2])))
        state = "running" if place == 1 else "completed"
        writer.write(Page(journal=merge.journal(), at_s=1.0, state=state))
        writer.close()
    return tmp_path / "runs.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with open_store(path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("word", "run"),
    [("aa10", "aa10"), ("bb", "bb20"), ("nightly", "bb20"), ("latest", "cc30"), ("c", "cc30"), ("aa11", "aa11")],
)
def test_a_word_means_an_id_the_beginning_of_one_a_name_or_the_latest(store: Store, word: str, run: str) -> None:
    assert store.find(word).id == run


@pytest.mark.parametrize(
    ("word", "what"),
    [
        ("aa", "'aa' may be any of 2 runs: aa10, aa11"),
        ("dd", "there is no run 'dd' in "),
        ("", "there is no run '' in "),
        ("%", "there is no run '%' in "),
        ("x" * 500, "there is no run 'xxx"),
    ],
)
def test_a_word_that_means_none_or_several_is_refused(store: Store, word: str, what: str) -> None:
    with pytest.raises(PlanError) as caught:
        store.find(word)
    assert str(caught.value.problems[0]).startswith(f"RUN: {what}")


def test_runs_are_listed_the_latest_first_with_their_states(path: Path, store: Store) -> None:
    assert [(run.id, run.state) for run in store.runs()] == [
        ("cc30", "completed"),
        ("bb20", "completed"),
        ("aa11", "interrupted"),
        ("aa10", "completed"),
    ]
    sign = LifeSign(path, "aa11")
    assert store.find("aa11").state == "running"
    sign.end()


def test_names_and_tags_are_changed(path: Path, store: Store) -> None:
    upkeep.rename(path, store.find("aa10"), "base")
    upkeep.tag(path, store.find("aa10"), ["v1", "ci", "v1"])
    upkeep.untag(path, store.find("aa10"), ["aa", "never"])
    assert (store.find("base").id, store.find("aa10").tags) == ("aa10", ("ci", "v1"))


def test_a_run_that_is_deleted_is_gone_with_all_its_parts(path: Path) -> None:
    with open_store(path) as store:
        going = [run for run in store.runs() if run.id != "bb20"]
    upkeep.delete(path, going)
    connection = open_to_write(path)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    left = {
        table: connection.execute(f"SELECT DISTINCT run FROM {table}").fetchall() for table in tables if table != "run"
    }
    connection.close()
    assert {run for runs in left.values() for run in runs} == {(3,)}


def test_a_run_that_is_being_written_cannot_be_deleted_nor_any_with_it(path: Path, store: Store) -> None:
    sign = LifeSign(path, "aa11")
    with pytest.raises(PlanError, match="aa11: is running: it cannot be deleted"):
        upkeep.delete(path, store.runs())
    assert len(store.runs()) == 4
    sign.end()


def test_deleting_gives_the_room_back(path: Path) -> None:
    connection = open_to_write(path)
    rows = [(1, second, second + 1, bytes(20_000)) for second in range(100)]
    connection.executemany("INSERT INTO block VALUES (?, ?, ?, ?)", rows)
    connection.close()
    before = path.stat().st_size
    with open_store(path) as store:
        going = [store.find("aa10")]
    freed_bytes = upkeep.delete(path, going)
    assert before - path.stat().st_size == freed_bytes > 2_000_000
