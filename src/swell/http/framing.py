"""What a response's raw head says about where the response ends (RFC 9112 §6.3) and whether the connection goes on.

The head is kept as it was received: interim responses (1xx) first, then the final one, then whatever part of the body
came in the same read. These functions are asked rarely; llhttp answers the common questions.
"""

from __future__ import annotations

import re

import httptools

from swell.http.headers import Headers

HEAD_BYTES_MOST = 256 * 1024
_END = b"\r\n\r\n"
_SHORT = 2_048
_INTERIM = b"HTTP/1.1 1"
# Twice as fast as lower() and `in` for the size of a usual head.
_set_cookie = re.compile(rb"\n[sS][eE][tT]-[cC][oO][oO][kK][iI][eE]:").search


def final_head(received: bytes, interim: int) -> bytes:
    """The head of the final response, status line included, after `interim` heads of 1xx responses."""
    start = 0
    for _ in range(interim):
        start = received.index(_END, start) + 4
    end = received.find(_END, start)
    return received[start:] if end < 0 else received[start : end + 2]


def sets_cookies(received: bytes) -> bool:
    """Whether a Set-Cookie header may be in what was received; a body that has such a line costs a look at the head."""
    if len(received) <= _SHORT or received.startswith(_INTERIM):
        return _set_cookie(received) is not None
    return _set_cookie(received, 0, received.find(_END)) is not None


def ends_at_close(received: bytes, interim: int) -> bool:
    """Whether this response's body goes on until the server closes: no length, no chunks."""
    headers = Headers(final_head(received, interim))
    return "content-length" not in headers and "chunked" not in headers.get("transfer-encoding", "").lower()


def closes_connection(received: bytes, interim: int) -> bool:
    """Whether the server will close after this response (RFC 9112 §9.3)."""
    head = final_head(received, interim)
    options = {option.strip() for option in Headers(head).get("connection", "").lower().split(",")}
    if "close" in options:
        return True
    return head.startswith(b"HTTP/1.0") and "keep-alive" not in options


_REASONS = (
    (httptools.HttpParserInvalidStatusError, "invalid status line"),
    (httptools.HttpParserCallbackError, "response refused"),
)


def parser_reason(error: Exception) -> str:
    """llhttp's complaint in a few words, the same for the same fault."""
    for kind, text in _REASONS:
        if isinstance(error, kind):
            return text
    text = str(error).strip().lower()
    return "not an HTTP response" if not text or text.startswith("expected http/") else text
