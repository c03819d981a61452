"""Files that are mapped into memory, so that what a process wrote is still there after a SIGKILL.

Every block is reserved before the file is mapped: a store into a hole of a full file system would end the process
with SIGBUS, where no Python code can say why.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from swell.errors import RunFailed

COUNTER_BYTES = 8


def create(path: Path, size_bytes: int) -> mmap.mmap:
    """A new mapped file full of zeroes, readable by its owner alone. Raises RunFailed when there is no room for it."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _reserve(fd, size_bytes)
            return mmap.mmap(fd, size_bytes)
        except OSError:
            path.unlink()
            raise
        finally:
            os.close(fd)
    except OSError as exc:
        hint = "free some space there, or set TMPDIR to a place that has some"
        raise RunFailed(f"{path}: cannot reserve {size_bytes:,} bytes: {exc.strerror}", hint=hint) from exc


def _reserve(fd: int, size_bytes: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, size_bytes)
        return
    zeroes = bytes(1 << 16)
    for at in range(0, size_bytes, len(zeroes)):
        os.pwrite(fd, zeroes[: size_bytes - at], at)


def counters_of(mapped: mmap.mmap, header_bytes: int) -> memoryview:
    """The header as 8-byte counters. An item assignment is one store, whole or not done at all when a SIGKILL lands."""
    return memoryview(mapped)[:header_bytes].cast("Q")
