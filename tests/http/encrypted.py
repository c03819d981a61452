"""The server's side of TLS in memory: what goes over the wire is bytes that a test may cut, hold back or spoil."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from typing import Any

import gevent

from swell.http.connection import Connection
from swell.http.environment import HttpEnvironment
from swell.http.tls import TlsLayer, client_context
from tests.http.scripted import Line, tcp_pair
from tests.targets.tls import Authority, Certificate

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def server_context(certificate: Certificate, version: str = "", **options: Any) -> ssl.SSLContext:
    """A server's context; `version` "1.2" or "1.3" for that one only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    context.set_alpn_protocols(["http/1.1"])
    if version:
        context.minimum_version = context.maximum_version = VERSIONS[version]
    for name, value in options.items():
        setattr(context, name, value)
    return context


class ServerSide:
    """One connection's TLS at the server, without a socket: `take` what came; `wire` is what is to be sent."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.ready = False
        self.received = b""

    def take(self, data: bytes) -> None:
        self._incoming.write(data)
        if not self.ready:
            with contextlib.suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
                self.ready = True
        while self.ready:
            try:
                self.received += self.tls.read(65_536)
            except ssl.SSLWantReadError:
                break

    def wire(self) -> bytes:
        return self._outgoing.read()

    def say(self, plain: bytes) -> bytes:
        self.tls.write(plain)
        return self.wire()

    def close_notify(self) -> bytes:
        with contextlib.suppress(ssl.SSLError):
            self.tls.unwrap()
        return self.wire()


def shaken(layer: TlsLayer, server: ServerSide) -> TlsLayer:
    """Has both sides shake hands; raises what the client's side raises."""
    layer.handshake(server.take, server.wire)
    return layer


class TlsLine(Line):
    """A connection under test whose peer is a server's side of TLS; `say` and `ask` work on the plain text."""

    server: ServerSide

    def request(self) -> None:
        """Wait for the request."""
        while not self.server.received.endswith(b"\r\n\r\n"):
            self.server.take(self.peer.recv(65_536))
        self.server.received = b""

    def answer(self, wire: bytes, cuts: Iterator[int] | range | list[int] = ()) -> Any:
        """A greenlet that waits for the request and sends these bytes, in pieces that end at `cuts`."""
        return gevent.spawn(self._answer, wire, [*cuts, len(wire)])

    def _answer(self, wire: bytes, cuts: list[int]) -> None:
        self.request()
        sent = 0
        for cut in cuts:
            self.peer.sendall(wire[sent:cut])
            sent = cut
            gevent.sleep(1e-5)


@contextlib.contextmanager
def tls_line(
    environment: HttpEnvironment, authority: Authority, context: ssl.SSLContext, **options: int
) -> Iterator[TlsLine]:
    """A connection with TLS to a scripted peer, its hands shaken."""
    sock, peer = tcp_pair(**options)
    layer = TlsLayer(client_context(str(authority.certificate), None), "localhost")
    server = ServerSide(context)
    shaken(layer, server)
    server.take(b"")
    connection = Connection(environment, sock, layer, 65_536)
    connection.idle_ns = connection.call_deadline_ns = 1 << 62
    opened = TlsLine(connection, peer)
    opened.server = server
    try:
        yield opened
    finally:
        opened.close()
