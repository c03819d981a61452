"""`--samples`: what can be written where, and what becomes of calls that a disk cannot take."""

from __future__ import annotations

import errno
import importlib.util
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from swell.cli import options, sample_files
from swell.cli.sample_files import CsvFile, ParquetFile, SampleWriter, problems
from swell.cli.settings import Settings
from swell.result import Series
from swell.runtime.layout import RECORD
from swell.stats.sampled import Sampled

FULL = Path("/dev/full")


def batch(rows: int, first: int = 0) -> Sampled:
    content = b"".join(
        RECORD.pack(number * 10**6, 5, 7, 0, 0, -1, 10, number, 1, 0, 200, 0, 1)
        for number in range(first, first + rows)
    )
    return Sampled(0, 1, content, (Series("", "", "(other)"), Series("Reader", "GET", "/")), ("(other)",))


def settings_with(path: str) -> Any:
    class OnlySamples(Settings):
        def __init__(self) -> None: ...

        def __getitem__(self, option: Any) -> Any:
            assert option is options.SAMPLES
            return path

    return OnlySamples()


def numbers_in(path: Path) -> list[int]:
    """Bytes received of each row: the number of the call."""
    if path.suffix == ".parquet":
        return list(pyarrow.parquet.read_table(path)["bytes_received"].to_pylist())
    return [int(line.split(",")[14]) for line in path.read_text().splitlines()[1:]]


@pytest.mark.parametrize("name", ["calls.csv", "calls.parquet", "CALLS.CSV", "b.Parquet"])
def test_what_is_taken_is_in_the_file_in_its_order(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_files, "GROUP_ROWS", 25)
    path = tmp_path / name
    assert problems(settings_with(str(path)), {}) == []
    said: list[str] = []
    writer = SampleWriter(str(path), said.append)
    for first in range(0, 100, 10):
        writer.take(batch(10, first))
    found = writer.finish()
    assert (found.path, found.rows, found.lost, found.fault, said) == (str(path), 100, 0, "", [])
    assert numbers_in(path.rename(path.with_suffix(path.suffix.lower()))) == list(range(100))


@pytest.mark.parametrize("name", ["calls.csv", "calls.parquet"])
def test_a_run_without_a_call_leaves_a_file_without_rows(tmp_path: Path, name: str) -> None:
    writer = SampleWriter(str(tmp_path / name), lambda _: None)
    assert writer.finish().rows == 0
    assert numbers_in(tmp_path / name) == []


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_on_a_full_disk_everything_is_counted_and_it_is_said_once(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"calls{ending}"
    path.symlink_to(FULL)
    said: list[str] = []
    writer = SampleWriter(str(path), said.append)
    for first in range(0, 30, 10):
        writer.take(batch(10, first))
    found = writer.finish()
    assert (found.rows, found.lost, found.fault) == (0, 30, "No space left on device")
    assert said == [f"calls cannot be written to {path}: No space left on device; the run goes on"]


class Stingy:
    """A file on a disk that has room for so many bytes."""

    def __init__(self, path: Path, room_bytes: int) -> None:
        self._file = path.open("wb", buffering=0)
        self.room_bytes = room_bytes

    def write(self, content: bytes) -> int:
        written = min(len(content), self.room_bytes)
        if not written:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room_bytes -= written
        return self._file.write(content[:written])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.mark.parametrize("room_bytes", [1, 100, 300, 1_000])
def test_a_csv_ends_in_whole_lines_and_goes_on_when_there_is_room_again(tmp_path: Path, room_bytes: int) -> None:
    path = tmp_path / "calls.csv"
    file = CsvFile(path)
    file._file.close()
    disk = file._file = Stingy(path, room_bytes)  # type: ignore[assignment]
    lost = 0
    for first in range(0, 100, 5):
        if first == 80:
            disk.room_bytes = 10**6
        try:
            file.write([batch(5, first)])
        except OSError:
            lost += 5
    file.close()
    found = numbers_in(path)
    assert len(found) == 100 - lost
    assert found == sorted(set(found))
    assert found[-20:] == list(range(80, 100))
    assert 0 < lost <= 80


def test_a_parquet_file_that_failed_counts_all_of_its_rows_as_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_files, "GROUP_ROWS", 10)
    path = tmp_path / "calls.parquet"
    writer = SampleWriter(str(path), lambda _: None)
    assert isinstance(writer._file, ParquetFile)
    writer._file._file.close()
    writer._file._file = Stingy(path, 1_500)  # type: ignore[assignment]
    for first in range(0, 2_000, 10):
        writer.take(batch(10, first))
    found = writer.finish()
    assert (found.rows, found.lost) == (0, 2_000)


def test_more_than_may_wait_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_files, "MOST_WAITING_BYTES", 25 * RECORD.size)
    said: list[str] = []
    writer = SampleWriter(str(tmp_path / "calls.csv"), said.append)
    for first in range(0, 50, 10):
        writer.take(batch(10, first))
    found = writer.finish()
    assert (found.rows, found.lost, found.fault) == (20, 30, "the disk is too slow")
    assert len(said) == 1


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("calls.txt", "'calls.txt' ends neither in .csv nor in .parquet"),
        ("calls", "'calls' ends neither in .csv nor in .parquet"),
        ("-", "'-' ends neither in .csv nor in .parquet"),
        ("nowhere/calls.csv", "'nowhere/calls.csv' cannot be written: there is no folder 'nowhere'"),
    ],
)
def test_where_it_cannot_be_written_is_said_before_the_run(path: str, what: str) -> None:
    [problem] = problems(settings_with(path), {})
    assert (problem.what, problem.where) == (what, "--samples")


def test_without_pyarrow_a_parquet_file_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    [problem] = problems(settings_with("out/calls.parquet"), {})
    assert problem.what == "Parquet needs the package pyarrow, which is not installed"
    assert problem.hint == "pip install 'swell[parquet]', or write out/calls.csv"


def test_no_path_is_no_file() -> None:
    assert problems(settings_with(""), {}) == []
