"""An HTTP proxy: CONNECT, and requests in absolute form (RFC 9112, 3.2.2 and 3.2.3)."""

from __future__ import annotations

import base64
import contextlib
import http.client
import socket
import urllib.parse

from tests.targets.tunnel import Passage, Tunnels, target_name
from tests.targets.wire import ClientLeft, Request, Wire

UPSTREAM_TIMEOUT_S = 30
_HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
}


class HttpProxy:
    """Asks for `credentials`, `user:password`, unless they are ''."""

    def __init__(self, tunnels: Tunnels, credentials: str) -> None:
        self._tunnels = tunnels
        self._expected = f"Basic {base64.b64encode(credentials.encode()).decode()}" if credentials else ""
        self._user = credentials.partition(":")[0]

    def hold(self, client: socket.socket) -> None:
        wire = Wire(client)
        upstreams: dict[str, http.client.HTTPConnection] = {}
        with contextlib.suppress(ClientLeft):
            while (request := wire.request()) is not None:
                if not self._is_welcome(request):
                    wire.body(request)
                    wire.answer("who are you?\n", 'Proxy-Authenticate: Basic realm="proxy"', status="407 Who Is There")
                elif request.method == "CONNECT":
                    self._connect(client, wire, request)
                    break
                else:
                    self._forward(wire, request, upstreams)
        for upstream in upstreams.values():
            upstream.close()
        wire.close()

    def _is_welcome(self, request: Request) -> bool:
        return not self._expected or request.header("proxy-authorization") == self._expected

    def _connect(self, client: socket.socket, wire: Wire, request: Request) -> None:
        host, _, port = request.target.rpartition(":")
        upstream = self._tunnels.open("connect", host.strip("[]"), int(port), self._user)
        if upstream is None:
            wire.answer("cannot be reached\n", "Connection: close", status="502 Bad Gateway")
            return
        wire.send("HTTP/1.1 200 Connection Established\r\n\r\n")
        upstream.sendall(wire.read(wire.arrived_bytes()))
        self._tunnels.join(client, upstream, request.target)

    def _forward(self, wire: Wire, request: Request, upstreams: dict[str, http.client.HTTPConnection]) -> None:
        body = wire.body(request)
        url = urllib.parse.urlsplit(request.target)
        if url.scheme != "http" or url.hostname is None:
            wire.answer("this is a proxy\n", status="400 Bad Request")
            return
        target = target_name(url.hostname, url.port or 80)
        upstream = upstreams.setdefault(target, http.client.HTTPConnection(target, timeout=UPSTREAM_TIMEOUT_S))
        try:
            response = _exchange(upstream, request, url._replace(scheme="", netloc="").geturl() or "/", body)
            content = response.read()
        except (OSError, http.client.HTTPException):
            upstream.close()
            self._tunnels.note(Passage("forward", target, False, self._user))
            wire.answer("cannot be reached\n", status="502 Bad Gateway")
            return
        self._tunnels.note(Passage("forward", target, True, self._user))
        _relay(wire, response, content)


def _exchange(
    upstream: http.client.HTTPConnection, request: Request, path: str, body: bytes
) -> http.client.HTTPResponse:
    upstream.putrequest(request.method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers:
        if name not in _HOP_BY_HOP:
            upstream.putheader(name, value)
    if request.is_chunked:
        upstream.putheader("Content-Length", str(len(body)))
    upstream.endheaders(body or None)
    return upstream.getresponse()


def _relay(wire: Wire, response: http.client.HTTPResponse, content: bytes) -> None:
    """The response as it came, but for its framing: it gets a Content-Length, or keeps its own where it has no body."""
    headers = [f"{name}: {value}" for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP]
    if response.getheader("Content-Length") is None and response.status not in {204, 304}:
        headers.append(f"Content-Length: {len(content)}")
    wire.send("\r\n".join([f"HTTP/1.1 {response.status} {response.reason}", *headers]), "\r\n\r\n", content)
