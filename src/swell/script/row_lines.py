"""The lines of a data file, from any place in it on, with what is needed to say where something is wrong."""

from __future__ import annotations

from typing import BinaryIO

from swell.errors import Problem

MOST_ROW_BYTES = 1 << 20
BOM = b"\xef\xbb\xbf"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class RowFault(Exception):
    """Something is wrong with a data file, at a line and column from 1 on; 0: nowhere in particular."""

    def __init__(self, what: str, line: int = 0, column: int = 0, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.line = line
        self.column = column
        self.hint = hint

    def problem(self, file: str) -> Problem:
        """The fault as a problem of the file that it was found in."""
        where = ":".join([file, *(str(number) for number in (self.line, self.column) if number)])
        return Problem(self.what, where, self.hint)


class Lines:
    """An iterator over lines, decoded. `row_at` and `row_line` are where the row begins that is being read."""

    def __init__(self, file: BinaryIO, at: int = 0, line: int = 0) -> None:
        self._file = file
        file.seek(at)
        self.at = at
        """The offset behind the last line read."""
        self.line = line
        """The number of the last line read, from 1 on."""
        self.row_at = at
        self.row_line = line + 1
        self.bytes = b""
        """The last line read, undecoded."""

    def __repr__(self) -> str:
        return f"<Lines, {self.line} read, up to byte {self.at}>"

    def __iter__(self) -> Lines:
        return self

    def begin_row(self) -> None:
        """The next line is the first of a row."""
        self.row_at = self.at
        self.row_line = self.line + 1

    def __next__(self) -> str:
        self.bytes = line = self._file.readline(MOST_ROW_BYTES + 1)
        if not line:
            raise StopIteration
        if not self.at and line.startswith(BOM):
            self.at = self.row_at = len(BOM)
            self.bytes = line = line[len(BOM) :]
        self.at += len(line)
        self.line += 1
        if self.at - self.row_at > MOST_ROW_BYTES:
            several = "; is a quote not closed?" if self.line > self.row_line else ""
            raise RowFault(f"a row is longer than {MOST_ROW_BYTES:,} bytes{several}", self.row_line, 1)
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            raise self._not_utf_8(line, error.start) from None

    def row_text(self) -> str:
        """All lines of the row that is being read, up to the last one read."""
        self._file.seek(self.row_at)
        return self._file.read(self.at - self.row_at).decode(errors="replace")

    def _not_utf_8(self, line: bytes, at: int) -> RowFault:
        if line.startswith(UTF_16_MARKS):
            return RowFault("is in UTF-16", hint="save it as UTF-8")
        column = len(line[:at].decode(errors="replace")) + 1
        return RowFault(f"the byte 0x{line[at]:02x} is not UTF-8", self.line, column, "save it as UTF-8")
