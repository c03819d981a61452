"""`Expect: 100-continue`: a body that is sent when the server asks for it, or says nothing, and not when it refuses."""

from __future__ import annotations

import time

import gevent
import pytest

from swell.http.client import Client
from tests.http.loopback import Handle, Visit, call, serving
from tests.http.scripted import CountedTraffic, until

EXPECT = {"Expect": "100-continue"}


def asked(*said: bytes, waits: bool = True) -> Handle:
    """Reads a head with Expect, answers so, then reads the body if there is to be one, and answers with its length."""

    def handle(visit: Visit) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            received += visit.sock.recv(65_536)
        for piece in said:
            visit.send(piece)
        while waits and not received.endswith(b"the body"):
            received += visit.sock.recv(65_536)
        if waits:
            body = received.partition(b"\r\n\r\n")[2]
            visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        visit.request()

    return handle


def test_a_body_is_sent_when_the_server_asks_for_it(client: Client, traffic: CountedTraffic) -> None:
    with serving(asked(b"HTTP/1.1 100 Continue\r\n\r\n")) as server:
        started_s = time.monotonic()
        response = call(client, "POST", server.url, data=b"the body", headers=EXPECT)
        assert (response.status_code, response.content, response.interim) == (200, b"the body", 1)
        assert time.monotonic() - started_s < 0.9
    assert traffic.told() == {"sent": 1, "answered": 1}


def test_a_body_is_sent_after_a_while_when_the_server_says_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swell.http.stream.CONTINUE_S", 0.05)
    with serving(asked()) as server:
        response = call(client, "POST", server.url, data=b"the body", headers=EXPECT)
        assert (response.status_code, response.content) == (200, b"the body")
        assert response.done_ns - response.sent_ns >= 50_000_000


@pytest.mark.parametrize("stream", [True, False])
def test_a_body_that_the_server_refuses_is_not_sent_and_the_connection_not_used_again(
    client: Client, traffic: CountedTraffic, stream: bool
) -> None:
    refusal = b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 9\r\n\r\n"
    for pieces in ((refusal + b"no, never",), (refusal, b"no, never"), (refusal[:30], refusal[30:], b"no,", b" never")):

        def handle(visit: Visit, pieces: tuple[bytes, ...] = pieces) -> None:
            visit.sock.recv(65_536)
            for piece in pieces:
                visit.send(piece)
                gevent.sleep(0.005)
            assert visit.sock.recv(65_536) == b"", "neither a body nor another request"

        with serving(handle) as server:
            response = call(client, "POST", server.url, data=b"the body", headers=EXPECT, stream=stream)
            assert (response.status_code, response.content) == (417, b"no, never")
            until(lambda: server.open == 0)
    assert traffic.told() == {"sent": 3, "answered": 3}


def test_a_body_in_parts_waits_to_be_asked_for_too(client: Client) -> None:
    def handle(visit: Visit) -> None:
        head = visit.sock.recv(65_536)
        assert head.endswith(b"\r\n\r\n")
        visit.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = b""
        while not body.endswith(b"0\r\n\r\n"):
            body += visit.sock.recv(65_536)
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with serving(handle) as server:
        response = call(client, "POST", server.url, data=iter([b"the ", b"body"]), headers=EXPECT)
        assert response.content == b"4\r\nthe \r\n4\r\nbody\r\n0\r\n\r\n"


def test_a_script_that_gives_up_while_waiting_for_continue_is_heard(client: Client) -> None:
    with serving(asked()) as server, gevent.Timeout(0.05, False):
        call(client, "POST", server.url, data=b"the body", headers=EXPECT)
        raise AssertionError("the time-out went astray")
