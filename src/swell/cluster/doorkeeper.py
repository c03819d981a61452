"""Lets those in that have the cluster's key, and watches who comes and goes: two greenlets beside a listening socket.

libzmq asks over `inproc://zeromq.zap.01` (ZMQ RFC 27) whether a client's public key will do; who has another key file
than the controller's does not even come that far. pyzmq's own authenticator is a thread, which patching breaks.

Whoever comes when half of the process's file descriptors are taken is cut off: without one to accept with, libzmq's
I/O thread would spin, and nobody could open a file.

The queue of the monitor must have no limit: libzmq's I/O thread waits, with all traffic, when it is full. It is as
long as what comes while this process stands still.
"""

from __future__ import annotations

import _socket
import resource
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import zmq
import zmq.green

from swell.cluster.connections import NOWHERE, Connections
from swell.cluster.key import ClusterKey

ZAP_ENDPOINT = "inproc://zeromq.zap.01"
ZAP_VERSION = b"1.0"
ZAP_DOMAIN = b"swell"
MONITOR_ENDPOINT = "inproc://monitor"
MOST_CONNECTIONS = 16_384
_EVENT = struct.Struct("=hi")
_WATCHED = (
    zmq.EVENT_ACCEPTED
    | zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)


class Doorkeeper:
    """Beside a socket that is going to listen; with a key, it admits nobody who has another."""

    def __init__(self, context: Any, listening: Any, key: ClusterKey | None, connections: Connections) -> None:
        self.connections = connections
        self.most = _most_connections()
        self._listening = listening
        self._sockets = [watching := watch(context, listening, _WATCHED)]
        self._greenlets = [gevent.spawn(events, watching, self._on_event)]
        if key is not None:
            asked = context.socket(zmq.ROUTER)
            asked.bind(ZAP_ENDPOINT)
            self._sockets.append(asked)
            self._greenlets.append(gevent.spawn(_answer, asked, key.workers.public))

    def __repr__(self) -> str:
        return f"<Doorkeeper, {self.connections!r}>"

    def close(self) -> None:
        """Before the socket that it watches."""
        gevent.killall(self._greenlets)
        unwatch(self._listening)
        for ours in self._sockets:
            ours.close(linger=0)

    def _on_event(self, event: int, value: int) -> None:
        match event:
            case zmq.EVENT_ACCEPTED:
                if self.connections.accepted(value, _peer(value)) > self.most:
                    _cut_off(value)
            case zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self.connections.got_in()
            case zmq.EVENT_DISCONNECTED:
                self.connections.disconnected(value)
            case _:
                self.connections.failed()


def watch(context: Any, watched: Any, kinds: int) -> Any:
    """A socket from which the events of another are read."""
    endpoint = f"{MONITOR_ENDPOINT}/{id(watched)}"
    watched.monitor(endpoint, kinds)
    watching = context.socket(zmq.PAIR)
    watching.setsockopt(zmq.RCVHWM, 0)
    watching.connect(endpoint)
    return watching


def unwatch(watched: Any) -> None:
    """No more events of this socket, if it is still open."""
    if not watched.closed:
        watched.monitor(None, 0)


def events(watching: Any, take: Callable[[int, int], None]) -> None:
    """Hand over each event over TCP, and its value, for ever."""
    while True:
        event, endpoint = watching.recv_multipart()
        if endpoint.startswith(b"tcp:"):
            take(*_EVENT.unpack(event))


def _answer(asked: Any, admitted: bytes) -> None:
    """Answer requests: version, number, domain, address, identity, mechanism, credentials, behind an empty frame."""
    while True:
        parts = asked.recv_multipart()
        if b"" not in parts:
            continue
        start = parts.index(b"") + 1
        envelope, request = parts[:start], parts[start:]
        if len(request) < 2 or request[0] != ZAP_VERSION:
            continue
        has_key = len(request) == 7 and request[5] == b"CURVE" and request[6] == admitted
        code, text = (b"200", b"OK") if has_key else (b"400", b"another key")
        try:
            asked.send_multipart([*envelope, ZAP_VERSION, request[1], code, text, b"", b""], zmq.NOBLOCK)
        except zmq.ZMQError:
            continue  # whoever asked is gone; the next one is not to wait for ever


def _most_connections() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else min(MOST_CONNECTIONS, soft // 2)


def _peer(fd: int) -> str:
    """The IP address at the other end of a connection that is libzmq's; it may be gone by now."""
    name: object = None
    with _borrowed(fd) as connection:
        name = connection.getpeername() if connection is not None else None
    return str(name[0]).removeprefix("::ffff:") if isinstance(name, tuple) else NOWHERE


def _cut_off(fd: int) -> None:
    """End a connection that is libzmq's, which then closes it."""
    with _borrowed(fd) as connection:
        if connection is not None:
            connection.shutdown(_socket.SHUT_RDWR)


@contextmanager
def _borrowed(fd: int) -> Iterator[_socket.socket | None]:
    """A descriptor that another owns, for a moment; None where it is no connection. What fails, fails in silence: the
    owner may close it meanwhile."""
    try:
        connection = _socket.socket(fileno=fd)  # gevent's own would watch it
    except OSError:
        connection = None
    try:
        yield connection
    except OSError:
        pass
    finally:
        if connection is not None:
            connection.detach()
