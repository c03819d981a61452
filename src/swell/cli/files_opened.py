"""Sees which files are opened in a block, by whatever means: Python tells its audit hooks (PEP 578)."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

WRITING = os.O_WRONLY | os.O_RDWR

_seen: list[set[Path]] = []
_hooked: list[bool] = []


@contextlib.contextmanager
def files_opened(seen: set[Path]) -> Iterator[None]:
    """Add to `seen` the paths of files that are opened for reading while the block runs."""
    if not _hooked:  # a hook stays for the life of the process
        _hooked.append(True)
        sys.addaudithook(_hook)
    _seen.append(seen)
    try:
        yield
    finally:
        _seen.remove(seen)


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if event != "open" or not _seen:
        return
    path, _, flags = arguments
    if isinstance(path, str | bytes) and isinstance(flags, int) and not flags & WRITING:
        _seen[-1].add(Path(os.path.abspath(os.fsdecode(path))))
