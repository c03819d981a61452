"""Bodies in parts: uploads that ask first, responses that are read as they come, closed, dropped or killed."""

from __future__ import annotations

import gc
import gzip
import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest

from swell.http.client import Client
from swell.http.environment import HttpEnvironment
from swell.http.pool import MOST_PER_ORIGIN
from swell.http.response import Response
from tests.http.loopback import Handle, Server, Visit, answering, call, serving
from tests.http.scripted import OK, CountedTraffic

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
EXPECT = {"Expect": "100-continue"}
MOMENT_S = 0.02


@pytest.fixture
def client(environment: HttpEnvironment) -> Iterator[Client]:
    made = Client(environment)
    yield made
    made.close()
    made.check()


def in_pieces(*pieces: bytes, pause_s: float = 0.005, then: Callable[[Visit], None] = Visit.request) -> Handle:
    """Answers each request in these pieces, each a read of its own."""

    def handle(visit: Visit) -> None:
        while visit.request() is not None:
            for piece in pieces:
                visit.send(piece)
                gevent.sleep(pause_s)
            if then is not Visit.request:
                then(visit)
                return

    return handle


def stream_get(client: Client, server: Server, **options: Any) -> Response:
    return call(client, "GET", server.url, stream=True, **options)


def told(response: Response) -> list[Response]:
    """The list to which the response is added when it is done."""
    done: list[Response] = []
    response.on_done = done.append
    return done


# uploads that ask first


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
            gevent.sleep(0.005)
            assert server.open == 0
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


# responses that are read as they come


def test_parts_are_there_before_the_rest(client: Client, traffic: CountedTraffic) -> None:
    going_on = gevent.event.Event()

    def handle(visit: Visit) -> None:
        visit.request()
        visit.send(HEAD + b"one")
        going_on.wait()
        visit.send(b"twosix")
        visit.request()
        visit.send(OK)

    with serving(handle) as server:
        response = stream_get(client, server)
        done = told(response)
        parts = response.iter_content(None)
        assert next(parts) == b"one"
        assert (response.status_code, done, traffic.told()) == (200, [], {"sent": 1})
        going_on.set()
        assert b"".join(parts) == b"twosix"
        assert done == [response]
        assert (response.error, response.bytes_in) == ("", len(HEAD) + 9)
        assert response.sent_ns < response.first_byte_ns < response.done_ns
        assert call(client, "GET", server.url).status_code == 200
        assert len(server.visits) == 1
    assert traffic.told() == {"sent": 2, "answered": 2}


@pytest.mark.parametrize("read", ["content", "text", "iter", "close after"])
def test_a_body_read_to_its_end_leaves_the_connection_open(client: Client, traffic: CountedTraffic, read: str) -> None:
    with serving(in_pieces(HEAD, b"123", b"456", b"789")) as server:
        for _ in range(3):
            response = stream_get(client, server)
            done = told(response)
            body = {
                "content": lambda r: r.content,
                "text": lambda r: r.text.encode(),
                "iter": b"".join,
                "close after": lambda r: (b"".join(r.iter_content(2)), r.close())[0],
            }[read](response)
            assert body == b"123456789"
            assert done == [response]
        assert len(server.visits) == 1
    assert traffic.told() == {"sent": 3, "answered": 3}


def test_a_body_that_came_with_its_head_is_a_body_like_any_other(client: Client) -> None:
    with serving(answering(OK)) as server:
        response = stream_get(client, server)
        assert response.stream is None
        assert (list(response.iter_content(2)), response.content) == ([b"ok", b"\n"], b"ok\n")


@pytest.mark.parametrize("read", [0, 1, 2])
@pytest.mark.parametrize("way", ["close", "with", "drop"])
def test_a_body_not_read_to_its_end_closes_the_connection_at_once(
    client: Client, environment: HttpEnvironment, traffic: CountedTraffic, read: int, way: str
) -> None:
    gc.disable()
    try:
        with serving(in_pieces(HEAD, b"123", b"456", b"789", pause_s=0.01)) as server:
            response = stream_get(client, server)
            done = told(response)
            with gevent.Timeout(1):
                for _, __ in zip(range(read), response.iter_content(3), strict=False):
                    pass
            if way == "close":
                response.close()
                response.close()
            elif way == "with":
                with response:
                    pass
            else:
                done.append(None)  # type: ignore[arg-type]
                del done[:]
                response.on_done = None
                del response
            assert environment.connections == set()
            assert len(done) == (way != "drop")
    finally:
        gc.enable()
    assert traffic.told() == {"sent": 1, "unanswered": 1}


