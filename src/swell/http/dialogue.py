"""A conversation with a proxy, written as a generator and driven by whoever has the socket.

A step says what to send and how much to wait for: a number of bytes, or all up to a delimiter. It is given just that.
So each protocol reads from top to bottom, is fed bytes in any pieces, and has never seen a socket.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import NamedTuple, TypeAlias

REPLY_BYTES_MOST = 64 * 1024


class ProxyError(Exception):
    """The proxy refused, or is none; the text is short and says what its reply means."""


class Ask(NamedTuple):
    """Send `data`, then wait for `until`: so many bytes, or the bytes up to and with a delimiter."""

    data: bytes
    until: int | bytes


Steps: TypeAlias = Generator[Ask, bytes, None]
_NEVER = Ask(b"", sys.maxsize)


class Dialogue:
    """Drives the steps: send what `send` gives, hand what arrives to `receive`, until `done`."""

    __slots__ = ("_ask", "_received", "_steps", "_to_send", "done")

    def __init__(self, steps: Steps) -> None:
        self.done = False
        self._steps = steps
        self._received = b""
        self._ask = next(steps)
        self._to_send = self._ask.data

    def __repr__(self) -> str:
        state = "done" if self.done else f"waits for {self._ask.until!r}, has {self._received!r}"
        return f"<Dialogue {state}>"

    def send(self) -> bytes:
        """What is to be sent now, once; b"" for nothing."""
        data, self._to_send = self._to_send, b""
        return data

    def receive(self, data: bytes) -> bool:
        """Take what the proxy sent; whether the way through it is open. Raises ProxyError."""
        self._received += data
        while not self.done and (length := self._enough()):
            part, self._received = self._received[:length], self._received[length:]
            self._advance(part)
        if self.done and self._received:
            raise ProxyError("sent more than its reply")
        return self.done

    def _enough(self) -> int:
        """The length of what was asked for, 0 while it is not all there."""
        until = self._ask.until
        if isinstance(until, int):
            return until if len(self._received) >= until else 0
        found = self._received.find(until)
        if found < 0 and len(self._received) > REPLY_BYTES_MOST:
            raise ProxyError("its reply has no end")
        return found + len(until) if found >= 0 else 0

    def _advance(self, part: bytes) -> None:
        try:
            self._ask = self._steps.send(part)
        except StopIteration:
            self.done = True
        except ProxyError:
            self._ask = _NEVER
            raise
        else:
            self._to_send += self._ask.data
