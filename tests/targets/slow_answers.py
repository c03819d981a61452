"""Answers that take their time.

/silent                          reads the request, never answers, waits for the client to go
/late?ms=100                     a whole answer after that time
/late/body?ms=100                the head at once, the body after that time
/drip?every_ms=1000&bytes=10     the head at once, then a byte of the body at a time
/drip/head?every_ms=1000         the head itself a byte at a time
/stall?after=10                  so many bytes of a body of 1,000, then nothing
/bytewise                        a correct answer in pieces of one byte, without a pause
"""

from __future__ import annotations

import time

from tests.targets.behaviour import Then, on
from tests.targets.wire import Request, Wire

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


@on("/silent")
def never_answer(wire: Wire, _: Request, __: bytes) -> Then:
    wire.wait_for_close()
    return Then.CLOSE


@on("/late")
def answer_late(wire: Wire, request: Request, _: bytes) -> Then:
    time.sleep(request.number("ms", 100) / 1000)
    wire.answer()
    return Then.NEXT


@on("/late/body")
def send_the_body_late(wire: Wire, request: Request, _: bytes) -> Then:
    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
    time.sleep(request.number("ms", 100) / 1000)
    wire.send("ok\n")
    return Then.NEXT


@on("/drip")
def drip_the_body(wire: Wire, request: Request, _: bytes) -> Then:
    length_bytes = request.number("bytes", 10)
    wire.send(f"HTTP/1.1 200 OK\r\nContent-Length: {length_bytes}\r\n\r\n")
    _drip(wire, b"x" * length_bytes, request.number("every_ms", 1000))
    return Then.NEXT


@on("/drip/head")
def drip_the_head(wire: Wire, request: Request, _: bytes) -> Then:
    _drip(wire, _ANSWER, request.number("every_ms", 1000))
    return Then.NEXT


@on("/stall")
def stall_in_the_body(wire: Wire, request: Request, _: bytes) -> Then:
    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x" * request.number("after", 10))
    wire.wait_for_close()
    return Then.CLOSE


@on("/bytewise")
def answer_byte_by_byte(wire: Wire, _: Request, __: bytes) -> Then:
    _drip(wire, _ANSWER, 0)
    return Then.NEXT


def _drip(wire: Wire, content: bytes, every_ms: int) -> None:
    for byte in content:
        wire.send(bytes([byte]))
        time.sleep(every_ms / 1000)
