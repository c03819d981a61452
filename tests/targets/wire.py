"""One connection of a client, seen from a server that speaks HTTP by hand, byte by byte if it wants to."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import struct
import urllib.parse
from collections.abc import Callable, Iterator

CRLF = b"\r\n"
PIECE_BYTES = 64 * 1024


class ClientLeft(Exception):
    """The client closed or reset its connection."""


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """A request's head as it stood on the wire. Header names are lower-cased; repeated ones appear repeatedly."""

    method: str
    target: str
    protocol: str
    headers: tuple[tuple[str, str], ...]

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def header(self, name: str) -> str:
        """The first header of that name, or ''."""
        return next((value for key, value in self.headers if key == name), "")

    def number(self, name: str, default: int) -> int:
        """A number from the query."""
        query = dict(urllib.parse.parse_qsl(self.target.partition("?")[2]))
        return int(query.get(name, default))

    @property
    def body_bytes(self) -> int:
        """The announced length; 0 also for a chunked body."""
        return int(self.header("content-length") or 0)

    @property
    def is_chunked(self) -> bool:
        return "chunked" in self.header("transfer-encoding").lower()


def parse_request(head: bytes) -> Request:
    """A head without its empty line. Raises ValueError if its first line has not three words."""
    first, *rest = head.decode("latin-1").split("\r\n")
    method, target, protocol = first.split(" ", 2)
    pairs = (line.partition(":") for line in rest)
    return Request(method, target, protocol, tuple((name.lower(), value.strip()) for name, _, value in pairs))


class Wire:
    """Reads requests and writes whatever it is told to, well-formed or not. `seen` is told of each head read."""

    def __init__(self, client: socket.socket, seen: Callable[[Request], None] = lambda _: None) -> None:
        self._client = client
        self._seen = seen
        self._unread = bytearray()
        self._answers_head = False
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def request(self) -> Request | None:
        """The next request's head; None if the client has closed the connection instead."""
        while (end := self._unread.find(b"\r\n\r\n")) < 0:
            if not self._read_more():
                return None
        request = parse_request(self._take(end))
        self._take(4)
        self._answers_head = request.method == "HEAD"
        self._seen(request)
        return request

    def body(self, request: Request) -> bytes:
        """The rest of the request. Raises ClientLeft if it never comes whole."""
        return b"".join(self._chunks()) if request.is_chunked else self.read(request.body_bytes)

    def read(self, length_bytes: int) -> bytes:
        while len(self._unread) < length_bytes:
            self._need_more()
        return self._take(length_bytes)

    def read_line(self) -> bytes:
        while (end := self._unread.find(CRLF)) < 0:
            self._need_more()
        line = self._take(end)
        self._take(2)
        return line

    def send(self, *parts: bytes | str) -> None:
        """Sends text and bytes as one piece. Raises ClientLeft if nobody takes them."""
        whole = b"".join(part.encode("latin-1") if isinstance(part, str) else part for part in parts)
        try:
            self._client.sendall(whole)
        except OSError as exc:
            raise ClientLeft from exc

    def answer(self, body: bytes | str = b"ok\n", *headers: str, status: str = "200 OK") -> None:
        """A plain, correct response with its Content-Length; without its body if a HEAD request asked."""
        content = body.encode() if isinstance(body, str) else body
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers]
        self.send("\r\n".join(lines), "\r\n\r\n", b"" if self._answers_head else content)

    def arrived_bytes(self) -> int:
        """How much of what the client has sent by now is still to be read."""
        with contextlib.suppress(BlockingIOError):
            self._unread += self._client.recv(PIECE_BYTES, socket.MSG_DONTWAIT)
        return len(self._unread)

    def wait_for_close(self) -> None:
        """Until the client goes; what it sends meanwhile is read and forgotten."""
        while self._read_more():
            self._unread.clear()

    def shut(self) -> None:
        """Says that nothing more will be sent (FIN)."""
        with contextlib.suppress(OSError):
            self._client.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Ends the connection with RST."""
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._client.close()

    def close(self) -> None:
        """Ends the connection: with FIN, or, as the kernel does, with RST where the client's bytes are still unread."""
        self._client.close()

    def _chunks(self) -> Iterator[bytes]:
        while length_bytes := int(self.read_line().partition(b";")[0], 16):
            yield self.read(length_bytes)
            self.read_line()
        while self.read_line():
            pass

    def _take(self, length_bytes: int) -> bytes:
        taken = bytes(self._unread[:length_bytes])
        del self._unread[:length_bytes]
        return taken

    def _need_more(self) -> None:
        if not self._read_more():
            raise ClientLeft

    def _read_more(self) -> bool:
        try:
            piece = self._client.recv(PIECE_BYTES)
        except OSError:
            return False
        self._unread += piece
        return bool(piece)
