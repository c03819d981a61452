"""Calls as a Parquet file, with the same columns as the CSV; what a call does not have is null.

Imports pyarrow, which is not among what swell needs: `pip install 'swell[parquet]'`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import numpy as np
import pyarrow
import pyarrow.parquet

from swell.report.sample_columns import CLOCKS, DURATIONS, I64, NAMES, Columns, Duration
from swell.result import Series

TEXT = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
TYPES = {
    "start_s": pyarrow.float64(),
    "status": pyarrow.uint16(),
    "failed": pyarrow.bool_(),
    "bytes_sent": pyarrow.int64(),
    "bytes_received": pyarrow.int64(),
    "worker": pyarrow.int32(),
    "incarnation": pyarrow.int32(),
    **dict.fromkeys(DURATIONS, pyarrow.float64()),
}
SCHEMA = pyarrow.schema([(name, TYPES.get(name, TEXT)) for name in NAMES])


@contextlib.contextmanager
def _as_os_error() -> Iterator[None]:
    """A file that cannot be written fails as files do."""
    try:
        yield
    except pyarrow.ArrowException as exc:
        raise OSError(f"pyarrow: {exc}") from exc


class ParquetRows:
    """A Parquet file in the making. It can be read once it is closed."""

    def __init__(self, file: BinaryIO) -> None:
        self._writer = pyarrow.parquet.ParquetWriter(file, SCHEMA, compression="zstd")

    def write(self, parts: list[Columns]) -> None:
        """A row group of the calls of several segments. Raises OSError."""
        table = pyarrow.concat_tables([_table(part) for part in parts])
        if len(table):
            with _as_os_error():
                self._writer.write_table(table.unify_dictionaries(), row_group_size=len(table))

    def close(self) -> None:
        """Write what comes last in such a file. Raises OSError."""
        try:
            with _as_os_error():
                self._writer.close()
        finally:
            self._writer.is_open = False  # or it would try again when it is collected


def _table(columns: Columns) -> Any:
    count = columns.sampled.rows
    errors = np.where(columns.failed, columns.errors, -1)
    cells = {
        "start_s": pyarrow.array(columns.start_s),
        **{name: _named(columns, name) for name in ("scenario", "method", "name", "tags")},
        "status": pyarrow.array(columns.status, pyarrow.uint16(), mask=columns.status == 0),
        "error": _encoded(errors, columns.error_text),
        "failed": pyarrow.array(columns.failed),
        **{name: _duration(found) for name, found in zip(DURATIONS, columns.durations, strict=True)},
        "bytes_sent": pyarrow.array(columns.bytes_sent),
        "bytes_received": pyarrow.array(columns.bytes_received),
        "worker": pyarrow.array(np.full(count, columns.sampled.worker, dtype=np.int32)),
        "incarnation": pyarrow.array(np.full(count, columns.sampled.incarnation, dtype=np.int32)),
        "clock": _encoded(columns.by_user.astype(np.int64), CLOCKS.__getitem__),
    }
    return pyarrow.table([cells[name] for name in NAMES], schema=SCHEMA)


def _named(columns: Columns, field: str) -> Any:
    def text(number: int) -> str:
        found: str = getattr(columns.series_of(number), field)
        return found

    assert field in Series.__struct_fields__
    return _encoded(columns.series, text)


def _encoded(numbers: I64, text_of: Callable[[int], str]) -> Any:
    """Texts by number; null where that is below 0."""
    found, places = np.unique(numbers, return_inverse=True)
    texts = [text_of(number).encode("utf-8", "replace").decode() if number >= 0 else "" for number in found.tolist()]
    indices = pyarrow.array(places.astype(np.int32), mask=numbers < 0)
    return pyarrow.DictionaryArray.from_arrays(indices, pyarrow.array(texts, pyarrow.string()))


def _duration(found: Duration) -> Any:
    return pyarrow.array(found.ms, mask=~found.measured)
