"""Sending more than fits: partial sends, answers that come before the request is out, connections that break on it."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest

from swell.http import sending
from swell.http.connection import Connection
from swell.http.environment import HttpEnvironment
from swell.http.failure import CallFailure
from tests.http.scripted import OK, REQUEST, CountedTraffic, Line, ScriptedSocket, goes_on, line, reset, tcp_pair

BODY = bytes(range(256)) * 4_096
HEAD = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(BODY)
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nbig\n"
SMALL = {"SO_SNDBUF": 4_096, "SO_RCVBUF": 4_096}
Answer = tuple[Any, ...] | str


def upload(opened: Line, parts: Any) -> Answer:
    """An exchange whose request is sent in parts; its outcome as `Line.outcome` gives it."""
    connection = opened.connection
    try:
        connection.begin(HEAD)
        sending.upload(connection, parts)
        while not connection.complete:
            connection.wait()
            connection.receive()
        connection.finish()
    except CallFailure as failure:
        connection.abandon()
        return failure.reason
    return connection.status, connection.body, goes_on(connection)


def in_one_piece(opened: Line) -> Answer:
    return opened.outcome(HEAD + BODY)


def in_parts(opened: Line) -> Answer:
    return upload(opened, [BODY[at : at + 10_000] for at in range(0, len(BODY), 10_000)])


def read_all(opened: Line, chunk: int = 65_536, pause_s: float = 0.0) -> Any:
    """A greenlet that takes the whole request, then answers; it returns the body's hash."""

    def act() -> str:
        received = b""
        while len(received) < len(HEAD) + len(BODY):
            received += opened.peer.recv(chunk)
            gevent.sleep(pause_s)
        opened.peer.sendall(OK)
        return hashlib.sha256(received).hexdigest()

    return gevent.spawn(act)


@pytest.mark.parametrize("send", [in_one_piece, in_parts])
def test_a_large_body_arrives_whole_over_a_small_buffer(
    environment: HttpEnvironment, traffic: CountedTraffic, send: Callable[[Line], Answer]
) -> None:
    with line(environment, **SMALL) as opened:
        server = read_all(opened)
        assert send(opened) == (200, b"ok\n", True)
        assert server.get() == hashlib.sha256(HEAD + BODY).hexdigest()
        assert opened.connection.sent_bytes == len(HEAD) + len(BODY)
        assert opened.ask([OK]) == (200, b"ok\n", True), "fit for another"
    assert traffic.told() == {"sent": 2, "answered": 2}


def test_a_kernel_that_takes_little_at_a_time_gets_them_all(environment: HttpEnvironment) -> None:
    with line(environment) as opened:
        opened.connection.sock = ScriptedSocket(opened.connection.sock)  # type: ignore[assignment]
        opened.connection.sock.send_most_bytes = 999  # type: ignore[attr-defined]
        server = read_all(opened)
        assert in_one_piece(opened) == (200, b"ok\n", True)
        assert server.get() == hashlib.sha256(HEAD + BODY).hexdigest()
        assert opened.connection.sent_bytes == len(HEAD) + len(BODY)


def test_a_kernel_that_takes_nothing_at_first_is_asked_again(
    environment: HttpEnvironment, traffic: CountedTraffic
) -> None:
    with line(environment) as opened:
        opened.connection.sock = ScriptedSocket(opened.connection.sock)  # type: ignore[assignment]
        opened.connection.sock.errors["send"] = [BlockingIOError(), BlockingIOError()]  # type: ignore[attr-defined]
        assert opened.ask([OK]) == (200, b"ok\n", True)
    assert traffic.told() == {"sent": 1, "answered": 1}


@pytest.mark.parametrize("code", [errno.EPIPE, errno.ECONNRESET])
def test_a_request_of_which_no_byte_went_out_is_not_counted_as_sent(
    environment: HttpEnvironment, traffic: CountedTraffic, code: int
) -> None:
    with line(environment) as opened:
        opened.connection.sock = ScriptedSocket(opened.connection.sock)  # type: ignore[assignment]
        opened.connection.sock.errors["send"] = [OSError(code, "gone")]  # type: ignore[attr-defined]
        with pytest.raises(CallFailure, match="connection reset") as caught:
            opened.connection.exchange(REQUEST, False)
        assert caught.value.silent
        assert opened.connection.is_closed
    assert traffic.told() == {}


def answer_and(then: Callable[[Line], None]) -> Callable[[Line], None]:
    def act(opened: Line) -> None:
        opened.peer.recv(len(HEAD))
        opened.peer.sendall(TOO_LARGE)
        then(opened)

    return act


def close(opened: Line) -> None:
    opened.peer.close()  # with bytes unread, so the kernel resets


def close_gently(opened: Line) -> None:
    opened.peer.shutdown(socket.SHUT_WR)
    while opened.peer.recv(65_536):
        pass


def stop_reading(opened: Line) -> None:
    gevent.sleep(0.2)


