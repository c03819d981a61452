"""Segments in a file until they are acknowledged, for whoever has to finish a dead worker's account.

A frame is a 4-byte length, a 4-byte CRC-32 and a segment in MessagePack. A segment is spooled before it is sent. One
that was cut short by a SIGKILL does not count: what it covered is still in the ring. Acknowledged segments are
dropped once they take up `COMPACT_BYTES`, but never the last one, which says how far into the ring the account goes.

On a full disk a segment that found no room is written with the next one that does; nothing torn stays in the file.
Only such segments are in memory: what is in the file is read there when it is to be sent again.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import msgspec

from swell.errors import RunFailed
from swell.segment import Segment

SPOOL_FILE = "spool"
COMPACT_BYTES = 1 << 20
HEAD = struct.Struct("=II")

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Segment)


@dataclass(slots=True)
class _Kept:
    """A segment that is not acknowledged: its frame, or where that is in the file."""

    sequence: int
    length_bytes: int
    frame: bytes
    """Empty once it is written."""
    at: int = 0


class Spool:
    """Appends to the file `spool` of a worker's directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / SPOOL_FILE
        self._kept: deque[_Kept] = deque()
        self._unwritten: list[_Kept] = []
        """Of those kept, the ones for which there was no room."""
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
        kept = _Kept(segment.sequence, len(frame), frame)
        self._kept.append(kept)
        self._unwritten.append(kept)
        try:
            _write(self._file, b"".join(unwritten.frame for unwritten in self._unwritten))
        except OSError as exc:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._length_bytes)
            raise RunFailed(f"{self._path}: cannot be written: {exc.strerror}") from exc
        for written in self._unwritten:
            written.at, written.frame = self._length_bytes, b""
            self._length_bytes += written.length_bytes
        self._unwritten.clear()

    def packed(self, sequence: int) -> bytes | None:
        """An unacknowledged segment, as it travels; None if it is not here, or cannot be read."""
        place = sequence - self._kept[0].sequence if self._kept else -1
        if not 0 <= place < len(self._kept):
            return None
        kept = self._kept[place]
        try:
            frame = kept.frame or os.pread(self._file, kept.length_bytes, kept.at)
        except OSError:
            return None
        return frame[HEAD.size :] if len(frame) == kept.length_bytes else None

    def forget(self, sequence: int) -> None:
        """Segments up to `sequence` are acknowledged."""
        self._acknowledged = max(self._acknowledged, sequence)
        while len(self._kept) > 1 and self._kept[0].sequence <= self._acknowledged:
            kept = self._kept.popleft()
            if kept.frame:
                self._unwritten.remove(kept)
            else:
                self._done_bytes += kept.length_bytes
        if self._done_bytes >= COMPACT_BYTES and not self._unwritten:
            self._compact()

    def _compact(self) -> None:
        """Write what is kept anew. Where there is no room for that, the file stays as it is for now."""
        fresh = self._path.with_suffix(".new")
        try:
            file = _open(fresh)
        except OSError:
            return
        begin = self._kept[0].at
        try:
            length_bytes = _write(file, os.pread(self._file, self._length_bytes - begin, begin))
            if length_bytes != self._length_bytes - begin:
                raise OSError
            os.replace(fresh, self._path)
        except OSError:
            os.close(file)
            fresh.unlink(missing_ok=True)
            return
        os.close(self._file)
        self._file, self._length_bytes, self._done_bytes = file, length_bytes, 0
        for kept in self._kept:
            kept.at -= begin

    def close(self) -> None:
        """Close the file; it stays on disk."""
        os.close(self._file)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)


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
