"""Exchanges whose bodies do not fit into one piece of memory: uploads in parts, responses read as they come.

A streamed response is done when its body has been read to the end, when it is closed, or when it is dropped. Closed
before its end, its connection is closed too, and the exchange counts as unanswered: no complete response was parsed.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic_ns
from typing import TYPE_CHECKING

import gevent

from swell.http.connection import Connection
from swell.http.failure import CallFailure
from swell.http.options import CallOptions
from swell.http.sending import upload

if TYPE_CHECKING:
    from swell.http.pool import Pool
    from swell.http.response import Response

CONTINUE_S = 1.0
"""How long to wait for 100 Continue before the body is sent anyway (RFC 9110 §10.1.1)."""


def transfer(connection: Connection, request: bytes, is_head: bool, options: CallOptions) -> None:
    """An exchange with an upload, an Expect header, or a streamed response. Raises CallFailure."""
    connection.begin(request)
    try:
        if options.expects_continue:
            _await_continue(connection)
        if options.upload is not None:
            if connection.headers_done:
                # The answer came first, so the body stays here; a server may take what follows for it.
                connection.stale = True
            else:
                upload(connection, options.upload())
        connection.keeps_body = not options.stream
        while not (connection.complete or (options.stream and connection.headers_done)):
            connection.wait()
            connection.receive(is_head)
    except BaseException:
        connection.abandon()
        raise
    if connection.complete:
        connection.finish()


def _await_continue(connection: Connection) -> None:
    with gevent.Timeout(CONTINUE_S, False):
        while not (connection.interim or connection.headers_done):
            connection.wait()
            connection.receive()


class BodyStream:
    """The body of a response that is still coming, and the connection it comes on.

    It does not know its response, which has to tell who it is: so one that the script drops goes at once.
    """

    __slots__ = ("_connection", "_pool", "failure")

    def __init__(self, connection: Connection, pool: Pool) -> None:
        self._connection: Connection | None = connection
        self._pool = pool
        self.failure = ""

    def __repr__(self) -> str:
        return f"<BodyStream {'open' if self.is_open else self.failure or 'ended'}>"

    @property
    def is_open(self) -> bool:
        """Whether more may come."""
        return self._connection is not None

    def parts(self, response: Response) -> Iterator[bytes]:
        """The raw body as it arrives. A failure ends it: then `failure` says why."""
        while (connection := self._connection) is not None:
            if connection.chunks:
                yield connection.chunks.pop(0)
            elif connection.complete:
                self._end(response, complete=True)
            else:
                self._read(connection, response)

    def close(self, response: Response) -> None:
        """Stop reading."""
        if self._connection is not None:
            self._end(response, complete=self._connection.complete > 0)

    def _read(self, connection: Connection, response: Response) -> None:
        try:
            connection.since_ns = monotonic_ns()  # however long the script took for what came before
            connection.wait()
            connection.receive()
        except CallFailure as failure:
            self.failure = failure.reason
            self._end(response, complete=False)
        except BaseException:
            response.on_done = None  # a call that is killed is not recorded
            self._end(response, complete=False)
            raise

    def _end(self, response: Response, *, complete: bool) -> None:
        connection, self._connection = self._connection, None
        assert connection is not None
        if complete:
            connection.finish()
        else:
            connection.abandon()
        self._pool.give_back(connection)
        response.stream_ended(connection, self.failure)
