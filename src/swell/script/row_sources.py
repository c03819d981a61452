"""Where a feed's rows come from, in the controller: a file that is read as its rows are handed out, or a list.

A file is read once from end to end before the run, so that whatever is wrong with it is known by then; of where its
rows are, every sixteenth offset is kept. It stays open: one that is replaced in the meantime does no harm.
"""

from __future__ import annotations

import stat
from array import array
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec

from swell.errors import RunFailed
from swell.script.row_formats import RowFormat
from swell.script.row_lines import Lines, RowFault

STRIDE = 16
BUFFER_BYTES = 1 << 16


class ListSource:
    """The rows of a list in the script."""

    def __init__(self, values: Sequence[object]) -> None:
        encoder = msgspec.msgpack.Encoder()
        self._packed: list[bytes] = []
        for number, value in enumerate(values, 1):
            try:
                self._packed.append(encoder.encode(value))
            except (TypeError, ValueError, OverflowError, RecursionError) as error:
                raise RowFault(f"row {number} cannot be sent to another process: {error}") from error
        if not self._packed:
            raise RowFault("the list has no rows")

    def __repr__(self) -> str:
        return f"<ListSource of {self.rows} rows>"

    @property
    def rows(self) -> int:
        return len(self._packed)

    @property
    def row_bytes(self) -> int:
        return max(map(len, self._packed))

    def read(self, numbers: Sequence[int]) -> list[bytes]:
        return [self._packed[number] for number in numbers]

    def close(self) -> None: ...


class FileSource:
    """The rows of a file. Raises RowFault if it is no file of rows."""

    def __init__(self, path: Path, row_format: RowFormat) -> None:
        self.path = path
        self.rows = 0
        self.row_bytes = 0
        self._format = row_format
        self._offsets = array("Q")
        self._file = _open(path)
        try:
            self._index()
        except RowFault:
            self._file.close()
            raise
        except OSError as error:
            self._file.close()
            raise RowFault(f"cannot be read: {error.strerror}") from error

    def __repr__(self) -> str:
        return f"<FileSource of {self.rows} rows in {self.path}>"

    def _index(self) -> None:
        lines = Lines(self._file)
        self._format.begin(lines)
        for row in self._format.rows(lines):
            if self.rows % STRIDE == 0:
                self._offsets.append(lines.row_at)
            self.rows += 1
            self.row_bytes = max(self.row_bytes, len(row))
        if not self.rows:
            raise RowFault("has no rows" if lines.line else "is empty")

    def read(self, numbers: Sequence[int]) -> list[bytes]:
        try:
            return [row for first, count in _runs(numbers) for row in self._read_run(first, count)]
        except (RowFault, OSError) as error:
            raise RunFailed(f"{self.path.name} has changed since the run began: {error}") from error

    def _read_run(self, first: int, count: int) -> list[bytes]:
        at = self._offsets[first // STRIDE]
        skipped = first % STRIDE
        found = list(islice(self._format.rows(Lines(self._file, at)), skipped, skipped + count))
        if len(found) < count:
            raise RowFault("it is shorter")
        return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _open(path: Path) -> BinaryIO:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise RowFault("is a folder")
        if not stat.S_ISREG(mode):
            raise RowFault("is not a file that can be read more than once", hint="write what comes from it to a file")
        return path.open("rb", buffering=BUFFER_BYTES)
    except (OSError, ValueError) as error:
        raise RowFault(f"cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Numbers that follow each other, as the first one and how many there are."""
    first = count = 0
    for number in numbers:
        if count and number == first + count:
            count += 1
            continue
        if count:
            yield first, count
        first, count = number, 1
    if count:
        yield first, count
