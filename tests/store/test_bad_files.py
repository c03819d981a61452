"""Files that are no store, or no longer: each is named with what is wrong, and left as it is."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swell.errors import PlanError
from swell.report.hdr_log import to_hdr_log
from swell.report.json_document import to_json
from swell.report.junit_xml import to_junit
from swell.report.locust_csv import to_csv
from swell.stats.summary import summarise
from swell.store.database import open_to_write
from swell.store.reader import open_store
from swell.store.writer import Heading, RunWriter
from tests.report.sample_results import contest_segments, new_merge, plan
from tests.store.test_round_trip import page

HEADING = Heading(run="0a1b2c3d4e5f", swell="0.1.0")


def store_in(folder: Path) -> Path:
    """A store with one run."""
    merge, path = new_merge(plan()), folder / "runs.db"
    for one in contest_segments():
        merge.apply(one)
    writer = RunWriter(path, HEADING)
    writer.write(page(merge, 10.0))
    writer.close()
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a store with one run."""
    return store_in(tmp_path_factory.mktemp("whole")).read_bytes()


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(5_000))


def text(path: Path) -> None:
    path.write_text("run,requests\n")


def truncated(path: Path) -> None:
    store_in(path.parent)
    path.write_bytes(path.read_bytes()[:-6_000])


def of_another_application(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE places (url)")
        connection.commit()


def of_a_newer_version(path: Path) -> None:
    store_in(path.parent)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")


def overwritten_inside(path: Path) -> None:
    store_in(path.parent)
    content = bytearray(path.read_bytes())
    content[100:9_000] = os.urandom(8_900)
    path.write_bytes(content)


FOREIGN: list[tuple[Callable[[Path], None], str]] = [
    (garbage, "is no store: it is not even an SQLite file"),
    (text, "is no store: it is not even an SQLite file"),
    (truncated, "is damaged: its end is missing"),
    (of_another_application, "is no store: it belongs to another application"),
    (of_a_newer_version, "was written by a newer swell: its version is 7, this one knows up to 1"),
    (overwritten_inside, "cannot be used: it is damaged"),
    (lambda path: path.mkdir(), "is a folder"),
]


@pytest.mark.parametrize("opened", [open_store, open_to_write])
@pytest.mark.parametrize(("made", "what"), FOREIGN)
def test_it_is_refused_and_left_as_it_is(
    tmp_path: Path, made: Callable[[Path], None], what: str, opened: Callable[[Path], object]
) -> None:
    path = tmp_path / "runs.db"
    made(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(PlanError) as caught:
        opened(path)
    (problem,) = caught.value.problems
    assert (problem.what, problem.where) == (what, str(path))
    assert problem.hint
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_an_empty_file_is_nothing_to_read_and_room_to_write(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    path.touch()
    with pytest.raises(PlanError, match="is empty: no run was ever stored in it"):
        open_store(path)
    store_in(tmp_path)
    with open_store(path) as store:
        assert [run.id for run in store.runs()] == [HEADING.run]


def test_a_file_that_is_not_there_is_not_made_by_a_reader(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="there is no store"):
        open_store(tmp_path / "runs.db")
    assert list(tmp_path.iterdir()) == []


COLUMNS = {
    "run": (
        *("id", "name", "state", "started_at", "script", "script_sha256", "target", "plan", "pages", "at_s"),
        *("duration_s", "requests", "failures", "p95_ms", "verdict", "thresholds", "merge"),
    ),
    "tag": ("tag",),
    "named": ("sort", "place", "value"),
    "block": ("from_s", "to_s", "counts"),
    "error_seen": ("series", "error", "count", "first_s", "last_s"),
    "sample": ("series", "error", "value"),
    "users": ("scenario", "minute", "value"),
    "worker": ("worker", "incarnation", "state", "held", "thinned"),
    "worker_numbers": ("worker", "incarnation", "value"),
    "worker_health": ("worker", "incarnation", "value"),
    "worker_calls": ("worker", "incarnation", "minute", "value"),
}


@pytest.mark.parametrize(("table", "column"), [(table, column) for table, names in COLUMNS.items() for column in names])
@pytest.mark.parametrize("value", [b"\xff\x00garbage", None, "text", -1, 1 << 62, 1e308], ids=repr)
def test_whatever_stands_in_a_column_it_is_read_and_shown_or_refused(
    whole: bytes, tmp_path: Path, table: str, column: str, value: object
) -> None:
    path = tmp_path / "runs.db"
    path.write_bytes(whole)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        with contextlib.suppress(sqlite3.IntegrityError), connection:
            connection.execute(f"UPDATE {table} SET {column} = ?", (value,))
    with contextlib.suppress(PlanError), open_store(path) as store:
        store.runs()
        run = store.find("latest")
        document = summarise(store.load(run.id), store.thresholds(run.id))
        to_json(document)
        to_csv(store.load(run.id), document)
        to_hdr_log(store.load(run.id), document)
        to_junit(store.load(run.id), document)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 200_000), st.binary(min_size=1, max_size=200))
def test_whatever_is_changed_in_a_file_it_is_read_or_refused(tmp_path: Path, place: int, change: bytes) -> None:
    whole = tmp_path / "whole"
    if not whole.exists():
        whole.write_bytes(store_in(tmp_path).read_bytes())
    content, path = bytearray(whole.read_bytes()), tmp_path / "runs.db"
    place %= len(content)
    content[place : place + len(change)] = change
    path.write_bytes(content)
    with contextlib.suppress(PlanError), open_store(path) as store:
        for run in store.runs():
            store.load(run.id)
            store.thresholds(run.id)
