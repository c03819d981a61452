"""Where a response ends: whole, byte by byte, split at every position."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from swell.http.environment import HttpEnvironment
from tests.http.scripted import OK, CountedTraffic, line

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
HINTS = (
    b"HTTP/1.1 100 Continue\r\n\r\n"
    b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nX-A: b\r\n\r\n"
)  # fmt: skip
ANSWERED = {"sent": 1, "answered": 1}
UNANSWERED = {"sent": 1, "unanswered": 1}


@dataclasses.dataclass(frozen=True)
class Case:
    said: bytes
    expected: Any
    then: str = ""
    is_head: bool = False


COMPLETE = {
    "length": Case(OK, (200, b"ok\n", True)),
    "empty body": Case(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", (201, b"", True)),
    "chunks": Case(CHUNKED + b"2\r\nok\r\n1\r\n\n\r\n0\r\n\r\n", (200, b"ok\n", True)),
    "chunk extensions": Case(CHUNKED + b'003;a=b;c="d"\r\nok\n\r\n0;x\r\n\r\n', (200, b"ok\n", True)),
    "trailers": Case(CHUNKED + b"3\r\nok\n\r\n0\r\nX-Sum: 3\r\nX-Late: yes\r\n\r\n", (200, b"ok\n", True)),
    "until close": Case(b"HTTP/1.1 200 OK\r\n\r\nok\n", (200, b"ok\n", False), then="close"),
    "until close, empty": Case(b"HTTP/1.1 200 OK\r\n\r\n", (200, b"", False), then="close"),
    "until close, coded": Case(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok\n", (200, b"ok\n", False), then="close"
    ),
    "1.0": Case(b"HTTP/1.0 200 OK\r\n\r\nok\n", (200, b"ok\n", False), then="close"),
    "1.0 with a length": Case(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n", (200, b"ok\n", False)),
    "1.0 kept alive": Case(
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nok\n", (200, b"ok\n", True)
    ),
    "connection: close": Case(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nok\n", (200, b"ok\n", False)
    ),
    "connection: Close, x": Case(
        b"HTTP/1.1 200 OK\r\nConnection: Close, x\r\nContent-Length: 3\r\n\r\nok\n", (200, b"ok\n", False)
    ),
    "HEAD": Case(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", (200, b"", True), is_head=True),
    "HEAD, chunked": Case(CHUNKED, (200, b"", True), is_head=True),
    "HEAD, no length": Case(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n", (200, b"", True), is_head=True),
    "HEAD, closing": Case(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\n", (200, b"", False), is_head=True
    ),
    "HEAD, 1.0": Case(b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n", (200, b"", False), is_head=True),
    "204": Case(b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"", True)),
    "204 with a length": Case(b"HTTP/1.1 204 No Content\r\nContent-Length: 1000\r\n\r\n", (204, b"", True)),
    "304 with a length": Case(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n", (304, b"", True)),
    "interim": Case(HINTS + OK, (200, b"ok\n", True)),
    "interim before HEAD": Case(
        HINTS + b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", (200, b"", True), is_head=True
    ),
    "interim until close": Case(HINTS + b"HTTP/1.1 200 OK\r\n\r\nok\n", (200, b"ok\n", False), then="close"),
    "101": Case(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", (101, b"", False)
    ),
    "error status": Case(b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nbusy\n", (503, b"busy\n", True)),
}  # fmt: skip

BROKEN = {
    "nothing": Case(b"", "closed before a response", then="close"),
    "head cut off": Case(b"HTTP/1.1 200 OK\r\nX: y", "head cut off", then="close"),
    "interim only": Case(HINTS, "head cut off", then="close"),
    "body cut off": Case(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok\n", "body cut off", then="close"),
    "chunk cut off": Case(CHUNKED + b"9\r\nok\n", "body cut off", then="close"),
    "last chunk missing": Case(CHUNKED + b"3\r\nok\n\r\n", "body cut off", then="close"),
    "trailers cut off": Case(CHUNKED + b"3\r\nok\n\r\n0\r\nX-Sum: 3\r\n", "body cut off", then="close"),
    "reset in the head": Case(b"HTTP/1.1 200 OK\r\nX: y", "connection reset", then="reset"),
    "reset in the body": Case(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok\n", "connection reset", then="reset"),
}


@pytest.mark.parametrize("name", COMPLETE)
def test_a_complete_response_is_the_same_however_it_is_cut(
    environment: HttpEnvironment, traffic: CountedTraffic, name: str
) -> None:
    case = COMPLETE[name]
    said = case.said
    bytewise = [said[at : at + 1] for at in range(len(said))]
    for pieces in ([said], bytewise, *([said[:at], said[at:]] for at in range(1, len(said)))):
        traffic.counts.clear()
        with line(environment) as opened:
            assert opened.ask(pieces, case.then, case.is_head) == case.expected, pieces
            assert traffic.told() == ANSWERED
            if case.expected[2]:
                assert opened.ask([OK]) == (200, b"ok\n", True), "the parser is not ready for another"


@pytest.mark.parametrize("name", BROKEN)
def test_an_incomplete_response_is_the_same_failure_however_it_is_cut(
    environment: HttpEnvironment, traffic: CountedTraffic, name: str
) -> None:
    case = BROKEN[name]
    said = case.said
    bytewise = [said[at : at + 1] for at in range(len(said))]
    for pieces in ([said], bytewise, *([said[:at], said[at:]] for at in range(1, len(said)))):
        traffic.counts.clear()
        with line(environment) as opened:
            assert opened.ask(pieces, case.then, case.is_head) == case.expected, pieces
            assert traffic.told() == UNANSWERED


def test_every_prefix_of_a_response_that_ends_in_a_close_is_a_failure(
    environment: HttpEnvironment, traffic: CountedTraffic
) -> None:
    for case in (COMPLETE["length"], COMPLETE["trailers"], COMPLETE["interim"]):
        for at in range(len(case.said)):
            with line(environment) as opened:
                assert isinstance(opened.ask([case.said[:at]], "close"), str), case.said[:at]
    assert traffic.counts["answered"] == 0
