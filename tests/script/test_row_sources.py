import contextlib
import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.errors import RunFailed
from swell.script.row_formats import CsvFormat, JsonLines, RowFormat, field_places
from swell.script.row_lines import MOST_ROW_BYTES, RowFault
from swell.script.row_sources import STRIDE, FileSource, ListSource

WANTS_QUOTES = " (a field that holds the delimiter wants quotes around it)"
WANTS_COLUMNS = ' (give columns=["name", ...] if the file has no header)'
OPENED: list[FileSource] = []


@pytest.fixture(autouse=True)
def close_sources() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


def source_of(path: Path, content: bytes, row_format: RowFormat | None = None) -> FileSource:
    path.write_bytes(content)
    OPENED.append(FileSource(path, row_format or CsvFormat(",")))
    return OPENED[-1]


def rows_of(source: FileSource | ListSource) -> list[object]:
    return [json.loads(row) for row in source.read(range(source.rows))]


def fault_of(path: Path, content: bytes, row_format: RowFormat | None = None) -> str:
    with pytest.raises(RowFault) as raised:
        source_of(path, content, row_format)
    return str(raised.value.problem("f"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"a,b\n1,2\n", [{"a": "1", "b": "2"}]),
        (b"a,b\r\n1,2\r\n3,4", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        (b"\xef\xbb\xbfa,b\n1,2\n", [{"a": "1", "b": "2"}]),
        (b'a,b\n"x, ""y""\nz",\n\n,\n', [{"a": 'x, "y"\nz', "b": ""}, {"a": "", "b": ""}]),
        (b" a , b\n 1 ,2\n", [{"a": " 1 ", "b": "2"}]),
        ("ä\n€\n".encode(), [{"ä": "€"}]),
        (b'a\nit "is"\n', [{"a": 'it "is"'}]),
    ],
)
def test_rows_of_a_csv_file_have_the_names_of_its_header(file: Path, content: bytes, rows: list[object]) -> None:
    assert rows_of(source_of(file, content)) == rows


def test_a_file_without_a_header_and_another_delimiter_can_be_described(file: Path) -> None:
    assert rows_of(source_of(file, b"1;2\n3;4\n", CsvFormat(";", ["a", "b"]))) == [
        {"a": "1", "b": "2"},
        {"a": "3", "b": "4"},
    ]


def test_rows_of_json_lines_keep_their_types(file: Path) -> None:
    content = b'\xef\xbb\xbf{"n": 1, "x": [1.5, null, true]}\n\n  {"big": 123456789012345678901234567890}\r\n{}'
    assert rows_of(source_of(file, content, JsonLines())) == [
        {"n": 1, "x": [1.5, None, True]},
        {"big": 123456789012345678901234567890},
        {},
    ]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "f: is empty (its first line names the columns)"),
        (b"\xef\xbb\xbf", "f: is empty (its first line names the columns)"),
        (b"\n\n", "f: is empty (its first line names the columns)"),
        (b"a,b\n", "f: has no rows"),
        (b"a,b\n1,2\n3\n", "f:3:2: 1 field where the header has 2"),
        (b"a,b\n1,2\n3,4,5\n", "f:3:5: 3 fields where the header has 2" + WANTS_QUOTES),
        (b'a,b\n"1\n2",3,4\n', "f:3:6: 3 fields where the header has 2" + WANTS_QUOTES),
        (b"a,b,a\n", "f:1:5: two columns are called 'a' (rename one)"),
        (b"a,,b\n", "f:1:3: column 2 has no name"),
        (b"1,2.5\n", "f:1:1: the first row names the columns, but this one holds numbers" + WANTS_COLUMNS),
        (b"a;b\n1;2\n", "f:1:1: all of it is one column, called 'a;b' (give delimiter=';' if that parts them)"),
        (b'a,b\n1,"2"x\n', "f:2:6: is no CSV: ',' expected after '\"'"),
        (b'a,b\n1,"2\n3,4\n', "f:2:3: a quote is opened and never closed"),
        (b"a,b\n1,\xff\n", "f:2:3: the byte 0xff is not UTF-8 (save it as UTF-8)"),
        ("a,b\n1,ä".encode()[:-1], "f:2:3: the byte 0xc3 is not UTF-8 (save it as UTF-8)"),
        ("ä,b\nää,\n".encode() + b"\xe4,1", "f:3:1: the byte 0xe4 is not UTF-8 (save it as UTF-8)"),
        ("a,b\n1,2\n".encode("utf-16"), "f: is in UTF-16 (save it as UTF-8)"),
        (b"a\n" + b"x" * (MOST_ROW_BYTES + 1), "f:2:1: a row is longer than 1,048,576 bytes"),
        (b'a\n"' + b"x\n" * MOST_ROW_BYTES, "f:2:1: a row is longer than 1,048,576 bytes; is a quote not closed?"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_csv_file_is_said_with_its_place(file: Path, content: bytes, fault: str) -> None:
    assert fault_of(file, content) == fault


def test_a_field_of_csv_may_be_as_long_as_a_row(file: Path) -> None:
    (row,) = rows_of(source_of(file, b"a\n" + b"x" * 500_000))
    assert row == {"a": "x" * 500_000}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "f: is empty"),
        (b"\n \n", "f: has no rows"),
        (b'{"a": 1}\n{"a": 1,}\n', "f:2:9: is no JSON: trailing comma in object"),
        (b'{"a": 1}\n{"a": 1\n', "f:2:8: is no JSON: Input data was truncated"),
        (b'{"a": 1}\n  [1]\n', "f:2:1: a JSON list where an object is wanted (each line holds one object, {...})"),
        (b'[\n{"a": 1}\n]\n', "f:1:2: is no JSON: Input data was truncated (each line holds one object, {...})"),
        (b'{"a": NaN}\n', "f:1:7: is no JSON: invalid character"),
        (b'{"a": "\xff"}\n', "f:1:8: the byte 0xff is not UTF-8 (save it as UTF-8)"),
        (b"[" * 100_000, "f:1:1: is nested too deeply"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_json_lines_is_said_with_its_place(file: Path, content: bytes, fault: str) -> None:
    assert fault_of(file, content, JsonLines()) == fault


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, fault in (
        (tmp_path, "is a folder"),
        (tmp_path / "none", "cannot be read: No such file or directory"),
        (tmp_path / "pipe", "is not a file that can be read more than once"),
        (Path("a\0b"), "cannot be read: embedded null byte"),
    ):
        with pytest.raises(RowFault, match=fault):
            FileSource(path, JsonLines())


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12)


