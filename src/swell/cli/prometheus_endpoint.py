"""The endpoint that a Prometheus scrapes while a run goes on: `http://HOST:PORT/metrics`.

A scrape is answered from the latest snapshot, of a second ago at most. It is rendered in a thread, since a thousand
series take a second, for which the controller must not stand still.
"""

from __future__ import annotations

import gzip
import os
import socket
from collections.abc import Callable, Iterable, Iterator

import gevent
from gevent.pool import Pool
from gevent.pywsgi import WSGIServer

from swell.cli.contained import Contained
from swell.errors import Problem
from swell.result import ExportCount, RunResult

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
    """The observer that is scraped. It answers from when it is made until the run has ended. `note` says the first time
    that it could not."""

    name = "the metrics for Prometheus"

    def __init__(self, listener: socket.socket, note: Callable[[str], None]) -> None:
        self._note = note
        self._sent = self._failed = 0
        self._fault = ""
        self._result: RunResult | None = None
        self._url = url_of(listener)
        self._server = WSGIServer(listener, self.answer, log=None, error_log=None, spawn=Pool(MOST_SCRAPERS))
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

    def failed(self, why: str) -> None:
        """What does not change any more is not to be scraped."""
        self._fail(why)
        self._server.stop(timeout=STOP_S)

    def count(self) -> ExportCount:
        """How many scrapes were answered, and how many were not."""
        return ExportCount(self._url, self._sent, self._failed, 0, self._fault)

    def answer(self, environ: dict[str, str], start_response: StartResponse) -> Iterable[bytes]:
        """What a scraper gets."""
        if environ["PATH_INFO"] != PATH:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [f"the metrics are at {PATH}\n".encode()]
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            start_response("405 Method Not Allowed", [("Allow", "GET, HEAD")])
            return []
        accept, zipped = environ.get("HTTP_ACCEPT", ""), "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
        rendered: tuple[bytes, str] | None = None
        with Contained(self._fail):
            rendered = gevent.get_hub().threadpool.apply(_render, (self._result, accept, zipped))
        if rendered is None:
            start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
            return [f"{self._fault}\n".encode()]
        body, content_type = rendered
        encoding = [("Content-Encoding", "gzip")] if zipped else []
        length = str(len(body))
        start_response("200 OK", [("Content-Type", content_type), ("Content-Length", length), *encoding])
        return self._counted(body)

    def _counted(self, body: bytes) -> Iterator[bytes]:
        """The body; whoever cannot send it closes this."""
        try:
            yield body
        except GeneratorExit:
            self._fail("the scraper was gone before it had all")
            raise
        self._sent += 1

    def _fail(self, why: str) -> None:
        """Count it; the first time the user is told."""
        self._failed += 1
        self._fault = why
        if self._failed == 1:
            self._note(f"a scrape of {self._url} failed, and the run goes on: {self._fault}")


def _render(result: RunResult | None, accept: str, zipped: bool) -> tuple[bytes, str]:
    from swell.report import prometheus_protobuf, prometheus_text
    from swell.report.metrics import families

    found = families(result) if result else ()
    if prometheus_protobuf.is_wanted(accept):
        body, content_type = prometheus_protobuf.protobuf(found), prometheus_protobuf.CONTENT_TYPE
    else:
        body, content_type = prometheus_text.text(found, accept)
    return gzip.compress(body, 1) if zipped else body, content_type
