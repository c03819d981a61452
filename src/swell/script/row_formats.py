"""The rows of a CSV file and of JSON lines, as they travel to the workers: each a JSON object in UTF-8."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from swell.script.row_lines import MOST_ROW_BYTES, Lines, RowFault

SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
DELIMITERS = {"csv": ",", "tsv": "\t"}
LIKELY_DELIMITERS = (";", "\t", "|", ",")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class RowFormat(Protocol):
    """How a file holds its rows. Raises RowFault for one that is malformed."""

    def begin(self, lines: Lines) -> None:
        """Read what comes before the first row."""

    def rows(self, lines: Lines) -> Iterator[bytes]:
        """Each row; `lines.row_at` is where it begins."""


class CsvFormat:
    """Comma-separated values (RFC 4180) with the names of the columns in the first row, unless they are given."""

    def __init__(self, delimiter: str, columns: Sequence[str] = ()) -> None:
        self._delimiter = delimiter
        self._given = bool(columns)
        self.columns = tuple(columns)

    def begin(self, lines: Lines) -> None:
        if self._given:
            return
        header = next(self._records(lines), None)
        if header is None:
            raise RowFault("is empty", hint="its first line names the columns")
        self.columns = tuple(name.strip() for name in header)
        self._check_header(lines)

    def rows(self, lines: Lines) -> Iterator[bytes]:
        columns = self.columns
        width = len(columns)
        for values in self._records(lines):
            if len(values) != width:
                raise self._ragged(lines, len(values))
            yield _encode(dict(zip(columns, values, strict=True)))

    def _records(self, lines: Lines) -> Iterator[list[str]]:
        csv.field_size_limit(max(csv.field_size_limit(), MOST_ROW_BYTES))
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        while True:
            lines.begin_row()
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise self._malformed(lines, str(error)) from None
            if values:  # an empty line is no row
                yield values

    def _check_header(self, lines: Lines) -> None:
        line = lines.row_line
        if all(re.fullmatch(r"[\d.,+-]+", name) for name in self.columns):
            hint = 'give columns=["name", ...] if the file has no header'
            raise RowFault("the first row names the columns, but this one holds numbers", line, 1, hint)
        for index, name in enumerate(self.columns):
            if not name:
                raise RowFault(f"column {index + 1} has no name", *self._place(lines, index))
            if name in self.columns[:index]:
                raise RowFault(f"two columns are called {name!r}", *self._place(lines, index), "rename one")
        (first, *others) = self.columns
        likely = [mark for mark in LIKELY_DELIMITERS if mark in first and mark != self._delimiter]
        if likely and not others:
            hint = f"give delimiter={likely[0]!r} if that parts them"
            raise RowFault(f"all of it is one column, called {first!r}", line, 1, hint)

    def _ragged(self, lines: Lines, count: int) -> RowFault:
        width = len(self.columns)
        what = f"{count} field{'s' * (count != 1)} where {'columns has' if self._given else 'the header has'} {width}"
        hint = "a field that holds the delimiter wants quotes around it" if count > width else ""
        return RowFault(what, *self._place(lines, min(count, width)), hint)

    def _malformed(self, lines: Lines, error: str) -> RowFault:
        if "end of data" in error:
            return RowFault("a quote is opened and never closed", *self._place(lines, -2))
        return RowFault(f"is no CSV: {error}", *self._place(lines, -1))

    def _place(self, lines: Lines, field: int) -> tuple[int, int]:
        """Line and column at which a field of the row begins; -1: at which the row ends, or ceases to be CSV."""
        line, column = field_places(lines.row_text(), self._delimiter)[field]
        return lines.row_line + line, column


class JsonLines:
    """One JSON object on each line."""

    def begin(self, lines: Lines) -> None: ...

    def rows(self, lines: Lines) -> Iterator[bytes]:
        lines.begin_row()
        for _ in lines:
            row = lines.bytes.strip()
            if row:
                self._check(lines, row)
                yield row
            lines.begin_row()

    def _check(self, lines: Lines, row: bytes) -> None:
        try:
            value = _decode(row)
        except msgspec.DecodeError as error:
            raise self._malformed(lines, row, str(error)) from None
        except RecursionError:
            raise RowFault("is nested too deeply", lines.line, 1) from None
        if not isinstance(value, dict):
            what = f"a JSON {type(value).__name__} where an object is wanted"
            raise RowFault(what, lines.line, 1, "each line holds one object, {...}")

    def _malformed(self, lines: Lines, row: bytes, error: str) -> RowFault:
        found = re.search(r" \(byte (\d+)\)$", error)
        at = int(found[1]) if found else len(row)
        column = len(lines.bytes[: lines.bytes.find(row) + at].decode(errors="replace")) + 1
        what = error[: found.start()] if found else error
        hint = "each line holds one object, {...}" if row.startswith(b"[") or len(row) < 3 else ""
        return RowFault(f"is no JSON: {what.removeprefix('JSON is malformed: ')}", lines.line, column, hint)


def field_places(text: str, delimiter: str) -> list[tuple[int, int]]:
    """Where each field of a CSV row begins, as lines further down and a column from 1 on; last, where the row ends, or
    where a character follows a closing quote that must not."""
    line, column = 0, 1
    places = [(line, column)]
    quoted = closed = False
    for character in text.rstrip("\r\n"):
        begins = places[-1] == (line, column)
        if quoted:
            quoted, closed = character != '"', character == '"'
        elif character == delimiter:
            closed = False
            places.append((line, column + 1))
        elif character == '"' and (closed or begins):
            quoted, closed = True, False
        elif closed:
            break
        line, column = (line + 1, 1) if character == "\n" else (line, column + 1)
    return [*places, (line, column)]
