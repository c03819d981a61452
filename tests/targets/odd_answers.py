"""Answers that are right, though a careless client gets them wrong.

/ok /any/...                                 200, `ok`; the second for any number of distinct URLs
/echo                                        the request as it came, as JSON: method, target, headers, body's hash
/status?n=503                                that status
/chunked /chunked/trailers /chunked/extensions /chunked/pieces
/until-close /http10 /http10/keep-alive      no length: the body ends with the connection; HTTP/1.0 without and with it
/close/said /close/unsaid                    FIN after the response, announced or not
/close/idle?ms=50                            FIN so long after the response
/head                                        use HEAD: a Content-Length of 1,000 and no body
/no-body/204 /no-body/304                    statuses without a body, with a Content-Length that says 1,000
/informational /informational/apart          100, 102 and 103 before the answer, in one piece and in pieces
/reason/none /reason/odd                     a status line without a reason, and with an unusual one
/header/many?n=100 /header/folded /header/latin1 /header/empty
/coded/CODING                                `hello` in gzip, deflate, raw-deflate, br, zstd, gzip-gzip, gzip-members,
                                             identity or unknown
/cookies                                     several Set-Cookie lines
/redirect/N                                  N is 301, 302, 303, 307 or 308: to /echo
/expect/continue /expect/refuse /expect/ignore   for requests with `Expect: 100-continue`
/early/close /early/drain /early/keep        413 before the body was read; then closes, reads it all and closes, goes on
"""

from __future__ import annotations

import gzip
import hashlib
import json
import time
import zlib

import brotli
import zstandard

from tests.targets.behaviour import Then, answer_exactly, on
from tests.targets.wire import Request, Wire

_OK = "HTTP/1.1 200 OK\r\n"
_OK_3 = _OK + "Content-Length: 3\r\n"
_CHUNKED = _OK + "Transfer-Encoding: chunked\r\n"
_HINTS = (
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 102 Processing\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </contest.css>\r\n\r\n",
)
_HELLO = b"hello"
_CODED = {
    "gzip": gzip.compress(_HELLO),
    "deflate": zlib.compress(_HELLO),
    "raw-deflate": zlib.compress(_HELLO, wbits=-15),
    "br": brotli.compress(_HELLO),
    "zstd": zstandard.compress(_HELLO),
    "gzip-gzip": gzip.compress(gzip.compress(_HELLO)),
    "gzip-members": gzip.compress(_HELLO[:2]) + gzip.compress(_HELLO[2:]),
    "identity": _HELLO,
    "unknown": _HELLO,
}
_HEADER_NAMES = {"raw-deflate": "deflate", "gzip-gzip": "gzip, gzip", "gzip-members": "gzip", "unknown": "x-unknown"}

answer_exactly("/ok", _OK_3, "\r\nok\n", then=Then.NEXT)
answer_exactly("/any", _OK_3, "\r\nok\n", then=Then.NEXT)
answer_exactly("/chunked", _CHUNKED, "\r\n2\r\nok\r\n1\r\n\n\r\n0\r\n\r\n", then=Then.NEXT)
answer_exactly(
    "/chunked/trailers",
    _CHUNKED,
    "Trailer: X-Sum\r\n\r\n3\r\nok\n\r\n0\r\nX-Sum: 3\r\nX-Late: yes\r\n\r\n",
    then=Then.NEXT,
)
answer_exactly("/chunked/extensions", _CHUNKED, '\r\n0003;a=b;c="d"\r\nok\n\r\n000;last\r\n\r\n', then=Then.NEXT)
answer_exactly("/until-close", _OK, "\r\nok\n")
answer_exactly("/http10", "HTTP/1.0 200 OK\r\n\r\nok\n")
answer_exactly(
    "/http10/keep-alive",
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nok\n",
    then=Then.NEXT,
)
answer_exactly("/close/said", _OK_3, "Connection: close\r\n\r\nok\n")
answer_exactly("/close/unsaid", _OK_3, "\r\nok\n")
answer_exactly("/head", _OK, "Content-Length: 1000\r\n\r\n", then=Then.NEXT)
answer_exactly("/no-body/204", "HTTP/1.1 204 No Content\r\nContent-Length: 1000\r\n\r\n", then=Then.NEXT)
answer_exactly("/no-body/304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n", then=Then.NEXT)
answer_exactly("/informational", *_HINTS, _OK_3, "\r\nok\n", then=Then.NEXT)
answer_exactly("/reason/none", "HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nok\n", then=Then.NEXT)
answer_exactly("/reason/odd", "HTTP/1.1 299 All's w\xe9ll: 100 %\r\nContent-Length: 3\r\n\r\nok\n", then=Then.NEXT)
answer_exactly("/header/folded", _OK_3, "X-Long: one\r\n two\r\n\r\nok\n", then=Then.NEXT)
answer_exactly("/header/latin1", _OK_3, "X-Name: Zo\xeb\r\n\r\nok\n", then=Then.NEXT)
answer_exactly("/header/empty", _OK_3, "X-Empty:\r\nX-Spaces:  a  \r\n\r\nok\n", then=Then.NEXT)
answer_exactly(
    "/cookies",
    _OK_3,
    "Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; Max-Age=60\r\nset-cookie: c=\r\n\r\nok\n",
    then=Then.NEXT,
)


