"""What came back: the names that users of requests know, made from the raw bytes only when asked for."""

from __future__ import annotations

import http
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from time import monotonic_ns
from types import TracebackType
from typing import TYPE_CHECKING, Any

from swell.http.charset import guess, text_encoding
from swell.http.cookies import CookieJar
from swell.http.decode import DecodeError, Decoder, decode_all
from swell.http.framing import final_head
from swell.http.headers import Headers
from swell.http.target import Target

if TYPE_CHECKING:
    from swell.http.connection import Connection
    from swell.http.stream import BodyStream

DECODED_BYTES_MOST = 64 * 1024 * 1024


class HttpStatusError(Exception):
    """Raised by `raise_for_status`: the response failed. `response` is that response."""

    def __init__(self, message: str, response: Response) -> None:
        super().__init__(message)
        self.response = response


class Response:
    """A response, or what there is of one: a failed call has `status_code` 0, `error`, and empty content.

    Instants are monotonic nanoseconds: `begun_ns`, `sent_ns`, `first_byte_ns`, `done_ns` (0: it never came to that).
    `connect_ns` is how long opening a connection took, 0 if none was opened.
    """

    # What a plain response does not need is a default of the class: making one is on the hot path.
    connect_ns = 0
    error = ""
    history: Sequence[Response] = ()
    truncated = False
    stream: BodyStream | None = None
    on_done: Callable[[Response], None] | None = None
    owner: Any = None
    trace_id = ""
    _content: bytes | None = None
    _headers: Headers | None = None
    _encoding: str | None = None

    def __init__(
        self,
        target: Target,
        begun_ns: int,
        sent_ns: int = 0,
        first_byte_ns: int = 0,
        done_ns: int = 0,
        status_code: int = 0,
        head: bytes = b"",
        interim: int = 0,
        raw_body: bytes = b"",
        bytes_out: int = 0,
        bytes_in: int = 0,
        unstamped: bool = False,
    ) -> None:
        self._target = target
        self.begun_ns = begun_ns
        self.sent_ns = sent_ns
        self.first_byte_ns = first_byte_ns
        self.done_ns = done_ns
        self.status_code = status_code
        self.head = head
        self.interim = interim
        self.raw_body = raw_body
        self.bytes_out = bytes_out
        self.bytes_in = bytes_in
        self.unstamped = unstamped

    def __repr__(self) -> str:
        return f"<Response {self.status_code or self.error} of {self._target.method} {self.url}>"

    def __bool__(self) -> bool:
        return self.ok

    # the request

    @property
    def url(self) -> str:
        """The URL that this response answers: after redirects, the last one."""
        return getattr(self._target, "text", "") or str(self._target.url)

    @property
    def method(self) -> str:
        """The method of the request that this response answers."""
        return self._target.method

    # status and head

    @property
    def ok(self) -> bool:
        """Whether there is a response, with a status below 400, and nothing went wrong after it."""
        return 0 < self.status_code < 400 and not self.error

    @property
    def reason(self) -> str:
        """The text of the status line, or the usual one where the server sent none."""
        head = final_head(self.head, self.interim)
        line = head[: head.find(b"\r\n")].decode("latin-1").split(" ", 2)
        if len(line) == 3 and line[2]:
            return line[2]
        return http.HTTPStatus(self.status_code).phrase if self.status_code in _STATUSES else ""

    @property
    def headers(self) -> Headers:
        """The response's header fields, in any case."""
        if self._headers is None:
            self._headers = Headers(final_head(self.head, self.interim) if self.head else b"")
        return self._headers

    @property
    def cookies(self) -> CookieJar:
        """The cookies that this response set."""
        jar = CookieJar()
        url = self._target.url
        values = self.headers.get_all("set-cookie")
        jar.absorb(values, url.origin.host, url.path, url.origin.is_tls, 0.0)
        return jar

    @property
    def is_redirect(self) -> bool:
        """Whether this response points elsewhere."""
        return self.status_code in (301, 302, 303, 307, 308) and "location" in self.headers

    @property
    def is_permanent_redirect(self) -> bool:
        """Whether this response points elsewhere for good."""
        return self.status_code in (301, 308) and "location" in self.headers

    @property
    def elapsed(self) -> timedelta:
        """From the request's first byte to the response's first byte."""
        return timedelta(microseconds=max(self.first_byte_ns - self.sent_ns, 0) / 1000)

    # body

    @property
    def content(self) -> bytes:
        """The body, decoded. Raises DecodeError if it cannot be, or is larger than what is kept (64 MiB)."""
        if self._content is None:
            if self.stream is not None:
                self._content = self._whole_stream()
                return self._content
            if self.truncated:
                raise DecodeError("a body over 64 MiB is not kept")
            encoding = self.headers.get("content-encoding", "") if self.raw_body else ""
            self._content = decode_all(self.raw_body, encoding, DECODED_BYTES_MOST) if encoding else self.raw_body
        return self._content

    @property
    def encoding(self) -> str:
        """The name of the text encoding; may be set."""
        if self._encoding is not None:
            return self._encoding
        is_coming = self._content is None and self.stream is not None
        return text_encoding(self.headers.get("content-type", ""), b"" if is_coming else self.content)

    @encoding.setter
    def encoding(self, name: str) -> None:
        self._encoding = name

    @property
    def apparent_encoding(self) -> str:
        """The text encoding that the body itself shows."""
        return guess(self.content)

    @property
    def text(self) -> str:
        """The body as text; what does not decode is replaced."""
        try:
            return self.content.decode(self.encoding, "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def json(self, **options: Any) -> Any:
        """The body as JSON. Raises json.JSONDecodeError (a ValueError); options go to json.loads."""
        try:
            return json.loads(self.content, **options)
        except UnicodeDecodeError:
            return json.loads(self.text, **options)

    def raise_for_status(self) -> None:
        """Raise HttpStatusError if the call failed."""
        if not self.ok:
            text = self.error or f"{self.status_code} {self.reason}"
            raise HttpStatusError(f"{text} for {self.method} {self.url}", self)

    def iter_content(self, chunk_size: int | None = 1024) -> Iterator[bytes]:
        """The decoded body in pieces of at most `chunk_size` bytes (None: as they come)."""
        if self._content is not None or self.stream is None:
            content = self.content
            step = chunk_size or max(len(content), 1)
            for start in range(0, len(content), step):
                yield content[start : start + step]
            return
        for part in self._decoded_parts():
            step = chunk_size or max(len(part), 1)
            for start in range(0, len(part), step):
                yield part[start : start + step]

    def iter_lines(self, chunk_size: int = 1024, decode_unicode: bool = False) -> Iterator[Any]:
        """The body's lines without their ends."""
        pending = b""
        for piece in self.iter_content(chunk_size):
            lines = (pending + piece).splitlines(keepends=True)
            # A line that ends in CR may have its LF in the next piece.
            pending = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
            for line in lines:
                yield self._line(line, decode_unicode)
        if pending:
            yield self._line(pending, decode_unicode)

    def _line(self, line: bytes, decode_unicode: bool) -> Any:
        for end in (b"\r\n", b"\n", b"\r"):
            if line.endswith(end):
                line = line.removesuffix(end)
                break
        return line.decode(self.encoding, "replace") if decode_unicode else line

    def __iter__(self) -> Iterator[bytes]:
        return self.iter_content(128)

    def __enter__(self) -> Response:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading a streamed body; nothing to do for any other."""
        if self.stream is not None:
            self.stream.close(self)

    # streamed bodies

    def stream_ended(self, connection: Connection, failure: str) -> None:
        """The body has come to its end, or to an end: take the last instants."""
        self.done_ns = connection.done_ns if not failure else monotonic_ns()
        self.bytes_in = connection.received_bytes
        self.unstamped = connection.unstamped
        self.error = failure or self.error
        if self.on_done is not None:
            self.on_done(self)

    def _decoded_parts(self) -> Iterator[bytes]:
        if self.stream is None:
            return
        encoding = self.headers.get("content-encoding", "")
        if not encoding:
            yield from self.stream.parts(self)
            return
        decoder = Decoder(encoding, DECODED_BYTES_MOST)
        try:
            for part in self.stream.parts(self):
                yield decoder.feed(part)
            if not self.stream.failure:
                yield decoder.finish()
        except DecodeError:
            self.close()
            raise

    def _whole_stream(self) -> bytes:
        parts = []
        room_bytes = DECODED_BYTES_MOST
        for part in self._decoded_parts():
            parts.append(part)
            room_bytes -= len(part)
            if room_bytes < 0:
                self.close()
                raise DecodeError("a body over 64 MiB is not kept")
        return b"".join(parts)


class StreamedResponse(Response):
    """A response whose body is still coming: dropped, it is done."""

    __slots__ = ()

    def __del__(self) -> None:
        self.close()


_STATUSES = frozenset(int(status) for status in http.HTTPStatus)
