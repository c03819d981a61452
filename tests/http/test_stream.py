"""Responses whose bodies are read as they come, closed, dropped or killed."""

from __future__ import annotations

import gc
from collections.abc import Callable

import gevent
import pytest

from swell.http.client import Client
from swell.http.environment import HttpEnvironment
from swell.http.pool import MOST_PER_ORIGIN
from swell.http.response import Response
from tests.http.loopback import Visit, answering, call, in_pieces, serving, stream_get, told
from tests.http.scripted import OK, CountedTraffic, until

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
MOMENT_S = 0.02


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
                until(lambda: server.open == 0)
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
