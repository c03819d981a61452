"""The plainest client there is: sends bytes, keeps the bytes that come back, and says how the connection ended."""

from __future__ import annotations

import socket

QUIET_S = 0.3
"""No byte for so long means that nothing more comes and the connection is open."""


def address(url: str) -> tuple[str, int]:
    """Host and port of a URL without a path; a user in it does not matter."""
    host, _, port = url.rpartition("//")[2].rpartition("@")[2].rpartition(":")
    return host, int(port)


def request(path: str, *headers: str, method: str = "GET", body: bytes = b"") -> bytes:
    """A request's bytes. The length is added where there is a body."""
    length = [f"Content-Length: {len(body)}"] if body else []
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *length, *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def ask(url: str, *pieces: bytes, quiet_s: float = QUIET_S) -> tuple[bytes, str]:
    """Sends the pieces; all that came back, and whether the connection is now "closed", "reset" or still "open"."""
    try:
        client = socket.create_connection(address(url), timeout=5)
    except ConnectionResetError:
        return b"", "reset"
    with client:
        client.settimeout(quiet_s)
        try:
            for piece in pieces:
                client.sendall(piece)
        except ConnectionError:
            return _everything(client)[0], "reset"
        return _everything(client)


def get(url: str, path: str, quiet_s: float = QUIET_S) -> tuple[bytes, str]:
    """What GET brings back, see `ask`."""
    return ask(url, request(path), quiet_s=quiet_s)


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def _everything(client: socket.socket) -> tuple[bytes, str]:
    received = b""
    try:
        while piece := client.recv(1024 * 1024):
            received += piece
    except TimeoutError:
        return received, "open"
    except ConnectionError:
        return received, "reset"
    return received, "closed"
