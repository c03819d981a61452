"""Answers that break HTTP or the connection.

/reset/before-head /reset/mid-head /reset/mid-body     RST there
/close/before-head /close/mid-head /close/mid-body     FIN there; the last is a body shorter than its Content-Length
/close/mid-chunk /close/before-last-chunk              FIN inside a chunk, and where the last chunk should be
/reset/next /close/next                                answers, and breaks at the next request, having read it
/garbage /garbage/binary /garbage/tls /garbage/ssh     no HTTP at all
/bad/status-line /bad/status-number /bad/version       heads that no client should accept
/bad/header /bad/header-null /bad/header-space
/bad/two-lengths /bad/negative-length /bad/length-text /bad/length-and-chunked /bad/length-overflow
/bad/chunk-size /bad/chunk-end /bad/chunk-overflow
/bad/gzip /bad/gzip-short                              a Content-Encoding that the body does not keep
/extra/garbage /extra/response                         bytes after the response, in the same piece
/extra/late?ms=50                                      a 408 on the idle connection, unasked, then FIN
/upgrade                                               101 to somebody who asked for nothing of the kind
/redirect/loop /redirect/endless?n=0                   to itself; to n+1
/redirect/nowhere /redirect/ftp /redirect/garbage      Location missing; not HTTP; no URL
"""

from __future__ import annotations

import time

from tests.targets.behaviour import Then, answer_exactly, on
from tests.targets.wire import Request, Wire

_HALF_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/pl"
_HALF_BODY = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly the beginning of it"
_CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
_GZIP = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"

for _then in (Then.RESET, Then.CLOSE):
    _name = _then.value
    answer_exactly(f"/{_name}/before-head", "", then=_then)
    answer_exactly(f"/{_name}/mid-head", _HALF_HEAD, then=_then)
    answer_exactly(f"/{_name}/mid-body", _HALF_BODY, then=_then)

answer_exactly("/close/mid-chunk", _CHUNKED, "10\r\nonly half")
answer_exactly("/close/before-last-chunk", _CHUNKED, "3\r\nok\n\r\n")

answer_exactly("/garbage", "I do not speak the Hypertext Transfer Protocol, sorry.\r\n\r\n")
answer_exactly("/garbage/binary", bytes(range(256)) * 8)
answer_exactly("/garbage/tls", b"\x15\x03\x03\x00\x02\x02\x28")
answer_exactly("/garbage/ssh", "SSH-2.0-OpenSSH_9.6\r\n")

answer_exactly("/bad/status-line", "HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
answer_exactly("/bad/status-number", "HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n")
answer_exactly("/bad/version", "HTTP/7.3 200 OK\r\nContent-Length: 0\r\n\r\n")
answer_exactly("/bad/header", "HTTP/1.1 200 OK\r\nthis line has no colon\r\nContent-Length: 0\r\n\r\n")
answer_exactly("/bad/header-null", "HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 0\r\n\r\n")
answer_exactly("/bad/header-space", "HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\nok\n")
answer_exactly("/bad/two-lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nok\n\r\n")
answer_exactly("/bad/negative-length", "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nok\n")
answer_exactly("/bad/length-text", "HTTP/1.1 200 OK\r\nContent-Length: three\r\n\r\nok\n")
answer_exactly("/bad/length-overflow", f"HTTP/1.1 200 OK\r\nContent-Length: {10**30}\r\n\r\nok\n")
answer_exactly(
    "/bad/length-and-chunked",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok\n\r\n0\r\n\r\n",
)
answer_exactly("/bad/chunk-size", _CHUNKED, "xyz\r\nok\n\r\n0\r\n\r\n")
answer_exactly("/bad/chunk-end", _CHUNKED, "3\r\nok\nand more than three\r\n0\r\n\r\n")
answer_exactly("/bad/chunk-overflow", _CHUNKED, "f" * 40, "\r\nok\n\r\n0\r\n\r\n")
answer_exactly("/bad/gzip", _GZIP, "Content-Length: 15\r\n\r\nthis is no gzip", then=Then.NEXT)
answer_exactly("/bad/gzip-short", _GZIP, "Content-Length: 10\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03", then=Then.NEXT)

answer_exactly("/extra/garbage", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\nand then some", then=Then.NEXT)
answer_exactly("/extra/response", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n" * 2, then=Then.NEXT)
answer_exactly("/upgrade", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: upgrade\r\n\r\n")

answer_exactly(
    "/redirect/loop", "HTTP/1.1 302 Found\r\nLocation: /redirect/loop\r\nContent-Length: 0\r\n\r\n", then=Then.NEXT
)
answer_exactly("/redirect/nowhere", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", then=Then.NEXT)
answer_exactly(
    "/redirect/ftp", "HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", then=Then.NEXT
)
answer_exactly(
    "/redirect/garbage",
    "HTTP/1.1 302 Found\r\nLocation: http://[::1:80:x/\r\nContent-Length: 0\r\n\r\n",
    then=Then.NEXT,
)


@on("/redirect/endless")
def redirect_for_ever(wire: Wire, request: Request, _: bytes) -> Then:
    wire.answer(b"", f"Location: /redirect/endless?n={request.number('n', 0) + 1}", status="302 Found")
    return Then.NEXT


@on("/extra/late")
def speak_unasked(wire: Wire, request: Request, _: bytes) -> Then:
    wire.answer()
    time.sleep(request.number("ms", 50) / 1000)
    wire.answer(b"", "Connection: close", status="408 Request Timeout")
    return Then.CLOSE


@on("/reset/next")
def answer_then_reset(wire: Wire, _: Request, __: bytes) -> Then:
    wire.answer()
    wire.request()
    return Then.RESET


@on("/close/next")
def answer_then_close(wire: Wire, _: Request, __: bytes) -> Then:
    wire.answer()
    wire.request()
    return Then.CLOSE
