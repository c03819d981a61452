"""Opens the file of a store. What is no store of ours, or cannot be used, is refused before anything in it is touched.

Everything that goes wrong with the file later raises RunFailed, with what SQLite says in words of ours.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import struct
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from swell.errors import PlanError, Problem, RunFailed
from swell.store.schema import APPLICATION_ID, TABLES, VERSION

BUSY_S = 5.0
"""How long to wait for another process that is writing; each run does so for a few milliseconds a second."""
MAGIC = b"SQLite format 3\0"
HEADER_BYTES = 100
ELSEWHERE = "--store FILE names another, `swell run --no-store` does without"
MOVE_AWAY = "move it away, and the next run makes a new one"
WORDS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it can only be read",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_NOTADB: "it is no SQLite file",
    sqlite3.SQLITE_BUSY: "another process keeps it locked",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_PERM: "permission denied",
}
PLACE_CODES = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
PLACE_CODES |= {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY}


class CannotWrite(PlanError):
    """Nothing is wrong with the file, if there is one, but it cannot be written where it is."""


def open_to_write(path: Path) -> sqlite3.Connection:
    """A connection that runs can be written through, to a file that is made where there is none. Raises PlanError."""
    _refuse(path, to_write=True)
    with explained(path):
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            _refuse_stranger(path, connection)
            connection.execute("PRAGMA foreign_keys = ON")
            if _is_new(connection):
                _make_tables(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            with transaction(connection):  # which it would not begin where nothing can be written
                connection.execute("SELECT max(number) FROM run").fetchone()
        except BaseException:
            connection.close()
            raise
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that reads, also while others write. Raises PlanError."""
    _refuse(path, to_write=False)
    with explained(path):
        connection = _connect_to_read(path)
        try:
            connection.execute("PRAGMA query_only = ON")
            _refuse_stranger(path, connection)
            if _is_new(connection):
                raise _problem(path, "is empty: no run was ever stored in it")
            connection.execute("SELECT max(number) FROM run").fetchone()
        except BaseException:
            connection.close()
            raise
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # some errors have rolled it back
            connection.execute("ROLLBACK")
        raise


def in_words(error: sqlite3.Error) -> str:
    """What SQLite says, as it is said to a person."""
    return WORDS.get(_code(error), str(error))


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


@contextlib.contextmanager
def failing(path: Path) -> Iterator[None]:
    """Have errors of an open store raise RunFailed."""
    try:
        yield
    except sqlite3.Error as exc:
        raise RunFailed(f"{path}: {in_words(exc)}") from exc
    except OSError as exc:
        raise RunFailed(f"{path}: {exc.strerror or exc}") from exc


def _problem(path: Path, what: str, hint: str = "") -> PlanError:
    return PlanError([Problem(what, str(path), hint)])


def _refuse(path: Path, *, to_write: bool) -> None:
    """Look at the file itself, as far as that tells."""
    try:
        mode = path.stat().st_mode
        with open(path, "rb") if stat.S_ISREG(mode) else contextlib.nullcontext() as file:
            head = file.read(HEADER_BYTES) if file else b""
            size = file.seek(0, os.SEEK_END) if file else 0
    except FileNotFoundError:
        if to_write:
            return
        raise _problem(path, "there is no store", "`swell run` makes one; --store FILE names another") from None
    except (OSError, ValueError) as exc:
        raise _problem(path, f"cannot be read: {getattr(exc, 'strerror', None) or exc}", ELSEWHERE) from exc
    if not stat.S_ISREG(mode):
        raise _problem(path, "is a folder" if stat.S_ISDIR(mode) else "is no file", ELSEWHERE)
    if size and head[: len(MAGIC)] != MAGIC:
        raise _problem(path, "is no store: it is not even an SQLite file", ELSEWHERE)
    if size and size < _promised_bytes(head) and not _has_log(path):
        raise _problem(path, "is damaged: its end is missing", MOVE_AWAY)


def _promised_bytes(head: bytes) -> int:
    """How long the file is to be by its header (https://www.sqlite.org/fileformat.html, 1.3)."""
    if len(head) < HEADER_BYTES:
        return HEADER_BYTES
    (page_size,) = struct.unpack_from(">H", head, 16)
    (pages,) = struct.unpack_from(">I", head, 28)
    return int(pages * (65_536 if page_size == 1 else page_size))


def _has_log(path: Path) -> bool:
    """Whether there are pages beside the file that are still to be put into it."""
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """Where nothing can be written, SQLite has to be told that nobody else does either."""
    name = quote(str(path.absolute()), safe="/")
    modes = ["mode=rw", "mode=ro", *(["mode=ro&immutable=1"] if not _has_log(path) else [])]
    for mode in modes:
        connection = sqlite3.connect(f"file:{name}?{mode}", uri=True, timeout=BUSY_S, isolation_level=None)
        try:
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except (sqlite3.Error, UnicodeError) as exc:
            connection.close()
            if not isinstance(exc, sqlite3.OperationalError) or mode == modes[-1]:
                raise
        else:
            return connection
    raise AssertionError("unreachable")


def _is_new(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None


def _refuse_stranger(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse what another application, or a newer swell, has written."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID and not (application == 0 and _is_new(connection)):
        raise _problem(path, "is no store: it belongs to another application", ELSEWHERE)
    if version > VERSION:
        what = f"was written by a newer swell: its version is {version}, this one knows up to {VERSION}"
        raise _problem(path, what, f"a newer swell reads it; {ELSEWHERE}")


def _make_tables(connection: sqlite3.Connection) -> None:
    """Two runs may begin at the same time in the same folder: the second finds what the first has made."""
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    with transaction(connection):
        if not _is_new(connection):
            return
        for statement in TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Have errors of opening and reading raise PlanError."""
    try:
        yield
    except RunFailed as exc:
        raise _problem(path, str(exc), MOVE_AWAY) from exc
    except UnicodeError as exc:
        raise _problem(path, "cannot be used: it is damaged", MOVE_AWAY) from exc
    except sqlite3.Error as exc:
        if _code(exc) in PLACE_CODES:
            raise CannotWrite([Problem(f"cannot be used: {in_words(exc)}", str(path), ELSEWHERE)]) from exc
        raise _problem(path, f"cannot be used: {in_words(exc)}", MOVE_AWAY) from exc
