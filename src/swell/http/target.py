"""Where a request goes, made ready once: the request line and Host as bytes, and what retry and framing need to know.

Targets are cached per worker: a load test asks for the same few again and again.
"""

from __future__ import annotations

from swell.http.url import Origin, Url

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})


class Target:
    """A method and a URL, ready for the wire."""

    __slots__ = ("host", "is_head", "is_idempotent", "line", "method", "origin", "path", "secure", "start", "url")

    def __init__(self, method: str, url: Url) -> None:
        self.method = method
        self.url = url
        self.origin: Origin = url.origin
        self.host = url.origin.host
        self.path = url.path
        self.secure = url.origin.is_tls
        self.is_head = method == "HEAD"
        self.is_idempotent = method in IDEMPOTENT
        self.start = f"{method} {url.target} HTTP/1.1\r\n".encode("latin-1")
        self.line = self.start + f"Host: {url.host_header}\r\n".encode("latin-1")

    def __repr__(self) -> str:
        return f"<Target {self.method} {self.url}>"

    def in_absolute_form(self, authorization: str) -> Target:
        """The same with the whole URL on the request line (RFC 9112 §3.2.2), for a proxy that forwards plain HTTP."""
        target = Target(self.method, self.url)
        target.start = f"{self.method} {self.url} HTTP/1.1\r\n".encode("latin-1")
        if authorization:
            target.start += f"Proxy-Authorization: {authorization}\r\n".encode("latin-1")
        target.line = target.start + f"Host: {self.url.host_header}\r\n".encode("latin-1")
        return target


class BadTarget(Target):
    """What was asked for could not be read as a URL; it is only shown."""

    __slots__ = ("text",)

    def __init__(self, method: str, text: str) -> None:
        super().__init__(method, _NOWHERE)
        self.text = text


_NOWHERE = Url(Origin("http", "invalid", 80), "/")
