"""Sending what the kernel does not take at once: long requests, and uploads piece by piece.

While a connection sends it also reads. A server may answer an upload before it is through (413, and then a close or a
reset): the answer is the call's result. What has been answered in full is not sent to its end, and such a connection is
not used again.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic_ns
from typing import TYPE_CHECKING

from swell.http.failure import CallFailure, from_os_error

if TYPE_CHECKING:
    from swell.http.connection import Connection

WRITE_EVENT = 2


def send_rest(connection: Connection, wire: bytes) -> None:
    """Send the rest of a request, as it goes on the wire. On a failure the connection is closed."""
    try:
        send_wire(connection, wire)
    except BaseException:
        connection.abandon()
        raise


def upload(connection: Connection, parts: Iterable[bytes]) -> None:
    """Send a body piece by piece; stops early when a complete answer has come."""
    tls = connection.tls
    try:
        for part in parts:
            if connection.complete:
                break
            connection.since_ns = monotonic_ns()
            send_wire(connection, part if tls is None else tls.encrypt(part))
    except BaseException:
        connection.abandon()
        raise


def send_wire(connection: Connection, wire: bytes) -> None:
    """Send all of `wire`, reading meanwhile. Raises CallFailure."""
    traffic = connection.environment.traffic
    view = memoryview(wire)
    connection.sending = True
    while view and not connection.complete:
        is_first = not connection.sent_bytes
        if is_first:
            traffic.sent()
        try:
            sent = connection.sock.send(view)
        except OSError as error:
            if is_first:
                traffic.unsent()
            if not isinstance(error, BlockingIOError):
                _take_answer_before_reset(connection, error)
                return
            _wait_writable(connection)
            continue
        connection.sent_bytes += sent
        connection.since_ns = monotonic_ns()
        view = view[sent:]
    connection.sending = False


def _wait_writable(connection: Connection) -> None:
    writer = connection.environment.loop.io(connection.sock.fileno(), WRITE_EVENT)
    writer.start(connection.ready)
    try:
        connection.wait()
    finally:
        writer.stop()
        writer.close()
    connection.receive()
    if connection.complete:
        connection.keep_alive = False


def _take_answer_before_reset(connection: Connection, error: OSError) -> None:
    """The server closed while we sent: what it answered before that still counts."""
    silent = not connection.head
    while not connection.complete:
        before = connection.received_bytes
        try:
            connection.receive()
        except CallFailure:
            raise from_os_error(error, silent=silent) from error
        if connection.received_bytes == before and not connection.complete:
            raise from_os_error(error, silent=silent) from error
    connection.keep_alive = False
