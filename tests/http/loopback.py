"""A server in the hub of the test itself: each connection is handled by a function that says what it likes."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic_ns
from typing import Any

import gevent
import gevent.socket
import gevent.ssl

from swell.http.client import Client
from swell.http.environment import HttpEnvironment
from swell.http.options import PLAIN
from swell.http.request import SessionSettings, prepare
from swell.http.response import Response
from swell.http.target import Target
from swell.http.url import parse_url
from tests.http.scripted import OK, reset
from tests.targets.tls import Certificate

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


class Visit:
    """One connection as the server sees it."""

    def __init__(self, number: int, sock: Any, heads: list[bytes]) -> None:
        self.number = number
        self.sock = sock
        self._heads = heads
        self._unread = b""

    def request(self) -> bytes | None:
        """The next request whole, or None when the client has gone."""
        while b"\r\n\r\n" not in self._unread:
            if not self._read():
                return None
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        self._heads.append(head)
        length = _LENGTH.search(head)
        while length and len(self._unread) < int(length[1]):
            if not self._read():
                return None
        cut = int(length[1]) if length else 0
        body, self._unread = self._unread[:cut], self._unread[cut:]
        return head + b"\r\n\r\n" + body

    def _read(self) -> bytes:
        try:
            piece: bytes = self.sock.recv(65_536)
        except OSError:
            return b""
        self._unread += piece
        return piece

    def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.sock.sendall(data)

    def reset(self) -> None:
        reset(self.sock)

    def close(self) -> None:
        self.sock.close()


Handle = Callable[[Visit], None]


class Server:
    """Listens on loopback, or on a unix socket, until its `with` block ends."""

    def __init__(self, handle: Handle, listener: Any, scheme: str = "http") -> None:
        self._handle = handle
        self._listener = listener
        self.visits: list[Visit] = []
        self.heads: list[bytes] = []
        self.most_at_once = self.open = 0
        name = listener.getsockname()
        self.url = f"unix:{name}" if isinstance(name, str) else f"{scheme}://{_shown(*name[:2])}"
        self._accepting = gevent.spawn(self._accept)
        self._serving: list[Any] = []

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            visit = Visit(len(self.visits) + 1, sock, self.heads)
            self.visits.append(visit)
            self._serving.append(gevent.spawn(self._serve, visit))

    def _serve(self, visit: Visit) -> None:
        self.open += 1
        self.most_at_once = max(self.most_at_once, self.open)
        try:
            self._handle(visit)
        finally:
            self.open -= 1
            visit.close()

    def targets(self) -> list[str]:
        """What was asked for, in order: "GET /x"."""
        return [" ".join(head.decode("latin-1").split(" ", 2)[:2]) for head in self.heads]

    def stop(self) -> None:
        self._accepting.kill()
        gevent.killall(self._serving)
        self._listener.close()


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextlib.contextmanager
def serving(handle: Handle, *, host: str = "127.0.0.1", unix_path: Path | None = None) -> Iterator[Server]:
    """A server whose connections are handled by `handle`, each in a greenlet of its own."""
    if unix_path is not None:
        listener = gevent.socket.socket(socket.AF_UNIX)
        listener.bind(str(unix_path))
    else:
        listener = gevent.socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.bind((host, 0))
    listener.listen(1024)
    server = Server(handle, listener)
    try:
        yield server
    finally:
        server.stop()


def answering(*answers: bytes, last: bytes = OK) -> Handle:
    """Answers each request of a connection with the next of these, then with `last`."""

    def handle(visit: Visit) -> None:
        remaining = iter(answers)
        while visit.request() is not None:
            visit.send(next(remaining, last))

    return handle


@contextlib.contextmanager
def tls_serving(certificate: Certificate, **options: Any) -> Iterator[Server]:
    """A server with TLS by gevent's own hand."""
    context = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    for name, value in options.items():
        if name == "ca":
            context.load_verify_locations(value)
        else:
            setattr(context, name, value)

    def handle(visit: Visit) -> None:
        with contextlib.suppress(OSError):
            # Two steps: a handshake that fails inside of wrap_socket would leave its socket open.
            visit.sock = context.wrap_socket(visit.sock, server_side=True, do_handshake_on_connect=False)
            visit.sock.do_handshake()
            answering()(visit)

    with serving(handle) as server:
        server.url = f"https://localhost:{server.url.rpartition(':')[2]}"
        yield server


@contextlib.contextmanager
def full_listener() -> Iterator[int]:
    """A port that is listened to, but whose queue is full and nobody takes from it."""
    with socket.socket() as listener, contextlib.ExitStack() as held:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def plain_get(client: Client, url: str, begun_ns: int = 0) -> Response:
    """The hot path's call."""
    return client.call(Target("GET", parse_url(url)), PLAIN, begun_ns or monotonic_ns())


def call(client: Client, method: str, url: str, **options: Any) -> Response:
    """A call as `HttpSession.request` makes it, without the recording."""
    environment: HttpEnvironment = client.environment
    target, prepared = prepare(environment, SessionSettings(), client.headers, method, url, **options)
    return client.call(target, prepared, monotonic_ns())


def in_pieces(*pieces: bytes, pause_s: float = 0.005, then: Callable[[Visit], None] = Visit.request) -> Handle:
    """Answers each request in these pieces, each a read of its own."""

    def handle(visit: Visit) -> None:
        while visit.request() is not None:
            for piece in pieces:
                visit.send(piece)
                gevent.sleep(pause_s)
            if then is not Visit.request:
                then(visit)
                return

    return handle


def stream_get(client: Client, server: Server, **options: Any) -> Response:
    return call(client, "GET", server.url, stream=True, **options)


def told(response: Response) -> list[Response]:
    """The list to which the response is added when it is done."""
    done: list[Response] = []
    response.on_done = done.append
    return done
