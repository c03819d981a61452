"""Changes to stored runs: their names and tags, and taking them out of the store."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from swell.errors import PlanError, Problem
from swell.store.database import explained, open_to_write, transaction
from swell.store.life import is_written, remove_remains
from swell.store.reader import StoredRun
from swell.store.writer import RUNNING

PAGES_AT_ONCE = 2_000
"""Room is given back in steps, so that a run that is being stored need not wait long."""


def rename(path: Path, run: StoredRun, name: str) -> None:
    """Give a run a name, or none."""
    with _writing(path) as connection, transaction(connection):
        connection.execute("UPDATE run SET name = ? WHERE number = ?", (name, run.number))


def tag(path: Path, run: StoredRun, tags: Sequence[str]) -> None:
    """Give a run tags besides those that it has."""
    with _writing(path) as connection, transaction(connection):
        connection.executemany("INSERT OR IGNORE INTO tag VALUES (?, ?)", [(run.number, each) for each in tags])


def untag(path: Path, run: StoredRun, tags: Sequence[str]) -> None:
    """Take tags from a run."""
    with _writing(path) as connection, transaction(connection):
        connection.executemany("DELETE FROM tag WHERE run = ? AND tag = ?", [(run.number, each) for each in tags])


def delete(path: Path, runs: Sequence[StoredRun]) -> int:
    """Take runs out of the store; how many bytes of disk that has freed. Raises PlanError, and changes nothing, where
    one of them is being written."""
    with _writing(path) as connection:
        before = _size(path)
        with transaction(connection):
            if busy := [run for run in runs if _is_busy(connection, path, run)]:
                raise PlanError([Problem("is running: it cannot be deleted", run.label) for run in busy])
            connection.executemany("DELETE FROM run WHERE number = ?", [(run.number,) for run in runs])
        _give_back(connection)
        remove_remains(path)
        return max(before - _size(path), 0)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[sqlite3.Connection]:
    with explained(path), contextlib.closing(open_to_write(path)) as connection:
        yield connection


def _is_busy(connection: sqlite3.Connection, path: Path, run: StoredRun) -> bool:
    row = connection.execute("SELECT state FROM run WHERE number = ?", (run.number,)).fetchone()
    return row == (RUNNING,) and is_written(path, run.id)


def _give_back(connection: sqlite3.Connection) -> None:
    """Return free pages to the disk."""
    while True:
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        if not free:
            break
        connection.execute(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})").fetchall()
        (left,) = connection.execute("PRAGMA freelist_count").fetchone()
        if left >= free:
            break
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _size(path: Path) -> int:
    """The bytes that the store takes on the disk."""
    total = 0
    for file in (path, path.with_name(path.name + "-wal")):
        with contextlib.suppress(OSError):
            total += os.stat(file).st_size
    return total