@given(st.data())
def test_rows_are_read_in_any_order_as_python_reads_the_whole(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    table = data.draw(st.lists(st.lists(TEXTS, min_size=2, max_size=2), min_size=1, max_size=3 * STRIDE))
    text = io.StringIO()
    csv.writer(text, lineterminator=data.draw(st.sampled_from(["\n", "\r\n"]))).writerows([["a", "b"], *table])
    source = source_of(tmp_path_factory.mktemp("csv") / "file.csv", text.getvalue().encode())
    numbers = data.draw(st.lists(st.integers(0, len(table) - 1), max_size=30))
    assert source.rows == len(table)
    assert [json.loads(row) for row in source.read(numbers)] == [
        dict(zip("ab", table[n], strict=True)) for n in numbers
    ]


@given(content=st.binary(max_size=200), row_format=st.sampled_from(["csv", "json"]))
def test_garbage_is_a_fault_or_rows(tmp_path_factory: pytest.TempPathFactory, content: bytes, row_format: str) -> None:
    path = tmp_path_factory.mktemp("garbage") / "file"
    with contextlib.suppress(RowFault):
        source = source_of(path, content, JsonLines() if row_format == "json" else CsvFormat(","))
        assert source.rows
        assert all(isinstance(row, dict) for row in rows_of(source))


def test_a_file_that_is_replaced_does_no_harm_and_one_that_is_changed_is_noticed(file: Path) -> None:
    source = source_of(file, b"a,b\n" + b"1,2\n" * 40)
    file.unlink()
    file.write_bytes(b"x")
    assert len(source.read(range(40))) == 40
    changed = source_of(file, b"a,b\n" + b"1,2\n" * 40)
    file.write_bytes(b"a,b\n1,2\n3\n")
    with pytest.raises(RunFailed, match="file has changed since the run began"):
        changed.read([0, 1])
    with pytest.raises(RunFailed, match="file has changed since the run began: it is shorter"):
        changed.read([39])


def test_of_a_long_file_little_is_kept(file: Path) -> None:
    source = source_of(file, b"a,b\n" + b"1,2\n" * 100_000)
    assert source.rows == 100_000
    assert len(source._offsets) * source._offsets.itemsize <= 100_000 * 8 / STRIDE
    assert source.read([99_999]) == [b'{"a":"1","b":"2"}']


def test_rows_of_a_list_are_kept_as_they_are_sent() -> None:
    source = ListSource([{"a": 1}, {"b": b"bytes"}])
    assert (source.rows, len(source.read([1, 0, 1]))) == (2, 3)
    with pytest.raises(RowFault, match="the list has no rows"):
        ListSource([])
    with pytest.raises(RowFault, match="row 2 cannot be sent to another process"):
        ListSource([1, object()])


def test_the_places_of_the_fields_of_a_row() -> None:
    assert field_places('a,"b,""\nc",d\r\n', ",") == [(0, 1), (0, 3), (1, 4), (1, 5)]
    assert field_places("", ",") == [(0, 1), (0, 1)]
    assert field_places('"a"b,c', ",") == [(0, 1), (0, 4)]
