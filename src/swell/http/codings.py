"""The content codings one at a time: gzip, deflate, br and zstd, each with bounded output.

A coding is fed bytes and the room that is left; what it gives back is complete, or longer than the room, and then
nothing more is asked of it. How each keeps its output near the room:

- zlib takes a maximum length.
- brotli takes one too, and says afterwards whether more output waits.
- zstd's streaming object gives back all it can. At best 4 bytes become a block of 128 KiB (a run, RFC 8878 §3.1.1.2),
  so it is fed so little at a time that even then the output stays near the room.

gzip members and zstd frames may follow one another (RFC 1952 §2.2, RFC 8878 §3.1). What follows the last one and is
the start of no other is passed over, as gzip and browsers do; only brotli's library refuses it. Input is taken in
slices because the libraries copy what they have not used: thousands of tiny members in one large piece would
otherwise cost their square.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

SLICE_BYTES = 16 * 1024
_ZSTD_GAIN = 128 * 1024 // 4
_ZSTD_SLICE_BYTES = 64
_ZSTD_WINDOW_BYTES = 8 * 1024 * 1024  # all that RFC 9659 lets a sender use


class DecodeError(ValueError):
    """A body that cannot be decoded; the text is short and the same for every such body."""


class Coding(Protocol):
    """One content coding of one body."""

    def feed(self, data: bytes, room: int) -> bytes:
        """Decode `data`; a result longer than `room` is incomplete. Raises DecodeError."""

    def finish(self) -> None:
        """Say that the body has ended. Raises DecodeError if the coding has not."""


class _Stream(Protocol):
    """One gzip member or zstd frame."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decode(self, data: bytes, room: int) -> bytes: ...


class _Members:
    """gzip and zstd: streams, one after the other."""

    def __init__(self, name: str, open_stream: Callable[[], _Stream], is_start: Callable[[bytes], bool | None]) -> None:
        self._name = name
        self._open = open_stream
        self._is_start = is_start
        self._stream: _Stream | None = open_stream()
        self._between = b""
        self._started = False
        self._passing_over = False

    def feed(self, data: bytes, room: int) -> bytes:
        pieces = []
        for at in range(0, len(data), SLICE_BYTES):
            pieces.append(self._feed_slice(data[at : at + SLICE_BYTES], room))
            room -= len(pieces[-1])
            if room < 0:
                break
        return b"".join(pieces)

    def finish(self) -> None:
        if self._started and self._stream is not None:
            raise DecodeError(f"{self._name}: truncated")

    def _feed_slice(self, data: bytes, room: int) -> bytes:
        pieces = []
        self._started = True
        while data and room >= 0 and not self._passing_over:
            if self._stream is None:
                data = self._next_stream(data)
                continue
            pieces.append(self._stream.decode(data, room))
            room -= len(pieces[-1])
            data = b""
            if self._stream.eof:
                data = self._stream.unused_data
                self._stream = None
        return b"".join(pieces)

    def _next_stream(self, data: bytes) -> bytes:
        """Open a stream if another one starts here; the bytes to go on with."""
        self._between += data
        starts = self._is_start(self._between)
        if starts is None:
            return b""
        data, self._between = self._between, b""
        self._passing_over = not starts
        self._stream = self._open() if starts else None
        return data


class _ZlibStream:
    """A gzip member, or a deflate body in either of its forms."""

    def __init__(self, name: str, window_bits: int) -> None:
        self._name = name
        self._zlib = zlib.decompressobj(window_bits)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decode(self, data: bytes, room: int) -> bytes:
        try:
            return self._zlib.decompress(data, room + 1)
        except zlib.error as error:
            raise DecodeError(f"{self._name}: corrupt") from error


class _ZstdStream:
    def __init__(self) -> None:
        import zstandard

        self._error: type[Exception] = zstandard.ZstdError
        self._zstd = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj()

    @property
    def eof(self) -> bool:
        return bool(self._zstd.eof)

    @property
    def unused_data(self) -> bytes:
        return self._unused

    def decode(self, data: bytes, room: int) -> bytes:
        pieces = []
        at = 0
        while at < len(data) and room >= 0 and not self._zstd.eof:
            end = at + max(_ZSTD_SLICE_BYTES, room // _ZSTD_GAIN)
            pieces.append(self._decode(data[at:end]))
            room -= len(pieces[-1])
            at = end
        self._unused: bytes = self._zstd.unused_data + data[at:]
        return b"".join(pieces)

    def _decode(self, data: bytes) -> bytes:
        try:
            decoded: bytes = self._zstd.decompress(data)
        except self._error as error:
            raise DecodeError("zstd: corrupt") from error
        return decoded


class _Deflate:
    """deflate means zlib's format (RFC 9110 §8.4.1.2), but many servers send the bare stream (RFC 1951)."""

    def __init__(self) -> None:
        self._stream: _ZlibStream | None = None
        self._head = b""

    def feed(self, data: bytes, room: int) -> bytes:
        if self._stream is None:
            data = self._head = self._head + data
            if len(data) < 2:
                return b""
            # RFC 1950 §2.2. No encoder starts a bare stream with such bytes: a stored block with padding that is not 0.
            has_header = data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
            self._stream = _ZlibStream("deflate", zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)
        return b"" if self._stream.eof else self._stream.decode(data, room)

    def finish(self) -> None:
        if self._head and (self._stream is None or not self._stream.eof):
            raise DecodeError("deflate: truncated")


class _Brotli:
    def __init__(self) -> None:
        import brotli

        self._error: type[Exception] = brotli.error
        self._brotli = brotli.Decompressor()
        self._started = False

    def feed(self, data: bytes, room: int) -> bytes:
        self._started = True
        pieces: list[bytes] = []
        # Where its stream ended within a piece, brotli does not say: more after the end is always corrupt.
        while not pieces or not self._brotli.is_finished():
            pieces.append(self._decode(data, room + 1))
            room -= len(pieces[-1])
            data = b""
            if room < 0 or self._brotli.can_accept_more_data():
                break
        return b"".join(pieces)

    def finish(self) -> None:
        if self._started and not self._brotli.is_finished():
            raise DecodeError("br: truncated")

    def _decode(self, data: bytes, most: int) -> bytes:
        try:
            decoded: bytes = self._brotli.process(data, output_buffer_limit=most)
        except self._error as error:
            raise DecodeError("br: corrupt") from error
        return decoded


def _gzip() -> Coding:
    return _Members("gzip", lambda: _ZlibStream("gzip", zlib.MAX_WBITS | 16), _starts_gzip)


def _zstd() -> Coding:
    return _Members("zstd", _ZstdStream, _starts_zstd)


def _starts_gzip(head: bytes) -> bool | None:
    return head.startswith(b"\x1f\x8b") if len(head) >= 2 else None


def _starts_zstd(head: bytes) -> bool | None:
    if len(head) < 4:
        return None
    return head.startswith(b"\x28\xb5\x2f\xfd") or (head[0] & 0xF0 == 0x50 and head[1:4] == b"\x2a\x4d\x18")


CODINGS: dict[str, Callable[[], Coding]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _zstd,
}
