"""One connection and the exchange on it: the hot path.

A `_socket` is used without gevent's socket class. One libev watcher per connection stays active from exchange to
exchange; its callback switches straight into the greenlet that waits for this connection's bytes. llhttp (httptools)
finds the end of a response. Its header callback is not used: the raw head is kept and parsed when somebody asks.

    IDLE ──begin──► WAITING ◄──► RUNNING ──finish──► IDLE            any ──failure, kill, close──► CLOSED

Rules, and what bites otherwise:
- `ready` (the watcher's callback, run by the hub) wakes `waiter` and nobody else. With no waiter it stops the
  watcher, since a level-triggered watcher whose bytes nobody reads is called 700,000 times a second; an idle
  connection it closes, and so makes it `stale`: the server has closed it, or sent what nobody asked for.
- Whatever ends an exchange early (a kill, a time-out, a protocol error) closes the connection. It is never reused.
- llhttp waits for a body after HEAD, and after a 204 or 304 with a Content-Length, and would swallow the next
  response: such a message is complete with its head, and the parser is replaced.
- `on_message_complete` comes for each 1xx too; `should_keep_alive` is only true inside of it; there is no call for
  the end of the file, so read-until-close and truncation are decided here.
- Instants are monotonic ns. `first_ns` and `done_ns` come from the kernel's stamp of the read that brought the bytes;
  `unstamped` says that one came without.
"""

from __future__ import annotations

from struct import Struct
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

import httptools
from greenlet import getcurrent

from swell.http.failure import CallFailure, from_os_error
from swell.http.framing import HEAD_BYTES_MOST, closes_connection, ends_at_close, parser_reason
from swell.http.sending import send_rest, send_wire

if TYPE_CHECKING:
    import _socket

    from swell.http.environment import HttpEnvironment
    from swell.http.tls import TlsLayer

BODY_BYTES_KEPT = 64 * 1024 * 1024
CHUNK_BYTES = 48
"""What a piece of a body costs beside its content."""
READ_BYTES = 16 * 1024
READ_BYTES_LARGE = 256 * 1024
STAMP_SPACE = 64
READ_EVENT = 1
NS_PER_S = 1_000_000_000
_stamp = Struct("=qq").unpack_from
_LARGE = 4 * READ_BYTES
_BODILESS = (204, 304)


