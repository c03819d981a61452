"""Whether the process that writes a run still lives: it holds the lock of a file beside the store.

The kernel lets go of the lock however the process ends, and whoever reads needs no pid, which would mean another
process after a while, or in another container.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from glob import escape
from pathlib import Path


def lock_path(store: Path, run: str) -> Path:
    """The file whose lock the writer of a run holds."""
    return store.with_name(f"{store.name}-run-{run}")


class LifeSign:
    """Held by whoever writes a run, for as long as it does."""

    def __init__(self, store: Path, run: str) -> None:
        self._path = lock_path(store, run)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __repr__(self) -> str:
        return f"<LifeSign {self._path}>"

    @property
    def shows(self) -> bool:
        """Whether it can be found where it is looked for: its folder may have been removed."""
        try:
            return os.path.samestat(os.fstat(self._file), self._path.stat())
        except OSError:
            return False

    def end(self) -> None:
        """The run is no longer written."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        with contextlib.suppress(OSError):
            os.close(self._file)


def is_written(store: Path, run: str) -> bool:
    """Whether somebody writes the run at this moment."""
    try:
        file = os.open(lock_path(store, run), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(file)


def remove_remains(store: Path) -> None:
    """Remove what writers that were killed have left beside the store."""
    prefix = lock_path(store, "").name
    for path in store.parent.glob(f"{escape(prefix)}*"):
        if not is_written(store, path.name.removeprefix(prefix)):
            with contextlib.suppress(OSError):
                path.unlink()
