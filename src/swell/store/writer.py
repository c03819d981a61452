"""Writes one run into a store: each time what has changed since the last, in one transaction.

What was written is known by the journal that was written last. A time that fails is rolled back, and the next one makes
up for it. Should the file have gone meanwhile, or not hold what it should, the run is written anew from its beginning.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
from pathlib import Path

from swell.cluster.record import ClusterRecord
from swell.document import ThresholdSummary
from swell.stats.journal import MergeJournal, MergeState
from swell.store.changes import changes
from swell.store.database import failing, open_to_write, transaction
from swell.store.life import LifeSign, remove_remains
from swell.store.values import encode

RUNNING = "running"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What is known of a run before it begins."""

    run: str
    swell: str
    name: str = ""
    tags: tuple[str, ...] = ()
    target: str = ""
    script_text: bytes = b""
    script_sha256: str = ""
    boot: str = ""
    """Which start of this machine."""
    workplace: str = ""
    """Where the workers of this machine have their files."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A run as it stands. Figures are for the list of runs."""

    journal: MergeJournal
    at_s: float
    duration_s: float = 0.0
    requests: int = 0
    failures: int = 0
    p95_ms: float | None = None
    state: str = RUNNING
    verdict: str = ""
    thresholds: tuple[ThresholdSummary, ...] = ()
    cluster: ClusterRecord | None = None
    """For a controller that takes the run up; None where there is nothing to take up."""


class RunWriter:
    """Owns the connection, and the sign of life of the run. No two threads use it at the same time."""

    def __init__(self, path: Path, heading: Heading) -> None:
        """Raises PlanError where the file is none that can be written."""
        self.path = path.absolute()
        """A script may change the working directory."""
        self._heading = heading
        self._connection: sqlite3.Connection | None = open_to_write(path)
        self._life: LifeSign | None = None
        self._file = _identity(self.path)
        self._number = 0
        self._pages = 0
        self._kept: MergeJournal | None = None
        remove_remains(self.path)

    def __repr__(self) -> str:
        return f"<RunWriter of {self._heading.run} in {self.path}, {self._pages} pages>"

    def write(self, page: Page) -> None:
        """Store the run as it stands. Raises RunFailed if that is not possible now."""
        try:
            with failing(self.path):
                self._write(self._connected(), page)
        except BaseException:
            self._disconnect()
            raise

    def close(self) -> None:
        """The run is not written any more."""
        self._disconnect()
        if self._life is not None:
            self._life.end()

    def _connected(self) -> sqlite3.Connection:
        """The connection, to the file that is at the path now."""
        if self._connection is not None and self._file != _identity(self.path):
            self._disconnect()
        if self._connection is None:
            self._connection = open_to_write(self.path)
            self._file = _identity(self.path)
            found = self._connection.execute("SELECT pages FROM run WHERE id = ?", (self._heading.run,)).fetchone()
            if found != (self._pages,):
                self._kept = None
        if self._life is None or not self._life.shows:
            self._life = LifeSign(self.path, self._heading.run)
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _write(self, connection: sqlite3.Connection, page: Page) -> None:
        kept, number, pages = self._kept, self._number, self._pages + 1
        with transaction(connection):
            if kept is None:
                number, kept = self._insert(connection, page), _nothing(page.journal)
            for statement, rows in changes(number, kept, page.journal):
                if rows:
                    connection.executemany(statement, rows)
            self._update(connection, number, pages, page)
        self._kept, self._number, self._pages = page.journal, number, pages

    def _insert(self, connection: sqlite3.Connection, page: Page) -> int:
        heading, plan = self._heading, page.journal.plan
        connection.execute("DELETE FROM run WHERE id = ?", (heading.run,))
        row = {
            "id": heading.run,
            "name": heading.name,
            "started_at": page.journal.started_at.isoformat(),
            "swell": heading.swell,
            "script": plan.script,
            "script_sha256": heading.script_sha256,
            "script_text": heading.script_text,
            "target": heading.target,
            "plan": encode(plan),
            "boot": heading.boot,
            "workplace": heading.workplace,
            **_figures(0, page),
        }
        columns, places = ", ".join(row), ", ".join(f":{column}" for column in row)
        number = connection.execute(f"INSERT INTO run ({columns}) VALUES ({places})", row).lastrowid
        assert number is not None
        connection.executemany("INSERT INTO tag VALUES (?, ?)", [(number, tag) for tag in dict.fromkeys(heading.tags)])
        return number

    def _update(self, connection: sqlite3.Connection, number: int, pages: int, page: Page) -> None:
        figures = _figures(pages, page)
        columns = ", ".join(f"{column} = :{column}" for column in figures)
        connection.execute(f"UPDATE run SET {columns} WHERE number = :number", {"number": number, **figures})


def _figures(pages: int, page: Page) -> dict[str, object]:
    """The columns that change each time."""
    return {
        "state": page.state,
        "pages": pages,
        "at_s": page.at_s,
        "duration_s": page.duration_s,
        "requests": page.requests,
        "failures": page.failures,
        "p95_ms": page.p95_ms,
        "verdict": page.verdict,
        "thresholds": encode(page.thresholds),
        "merge": encode(page.journal.state),
        "cluster": encode(page.cluster),
    }


def _nothing(journal: MergeJournal) -> MergeJournal:
    """The journal of the same run before anything has happened."""
    return MergeJournal(run=journal.run, plan=journal.plan, started_at=journal.started_at, state=MergeState())


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file is at the path; None: none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
