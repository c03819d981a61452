"""Standard output and standard error: whose they are, and that what is written to them arrives whole.

Standard output is the document's alone where `--json -` asks for it; all else that is printed goes to stderr. That
includes what the script prints, what programs that it starts print, and code in C; so it is done to the file
descriptors, before the script is imported.

With PYTHONUNBUFFERED, as container images like to set it, Python writes to the bare file descriptor and does not look
at how much was taken. A terminal takes 2 KiB at a time, and a signal in between, such as a worker's end, cuts the rest
off: half the final table would be missing, without an error.
"""

from __future__ import annotations

import io
import os
import sys
from typing import BinaryIO, TextIO

_reserved: list[BinaryIO] = []


def complete_writes() -> None:
    """See to it that what is printed is written to its end, however Python was started."""
    sys.stdout, sys.stderr = _complete(sys.stdout), _complete(sys.stderr)


def _complete(stream: TextIO) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper) or not isinstance(stream.buffer, io.RawIOBase):
        return stream
    errors, encoding = stream.errors, stream.encoding
    return open(stream.fileno(), "w", buffering=1, encoding=encoding, errors=errors, closefd=False)


def reserve_stdout() -> None:
    """Have what is written to standard output go to standard error; only `document_stream` is the real one."""
    if not _reserved:
        sys.stdout.flush()
        _reserved.append(os.fdopen(os.dup(1), "wb"))
        os.dup2(2, 1)


def document_stream() -> BinaryIO:
    """Where a document for standard output is written to."""
    return _reserved[0] if _reserved else sys.stdout.buffer
