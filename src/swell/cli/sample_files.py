"""Writes every call to the file of `--samples` while the run goes on, in a thread of its own.

Each segment's calls come once, when the controller has taken the segment in. They wait in memory for the thread, up to
MOST_WAITING_BYTES; what a disk cannot take, or not in time, is counted and said once, and the run goes on. A CSV never
ends in half a line: it is cut off behind the last whole one, and tried again with the next calls.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import gevent
from gevent.event import Event as Flag
from gevent.threadpool import ThreadPool

from swell.cli import options
from swell.cli.checks import output_problems
from swell.cli.settings import Settings
from swell.errors import Problem, RunFailed
from swell.result import SampleFile
from swell.stats.sampled import Sampled

if TYPE_CHECKING:
    from swell.report.sample_parquet import ParquetRows

CSV, PARQUET = ".csv", ".parquet"
MOST_WAITING_BYTES = 256 << 20
GROUP_ROWS = 100_000
"""A row group of a Parquet file has at least so many, but for the last."""
PARTING_S = 60.0


def problems(settings: Settings, kept: Mapping[str, str]) -> list[Problem]:
    """Why the file of `--samples` cannot be written. `kept`: files used otherwise."""
    path, flag = settings[options.SAMPLES], options.SAMPLES.flag
    if not path:
        return []
    ending = Path(path).suffix.lower()
    if ending not in (CSV, PARQUET):
        return [Problem(f"{path!r} ends neither in {CSV} nor in {PARQUET}", flag, "its ending says what is written")]
    if ending == PARQUET and importlib.util.find_spec("pyarrow") is None:
        hint = f"pip install 'swell[parquet]', or write {Path(path).with_suffix(CSV)}"
        return [Problem("Parquet needs the package pyarrow, which is not installed", flag, hint)]
    others = {os.path.realpath(other): what for other, what in kept.items()}
    what = others.get(os.path.realpath(path))
    return [Problem(f"{path!r} is {what}", flag)] if what else output_problems(flag, path)


def kept_files(settings: Settings) -> dict[str, str]:
    """The file of `--samples`, which no other output may be written to."""
    path = settings[options.SAMPLES]
    return {path: f"to be written by {options.SAMPLES.flag} too"} if path else {}


class RowFile(Protocol):
    """A file of calls. Its methods are called in a thread; what fails raises OSError, and its rows count as lost."""

    def write(self, parts: list[Sampled]) -> int:
        """Write calls; how many rows have been lost by that so far and had not been before."""

    def close(self) -> int: ...


class CsvFile:
    """Lines, each of which is whole or not there."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb", buffering=0)
        self._good_bytes = 0
        self._begun = False

    def write(self, parts: list[Sampled]) -> int:
        from swell.report.sample_columns import columns_of
        from swell.report.sample_csv import HEADER, lines_of

        content = b"".join(lines_of(columns_of(part)) for part in parts)
        self._append(content if self._begun else HEADER + content)
        self._begun = True
        return 0

    def _append(self, content: bytes) -> None:
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(self._good_bytes)
                self._file.seek(self._good_bytes)
            raise
        self._good_bytes += len(content)

    def close(self) -> int:
        from swell.report.sample_csv import HEADER

        with contextlib.closing(self._file):
            if not self._begun:
                self._append(HEADER)
        return 0