@pytest.mark.parametrize("send", [in_one_piece, in_parts])
@pytest.mark.parametrize("then", [close, close_gently, stop_reading])
def test_an_early_answer_to_a_large_upload_is_the_calls_result(
    environment: HttpEnvironment,
    traffic: CountedTraffic,
    send: Callable[[Line], Answer],
    then: Callable[[Line], None],
) -> None:
    for _ in range(5):
        with line(environment, **SMALL) as opened:
            server = gevent.spawn(answer_and(then), opened)
            assert send(opened) == (413, b"big\n", False)
            server.kill()
    assert traffic.told() == {"sent": 5, "answered": 5}


def test_an_early_answer_without_a_length_ends_at_the_close(environment: HttpEnvironment) -> None:
    def act() -> None:
        opened.peer.recv(len(HEAD))
        opened.peer.sendall(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\n\r\nbig\n")
        close_gently(opened)

    with line(environment, **SMALL) as opened:
        server = gevent.spawn(act)
        assert in_parts(opened) == (413, b"big\n", False)
        server.kill()


@pytest.mark.parametrize("said", [b"", TOO_LARGE[:30], TOO_LARGE[:-1]])
def test_a_reset_during_an_upload_is_a_failure(
    environment: HttpEnvironment, traffic: CountedTraffic, said: bytes
) -> None:
    def act() -> None:
        opened.peer.recv(len(HEAD))
        opened.peer.sendall(said)
        gevent.sleep(0.01)
        reset(opened.peer)

    for send in (in_one_piece, in_parts):
        with line(environment, **SMALL) as opened:
            server = gevent.spawn(act)
            assert send(opened) == "connection reset"
            server.join()
    assert traffic.told() == {"sent": 2, "unanswered": 2}


def test_interim_responses_during_an_upload_do_not_end_it(environment: HttpEnvironment) -> None:
    with line(environment, **SMALL) as opened:
        opened.peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n")
        server = read_all(opened)
        assert in_one_piece(opened) == (200, b"ok\n", True)
        server.get()
        assert opened.connection.interim == 2


def test_a_complete_upload_whose_answer_came_early_keeps_the_connection(environment: HttpEnvironment) -> None:
    with line(environment) as opened:
        opened.peer.sendall(TOO_LARGE)
        assert upload(opened, [b"all", b"of it"]) == (413, b"big\n", True)


def test_a_kill_while_the_kernel_takes_no_more_closes_the_connection(
    environment: HttpEnvironment, traffic: CountedTraffic
) -> None:
    for send in (in_one_piece, in_parts):
        with line(environment, **SMALL) as opened:
            uploading = gevent.spawn(send, opened)
            gevent.sleep(0.01)
            uploading.kill()
            assert opened.connection.is_closed
            assert opened.connection.waiter is None
    assert traffic.told() == {"sent": 2, "unanswered": 2}


def test_what_an_upload_raises_itself_passes_through_and_closes_the_connection(
    environment: HttpEnvironment, traffic: CountedTraffic
) -> None:
    def parts() -> Iterator[bytes]:
        yield b"one"
        raise ZeroDivisionError

    with line(environment) as opened, contextlib.suppress(ZeroDivisionError):
        upload(opened, parts())
        raise AssertionError("it did not pass")
    assert opened.connection.is_closed
    assert traffic.told() == {"sent": 1, "unanswered": 1}


def test_a_server_that_reads_slowly_is_not_timed_out_while_it_reads(environment: HttpEnvironment) -> None:
    with line(environment, **SMALL) as opened:
        environment.sweep.heed(0.05)
        opened.connection.idle_ns = 50_000_000
        server = read_all(opened, chunk=200_000, pause_s=0.001)
        assert in_one_piece(opened) == (200, b"ok\n", True)
        server.get()


def test_an_upload_that_takes_its_time_itself_is_not_timed_out_for_that(environment: HttpEnvironment) -> None:
    class Waiting(Connection):
        __slots__ = ("longest_ns",)

        def wait(self) -> None:
            self.longest_ns = max(getattr(self, "longest_ns", 0), time.monotonic_ns() - self.since_ns)
            super().wait()

    def parts() -> Iterator[bytes]:
        yield b"one"
        time.sleep(0.2)
        connection.sock.errors["send"] = [BlockingIOError()]  # type: ignore[attr-defined]
        yield b"two"

    sock, peer = tcp_pair()
    connection = Waiting(environment, ScriptedSocket(sock), None, 65_536)  # type: ignore[arg-type]
    connection.idle_ns = connection.call_deadline_ns = 1 << 62
    peer.sendall(OK)
    opened = Line(connection, peer)
    assert upload(opened, parts())[:2] == (200, b"ok\n")
    assert connection.longest_ns < 200_000_000
    opened.close()


def test_a_server_that_stops_reading_is_timed_out(environment: HttpEnvironment, traffic: CountedTraffic) -> None:
    with line(environment, **SMALL) as opened:
        environment.sweep.heed(0.05)
        opened.connection.idle_ns = 50_000_000
        assert in_one_piece(opened) == "timed out: no response"
    assert traffic.told() == {"sent": 1, "unanswered": 1}
