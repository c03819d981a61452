"""Reads an access log from disk, line by line, however large it is; gzipped too."""

from __future__ import annotations

import gzip
import io
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from swell.load.access_log import AccessLog, read_log
from swell.script.data_file import NoSuchFile, find_file

GZIP_MAGIC = b"\x1f\x8b"
MOST_LINE_BYTES = 1 << 16
"""What is longer is read up to here; the time stands before."""
BUFFER_BYTES = 1 << 20
FORMATS = "the common and combined formats and JSON lines are read"


class LogFault(Exception):
    """A log that gives no curve. The text says why."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


def read_log_file(path: str, folder: Path) -> AccessLog:
    """Count the requests of the log that a script in `folder` calls `path`. Raises LogFault."""
    try:
        file = find_file(path, folder)
        if not stat.S_ISREG(file.stat().st_mode):
            raise LogFault("is not a file")
        with file.open("rb") as raw:
            is_gzipped = raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        with io.BufferedReader(gzip.open(file) if is_gzipped else io.FileIO(file), BUFFER_BYTES) as opened:
            log = read_log(_lines(opened))
    except NoSuchFile as fault:
        raise LogFault(str(fault), fault.hint) from None
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise LogFault(f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not log.counts:
        raise _fault_of(log)
    return log


def _fault_of(log: AccessLog) -> LogFault:
    if log.first_unparsed is None:
        return LogFault("is empty")
    line, text = log.first_unparsed
    lines = f"none of its {log.unparsed:,} lines says" if log.unparsed > 1 else "its only line does not say"
    return LogFault(f"{lines} when a request came; line {line:,} is {text!r}", FORMATS)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; of one that has no end, only the beginning."""
    is_rest = False
    while line := file.readline(MOST_LINE_BYTES):
        if not is_rest:
            yield line
        is_rest = not line.endswith(b"\n")
