"""Exchanges over TLS: records cut anywhere, its end in the middle of things, keys that change, bodies of any size."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import gevent
import pytest

from swell.http.environment import HttpEnvironment
from swell.http.sending import upload
from swell.http.tls import TlsLayer, client_context
from tests.http.encrypted import TlsLine, server_context, tls_line
from tests.http.scripted import OK, REQUEST, CountedTraffic, goes_on, until
from tests.targets.tls import Authority, Certificate

UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nok\n"
SMALL = {"SO_SNDBUF": 4_096, "SO_RCVBUF": 4_096}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.server()


@pytest.fixture(params=["1.2", "1.3"])
def context(request: pytest.FixtureRequest, certificate: Certificate) -> ssl.SSLContext:
    return server_context(certificate, request.param)


@pytest.fixture
def secure(environment: HttpEnvironment, authority: Authority, context: ssl.SSLContext) -> Callable[..., Any]:
    """Opens connections to a TLS peer."""
    return lambda **options: tls_line(environment, authority, context, **options)


def test_a_response_is_the_same_wherever_its_records_are_cut(
    secure: Callable[..., Any], traffic: CountedTraffic
) -> None:
    with secure() as opened:
        exchanges = 0
        wire = opened.server.say(OK[:20]) + opened.server.say(OK[20:])
        for at in range(0, len(wire) + 20, 5):
            opened.answer(wire, [at] if at < len(wire) else range(1, len(wire)))
            assert opened.outcome() == (200, b"ok\n", True)
            exchanges += 1
            wire = opened.server.say(OK[:20]) + opened.server.say(OK[20:])
    assert traffic.told() == {"sent": exchanges, "answered": exchanges}


def test_what_was_received_is_counted_as_it_came_over_the_wire(secure: Callable[..., Any]) -> None:
    with secure() as opened:
        wire = opened.server.wire() + opened.server.say(OK)
        opened.answer(wire, [len(wire) - 9, len(wire) - 3])
        assert opened.outcome() == (200, b"ok\n", True)
        assert opened.connection.received_bytes == len(wire)


def test_a_megabyte_comes_and_goes(secure: Callable[..., Any], traffic: CountedTraffic) -> None:
    body = bytes(range(256)) * 4_096
    head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)

    def echo(opened: TlsLine) -> None:
        while len(opened.server.received) < len(head) + len(body):
            opened.server.take(opened.peer.recv(65_536))
        received = opened.server.received[len(head) :]
        opened.server.received = b""
        opened.peer.sendall(
            opened.server.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(received) + received)
        )

    for options in ({}, SMALL):
        with secure(**options) as opened:
            server = gevent.spawn(echo, opened)
            assert opened.outcome(head + body) == (200, body, True)
            server.get()
            server = gevent.spawn(echo, opened)
            opened.connection.begin(head)
            upload(opened.connection, (body[at : at + 50_000] for at in range(0, len(body), 50_000)))
            while not opened.connection.complete:
                opened.connection.wait()
                opened.connection.receive()
            opened.connection.finish()
            assert opened.connection.body == body
            server.get()
    assert traffic.told() == {"sent": 4, "answered": 4}


@pytest.mark.parametrize("fin", [True, False])
def test_a_body_that_ends_with_the_tls_stream_is_complete(secure: Callable[..., Any], fin: bool) -> None:
    """Also when the server keeps the socket open and waits for our close_notify."""
    for together in (True, False):
        with secure() as opened:
            wire = opened.server.say(UNTIL_CLOSE)
            cut = len(wire)
            wire += opened.server.close_notify()
            speaker = opened.answer(wire, [] if together else [cut])
            if fin:
                speaker.link(lambda _, peer=opened.peer: peer.close())
            with gevent.Timeout(2):
                assert opened.outcome() == (200, b"ok\n", False)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", "closed before a response"),
        (OK[:20], "head cut off"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok\n", "body cut off"),
    ],
)
def test_the_end_of_the_tls_stream_in_the_middle_of_a_response_is_a_failure(
    secure: Callable[..., Any], traffic: CountedTraffic, said: bytes, reason: str
) -> None:
    with secure() as opened:
        wire = (opened.server.say(said) if said else b"") + opened.server.close_notify()
        opened.answer(wire)
        with gevent.Timeout(2):
            assert opened.outcome() == reason
    assert traffic.told() == {"sent": 1, "unanswered": 1}


def test_a_server_that_ends_the_tls_stream_after_its_response_is_not_asked_again(secure: Callable[..., Any]) -> None:
    with secure() as opened:
        opened.answer(opened.server.say(OK) + opened.server.close_notify())
        assert opened.outcome() == (200, b"ok\n", False)


def test_an_idle_connection_whose_tls_stream_ends_is_stale(secure: Callable[..., Any]) -> None:
    with secure() as opened:
        opened.answer(opened.server.say(OK))
        assert opened.outcome() == (200, b"ok\n", True)
        opened.peer.sendall(opened.server.close_notify())
        until(lambda: opened.connection.stale)
        assert not goes_on(opened.connection)


def test_a_spoilt_record_is_a_failure(secure: Callable[..., Any], traffic: CountedTraffic) -> None:
    with secure() as opened:
        wire = bytearray(opened.server.say(OK))
        wire[-1] ^= 1
        opened.answer(bytes(wire))
        assert opened.outcome() == "TLS: decryption failed or bad record mac"
    assert traffic.told() == {"sent": 1, "unanswered": 1}


def test_bytes_of_a_record_that_come_slowly_are_bytes(environment: HttpEnvironment, secure: Callable[..., Any]) -> None:
    with secure() as opened:
        environment.sweep.heed(0.1)
        opened.connection.idle_ns = 100_000_000
        wire = opened.server.wire() + opened.server.say(OK)

        def drip() -> None:
            opened.request()
            for at in range(0, len(wire), 10):
                opened.peer.sendall(wire[at : at + 10])
                gevent.sleep(0.03)

        dripping = gevent.spawn(drip)
        assert opened.outcome() == (200, b"ok\n", True)
        dripping.kill()


def test_empty_records_do_not_prolong_a_call(environment: HttpEnvironment, secure: Callable[..., Any]) -> None:
    with secure() as opened:
        environment.sweep.heed(0.05)
        wire = opened.server.say(OK)

        def drip() -> None:
            opened.request()
            for at in range(len(wire) - 1):
                opened.peer.sendall(wire[at : at + 1])
                gevent.sleep(0.02)

        dripping = gevent.spawn(drip)
        from time import monotonic_ns

        opened.connection.call_deadline_ns = monotonic_ns() + 200_000_000
        assert opened.outcome() == "timed out: whole call"
        dripping.kill()


def test_a_kill_at_any_moment_closes_the_connection(secure: Callable[..., Any], traffic: CountedTraffic) -> None:
    wire_bytes = 70
    for at in range(0, wire_bytes, 10):
        with secure() as opened:
            speaker = opened.answer(opened.server.say(OK)[:at] or b"")
            exchange = gevent.spawn(opened.connection.exchange, REQUEST, False)
            speaker.join()
            gevent.sleep(0.001)
            exchange.kill()
            assert opened.connection.is_closed or goes_on(opened.connection)
    assert traffic.counts["sent"] == wire_bytes // 10


def test_layers_are_shown_by_their_version(authority: Authority) -> None:
    layer = TlsLayer(client_context(str(authority.certificate), None), "localhost")
    assert repr(layer) in ("<TlsLayer before its handshake>", "<TlsLayer TLSv1.3>")
