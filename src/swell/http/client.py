"""One user's HTTP: its connections and cookies, and a call with as many exchanges as it takes.

A call is one or more exchanges: a redirect's hops, a digest challenge and its answer, a retry. Nothing is ever sent
again but what DESIGN allows: a reused connection that turns out to have been closed before a byte of the answer came is
replaced by a fresh one; if the request had gone out, only for an idempotent method, once, counted as retried.

The client returns instants and records nothing. It raises nothing for what a target does: that is a Response.
"""

from __future__ import annotations

import time
import weakref
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

from swell.http.connection import Connection
from swell.http.cookies import CookieJar, with_cookies
from swell.http.dial import dial
from swell.http.failure import CallFailure
from swell.http.follow import follow_redirect, takes_challenge
from swell.http.framing import sets_cookies
from swell.http.headers import RequestHeaders
from swell.http.options import PLAIN_CONNECT, CallOptions
from swell.http.pool import Pool
from swell.http.request import through_proxy
from swell.http.response import Response, StreamedResponse
from swell.http.stream import BodyStream, transfer
from swell.http.target import Target

if TYPE_CHECKING:
    from swell.http.environment import HttpEnvironment

HOPS_MOST = 30


class Client:
    """The connections, cookies and session headers of one simulated user."""

    __slots__ = (
        "_authorization",
        "_block",
        "_block_version",
        "_own_host",
        "_pools",
        "_streams",
        "cookies",
        "environment",
        "headers",
    )

    def __init__(self, environment: HttpEnvironment) -> None:
        self.environment = environment
        self.headers = environment.headers.copy()
        self.cookies = CookieJar()
        self._pools: dict[Any, Pool] = {}
        self._authorization = b""
        self._block = b""
        self._block_version = -1
        self._own_host = False
        self._streams: weakref.WeakSet[Response] | None = None

    def __repr__(self) -> str:
        return f"<Client with {len(self._pools)} pools, {len(self.cookies)} cookies>"

    def call(self, target: Target, options: CallOptions, begun_ns: int) -> Response:
        """Make a call that began at `begun_ns` and see it through its redirects and challenges."""
        response = self._exchange(target, options, begun_ns)
        if response.status_code < 300:
            return response
        return self._see_through(response, target, options, begun_ns)

    def _see_through(self, response: Response, target: Target, options: CallOptions, begun_ns: int) -> Response:
        hops: list[Response] = []
        while (step := self._next_step(response, target, options, hops)) is not None:
            if len(hops) == HOPS_MOST:
                response.error = f"over {HOPS_MOST} redirects"
                break
            response.close()
            hops.append(response)
            if step[0] is not target:
                self.environment.traffic.redirected()
            target, options = step
            earlier = response
            response = self._exchange(target, options, begun_ns)
            response.connect_ns += earlier.connect_ns
            response.bytes_in += earlier.bytes_in
            response.bytes_out += earlier.bytes_out
        response.history = hops
        return response

    def authorise(self, header: str) -> None:
        """Send this Authorization header with every plain call; '' for none."""
        self._authorization = f"Authorization: {header}\r\n".encode("latin-1") if header else b""
        self._block_version = -1

    def close(self) -> None:
        """Close what is idle, the bodies that are still coming, and the rest when its exchange has ended."""
        for response in list(self._streams or ()):
            response.close()
        for pool in self._pools.values():
            pool.close()

    def check(self) -> None:
        """Assert what must always hold."""
        for pool in self._pools.values():
            pool.check()

    def _exchange(self, target: Target, options: CallOptions, begun_ns: int) -> Response:
        connect = options.connect
        key = target.origin if connect is PLAIN_CONNECT else (target.origin, connect)
        pool = self._pools.get(key) or self._new_pool(key)
        connect_ns = 0
        retried = False
        deadline_ns = begun_ns + options.call_ns
        while True:
            try:
                connection = pool.take_none(deadline_ns) if retried else pool.take(deadline_ns)
            except CallFailure as failure:
                return self._failed(target, begun_ns, connect_ns, None, failure)
            reused = connection is not None
            try:
                if connection is None:
                    opening_ns = monotonic_ns()
                    try:
                        connection = dial(self.environment, target.origin, connect, options.connect_s, pool.tls_session)
                    finally:
                        connect_ns += monotonic_ns() - opening_ns
                connection.idle_ns = options.idle_ns
                connection.call_deadline_ns = deadline_ns
                if options.is_simple:
                    connection.exchange(self._head(target, options), target.is_head)
                else:
                    transfer(connection, self._head(target, options), target.is_head, options)
                break
            except CallFailure as failure:
                pool.give_back(connection)
                if reused and failure.silent and not retried and self._may_repeat(target, options, connection):
                    retried = True
                    continue
                return self._failed(target, begun_ns, connect_ns, connection, failure)
            except BaseException:
                pool.give_back(connection)
                raise
        head = connection.head
        response = Response(
            target, begun_ns, connection.sent_ns, connection.first_ns, connection.done_ns, connection.status, head,
            connection.interim, connection.body, connection.sent_bytes, connection.received_bytes,
            connection.unstamped,
        )  # fmt: skip
        if connect_ns:
            response.connect_ns = connect_ns
        if connection.complete:
            if connection.truncated:
                response.truncated = True
                response.raw_body = b""
            pool.give_back(connection)
        else:
            self._streams = _with_stream(self._streams, response, BodyStream(connection, pool))
        if sets_cookies(head):
            self._absorb_cookies(target, response)
        return response

    def _new_pool(self, key: Any) -> Pool:
        pool = self._pools[key] = Pool()
        return pool

    def _head(self, target: Target, options: CallOptions) -> bytes:
        environment = self.environment
        if options.block is None:
            headers = self.headers
            if headers.version != self._block_version:
                self._block_version = headers.version
                self._block = environment.header_block(headers) + self._authorization
                self._own_host = "Host" in headers
            head = (target.start if self._own_host else target.line) + self._block
        else:
            head = (target.start if options.own_host else target.line) + options.block
        if self.cookies or options.cookies:
            cookie = self.cookies.header_for(target.host, target.path, target.secure, time.time())
            if options.cookies:
                cookie = with_cookies(cookie, options.cookies)
            if cookie:
                head += b"Cookie: " + cookie.encode("latin-1") + b"\r\n"
        if options.auth is not None and options.auth.ready:
            body = None if options.upload is not None else options.body
            answer = options.auth.header(target.method, target.url.target, body)
            head += b"Authorization: " + answer.encode("latin-1") + b"\r\n"
        if environment.request_ids is not None:
            head += environment.request_ids()
        return head + b"\r\n" + options.body

    def _next_step(
        self, response: Response, target: Target, options: CallOptions, hops: list[Response]
    ) -> tuple[Target, CallOptions] | None:
        """The next exchange of this call, or None. Sets `response.error` if there should be one and cannot be."""
        if response.status_code == 401 and options.auth is not None:
            answered = any(hop.status_code == 401 for hop in hops)
            return (target, options) if takes_challenge(response, options, answered) else None
        if not options.follow or not response.is_redirect:
            return None
        fields = options.fields
        if fields is None:
            fields = RequestHeaders(self.headers)
            if self._authorization:
                fields["Authorization"] = self._authorization.decode("latin-1").partition(": ")[2].strip()
        step = follow_redirect(response, target, options, fields)
        return through_proxy(self.environment, *step) if step is not None else None

    def _may_repeat(self, target: Target, options: CallOptions, connection: Connection | None) -> bool:
        """Whether a request may be sent again on a fresh connection; counted as retried if it had been sent."""
        if connection is None or not options.replayable:
            return False
        if not connection.sent_bytes:
            return True
        if target.is_idempotent:
            self.environment.traffic.retried()
        return target.is_idempotent

    def _failed(
        self, target: Target, begun_ns: int, connect_ns: int, connection: Connection | None, failure: CallFailure
    ) -> Response:
        response = Response(target, begun_ns, done_ns=monotonic_ns(), unstamped=True)
        response.error = failure.reason
        response.connect_ns = connect_ns
        if connection is not None and connection.sent_bytes:
            response.sent_ns = connection.sent_ns
            response.first_byte_ns = connection.first_ns if connection.head else 0
            response.bytes_out = connection.sent_bytes
            response.bytes_in = connection.received_bytes
        else:
            self.environment.traffic.not_sent()
            self.environment.exhausted(failure.exhausted)
        return response

    def _absorb_cookies(self, target: Target, response: Response) -> None:
        values = response.headers.get_all("set-cookie")
        self.cookies.absorb(values, target.host, target.path, target.secure, time.time())


def _with_stream(
    open_streams: weakref.WeakSet[Response] | None, response: Response, stream: BodyStream
) -> weakref.WeakSet[Response]:
    """Have `response` stream its body. The user's end closes what a dead greenlet or the script still holds."""
    response.__class__ = StreamedResponse
    response.stream = stream
    open_streams = open_streams or weakref.WeakSet()
    open_streams.add(response)
    return open_streams
