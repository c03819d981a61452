"""What every proxy of the tests does once it knows where to: connects, and passes bytes both ways."""

from __future__ import annotations

import contextlib
import socket
import threading

import msgspec

from tests.targets.process import TargetLog

CONNECT_TIMEOUT_S = 5
PIECE_BYTES = 64 * 1024


class Passage(msgspec.Struct, frozen=True):
    """One thing that a proxy was asked to do.

    `kind` is connect, forward, socks4, socks4a or socks5; `target` is as the client named it, `host:port`; `ok` says
    whether the target was reached; `user` is '' where nobody was asked.
    """

    kind: str
    target: str
    ok: bool
    user: str = ""


class Traffic(msgspec.Struct, frozen=True):
    """What a tunnel had carried when it closed."""

    target: str
    up_bytes: int
    down_bytes: int


class Tunnels:
    """Opens tunnels and keeps the two logs."""

    def __init__(self, passages: TargetLog, traffic: TargetLog) -> None:
        self._passages = passages
        self._traffic = traffic

    def note(self, passage: Passage) -> None:
        self._passages.write(passage)

    def open(self, kind: str, host: str, port: int, user: str) -> socket.socket | None:
        """A connection to the target, None if there is none to be had; noted before the client is told."""
        try:
            upstream = socket.create_connection((host, port), CONNECT_TIMEOUT_S)
        except OSError:
            upstream = None
        self.note(Passage(kind, target_name(host, port), upstream is not None, user))
        return upstream

    def join(self, client: socket.socket, upstream: socket.socket, target: str) -> None:
        """Passes bytes until both sides have closed."""
        upstream.settimeout(None)
        up_bytes: list[int] = []
        upward = threading.Thread(target=lambda: up_bytes.append(_pump(client, upstream)), daemon=True)
        upward.start()
        down_bytes = _pump(upstream, client)
        upward.join()
        upstream.close()
        client.close()
        self._traffic.write(Traffic(target, sum(up_bytes), down_bytes))


def target_name(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _pump(source: socket.socket, sink: socket.socket) -> int:
    """Everything that comes, until the source closes or the sink has gone. Then the sink is told of the end."""
    passed_bytes = 0
    with contextlib.suppress(OSError):
        while piece := source.recv(PIECE_BYTES):
            sink.sendall(piece)
            passed_bytes += len(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
    return passed_bytes