def test_a_dropped_response_is_done(client: Client, traffic: CountedTraffic) -> None:
    gc.disable()
    try:
        with serving(in_pieces(HEAD, b"123")) as server:
            response = stream_get(client, server)
            done: list[int] = []
            response.on_done = lambda ended: done.append(ended.status_code)
            del response
            assert done == [200]
    finally:
        gc.enable()
    assert traffic.told() == {"sent": 1, "unanswered": 1}


def test_a_kill_while_reading_closes_the_connection_and_the_call_is_not_done(
    client: Client, environment: HttpEnvironment, traffic: CountedTraffic
) -> None:
    """As for any call that is killed."""
    with serving(in_pieces(HEAD, b"123", pause_s=5)) as server:
        response = stream_get(client, server)
        done = told(response)
        reading = gevent.spawn(lambda: response.content)
        gevent.sleep(MOMENT_S)
        reading.kill()
        assert environment.connections == set()
        response.close()
        assert done == []
    assert traffic.told() == {"sent": 1, "unanswered": 1}


@pytest.mark.parametrize(
    ("pieces", "then", "reason"),
    [
        ((HEAD, b"123"), Visit.close, "body cut off"),
        ((HEAD, b"123"), Visit.reset, "connection reset"),
        ((CHUNKED, b"3\r\n123\r\n"), Visit.close, "body cut off"),
        ((CHUNKED, b"3\r\n123\r\n", b"xyz\r\n"), Visit.close, "protocol: invalid character in chunk size"),
        ((HEAD, b"123"), Visit._read, "timed out: no more bytes"),
    ],
)
def test_a_body_that_breaks_off_ends_the_iteration_and_is_a_failure(
    client: Client,
    traffic: CountedTraffic,
    pieces: tuple[bytes, ...],
    then: Callable[[Visit], None],
    reason: str,
) -> None:
    with serving(in_pieces(*pieces, then=then)) as server:
        response = stream_get(client, server, timeout=0.1)
        done = told(response)
        assert b"".join(response.iter_content()) == b"123"
        assert (response.error, response.ok, done) == (reason, False, [response])
        assert response.status_code == 200
    assert traffic.told() == {"sent": 1, "unanswered": 1}


def test_whoever_takes_his_time_between_parts_is_not_timed_out_for_it(client: Client) -> None:
    with serving(in_pieces(HEAD, b"123", b"456", b"789", pause_s=0.03)) as server:
        response = stream_get(client, server, timeout=0.1)
        body = b""
        for part in response.iter_content(None):
            body += part
            gevent.sleep(0.15)
        assert (body, response.error) == (b"123456789", "")


def test_a_server_that_closes_behind_a_slow_reader_is_noticed(client: Client, traffic: CountedTraffic) -> None:
    with serving(in_pieces(HEAD, b"123456789", then=Visit.close)) as server:
        for _ in range(2):
            response = call(client, "POST", server.url, stream=True)
            for _part in response.iter_content(None):
                gevent.sleep(MOMENT_S)
            assert response.error == ""
        assert len(server.visits) == 2
    assert traffic.told() == {"sent": 2, "answered": 2}


def test_an_iteration_may_be_left_and_taken_up_again(client: Client) -> None:
    pieces = [b"%d\r\n%s\r\n" % (len(word), word) for word in (b"one", b"two", b"three")]
    with serving(in_pieces(CHUNKED, b"".join(pieces), b"0\r\n\r\n")) as server:
        response = stream_get(client, server)
        for part in response.iter_content(None):
            assert part == b"one"
            break
        assert list(response.iter_content(None)) == [b"two", b"three"]


