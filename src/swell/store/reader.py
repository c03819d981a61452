"""Reads stored runs: which there are, and each as the `RunResult` that its controller had.

with open_store(Path(".swell/runs.db")) as store:
    result = store.load(store.find("latest").id)

A run that is being written is read as it stood a second ago at most. One whose writer ended without a word is
`interrupted`: that is found out when it is looked at, and written nowhere.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import msgspec

from swell.cluster.record import ClusterRecord
from swell.document import ThresholdSummary
from swell.errors import PlanError, Problem, RunFailed
from swell.plan import RunPlan
from swell.result import RunResult
from swell.stats.journal import MergeJournal
from swell.stats.merge import RunMerge
from swell.store import values
from swell.store.database import explained, open_to_read
from swell.store.life import is_written
from swell.store.values import decode
from swell.store.writer import RUNNING

INTERRUPTED = "interrupted"
DAMAGE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)
"""What parts of a run that do not fit together may raise."""
LATEST = "latest"
SHOWN_CANDIDATES = 4


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run in the list of runs. Its figures are of the instant `at_s` of the run."""

    number: int
    id: str
    name: str
    tags: tuple[str, ...]
    state: str
    """running, interrupted, completed, stopped, threshold or failed"""
    started_at: datetime.datetime
    script: str
    script_sha256: str
    target: str
    at_s: float
    duration_s: float
    requests: int
    failures: int
    p95_ms: float | None
    verdict: str
    """Empty while it runs."""

    @property
    def label(self) -> str:
        """What a person calls it."""
        return f"{self.id} ({self.name})" if self.name else self.id


@dataclasses.dataclass(frozen=True, slots=True)
class Interrupted:
    """A run whose controller ended without a word."""

    run: StoredRun
    journal: MergeJournal
    record: ClusterRecord
    boot: str
    workplace: str


COLUMNS = tuple(field.name for field in dataclasses.fields(StoredRun) if field.name not in ("tags", "state"))


class Store:
    """The runs of one file."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    def __repr__(self) -> str:
        return f"<Store {self.path}>"

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()

    def runs(self) -> list[StoredRun]:
        """All runs, the latest first."""
        with _sound(self.path):
            return [self._run(row) for row in self._rows("ORDER BY started_at DESC, number DESC")]

    def find(self, word: str) -> StoredRun:
        """The run that is meant by an id, the beginning of one, a name (of several so called, the latest) or `latest`.
        Raises PlanError when there is none, or more than one."""
        with _sound(self.path):
            found = next(self._candidates(word), [])
            if len(found) == 1:
                return self._run(found[0])
        if not found:
            hint = "`swell runs` lists them" if self._rows("LIMIT 1") else "no run is stored here"
            raise PlanError([Problem(f"there is no run {word[:80]!r} in {self.path}", "RUN", hint)])
        shown = ", ".join(row["id"] for row in found[:SHOWN_CANDIDATES])
        more = f" and {len(found) - SHOWN_CANDIDATES} more" if len(found) > SHOWN_CANDIDATES else ""
        raise PlanError([Problem(f"{word!r} may be any of {len(found)} runs: {shown}{more}", "RUN", "give more of it")])

    def load(self, run: str) -> RunResult:
        """The result of a run, by its id: the one that its controller had when it was written last."""
        with _sound(self.path):
            from swell.store.loading import load_journal  # numpy, which a list of runs has no use for

            self._connection.execute("BEGIN")  # one moment of a run that goes on
            try:
                (row,) = self._rows("WHERE id = ?", run)
                journal = load_journal(self._connection, row)
            finally:
                self._connection.execute("ROLLBACK")
            return RunMerge.restore(journal).snapshot(msgspec.convert(row["at_s"], values.Instant))

    def interrupted(self, run: str) -> Interrupted:
        """A run as its controller left it, for another one that takes it up. Raises PlanError where there is nothing
        to take up."""
        with _sound(self.path):
            from swell.store.loading import load_journal

            self._connection.execute("BEGIN")
            try:
                (row,) = self._rows("WHERE id = ?", run)
                journal = load_journal(self._connection, row)
            finally:
                self._connection.execute("ROLLBACK")
            stored, record = self._run(row), decode(values.CLUSTER, row["cluster"])
            boot, workplace = msgspec.convert((row["boot"], row["workplace"]), tuple[str, str])
        if stored.state == RUNNING:
            raise PlanError([Problem(f"{stored.label} is still carried out", "RUN")])
        if stored.state != INTERRUPTED:
            raise PlanError([Problem(f"{stored.label} is over: {stored.state}", "RUN")])
        if record is None:
            raise PlanError([Problem(f"{stored.label} had not begun", "RUN", "begin a new run")])
        return Interrupted(stored, journal, record, boot, workplace)

    def thresholds(self, run: str) -> tuple[ThresholdSummary, ...]:
        """What became of the thresholds of a run that has ended."""
        with _sound(self.path):
            return decode(values.THRESHOLDS, self._value("thresholds", run))

    def plan(self, run: str) -> RunPlan:
        """What the run was to do."""
        with _sound(self.path):
            return decode(values.PLAN, self._value("plan", run))

    def script_text(self, run: str) -> bytes:
        """The script, as it was."""
        with _sound(self.path):
            return self._value("script_text", run)

    def _value(self, column: str, run: str) -> bytes:
        (row,) = self._rows("WHERE id = ?", run)
        value = row[column]
        if not isinstance(value, bytes):
            raise RunFailed(f"{column} of run {run} is damaged")
        return value

    def _candidates(self, word: str) -> Iterator[list[sqlite3.Row]]:
        """The runs that a word may mean, by the strongest meaning that any has."""
        by_start = "ORDER BY started_at DESC, number DESC LIMIT 1"
        meanings = [
            self._rows("WHERE id = ?", word),
            self._rows(by_start) if word == LATEST else [],
            self._rows(f"WHERE name = ? {by_start}", word) if word else [],
            self._rows("WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id", word) if word else [],
        ]
        yield from (found for found in meanings if found)

    def _rows(self, condition: str, *values: object) -> list[sqlite3.Row]:
        cursor = self._connection.cursor()
        cursor.row_factory = sqlite3.Row
        return cursor.execute(f"SELECT * FROM run {condition}", values).fetchall()

    def _run(self, row: sqlite3.Row) -> StoredRun:
        tags = self._connection.execute("SELECT tag FROM tag WHERE run = ? ORDER BY tag", (row["number"],)).fetchall()
        found = {column: row[column] for column in COLUMNS}
        found |= {"tags": tuple(tag for (tag,) in tags), "state": self._state(row)}
        return msgspec.convert(found, StoredRun)

    def _state(self, row: sqlite3.Row) -> str:
        """A writer says that the run has ended before it lets go of its lock: so it is asked once more."""
        state: str = row["state"]
        if state != RUNNING or is_written(self.path, row["id"]):
            return state
        (latest,) = self._connection.execute("SELECT state FROM run WHERE number = ?", (row["number"],)).fetchone()
        return INTERRUPTED if latest == RUNNING else str(latest)


def open_store(path: Path) -> Store:
    """The store at a path, to be read. Raises PlanError where there is none, or it cannot be read."""
    return Store(path, open_to_read(path))


@contextlib.contextmanager
def _sound(path: Path) -> Iterator[None]:
    """Have what cannot be read, or makes no sense, raise PlanError."""
    with explained(path):
        try:
            yield
        except DAMAGE as exc:
            raise RunFailed(f"is damaged: {exc}") from exc
