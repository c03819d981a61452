"""Writes a report: to a file, whole or not at all, or to a stream."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

from swell.errors import RunFailed


def write_whole(data: bytes, target: Path | BinaryIO) -> None:
    """Write all of `data`. A file is written beside its place and moved there, so that nobody reads half of it; a
    device or a pipe is written to as it is. Raises RunFailed where that is not possible."""
    try:
        if not isinstance(target, Path):
            target.write(data)
            target.flush()
        elif target.exists() and not target.is_file():
            target.write_bytes(data)
        else:
            _replace(target.resolve(), data)
    except OSError as exc:
        raise RunFailed(f"the result could not be written to {target}: {exc.strerror or exc}") from exc


def _replace(path: Path, data: bytes) -> None:
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(beside, path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
