"""Segments in a file until they are acknowledged, for whoever has to finish a dead worker's account.

A frame is a 4-byte length, a 4-byte CRC-32 and a segment in MessagePack. A segment is spooled before it is sent. One
that was cut short by a SIGKILL does not count: what it covered is still in the ring. Acknowledged segments are
dropped once they take up `COMPACT_BYTES`, but never the last one, which says how far into the ring the account goes.

On a full disk a segment that found no room is written with the next one that does; nothing torn stays in the file.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from collections import deque
from pathlib import Path

import msgspec

from swell.errors import RunFailed
from swell.segment import Segment

SPOOL_FILE = "spool"
COMPACT_BYTES = 1 << 20
HEAD = struct.Struct("=II")

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Segment)


class Spool:
    """Appends to the file `spool` of a worker's directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / SPOOL_FILE
        self._kept: deque[tuple[int, bytes]] = deque()
        self._unwritten: list[bytes] = []
        """Of those kept, the frames for which there was no room."""
        self._length_bytes = 0
        self._done_bytes = 0
        self._acknowledged = 0
        try:
            self._file = _open(self._path)
        except OSError as exc:
            raise RunFailed(f"{self._path}: cannot be written: {exc.strerror}") from exc

    def __repr__(self) -> str:
        return f"<Spool of {len(self._kept)} segments>"

    def append(self, segment: Segment) -> None:
        """Keep a segment. Raises RunFailed when there is no room, and keeps it in memory until there is."""
        packed = _encoder.encode(segment)
        frame = HEAD.pack(len(packed), zlib.crc32(packed)) + packed
        self._kept.append((segment.sequence, frame))
        self._unwritten.append(frame)
        try:
            self._length_bytes += _write(self._file, b"".join(self._unwritten))
        except OSError as exc:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._length_bytes)
            raise RunFailed(f"{self._path}: cannot be written: {exc.strerror}") from exc
        self._unwritten.clear()

    def forget(self, sequence: int) -> None:
        """Segments up to `sequence` are acknowledged."""
        self._acknowledged = max(self._acknowledged, sequence)
        while len(self._kept) > 1 and self._kept[0][0] <= self._acknowledged:
            frame = self._kept.popleft()[1]
            if self._unwritten and self._unwritten[0] is frame:
                del self._unwritten[0]
            else:
                self._done_bytes += len(frame)
        if self._done_bytes >= COMPACT_BYTES and not self._unwritten:
            self._compact()

    def _compact(self) -> None:
        """Write what is kept anew. Where there is no room for that, the file stays as it is for now."""
        fresh = self._path.with_suffix(".new")
        try:
            file = _open(fresh)
        except OSError:
            return
        try:
            length_bytes = _write(file, b"".join(frame for _, frame in self._kept))
            os.replace(fresh, self._path)
        except OSError:
            os.close(file)
            fresh.unlink(missing_ok=True)
            return
        os.close(self._file)
        self._file, self._length_bytes, self._done_bytes = file, length_bytes, 0

    def close(self) -> None:
        """Close the file; it stays on disk."""
        os.close(self._file)


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)


def _write(file: int, content: bytes) -> int:
    """Append all of it, or raise OSError; returns its length."""
    rest = content
    while rest:
        rest = rest[os.write(file, rest) :]
    return len(content)


def read_spool(directory: Path) -> list[Segment]:
    """The whole segments in a worker's directory, in order; empty when it never got so far."""
    try:
        content = (directory / SPOOL_FILE).read_bytes()
    except OSError:
        return []
    found, at = [], 0
    while at + HEAD.size <= len(content):
        length, checksum = HEAD.unpack_from(content, at)
        packed = content[at + HEAD.size : at + HEAD.size + length]
        if len(packed) != length or zlib.crc32(packed) != checksum:
            break
        found.append(_decoder.decode(packed))
        at += HEAD.size + length
    return found