def test_a_coded_body_is_decoded_as_it_comes(client: Client, traffic: CountedTraffic) -> None:
    coded = gzip.compress(b"line one\nline two\n" * 1_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(coded)
    with serving(in_pieces(head, coded[:50], coded[50:])) as server:
        assert stream_get(client, server).content == b"line one\nline two\n" * 1_000
        assert list(stream_get(client, server).iter_lines()) == [b"line one", b"line two"] * 1_000
    assert traffic.told() == {"sent": 2, "answered": 2}


def test_a_body_that_does_not_decode_closes_the_connection(
    client: Client, environment: HttpEnvironment, traffic: CountedTraffic
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 90\r\n\r\n"
    with serving(in_pieces(head, b"this is no gzip")) as server:
        response = stream_get(client, server)
        done = told(response)
        with pytest.raises(ValueError, match="gzip"):
            _ = response.content
        assert done == [response]
        assert environment.connections == set()
    assert traffic.told() == {"sent": 1, "unanswered": 1}


def test_lines_come_as_they_are_complete_whatever_their_encoding(client: Client) -> None:
    text = "eins\nzwölf\r\ndrei"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=latin-1\r\n\r\n"
    body = text.encode("latin-1")
    with serving(in_pieces(head, body[:7], body[7:12], body[12:], then=Visit.close)) as server:
        assert list(stream_get(client, server).iter_lines(decode_unicode=True)) == ["eins", "zwölf", "drei"]


def test_the_encoding_of_a_body_that_is_coming_does_not_swallow_it(client: Client) -> None:
    with serving(in_pieces(HEAD, b"123456789")) as server:
        response = stream_get(client, server)
        assert response.encoding == "utf-8"
        assert response.content == b"123456789"


def test_content_is_bounded_but_parts_are_not(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swell.http.connection.BODY_BYTES_KEPT", 100_000)
    monkeypatch.setattr("swell.http.response.DECODED_BYTES_MOST", 100_000)
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n"
    with serving(in_pieces(large, b"x" * 500_000)) as server:
        assert sum(len(part) for part in stream_get(client, server).iter_content(10_000)) == 500_000
        response = stream_get(client, server)
        with pytest.raises(ValueError, match="not kept"):
            _ = response.content
        assert response.stream is not None
        assert not response.stream.is_open


def test_the_users_end_is_the_end_of_open_bodies(
    client: Client, environment: HttpEnvironment, traffic: CountedTraffic
) -> None:
    with serving(in_pieces(HEAD, b"123", pause_s=1)) as server:
        response = stream_get(client, server)
        done = told(response)
        client.close()
        client.close()
        assert done == [response]
        assert environment.connections == set()
        assert list(response.iter_content()) == []
    assert traffic.told() == {"sent": 1, "unanswered": 1}


def test_open_bodies_hold_their_connections(client: Client) -> None:
    with serving(in_pieces(HEAD, b"123", pause_s=1)) as server:
        responses = [stream_get(client, server) for _ in range(MOST_PER_ORIGIN)]
        seventh = gevent.spawn(stream_get, client, server)
        gevent.sleep(MOMENT_S)
        assert not seventh.dead
        responses[0].close()
        seventh.get(timeout=1).close()
        for response in responses:
            response.close()


def test_a_listener_that_raises_when_a_body_is_done_keeps_no_connection(client: Client) -> None:
    def refuse(_: Response) -> None:
        raise ZeroDivisionError

    with serving(in_pieces(HEAD, b"123456789")) as server:
        for _ in range(MOST_PER_ORIGIN + 1):
            response = stream_get(client, server)
            response.on_done = refuse
            with pytest.raises(ZeroDivisionError):
                _ = response.content
        assert len(server.visits) == 1


def test_a_redirect_is_followed_before_the_body_is_streamed(client: Client, traffic: CountedTraffic) -> None:
    def handle(visit: Visit) -> None:
        while (request := visit.request()) is not None:
            if request.startswith(b"GET / "):
                visit.send(b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 4\r\n\r\n")
                gevent.sleep(0.005)
                visit.send(b"away")
            else:
                visit.send(HEAD)
                gevent.sleep(0.005)
                visit.send(b"123456789")

    with serving(handle) as server:
        response = stream_get(client, server)
        assert (response.content, len(response.history)) == (b"123456789", 1)
        assert response.url.endswith("/there")
    assert traffic.told() == {"sent": 2, "answered": 1, "unanswered": 1, "redirected": 1}


def test_a_redirect_that_cannot_be_followed_stays_a_failure_when_its_body_has_been_read(client: Client) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: ftp://x/\r\nContent-Length: 9\r\n\r\n"
    with serving(in_pieces(head, b"123456789")) as server:
        response = stream_get(client, server)
        assert response.content == b"123456789"
        assert response.error.startswith("redirect: ")
        assert not response.ok


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_a_response_without_a_body_is_complete_with_its_head(client: Client, status: bytes) -> None:
    with serving(answering(b"HTTP/1.1 " + status + b"\r\nContent-Length: 1000\r\n\r\n")) as server:
        assert stream_get(client, server).content == b""
        assert call(client, "HEAD", server.url, stream=True).status_code == 200
        assert len(server.visits) == 1
