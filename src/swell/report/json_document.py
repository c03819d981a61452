"""The document as JSON: to a file, whole or not at all, or to a stream."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import BinaryIO

import msgspec

from swell.document import ResultDocument
from swell.errors import RunFailed


def to_json(document: ResultDocument) -> bytes:
    """The document as indented JSON with a line end. Half a surrogate, as in a name that was no UTF-8, becomes `?`."""
    try:
        data = msgspec.json.encode(document)
    except UnicodeEncodeError:
        data = json.dumps(msgspec.to_builtins(document), ensure_ascii=False).encode(errors="replace")
    return msgspec.json.format(data, indent=2) + b"\n"


def write_json(document: ResultDocument, target: Path | BinaryIO) -> None:
    """Write the document. A file is written beside its place and moved there, so that nobody reads half of it;
    a device or a pipe is written to as it is. Raises RunFailed where that is not possible."""
    data = to_json(document)
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
