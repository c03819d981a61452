"""The second shared file of a worker: what its numbers stand for, appended when first seen.

A frame is a 4-byte length and a MessagePack value; the header's only counter says how many bytes are committed, and
is stored after the frame, so that a frame cut short by a SIGKILL was never there. Each frame carries the ring
position at which it was appended: it belongs to the one segment that covers that position, in the living worker and
in the hands of whoever reads the file of a dead one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

from swell.runtime import shared_file
from swell.segment import ErrorSample, Sort

HEADER_BYTES = 8
LENGTH = struct.Struct("=I")


class NamedSeries(msgspec.Struct, frozen=True, tag="s", array_like=True):
    """Series, or measure, `number` was used for the first time."""

    position: int
    number: int
    scenario: str
    method: str
    name: str
    sort: Sort = Sort.CALL
    tags: str = ""


class NamedError(msgspec.Struct, frozen=True, tag="e", array_like=True):
    """Error text `number` was used for the first time."""

    position: int
    number: int
    text: str


class NamedException(msgspec.Struct, frozen=True, tag="x", array_like=True):
    """Exception `number` was raised for the first time; the ring's records count it."""

    position: int
    number: int
    message: str
    traceback: str


class KeptSample(msgspec.Struct, frozen=True, tag="k", array_like=True):
    """A sample of an error of a series."""

    position: int
    series: int
    error: int
    sample: ErrorSample


Frame = NamedSeries | NamedError | NamedException | KeptSample

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Frame)


class NamesLog:
    """Appends frames until the file is full."""

    __slots__ = ("_end", "_header", "_mapped", "_size")

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._mapped = shared_file.create(path, size_bytes)
        self._header = shared_file.counters_of(self._mapped, HEADER_BYTES)
        self._size = size_bytes
        self._end = HEADER_BYTES

    def __repr__(self) -> str:
        return f"<NamesLog of {self._end} of {self._size} bytes>"

    def append(self, frame: Frame, keep_free: float = 0.0) -> bool:
        """Commit a frame; False, and nothing done, when it would not leave the share `keep_free` of the file free."""
        packed = _encoder.encode(frame)
        start = self._end + LENGTH.size
        end = start + len(packed)
        if end > self._size * (1 - keep_free):
            return False
        LENGTH.pack_into(self._mapped, self._end, len(packed))
        self._mapped[start:end] = packed
        self._end = end
        self._header[0] = end - HEADER_BYTES
        return True

    def close(self) -> None:
        """Unmap the file; it stays on disk."""
        self._header.release()
        self._mapped.close()


def read_frames(content: bytes) -> Iterator[Frame]:
    """The committed frames of a file's content, up to the first that cannot be read."""
    if len(content) < HEADER_BYTES:
        return
    at, end = HEADER_BYTES, HEADER_BYTES + int.from_bytes(content[:HEADER_BYTES], "little")
    while at + LENGTH.size <= min(end, len(content)):
        (length,) = LENGTH.unpack_from(content, at)
        at += LENGTH.size + length
        try:
            yield _decoder.decode(content[at - length : at])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
