"""The script's archive as bytes: a tar of regular files, compressed; the same content gives the same bytes.

What is unpacked was checked by its hash, but not trusted: nothing in it but regular files at relative paths, each
new, is made, and no more of them than the caps allow.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import stat
import tarfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from swell.cluster.fetch_state import PACKED_BYTES_MAX, Archive
from swell.errors import PlanError, Problem, RunFailed

if TYPE_CHECKING:
    from typing_extensions import Buffer

UNPACKED_BYTES_MAX = 256 << 20
FILES_MAX = 10_000
LEVEL = 6
PIECE_BYTES = 1 << 16
LARGEST_NAMED = 3
NAME_BYTES_MAX = 4_096
OVERHEAD_BYTES = 4 * tarfile.BLOCKSIZE + NAME_BYTES_MAX
"""What a tar holds of a file besides its content, at most."""


@dataclasses.dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file that is to travel: where it is, and what it is called in the archive."""

    name: str
    path: Path


def pack(files: Iterable[ArchivedFile], script: str) -> Archive:
    """The archive of these files, `script` being the script's name there. Raises PlanError if it is too large."""
    ordered = sorted(files, key=lambda file: file.name)
    sizes = {file.name: _size_of(file) for file in ordered}
    if len(ordered) > FILES_MAX:
        raise _too_large(f"{len(ordered):,} files", f"{FILES_MAX:,}", sizes)
    if (unpacked_bytes := sum(sizes.values())) > UNPACKED_BYTES_MAX:
        raise _too_large(_megabytes(unpacked_bytes), _megabytes(UNPACKED_BYTES_MAX), sizes)
    content = _compressed(ordered, sizes)
    if len(content) > PACKED_BYTES_MAX:
        raise _too_large(f"{_megabytes(len(content))} compressed", _megabytes(PACKED_BYTES_MAX), sizes)
    return Archive(content, hashlib.sha256(content).hexdigest(), script)


def unpack(content: bytes, folder: Path) -> None:
    """Make the files of an archive in `folder`, which is made too, for its owner alone. Raises RunFailed.

    Takes up to a second or two: call it where nothing else waits.
    """
    try:
        folder.mkdir(mode=0o700)
        inflated = _Inflated(content)
        with tarfile.open(fileobj=inflated, mode="r|", encoding="utf-8") as tar:
            for number, member in enumerate(tar, 1):
                if number > FILES_MAX:
                    raise _Unsound(f"it holds more than {FILES_MAX:,} files")
                _extract(tar, member, folder)
        while inflated.read(PIECE_BYTES):
            pass
    except OSError as exc:
        raise RunFailed(f"the script's archive cannot be unpacked: {exc.strerror or exc}") from exc
    except (tarfile.TarError, zlib.error, _Unsound, ValueError, EOFError, OverflowError, RecursionError) as exc:
        raise RunFailed(f"the script's archive is not sound: {exc}") from exc


class _Unsound(Exception):
    """It holds what no archive of ours does."""


class _Inflated(io.RawIOBase):
    """What a compressed archive holds, up to the caps."""

    def __init__(self, content: bytes) -> None:
        self._inflate = zlib.decompressobj()
        self._packed = memoryview(content)
        self._left_bytes = UNPACKED_BYTES_MAX + FILES_MAX * OVERHEAD_BYTES

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        found = bytearray()
        while len(found) < size and not self._inflate.eof:
            piece = self._inflate.unconsumed_tail
            if not piece:
                piece, self._packed = bytes(self._packed[:PIECE_BYTES]), self._packed[PIECE_BYTES:]
            more = self._inflate.decompress(piece, size - len(found))
            if not piece and not more:
                raise _Unsound("it is cut short")
            found += more
        self._left_bytes -= len(found)
        if self._left_bytes < 0:
            raise _Unsound(f"it unpacks to more than {_megabytes(UNPACKED_BYTES_MAX)}")
        return bytes(found)


class _Deflated(io.RawIOBase):
    """Where a tar is written to be compressed."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(LEVEL)
        self._content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, piece: Buffer) -> int:
        content = bytes(piece)
        self._content += self._deflate.compress(content)
        return len(content)

    def finish(self) -> bytes:
        """All of it."""
        return bytes(self._content + self._deflate.flush())


def _compressed(files: Sequence[ArchivedFile], sizes: dict[str, int]) -> bytes:
    """A tar of the files, without times and owners; of the mode only whether a file can be executed."""
    packed = _Deflated()
    with tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT, encoding="utf-8") as tar:
        for file in files:
            content = _content_of(file, sizes[file.name])
            member = tarfile.TarInfo(file.name)
            member.size = len(content)
            member.mode = 0o700 if os.access(file.path, os.X_OK) else 0o600
            tar.addfile(member, io.BytesIO(content))
    return packed.finish()


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    if not member.isreg() or member.issparse():
        raise _Unsound(f"{member.name!r} is no regular file")
    if not _is_safe(member.name):
        raise _Unsound(f"{member.name!r} is no relative path")
    if not 0 <= member.size <= UNPACKED_BYTES_MAX:
        raise _Unsound(f"{member.name!r} has {member.size:,} bytes")
    path = folder / member.name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = 0o700 if member.mode & stat.S_IXUSR else 0o600
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with open(handle, "wb") as file:
        content = tar.extractfile(member)
        assert content is not None
        file.write(content.read())


def _is_safe(name: str) -> bool:
    parts = name.split("/")
    return "\0" not in name and PurePosixPath(name).as_posix() == name and not {"", ".", ".."} & set(parts)


def _size_of(file: ArchivedFile) -> int:
    try:
        return file.path.stat().st_size
    except OSError as exc:
        raise _unreadable(file, exc) from exc


def _content_of(file: ArchivedFile, size_bytes: int) -> bytes:
    try:
        with file.path.open("rb") as opened:
            return opened.read(size_bytes)
    except OSError as exc:
        raise _unreadable(file, exc) from exc


def _unreadable(file: ArchivedFile, exc: OSError) -> PlanError:
    return PlanError([Problem(f"cannot be read: {exc.strerror}", file.name, "it would travel with the script")])


def _too_large(found: str, most: str, sizes: dict[str, int]) -> PlanError:
    largest = sorted(sizes, key=lambda name: (-sizes[name], name))[:LARGEST_NAMED]
    named = ", ".join(f"{name} ({_megabytes(sizes[name])})" for name in largest)
    what = f"what would travel with the script to other machines is too much: {found}, and {most} can; largest: {named}"
    return PlanError([Problem(what, "", "read rows with feed(), whose file stays here, or install it on the machines")])


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 20):,.1f} MiB"
