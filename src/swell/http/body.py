"""A request's body: bytes that are ready, or pieces that are read while they are sent.

A body may have to be sent again (a redirect that keeps it, a digest challenge). Bytes always can; a file can if it can
be rewound to where it stood; a generator cannot. `Body.again()` says which.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

READ_BYTES = 64 * 1024


class Body(NamedTuple):
    """What follows the head. `length` is in bytes; None means that it is not known, so the body is sent chunked."""

    content: bytes | Iterator[bytes] | None
    content_type: str | None = None
    length: int | None = None
    restart: Callable[[], Iterator[bytes]] | None = None

    @property
    def replayable(self) -> bool:
        """Whether the same body can be sent a second time."""
        return self.restart is not None or not isinstance(self.content, Iterator)

    def again(self) -> Body | None:
        """The body from its beginning, to be sent once more; None if it has been consumed for good."""
        if self.restart is not None:
            return self._replace(content=self.restart())
        return self if self.replayable else None


NO_BODY = Body(None, None, 0)


class Readable(Protocol):
    """A file, or what reads like one."""

    def read(self, size: int = -1, /) -> bytes | str: ...


def of_bytes(content: bytes, content_type: str | None = None) -> Body:
    """A body that is ready."""
    return Body(content, content_type, len(content))


def of_file(file: Readable) -> Body:
    """A file from where it stands to its end, as long as it is now."""
    length = remaining_bytes(file)
    if length is None:
        return Body(read_pieces(file, None), None, None)
    start = file.tell()  # type: ignore[attr-defined]

    def restart() -> Iterator[bytes]:
        file.seek(start)  # type: ignore[attr-defined]
        return read_pieces(file, length)

    return Body(read_pieces(file, length), None, length, restart)


def of_pieces(pieces: Iterable[bytes | bytearray | str]) -> Body:
    """What a generator gives, sent as it comes; text as UTF-8."""
    return Body(_encoded(pieces), None, None)


def remaining_bytes(file: Readable) -> int | None:
    """How many bytes a file will still give; None if it cannot be told: a pipe, text, something of the script's own."""
    if isinstance(file, io.TextIOBase):
        return None  # its positions are no numbers of bytes
    try:
        here: int = file.tell()  # type: ignore[attr-defined]
        end: object = file.seek(0, io.SEEK_END)  # type: ignore[attr-defined]
        file.seek(here)  # type: ignore[attr-defined]
    except (OSError, ValueError, AttributeError):
        return None
    return max(0, end - here) if isinstance(end, int) else None


def read_pieces(file: Readable, length: int | None) -> Iterator[bytes]:
    """The file's bytes, `length` of them and no more. Raises EOFError if it has fewer: it was cut while it was sent."""
    left = length
    while left is None or left > 0:
        piece = file.read(READ_BYTES if left is None else min(left, READ_BYTES))
        if not piece:
            break
        if isinstance(piece, str):
            piece = piece.encode()
        if left is not None:
            left -= len(piece)
        yield piece
    if left:
        raise EOFError(f"the file to send ended {left} bytes early")


def _encoded(pieces: Iterable[bytes | bytearray | str]) -> Iterator[bytes]:
    for piece in pieces:
        if piece:
            yield piece.encode() if isinstance(piece, str) else bytes(piece)


def chunked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Pieces in the chunked coding, each chunk ready for the wire (RFC 9112 §7.1). An empty piece is no chunk."""
    for piece in pieces:
        if piece:
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"
