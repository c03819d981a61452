"""The endpoint that a Prometheus scrapes while a run goes on: `http://HOST:PORT/metrics`.

A scrape is answered from the latest snapshot, of a second ago at most. It is rendered in a thread, since a thousand
series take a second, for which the controller must not stand still.
"""

from __future__ import annotations

import gzip
import os
import socket
from collections.abc import Callable, Iterable

import gevent
from gevent.pool import Pool
from gevent.pywsgi import WSGIServer

from swell.errors import Problem
from swell.result import RunResult

PATH = "/metrics"
MOST_SCRAPERS = 16
STOP_S = 1.0
StartResponse = Callable[[str, list[tuple[str, str]]], object]


def listen(address: tuple[str, int], flag: str) -> socket.socket | Problem:
    """The socket that scrapers connect to, or why there can be none."""
    host, port = address
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server(address, family=family, backlog=MOST_SCRAPERS)
    except socket.gaierror as error:
        reason = error.strerror or str(error)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
    except UnicodeError:
        reason = "that is no name of a host"
    return Problem(f"cannot listen on {host}:{port}: {reason.lower()}", flag, "port 0 takes any that is free")


def url_of(listener: socket.socket) -> str:
    """What to tell Prometheus."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{PATH}"


class PrometheusEndpoint:
    """The observer that is scraped. It answers from when it is made until the run has ended."""

    def __init__(self, listener: socket.socket) -> None:
        self._result: RunResult | None = None
        self._url = url_of(listener)
        self._server = WSGIServer(listener, self._answer, log=None, error_log=None, spawn=Pool(MOST_SCRAPERS))
        self._server.start()

    def __repr__(self) -> str:
        return f"<PrometheusEndpoint at {self._url}>"

    def observe(self, result: RunResult) -> None:
        """From now on scrapes get this."""
        self._result = result

    def ended(self, result: RunResult) -> None:
        """Nobody is answered any more."""
        self._result = result
        self._server.stop(timeout=STOP_S)

    def _answer(self, environ: dict[str, str], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != PATH:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [f"the metrics are at {PATH}\n".encode()]
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            start_response("405 Method Not Allowed", [("Allow", "GET, HEAD")])
            return []
        accept, zipped = environ.get("HTTP_ACCEPT", ""), "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
        body, content_type = gevent.get_hub().threadpool.apply(_render, (self._result, accept))
        headers = [("Content-Type", content_type)]
        if zipped:
            body = gevent.get_hub().threadpool.apply(gzip.compress, (body, 1))
            headers.append(("Content-Encoding", "gzip"))
        start_response("200 OK", headers)
        return [body]


def _render(result: RunResult | None, accept: str) -> tuple[bytes, str]:
    from swell.report import prometheus_protobuf, prometheus_text
    from swell.report.metrics import families

    found = families(result) if result else ()
    if prometheus_protobuf.is_wanted(accept):
        return prometheus_protobuf.protobuf(found), prometheus_protobuf.CONTENT_TYPE
    return prometheus_text.text(found, accept)
