"""Every call as a row, in CSV and in Parquet: the same rows, and what they say is what was recorded."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swell.report.sample_columns import NAMES, columns_of
from swell.report.sample_csv import HEADER, lines_of
from swell.report.sample_parquet import ParquetRows
from swell.result import OTHER, Series
from swell.runtime.layout import RECORD
from swell.segment import Outcome
from swell.stats.sampled import Sampled

SERIES = (
    Series("", "", OTHER),
    Series("Reader", "GET", '/a,b?"c"\r\nd'),
    Series("Reader", "GET", "/ä/問題", tags="page=front,size=3"),
    Series("Editor", "POST", "/\ud800"),
    Series("Editor", "GET", "two\nlines"),
    Series("Editor", "GET", "a\rb"),
)
ERRORS = (OTHER, "HTTP 503", "closed, before\na response", "reset\nby peer")

durations = st.one_of(st.integers(-1, 2), st.integers(0, 10**12))
records = st.lists(
    st.tuples(
        st.integers(0, 10**14),
        *[durations] * 5,
        st.integers(0, 10**9),
        st.integers(0, 10**9),
        st.integers(0, 7),
        st.integers(0, 5),
        st.sampled_from([0, 200, 503, 65_535]),
        st.integers(0, 7),
    ),
    max_size=30,
)
Record = tuple[int, ...]


def sampled_of(rows: list[Record], worker: int = 3) -> Sampled:
    content = b"".join(RECORD.pack(*row, 1) for row in rows)
    return Sampled(worker, 2, content, SERIES, ERRORS)


def expected(row: Record, worker: int = 3) -> dict[str, Any]:
    """One record, read the slow way."""
    done, service, response, first_byte, connect, lag, out, in_, series, error, status, outcome = row
    named = SERIES[series] if series < len(SERIES) else SERIES[0]
    failed = bool(outcome & Outcome.FAILED)
    text = ERRORS[error] if error < len(ERRORS) else OTHER
    return {
        "start_s": (done - max(response, 0)) / 1e9,
        "scenario": named.scenario,
        "method": named.method,
        "name": named.name.replace("\ud800", "?"),
        "tags": named.tags,
        "status": status or None,
        "error": text if failed else None,
        "failed": failed,
        "response_ms": response / 1e6 if response >= 0 else None,
        "service_ms": service / 1e6 if service >= 0 else None,
        "first_byte_ms": first_byte / 1e6 if first_byte > 0 else None,
        "connect_ms": connect / 1e6 if connect > 0 else None,
        "lag_ms": lag / 1e6 if lag >= 0 else None,
        "bytes_sent": out,
        "bytes_received": in_,
        "worker": worker,
        "incarnation": 2,
        "clock": "user" if outcome & (Outcome.USER_CLOCK | Outcome.OWN) else "kernel",
    }


def read_csv(content: bytes) -> list[dict[str, Any]]:
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    return [{name: typed(name, cell) for name, cell in row.items()} for row in rows]


def typed(name: str, cell: str) -> Any:
    if name.endswith(("_ms", "_s")):
        return float(cell) if cell else None
    if name in ("bytes_sent", "bytes_received", "worker", "incarnation", "status"):
        return int(cell) if cell else None
    if name == "error":
        return cell or None
    return {"true": True, "false": False}[cell] if name == "failed" else cell


def assert_alike(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert list(one) == list(NAMES)
        for name, value in other.items():
            if isinstance(value, float):
                assert math.isclose(one[name], value, rel_tol=1e-12, abs_tol=6e-7), name
            else:
                assert one[name] == value, name


@given(st.lists(records, max_size=3))
@settings(max_examples=60, deadline=None)
def test_a_csv_holds_each_record_whatever_is_in_it(parts: list[list[Record]]) -> None:
    content = HEADER + b"".join(lines_of(columns_of(sampled_of(rows, worker))) for worker, rows in enumerate(parts))
    wanted = [expected(row, worker) for worker, rows in enumerate(parts) for row in rows]
    assert_alike(read_csv(content), wanted)


@given(st.lists(st.lists(records, min_size=1, max_size=3), min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_a_parquet_file_holds_the_same_rows(groups: list[list[list[Record]]]) -> None:
    file = io.BytesIO()
    rows = ParquetRows(file)
    for parts in groups:
        rows.write([columns_of(sampled_of(part)) for part in parts])
    rows.close()
    found = pyarrow.parquet.read_table(io.BytesIO(file.getvalue())).to_pylist()
    assert_alike(found, [expected(row) for parts in groups for part in parts for row in part])


def test_a_time_is_kept_to_the_nanosecond() -> None:
    row = (1_000_000_007, 5_000_001, 7_000_003, 1, 2, 0, 1, 1, 1, 0, 200, 0)
    line = lines_of(columns_of(sampled_of([row]))).decode()
    assert "7.000003,5.000001,0.000001,0.000002,0.000000" in line


@pytest.mark.parametrize("rows", [0, 1])
def test_how_many_rows_there_are_is_known_without_reading_them(rows: int) -> None:
    assert sampled_of([(0,) * 12] * rows).rows == rows


def test_a_parquet_file_without_a_call_can_be_read(tmp_path: Path) -> None:
    with (tmp_path / "none.parquet").open("wb") as file:
        ParquetRows(file).close()
    table = pyarrow.parquet.read_table(tmp_path / "none.parquet")
    assert (table.num_rows, table.schema.names) == (0, list(NAMES))