@on("/echo")
def echo(wire: Wire, request: Request, body: bytes) -> Then:
    seen = {
        "method": request.method,
        "target": request.target,
        "headers": request.headers,
        "body_bytes": len(body),
        "body_sha256": hashlib.sha256(body).hexdigest(),
        "body": body[:1024].decode("latin-1"),
    }
    wire.answer(json.dumps(seen), "Content-Type: application/json")
    return Then.NEXT


@on("/status")
def answer_with_status(wire: Wire, request: Request, _: bytes) -> Then:
    wire.answer(status=f"{request.number('n', 200)} As You Like It")
    return Then.NEXT


@on("/chunked/pieces")
def answer_chunk_by_chunk(wire: Wire, _: Request, __: bytes) -> Then:
    for piece in (_CHUNKED + "\r\n", "2\r", "\nok\r\n1\r\n", "\n\r", "\n0\r\n\r", "\n"):
        wire.send(piece)
        time.sleep(0.01)
    return Then.NEXT


@on("/close/idle")
def close_when_idle(wire: Wire, request: Request, _: bytes) -> Then:
    wire.answer()
    time.sleep(request.number("ms", 50) / 1000)
    return Then.CLOSE


@on("/informational/apart")
def inform_first(wire: Wire, _: Request, __: bytes) -> Then:
    for hint in _HINTS:
        wire.send(hint)
        time.sleep(0.01)
    wire.answer()
    return Then.NEXT


@on("/header/many")
def answer_with_many_headers(wire: Wire, request: Request, _: bytes) -> Then:
    wire.answer("ok\n", *(f"X-Header-{number}: {number}" for number in range(request.number("n", 100))))
    return Then.NEXT


@on("/expect/continue", reads_body=False)
def ask_for_the_body(wire: Wire, request: Request, _: bytes) -> Then:
    """Also says what it was asked: whether the client expected a 100, and how much came before it was sent."""
    expected = request.header("expect").lower() == "100-continue"
    time.sleep(request.number("ms", 20) / 1000)
    early_bytes = wire.arrived_bytes()
    if expected:
        wire.send(_HINTS[0])
    body = wire.body(request)
    wire.answer(json.dumps({"expected": expected, "early_bytes": early_bytes, "body_bytes": len(body)}))
    return Then.NEXT


@on("/expect/refuse", reads_body=False)
def refuse_the_body(wire: Wire, _: Request, __: bytes) -> Then:
    wire.answer("no\n", "Connection: close", status="417 Expectation Failed")
    wire.shut()
    wire.wait_for_close()
    return Then.CLOSE


@on("/expect/ignore", reads_body=False)
def wait_for_the_body(wire: Wire, request: Request, _: bytes) -> Then:
    wire.answer(str(len(wire.body(request))))
    return Then.NEXT


@on("/early/close", reads_body=False)
def refuse_and_close(wire: Wire, _: Request, __: bytes) -> Then:
    wire.answer("too large\n", "Connection: close", status="413 Content Too Large")
    return Then.CLOSE


@on("/early/drain", reads_body=False)
def refuse_and_drain(wire: Wire, _: Request, __: bytes) -> Then:
    wire.answer("too large\n", "Connection: close", status="413 Content Too Large")
    wire.shut()
    wire.wait_for_close()
    return Then.CLOSE


@on("/early/keep", reads_body=False)
def refuse_and_go_on(wire: Wire, request: Request, _: bytes) -> Then:
    wire.answer("too large\n", status="413 Content Too Large")
    wire.body(request)
    return Then.NEXT


def _coded(coding: str, body: bytes) -> None:
    @on(f"/coded/{coding}")
    def act(wire: Wire, _: Request, __: bytes) -> Then:
        wire.answer(body, f"Content-Encoding: {_HEADER_NAMES.get(coding, coding)}")
        return Then.NEXT


def _redirect(status: int) -> None:
    @on(f"/redirect/{status}")
    def act(wire: Wire, _: Request, __: bytes) -> Then:
        wire.answer(b"", "Location: /echo", status=f"{status} Elsewhere")
        return Then.NEXT


for _coding, _body in _CODED.items():
    _coded(_coding, _body)
for _status in (301, 302, 303, 307, 308):
    _redirect(_status)
