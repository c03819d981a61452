"""One user's HTTP: its connections and cookies, and a call with as many exchanges as it takes.

A call is one or more exchanges: a redirect's hops, a digest challenge and its answer, a retry. Nothing is ever sent
again but what DESIGN allows: a reused connection that turns out to have been closed before a byte of the answer came is
replaced by a fresh one; if the request had gone out, only for an idempotent method, once, counted as retried.

The client returns instants and records nothing. It raises nothing for what a target does: that is a Response.
"""

from __future__ import annotations

import time
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

from swell.http.connection import Connection
from swell.http.cookies import CookieJar, with_cookies
from swell.http.dial import dial
from swell.http.failure import CallFailure
from swell.http.follow import next_step
from swell.http.framing import sets_cookies
from swell.http.options import CallOptions, ConnectOptions
from swell.http.pool import Pool
from swell.http.response import Response
from swell.http.stream import BodyStream, transfer
from swell.http.target import Target

if TYPE_CHECKING:
    from swell.http.environment import HttpEnvironment

HOPS_MOST = 30
_PLAIN_CONNECT = ConnectOptions()


class Client:
    """The connections, cookies and session headers of one simulated user."""

    __slots__ = ("_block", "_block_version", "_pools", "cookies", "environment", "headers")

    def __init__(self, environment: HttpEnvironment) -> None:
        self.environment = environment
        self.headers = environment.headers.copy()
        self.cookies = CookieJar()
        self._pools: dict[Any, Pool] = {}
        self._block = b""
        self._block_version = -1

    def __repr__(self) -> str:
        return f"<Client with {len(self._pools)} pools, {len(self.cookies)} cookies>"

    def call(self, target: Target, options: CallOptions, begun_ns: int) -> Response:
        """Make a call that began at `begun_ns` and see it through its redirects and challenges."""
        response = self._exchange(target, options, begun_ns)
        if response.status_code < 300 or options.stream and not response.is_redirect:
            return response
        hops: list[Response] = []
        while (step := next_step(response, target, options, hops, HOPS_MOST)) is not None:
            hops.append(response)
            if step.is_redirect:
                self.environment.traffic.redirected()
            if step.failure:
                response.error = step.failure
                break
            target, options = step.target, step.options
            earlier_connect_ns = response.connect_ns
            response = self._exchange(target, options, begun_ns)
            response.connect_ns += earlier_connect_ns
        response.history = hops
        return response

    def close(self) -> None:
        """Close what is idle; what is busy is closed by the greenlet that uses it."""
        for pool in self._pools.values():
            pool.close()

    def _exchange(self, target: Target, options: CallOptions, begun_ns: int) -> Response:
        connect = options.connect
        key = target.origin if connect is _PLAIN_CONNECT else (target.origin, connect)
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = Pool()
        response = Response(target, begun_ns)
        retried = False
        while True:
            connection = pool.take()
            reused = connection is not None
            try:
                if connection is None:
                    connection = self._open(pool, target, connect, response)
                connection.idle_ns = options.idle_ns
                connection.call_deadline_ns = begun_ns + options.call_ns
                if options.is_simple:
                    connection.exchange(self._head(target, options), target.is_head)
                else:
                    transfer(connection, self._head(target, options), target.is_head, options)
                break
            except CallFailure as failure:
                pool.give_back(connection)
                if reused and failure.silent and self._may_repeat(target, options, connection, retried):
                    retried = retried or bool(connection.sent_bytes)
                    continue
                return self._failed(response, connection, failure)
            except BaseException:
                pool.give_back(connection)
                raise
        response.sent_ns = connection.sent_ns
        response.first_byte_ns = connection.first_ns
        response.done_ns = connection.done_ns
        response.status_code = connection.status
        response.head = connection.head
        response.interim = connection.interim
        response.bytes_out = connection.sent_bytes
        response.unstamped = connection.unstamped
        if connection.complete:
            response.raw_body = connection.body
            response.bytes_in = connection.received_bytes
            response.truncated = connection.truncated
            pool.give_back(connection)
        else:
            response.stream = BodyStream(connection, pool, response)
        if sets_cookies(connection.head):
            self._absorb_cookies(target, response)
        return response

    def _head(self, target: Target, options: CallOptions) -> bytes:
        environment = self.environment
        block = options.block
        if block is None:
            headers = self.headers
            if headers.version != self._block_version:
                self._block_version = headers.version
                self._block = environment.header_block(headers)
            block = self._block
        head = target.line + block
        if self.cookies:
            cookie = self.cookies.header_for(target.host, target.path, target.secure, time.time())
            if cookie:
                head += b"Cookie: " + cookie.encode("latin-1") + b"\r\n"
        if environment.request_ids is not None:
            head += environment.request_ids()
        return head + b"\r\n" + options.body

    def _open(self, pool: Pool, target: Target, connect: ConnectOptions, response: Response) -> Connection:
        started_ns = monotonic_ns()
        try:
            return dial(self.environment, target.origin, connect, pool.tls_session)
        except CallFailure as failure:
            self.environment.exhausted(failure.exhausted)
            raise
        finally:
            response.connect_ns += monotonic_ns() - started_ns

    def _may_repeat(self, target: Target, options: CallOptions, connection: Any, retried: bool) -> bool:
        if not options.replayable:
            return False
        if not connection.sent_bytes:
            return True
        if retried or not target.is_idempotent:
            return False
        self.environment.traffic.retried()
        return True

    def _failed(self, response: Response, connection: Connection | None, failure: CallFailure) -> Response:
        response.done_ns = monotonic_ns()
        response.error = failure.reason
        if connection is not None and connection.sent_bytes:
            response.sent_ns = connection.sent_ns
            response.first_byte_ns = connection.first_ns
            response.bytes_out = connection.sent_bytes
            response.bytes_in = connection.received_bytes
            response.unstamped = True
        else:
            self.environment.traffic.not_sent()
        return response

    def _absorb_cookies(self, target: Target, response: Response) -> None:
        values = response.headers.get_all("set-cookie")
        self.cookies.absorb(values, target.host, target.path, target.secure, time.time())
