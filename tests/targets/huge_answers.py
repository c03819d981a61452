"""Answers that are larger than anyone should take.

/huge/body?mib=1                   a body of so many MiB of zeros, with its length
/huge/chunks?mib=1                 the same, chunked, in chunks of 64 KiB
/huge/one-byte-chunks?n=100000     so many chunks of one byte
/endless/headers                   one header after another, for at most LIMIT_MIB
/endless/header                    one header that does not end
/endless/status                    a status line that does not end
/endless/body                      chunks without end
/endless/informational             103 after 103
/bomb/CODING?mib=64                a small body that becomes so many MiB; CODING is gzip, deflate, br, zstd or
                                   gzip-gzip (gzip twice: 64 KiB become GiBs)
"""

from __future__ import annotations

import functools
import struct
import zlib
from collections.abc import Callable, Iterator

import brotli
import zstandard

from tests.targets.behaviour import Then, on
from tests.targets.wire import Request, Wire

MIB = bytes(1024 * 1024)
LIMIT_MIB = 64
_CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
_CHUNK = b"10000\r\n" + bytes(64 * 1024) + b"\r\n"


@on("/huge/body")
def answer_at_length(wire: Wire, request: Request, _: bytes) -> Then:
    count = request.number("mib", 1)
    wire.send(f"HTTP/1.1 200 OK\r\nContent-Length: {count * len(MIB)}\r\n\r\n")
    _repeat(wire, MIB, count)
    return Then.NEXT


@on("/huge/chunks")
def answer_in_many_chunks(wire: Wire, request: Request, _: bytes) -> Then:
    wire.send(_CHUNKED)
    _repeat(wire, _CHUNK, 16 * request.number("mib", 1))
    wire.send("0\r\n\r\n")
    return Then.NEXT


@on("/huge/one-byte-chunks")
def answer_in_tiny_chunks(wire: Wire, request: Request, _: bytes) -> Then:
    wire.send(_CHUNKED, b"1\r\nx\r\n" * request.number("n", 100_000), b"0\r\n\r\n")
    return Then.NEXT


def _endless(path: str, beginning: str, repeated: bytes) -> None:
    @on(path)
    def act(wire: Wire, _: Request, __: bytes) -> Then:
        wire.send(beginning)
        _repeat(wire, repeated * max(1, 64 * 1024 // len(repeated)), LIMIT_MIB * 16)
        return Then.CLOSE


_endless("/endless/headers", "HTTP/1.1 200 OK\r\n", b"X-Header: 12345\r\n")
_endless("/endless/header", "HTTP/1.1 200 OK\r\nX-Header: ", b"x")
_endless("/endless/status", "HTTP/1.1 200 ", b"O")
_endless("/endless/body", _CHUNKED, _CHUNK)
_endless("/endless/informational", "", b"HTTP/1.1 103 Early Hints\r\nLink: </contest.css>\r\n\r\n")


def _repeat(wire: Wire, piece: bytes, count: int) -> None:
    for _ in range(count):
        wire.send(piece)


def _gzip(mib: int) -> bytes:
    """One member: a MiB is compressed once and its blocks are repeated, as the flush after it allows."""
    compressor = zlib.compressobj(9, wbits=-15)
    block = compressor.compress(MIB) + compressor.flush(zlib.Z_FULL_FLUSH)
    checksum = functools.reduce(lambda checksum, _: zlib.crc32(MIB, checksum), range(mib), 0)
    trailer = struct.pack("<II", checksum, mib * len(MIB) % 2**32)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + block * mib + compressor.flush() + trailer


def _deflate(mib: int) -> bytes:
    return b"".join(_streamed(zlib.compressobj(9), mib))


def _zstd(mib: int) -> bytes:
    return b"".join(_streamed(zstandard.ZstdCompressor().compressobj(), mib))


def _br(mib: int) -> bytes:
    compressor = brotli.Compressor(quality=5)
    pieces: list[bytes] = [compressor.process(MIB) for _ in range(mib)]
    return b"".join([*pieces, compressor.finish()])


def _streamed(compressor: zlib._Compress | zstandard.ZstdCompressionObj, mib: int) -> Iterator[bytes]:
    yield from (compressor.compress(MIB) for _ in range(mib))
    yield compressor.flush()


def _bomb(coding: str, compress: Callable[[int], bytes]) -> None:
    compress = functools.cache(compress)

    @on(f"/bomb/{coding}")
    def act(wire: Wire, request: Request, _: bytes) -> Then:
        wire.answer(compress(request.number("mib", 64)), f"Content-Encoding: {coding.replace('-', ', ')}")
        return Then.NEXT


_bomb("gzip", _gzip)
_bomb("gzip-gzip", lambda mib: zlib.compress(_gzip(mib), 9, wbits=31))
_bomb("deflate", _deflate)
_bomb("zstd", _zstd)
_bomb("br", _br)
