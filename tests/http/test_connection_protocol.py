"""What is no proper response, or more than one: the exchange ends at once, and the connection with it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swell.http.environment import HttpEnvironment
from tests.http.scripted import OK, CountedTraffic, ScriptedClock, goes_on, line, until

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ERROR = b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno"

REFUSED = {
    "garbage": b"I do not speak the Hypertext Transfer Protocol.\r\n\r\n",
    "binary": bytes(range(256)),
    "TLS alert": b"\x15\x03\x03\x00\x02\x02\x28",
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "status line": b"HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "status number": b"HTTP/1.1 abc OK\r\n\r\n",
    "version": b"HTTP/7.3 200 OK\r\n\r\n",
    "no colon": HEAD + b"this line has no colon\r\n\r\n",
    "space before the colon": HEAD + b"Content-Length : 3\r\n\r\nok\n",
    "NUL in a header": HEAD + b"X-A: a\0b\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nok\n\r\n",
    "the same length twice": HEAD + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nok\n",
    "negative length": HEAD + b"Content-Length: -3\r\n\r\nok\n",
    "length in words": HEAD + b"Content-Length: three\r\n\r\nok\n",
    "endless length": HEAD + b"Content-Length: %d\r\n\r\nok\n" % 10**30,
    "length and chunks": HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok\n\r\n0\r\n\r\n",
    "chunk size": CHUNKED + b"xyz\r\nok\n\r\n0\r\n\r\n",
    "negative chunk size": CHUNKED + b"-3\r\nok\n\r\n0\r\n\r\n",
    "chunk too long": CHUNKED + b"3\r\nok\nand more than three\r\n0\r\n\r\n",
    "endless chunk size": CHUNKED + b"f" * 40 + b"\r\nok\n\r\n0\r\n\r\n",
    "bare LF after the status": b"HTTP/1.1 200 OK\nContent-Length: 3\r\n\r\nok\n",
    "bare LF everywhere": b"HTTP/1.1 200 OK\nContent-Length: 3\n\nok\n",
    "bare LF at the end": HEAD + b"Content-Length: 3\r\n\nok\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_proper_response_ends_the_exchange_as_a_protocol_error(
    environment: HttpEnvironment, traffic: CountedTraffic, name: str
) -> None:
    said = REFUSED[name]
    outcomes = []
    for pieces in (
        [said],
        [said[at : at + 1] for at in range(len(said))],
        [said[: len(said) // 2], said[len(said) // 2 :]],
    ):
        with line(environment) as opened:
            outcomes.append(opened.ask(pieces, "close"))
    assert outcomes[0].startswith("protocol: "), outcomes
    assert outcomes == [outcomes[0]] * 3
    assert traffic.told() == {"sent": 3, "unanswered": 3}


def test_reasons_are_short_and_the_same_for_the_same_fault(environment: HttpEnvironment) -> None:
    reasons = set()
    for said in REFUSED.values():
        with line(environment) as opened:
            reasons.add(opened.ask([said]))
    assert max(len(str(reason)) for reason in reasons) < 80
    assert all(str(reason).isprintable() for reason in reasons)


@pytest.mark.parametrize("extra", [b"and then some", OK, b"\r\n" + OK, ERROR, ERROR[:-1], b"\0", b"HTTP/1.1 2x0"])
def test_bytes_after_the_response_change_nothing_but_end_the_connection(
    environment: HttpEnvironment, traffic: CountedTraffic, extra: bytes
) -> None:
    for response in (OK, CHUNKED + b"3\r\nok\n\r\n0\r\n\r\n"):
        with line(environment) as opened:
            assert opened.ask([response + extra]) == (200, b"ok\n", False)
    assert traffic.told() == {"sent": 2, "answered": 2}


@pytest.mark.parametrize("at", [1, 12, len(ERROR) - 8])
def test_half_a_response_too_many_ends_the_connection_when_its_rest_comes(
    environment: HttpEnvironment, traffic: CountedTraffic, at: int
) -> None:
    with line(environment) as opened:
        assert opened.ask([OK + ERROR[:at]])[:2] == (200, b"ok\n")
        opened.peer.sendall(ERROR[at:])
        until(lambda: opened.connection.stale)
    assert traffic.told() == {"sent": 1, "answered": 1}


def test_empty_lines_before_and_after_a_response_are_passed_over(environment: HttpEnvironment) -> None:
    with line(environment) as opened:
        assert opened.ask([b"\r\n\r\n" + OK + b"\r\n"]) == (200, b"ok\n", True)
        assert opened.ask([OK]) == (200, b"ok\n", True)


def test_a_body_after_head_ends_the_connection(environment: HttpEnvironment) -> None:
    head = HEAD + b"\r\n"
    for pieces in ([head + b"ok\n"], [head[:9], head[9:] + b"o"]):
        with line(environment) as opened:
            assert opened.ask(pieces, is_head=True) == (200, b"", False)
    for head in (HEAD + b"\r\n", HEAD + b"Content-Length: 3\r\n\r\n", CHUNKED):
        with line(environment) as opened:
            assert opened.ask([head], is_head=True) == (200, b"", True)
            opened.peer.sendall(b"ok\n")
            until(lambda: opened.connection.stale)


def test_a_head_over_256_kib_is_a_protocol_error(environment: HttpEnvironment, traffic: CountedTraffic) -> None:
    for endless in (b"X-Header: 12345\r\n" * 1_000, b"x" * 16_000, b"HTTP/1.1 103 Hints\r\n\r\n" * 700):
        first = HEAD if not endless.startswith(b"HTTP") else b""
        with line(environment) as opened:
            assert opened.ask([first, *[endless] * 40]) == "protocol: response head over 256 KiB"
    assert traffic.told() == {"sent": 3, "unanswered": 3}


def test_a_head_just_under_256_kib_is_read(environment: HttpEnvironment) -> None:
    head = HEAD + b"X-Header: 12345\r\n" * 14_000 + b"Content-Length: 3\r\n\r\n"
    with line(environment) as opened:
        assert opened.ask([head + b"ok\n"]) == (200, b"ok\n", True)


def test_endless_trailers_do_not_fill_the_memory(environment: HttpEnvironment) -> None:
    trailers = [b"X-Late: " + b"x" * 60_000] + [b"x" * 60_000] * 50
    with line(environment) as opened:
        assert opened.ask([CHUNKED + b"3\r\nok\n\r\n0\r\n", *trailers, b"\r\n\r\n"]) == (200, b"ok\n", True)
        assert len(opened.connection.head) < 1_000


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=300), st.sampled_from([b"", HEAD, CHUNKED, HEAD + b"Content-Length: 3\r\n", OK]), st.booleans()
)
def test_whatever_comes_an_exchange_ends_and_the_accounting_holds(garbage: bytes, before: bytes, is_head: bool) -> None:
    traffic = CountedTraffic()
    environment = HttpEnvironment(traffic, ScriptedClock())
    try:
        with line(environment) as opened:
            outcome = opened.ask([before + garbage] if before + garbage else [], "close", is_head)
            assert isinstance(outcome, str | tuple)
            assert not goes_on(opened.connection) or opened.connection.complete == 1
        traffic.check()
    finally:
        environment.close()