class ParquetFile:
    """Row groups; the file can be read once it is closed, so that one which failed holds nothing."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb")
        self._rows: ParquetRows | None = None
        self._waiting: list[Sampled] = []
        self._written = 0
        self._broken = False

    def write(self, parts: list[Sampled]) -> int:
        self._waiting += parts
        if sum(part.rows for part in self._waiting) >= GROUP_ROWS:
            return self._flush()
        return 0

    def _flush(self) -> int:
        """Write what waits. A file that failed once is given up, and everything in it."""
        from swell.report.sample_columns import columns_of
        from swell.report.sample_parquet import ParquetRows

        parts, self._waiting = self._waiting, []
        rows = sum(part.rows for part in parts)
        if self._broken:
            return rows
        try:
            self._rows = self._rows or ParquetRows(self._file)
            if parts:
                self._rows.write([columns_of(part) for part in parts])
            self._file.flush()
        except OSError as error:
            self._give_up()
            raise LostRows(error, self._written + rows) from error
        self._written += rows
        return 0

    def _give_up(self) -> None:
        self._broken = True
        for file in (self._rows, self._file):
            with contextlib.suppress(OSError):
                if file is not None:
                    file.close()

    def close(self) -> int:
        lost = self._flush()
        if self._rows is None or self._broken:
            return lost
        try:
            self._rows.close()
            self._file.close()
        except OSError as error:
            self._give_up()
            raise LostRows(error, self._written) from error
        return lost


class LostRows(OSError):
    """A file could not be written, and so many rows with it."""

    def __init__(self, error: OSError, rows: int) -> None:
        super().__init__(error.errno, error.strerror or str(error))
        self.rows = rows


def _attempted(write: Callable[[], int], rows: int) -> tuple[int, str]:
    """How many rows were lost by writing so many, and why. Runs in the thread, whose pool prints what is raised."""
    try:
        return write(), ""
    except LostRows as error:
        return error.rows, error.strerror or str(error)
    except OSError as error:
        return rows, error.strerror or str(error)


class SampleWriter:
    """Takes the calls of segments, and has them written. `say` is told the first time that something is lost."""

    def __init__(self, path: str, say: Callable[[str], None]) -> None:
        self._path = path
        self._say = say
        self._rows = self._lost = 0
        self._fault = ""
        self._waiting: deque[Sampled] = deque()
        self._waiting_bytes = 0
        self._there = Flag()
        self._idle = Flag()
        self._idle.set()
        self._thread = ThreadPool(1)
        try:
            self._file: RowFile = (ParquetFile if path.lower().endswith(PARQUET) else CsvFile)(Path(path))
        except OSError as exc:
            raise RunFailed(f"{path}: cannot be written: {exc.strerror}") from exc
        self._greenlet = gevent.spawn(self._work)

    def __repr__(self) -> str:
        return f"<SampleWriter of {self._path}: {self._rows} rows, {self._lost} lost>"

    def take(self, sampled: Sampled) -> None:
        """Have the calls of a segment written; does not wait."""
        self._rows += sampled.rows
        if self._waiting_bytes + len(sampled.records) > MOST_WAITING_BYTES:
            self._lose(sampled.rows, "the disk is too slow")
            return
        self._waiting.append(sampled)
        self._waiting_bytes += len(sampled.records)
        self._idle.clear()
        self._there.set()

    def finish(self) -> SampleFile:
        """Wait until all is written, and close the file; how that went."""
        if not self._idle.wait(PARTING_S):
            self._lose(sum(part.rows for part in self._waiting), "the disk is too slow")
        self._greenlet.kill()
        with gevent.Timeout(PARTING_S, False):
            self._in_thread(self._file.close, 0)
        self._thread.kill()
        return SampleFile(os.path.abspath(self._path), self._rows - self._lost, self._lost, self._fault)

    def _work(self) -> None:
        while True:
            self._there.wait()
            parts = list(self._waiting)
            self._waiting.clear()
            self._there.clear()
            self._in_thread(functools.partial(self._file.write, parts), sum(part.rows for part in parts))
            self._waiting_bytes -= sum(len(part.records) for part in parts)
            if not self._waiting:
                self._idle.set()

    def _in_thread(self, write: Callable[[], int], rows: int) -> None:
        lost, fault = self._thread.apply(_attempted, (write, rows))
        if lost:
            self._lose(lost, fault)

    def _lose(self, rows: int, fault: str) -> None:
        self._lost += rows
        if not self._fault:
            self._fault = fault
            self._say(f"calls cannot be written to {self._path}: {fault}; the run goes on")