class Expired:
    """What the sweep switches into a greenlet whose deadline has passed."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class UnaskedResponseError(Exception):
    """A second response in the read that ended the first: raised to the parser, which stops there."""


class Connection:
    """A connection of one user to one origin. Opened by `dial.py`, kept by `pool.py`."""

    __slots__ = (
        "_watcher", "body", "call_deadline_ns", "chunks", "complete", "done_ns", "environment", "first_ns", "head",
        "headers_done", "idle_ns", "in_exchange", "interim", "is_closed", "keep_alive", "keeps_body", "on_body",
        "on_headers_complete", "on_message_complete", "parser", "received_bytes", "sending", "sent_bytes", "sent_ns",
        "since_ns", "sock", "stale", "status", "tls", "truncated", "unstamped", "used", "waiter", "window_bytes",
    )  # fmt: skip

    def __init__(
        self, environment: HttpEnvironment, sock: _socket.socket, tls: TlsLayer | None, window_bytes: int
    ) -> None:
        self.environment = environment
        self.sock: _socket.socket = sock
        self.is_closed = False
        self.tls = tls
        self.window_bytes = window_bytes
        self.waiter: Any = None
        self.in_exchange = self.sending = self.stale = self.used = False
        self.idle_ns = self.call_deadline_ns = 0
        self.since_ns = self.sent_ns = self.first_ns = self.done_ns = 0
        self.sent_bytes = self.received_bytes = self.interim = self.complete = self.status = 0
        self.headers_done = self.keep_alive = self.truncated = self.unstamped = False
        self.keeps_body = True
        self.head = self.body = b""
        self.chunks: list[bytes] = []
        self.on_body = self.chunks.append
        self.on_headers_complete: Any = self._headers_complete
        self.on_message_complete: Any = self._message_complete
        self.parser: Any = httptools.HttpResponseParser(self)
        self._watcher = environment.loop.io(sock.fileno(), READ_EVENT)
        environment.connections.add(self)

    def __repr__(self) -> str:
        if self.is_closed:
            state = "closed"
        elif self.waiter is not None:
            state = "waiting"
        else:
            state = "running" if self.in_exchange else "stale" if self.stale else "idle"
        return f"<Connection {state}, {self.received_bytes} bytes of the last response>"

    # waiting

    def ready(self) -> None:
        """Something can be read (or, while sending, written). Called by the loop, in the hub."""
        waiter = self.waiter
        if waiter is None:
            self._watcher.stop()
            if not self.in_exchange:
                self.close()
            # Complete, but not finished: a streamed body whose reader takes his time.
            self.stale = self.stale or self.complete > 0
            return
        self.waiter = None
        waiter.switch()

    def wait(self) -> None:
        """Let others run until there are bytes to read. Raises CallFailure when the sweep finds it overdue."""
        if not self._watcher.active:
            self._watcher.start(self.ready)
        self.waiter = getcurrent()
        try:
            expired = self.environment.switch_to_hub()
        except BaseException:
            self.waiter = None
            raise
        if expired:
            raise CallFailure(expired.reason)

    def expire(self, reason: str) -> None:
        """End the wait that is under way as a time-out. Called by the sweep, in the hub."""
        waiter, self.waiter = self.waiter, None
        waiter.switch(Expired(reason))

    # one exchange

    def exchange(self, request: bytes, is_head: bool) -> None:
        """Send a request without a streamed body and read its response to the end. Raises CallFailure."""
        self.begin(request)
        try:
            while not self.complete:
                self.wait()
                self.receive(is_head)
        except BaseException:
            self.abandon()
            raise
        self.finish()

    def begin(self, request: bytes) -> None:
        """Start an exchange: send `request`. Raises CallFailure, `silent` if not one byte came back."""
        self.in_exchange = True
        self.headers_done = self.unstamped = self.truncated = False
        self.keeps_body = True
        self.complete = self.interim = self.received_bytes = self.sent_bytes = 0
        self.head = self.body = b""
        if self.tls is not None:
            request = self.tls.encrypt(request)
        environment = self.environment
        traffic = environment.traffic
        self.since_ns = self.sent_ns = now_ns = monotonic_ns()
        if now_ns >= environment.until_ns:
            self.close()
            environment.await_end()
        traffic.sent()
        try:
            self.sent_bytes = sent = self.sock.send(request)
        except BlockingIOError:
            traffic.unsent()
            sent = 0
        except OSError as error:
            traffic.unsent()
            self.close()
            raise from_os_error(error, silent=True) from error
        if sent != len(request):
            send_rest(self, request[sent:])

    def receive(self, is_head: bool = False) -> None:
        """Read what has come, and give it to the parser."""
        environment = self.environment
        size = READ_BYTES if self.received_bytes < _LARGE else READ_BYTES_LARGE
        try:
            data, ancillary, _, _ = self.sock.recvmsg(size, STAMP_SPACE)
        except BlockingIOError:
            return
        except OSError as error:
            raise from_os_error(error, silent=not self.head) from error
        now_ns = monotonic_ns()
        if ancillary:
            seconds, nanoseconds = _stamp(ancillary[0][2])
            stamp_ns = seconds * NS_PER_S + nanoseconds
            at_ns = stamp_ns - environment.clock.offset_ns
            if not self.sent_ns <= at_ns <= now_ns:
                at_ns = self._corrected(stamp_ns, now_ns)
        else:
            at_ns = now_ns
            self.unstamped = self.unstamped or bool(data)
        wire_bytes = len(data)
        if data and self.tls is not None:
            plain = self._decrypt(data)
            if plain is None:
                self.unstamped = self.unstamped and bool(self.head)  # a ticket may be older than the request
                self.received_bytes += wire_bytes
                self._still_reading(now_ns, is_head)
                return
            data = plain
        if not data:
            self.done_ns = at_ns
            self._end_of_file()
            return
        self.done_ns = at_ns
        if not self.head:
            self.first_ns = at_ns
        self.received_bytes += wire_bytes
        if not self.headers_done:
            self.head = self.head + data if self.head else data
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._parser_stopped(error)
        if not self.complete:
            self._still_reading(now_ns, is_head)

    def finish(self) -> None:
        """End an exchange whose response is complete."""
        chunks = self.chunks
        self.body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        self.in_exchange = False
        self.used = True
        traffic = self.environment.traffic
        traffic.answered()
        if self.unstamped:
            traffic.unstamped()
        if self.received_bytes > self.window_bytes:
            traffic.window_limited()

    def abandon(self) -> None:
        """End an exchange without a complete response: counted as unanswered if a byte of it was sent; closed."""
        if self.in_exchange and self.sent_bytes:
            self.environment.traffic.unanswered()
        self.close()

    def close(self) -> None:
        """Close the socket and stop the watcher. May be called again."""
        if self.is_closed:
            return
        self.is_closed = True
        self._watcher.stop()
        self._watcher.close()
        self.sock.close()
        self.environment.connections.discard(self)
        # The parser holds bound methods of this object: without this, only the cycle collector would free both.
        self.parser = self.on_message_complete = self.on_headers_complete = None
        self.in_exchange = self.keep_alive = False
        self.stale = True

    def check(self) -> None:
        """Assert what must always hold."""
        assert self.is_closed or self in self.environment.connections, self
        assert self.waiter is None or self.in_exchange, self
        assert not self.is_closed or (self.stale and not self.keep_alive and self.waiter is None), self

    # what llhttp calls

    def _headers_complete(self) -> None:
        if self.headers_done:
            raise UnaskedResponseError
        status = self.parser.get_status_code()
        if status >= 200 or status == 101:
            self.status = status
            self.headers_done = True

    def _message_complete(self) -> None:
        if self.headers_done:
            self.keep_alive = self.parser.should_keep_alive()
            self.complete += 1
        else:
            self.interim += 1

    # the rarer turns

    def _corrected(self, stamp_ns: int, now_ns: int) -> int:
        at_ns = self.environment.clock.suspect(stamp_ns, self.sent_ns, now_ns)
        if at_ns is None:
            self.unstamped = True
            return now_ns
        return at_ns

    def _still_reading(self, now_ns: int, is_head: bool) -> None:
        self.since_ns = now_ns
        if self.headers_done:
            if is_head or self.status in _BODILESS:
                self.keep_alive = not self.chunks and not closes_connection(self.head, self.interim)
                self.chunks.clear()
                self.complete = 1
                self.parser = httptools.HttpResponseParser(self)
            elif self.keeps_body and self.received_bytes + CHUNK_BYTES * len(self.chunks) > BODY_BYTES_KEPT:
                self.truncated = True
                self.chunks.clear()
        elif len(self.head) > HEAD_BYTES_MOST:
            raise CallFailure("protocol: response head over 256 KiB")
        if self.call_deadline_ns and now_ns > self.call_deadline_ns:
            raise CallFailure("timed out: whole call")
        if self.tls is not None and not self.complete:
            self._still_encrypted(self.tls)

    def _still_encrypted(self, tls: TlsLayer) -> None:
        if tls.closed:
            self._end_of_file()
        elif not self.sending and (reply := tls.reply()):
            send_wire(self, reply)

    def _parser_stopped(self, error: Exception) -> None:
        if isinstance(error, httptools.HttpParserUpgrade):
            self.status = self.parser.get_status_code()
            self.headers_done, self.complete, self.keep_alive = True, 1, False
        elif not self.complete:
            raise CallFailure(f"protocol: {parser_reason(error)}") from error
        self.keep_alive = False

    def _end_of_file(self) -> None:
        if not self.head:
            raise CallFailure("closed before a response", silent=True)
        if not self.headers_done:
            raise CallFailure("head cut off")
        if not ends_at_close(self.head, self.interim):
            raise CallFailure("body cut off")
        self.complete, self.keep_alive = 1, False
        self.unstamped = True  # the kernel stamps bytes, not their end

    def _decrypt(self, data: bytes) -> bytes | None:
        """The plain text in `data`; None when there is none yet, b'' at the end of the TLS stream."""
        tls = self.tls
        assert tls is not None
        plain = tls.decrypt(data)
        if tls.closed:
            self.stale = True
            return plain
        return plain or None
