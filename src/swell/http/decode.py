"""Undoing Content-Encoding (RFC 9110 §8.4) with a bound on what comes out, because a few bytes can hold gigabytes.

Codings are undone last to first. Every stage of a chain has the same limit, so that a bomb wrapped in a bomb does not
go off in between. If one coding of a chain is unknown the body is passed on as it came, as requests does.
"""

from __future__ import annotations

from swell.http.codings import CODINGS, Coding, DecodeError

__all__ = ["DecodeError", "Decoder", "decode_all", "shown_bytes"]

MAX_CODINGS = 5


class Decoder:
    """Decodes one body piece by piece.

    `decodes` is False where the pieces are passed on as they are. After an error the decoder is of no further use.
    """

    __slots__ = ("_limit_bytes", "_stages", "decodes")

    def __init__(self, content_encoding: str, limit_bytes: int) -> None:
        """For the value of a Content-Encoding header. Raises DecodeError for a chain of more than 5 codings."""
        names = [name for name in (part.strip().lower() for part in content_encoding.split(",")) if name]
        names = [name for name in names if name != "identity"]
        known = all(name in CODINGS for name in names)
        if known and len(names) > MAX_CODINGS:
            raise DecodeError(f"content-encoding: over {MAX_CODINGS} codings")
        self._limit_bytes = limit_bytes
        self._stages = [_Stage(name, limit_bytes) for name in reversed(names)] if known else []
        self.decodes = bool(self._stages)

    def feed(self, data: bytes) -> bytes:
        """The bytes that `data` decodes to, as far as they can be known. Raises DecodeError."""
        for stage in self._stages:
            data = stage.feed(data)
        return data

    def finish(self) -> bytes:
        """Say that the body has ended: its last bytes. Raises DecodeError if a coding has not ended."""
        for stage in self._stages:
            stage.finish()
        return b""


class _Stage:
    """One coding of the chain and how much it may still give."""

    __slots__ = ("_coding", "_limit_bytes", "_name", "_room")

    def __init__(self, name: str, limit_bytes: int) -> None:
        self._name = name
        self._coding: Coding = CODINGS[name]()
        self._limit_bytes = self._room = limit_bytes

    def feed(self, data: bytes) -> bytes:
        if not data:
            return b""
        decoded = self._coding.feed(data, self._room)
        self._room -= len(decoded)
        if self._room < 0:
            raise DecodeError(f"{self._name}: over {shown_bytes(self._limit_bytes)} decoded")
        return decoded

    def finish(self) -> None:
        self._coding.finish()


def decode_all(content: bytes, content_encoding: str, limit_bytes: int) -> bytes:
    """Decode a whole body. Raises DecodeError."""
    decoder = Decoder(content_encoding, limit_bytes)
    return decoder.feed(content) + decoder.finish()


def shown_bytes(count: int) -> str:
    """A number of bytes as people write it: 64 MiB, 10 KiB, 1000 bytes."""
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size and count % size == 0:
            return f"{count // size} {unit}"
    return f"{count} bytes"
