"""The private directory of a run on this machine: the link's socket, and for each worker its ring, names and spool.

It is removed at the end of the run. One that a killed controller left behind is removed by the next run: its lock is
free. Shared memory (`/dev/shm`) comes first, since nobody writes it back to a disk while a load test runs.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from swell.errors import RunFailed

PREFIX = "swell-"
KEPT_PREFIX = "kept-"
LOCK_FILE = "lock"
SHARED_MEMORY = Path("/dev/shm")
SOCKET_PATH_BYTES_MAX = 100
"""Of the 108 that a unix socket's address has room for."""


class Workplace:
    """A directory that only its owner may enter."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def __repr__(self) -> str:
        return f"<Workplace {self.path}>"

    @property
    def link_address(self) -> str:
        """Where the controller listens."""
        return f"ipc://{self.path}/link"

    def worker(self, worker: int, incarnation: int) -> Path:
        """The directory of one incarnation of a worker."""
        path = self.path / f"{worker}.{incarnation}"
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def keep(self) -> Path:
        """Leave everything, but on the disk, and by a name that no later run removes; returns where it is now."""
        kept = Path(tempfile.gettempdir(), KEPT_PREFIX + self.path.name)
        try:
            shutil.move(self.path, kept)
        except OSError:  # no room there: it stays in memory
            kept = self.path.rename(self.path.with_name(kept.name))
        os.close(self._lock)
        return kept

    def remove(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def open_workplace(room_bytes: int, places: Sequence[Path] | None = None) -> Workplace:
    """A new directory in the first of `places` that has room. Raises RunFailed when none has."""
    faults = []
    for place in places if places is not None else _places():
        remove_stale(place)
        try:
            if shutil.disk_usage(place).free < room_bytes:
                faults.append(f"{place} has less than {room_bytes:,} bytes free")
            elif len(os.fsencode(place)) + 32 > SOCKET_PATH_BYTES_MAX:
                faults.append(f"{place} is too long a path for a unix socket")
            else:
                return Workplace(Path(tempfile.mkdtemp(prefix=PREFIX, dir=place)))
        except OSError as exc:
            faults.append(f"{place}: {exc.strerror}")
    raise RunFailed(f"no place for the workers' files: {'; '.join(faults)}", hint="set TMPDIR to a place with room")


def reopen_workplace(path: Path) -> Workplace | None:
    """The directory that a controller which was killed has left behind; None if it is gone, or in use."""
    try:
        lock = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_ours = path.stat().st_uid == os.getuid()
    except OSError:
        return None
    finally:
        os.close(lock)
    return Workplace(path) if is_ours else None


def _places() -> Iterator[Path]:
    if SHARED_MEMORY.is_dir() and os.access(SHARED_MEMORY, os.W_OK | os.X_OK):
        yield SHARED_MEMORY
    yield Path(tempfile.gettempdir())


def remove_stale(place: Path) -> None:
    """Remove what killed controllers of this user have left behind in `place`."""
    for path in place.glob(PREFIX + "*"):
        try:
            if path.is_symlink() or path.stat().st_uid != os.getuid():
                continue
            lock = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        else:
            shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(lock)
