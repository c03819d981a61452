"""A peer that says exactly what a test tells it to, counters that know when they are wrong, and a clock to script."""

from __future__ import annotations

import _socket
import collections
import contextlib
import dataclasses
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gevent
import gevent.socket

from swell.http.connection import Connection
from swell.http.environment import HttpEnvironment
from swell.http.failure import CallFailure
from swell.http.pool import Pool

REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"
LET_IT_READ_S = 1e-6
"""Not 0: the hub runs callbacks for up to 5 ms before it looks at its sockets again."""
LINGER_RESET = struct.pack("ii", 1, 0)


class CountedTraffic:
    """Counts exchanges as the ring does. At the end, what was sent has been answered or not."""

    def __init__(self) -> None:
        self.counts: collections.Counter[str] = collections.Counter()

    def __repr__(self) -> str:
        return f"<CountedTraffic {self.told()}>"

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name == "unsent":
            return lambda: self.counts.subtract(["sent"])
        if name not in COUNTED:
            raise AttributeError(name)
        return lambda: self.counts.update([name])

    def told(self) -> dict[str, int]:
        """What was counted of the exchanges themselves; how they were stamped is left out."""
        return {name: count for name, count in self.counts.items() if count and name not in UNTOLD}

    def check(self) -> None:
        counts = self.counts
        assert counts["sent"] == counts["answered"] + counts["unanswered"], self
        assert counts["retried"] <= counts["unanswered"], self


UNTOLD = ("unstamped", "window_limited")
COUNTED = ("sent", "answered", "unanswered", "not_sent", "retried", "redirected", "unstamped", "window_limited")


class ScriptedClock:
    """Gives no stamps itself; says to a suspect stamp what the test has set."""

    def __init__(self) -> None:
        self.offset_ns = 0
        self.suspected: list[tuple[int, int, int]] = []
        self.verdict: int | None = None

    def suspect(self, stamp_ns: int, earliest_ns: int, latest_ns: int) -> int | None:
        self.suspected.append((stamp_ns, earliest_ns, latest_ns))
        return self.verdict

    def enable(self, sock: Any) -> None:
        pass


class ScriptedSocket:
    """A socket whose reads carry the stamps, and whose calls raise the errors, that a test wants."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self.stamps: list[int | None] = []
        self.errors: dict[str, list[OSError]] = {}
        self.send_most_bytes = 1 << 30

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def recvmsg(self, size: int, space: int) -> tuple[bytes, list[Any], int, Any]:
        if self.errors.get("recvmsg"):
            raise self.errors["recvmsg"].pop(0)
        data, ancillary, flags, address = self._sock.recvmsg(size, space)
        if data and self.stamps and (stamp_ns := self.stamps.pop(0)) is not None:
            ancillary = [(0, 0, struct.pack("=qq", *divmod(stamp_ns, 1_000_000_000)))]
        return data, ancillary, flags, address

    def send(self, data: bytes) -> int:
        if self.errors.get("send"):
            raise self.errors["send"].pop(0)
        return int(self._sock.send(memoryview(data)[: self.send_most_bytes]))


@dataclasses.dataclass
class Line:
    """One connection under test, and the other end of its wire, driven by a greenlet."""

    connection: Connection
    peer: Any

    def say(self, pieces: Sequence[bytes], then: str = "") -> Any:
        """Wait for a request, then send the pieces so that each is a read of its own; `then` close or reset."""
        return gevent.spawn(self._say, pieces, then)

    def _say(self, pieces: Sequence[bytes], then: str) -> None:
        connection, said_bytes = self.connection, 0
        self.peer.recv(65536)
        for piece in pieces:
            self.peer.sendall(piece)
            said_bytes += len(piece)
            while connection.in_exchange and connection.received_bytes < said_bytes:
                gevent.sleep(LET_IT_READ_S)
        if then == "close":
            self.peer.shutdown(socket.SHUT_WR)
        if then == "reset":
            reset(self.peer)

    def outcome(self, request: bytes = REQUEST, is_head: bool = False) -> tuple[Any, ...] | str:
        """What an exchange gives: (status, body, whether the connection goes on); or why there was none."""
        connection = self.connection
        try:
            connection.exchange(request, is_head)
        except CallFailure as failure:
            assert connection.is_closed
            return failure.reason
        return connection.status, connection.body, goes_on(connection)

    def ask(self, pieces: Sequence[bytes], then: str = "", is_head: bool = False) -> tuple[Any, ...] | str:
        """The outcome of an exchange in which the peer answers with these pieces."""
        speaker = self.say(pieces, then)
        try:
            return self.outcome(is_head=is_head)
        finally:
            speaker.kill()

    def close(self) -> None:
        self.connection.abandon()
        self.peer.close()


def until(condition: Callable[[], object], most_s: float = 5.0) -> None:
    """Let others run until something holds."""
    with gevent.Timeout(most_s):
        while not condition():
            gevent.sleep(0.001)


def goes_on(connection: Connection) -> bool:
    """Whether its pool would keep this connection."""
    pool = Pool()
    pool.busy = 1
    pool.give_back(connection)
    return pool.idle == [connection]


def reset(sock: Any) -> None:
    """End a connection with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
    sock.close()


def tcp_pair(**options: int) -> tuple[Any, Any]:
    """A raw non-blocking socket, as `dial` makes them, and the server's side of it for greenlets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for name, value in options.items():
            listener.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
        client = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        for name, value in options.items():
            client.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
        client.connect(listener.getsockname())
        accepted = listener.accept()[0]
    client.setblocking(False)
    peer = gevent.socket.socket(accepted.family, accepted.type, fileno=accepted.detach())
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client, peer


@contextlib.contextmanager
def line(environment: HttpEnvironment, call_s: float = 10.0, **options: int) -> Iterator[Line]:
    """A connection to a scripted peer; `options` are socket options of both ends, `SO_SNDBUF=4096`."""
    sock, peer = tcp_pair(**options)
    connection = Connection(environment, sock, None, 65_536)
    connection.idle_ns = connection.call_deadline_ns = 1 << 62
    opened = Line(connection, peer)
    try:
        yield opened
    finally:
        opened.close()
