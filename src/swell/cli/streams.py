"""Standard output is the document's alone where `--json -` asks for it; all else that is printed goes to stderr.

That includes what the script prints, what programs that it starts print, and code in C; so it is done to the file
descriptors, before the script is imported.
"""

from __future__ import annotations

import os
import sys
from typing import BinaryIO

_reserved: list[BinaryIO] = []


def reserve_stdout() -> None:
    """Have what is written to standard output go to standard error; only `document_stream` is the real one."""
    if not _reserved:
        sys.stdout.flush()
        _reserved.append(os.fdopen(os.dup(1), "wb"))
        os.dup2(2, 1)


def document_stream() -> BinaryIO:
    """Where a document for standard output is written to."""
    return _reserved[0] if _reserved else sys.stdout.buffer
