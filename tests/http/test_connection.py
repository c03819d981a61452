"""Who is woken, when, and what becomes of a connection that is closed, killed or spoken to at the wrong moment."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable

import gevent
import pytest

from swell.http.connection import Connection
from swell.http.environment import HttpEnvironment
from swell.http.failure import CallFailure
from tests.http.scripted import OK, REQUEST, CountedTraffic, Line, ScriptedClock, goes_on, line, reset, tcp_pair, until

A_MOMENT_S = 0.02


class CountingConnection(Connection):
    """Counts how often the loop calls it."""

    __slots__ = ("calls",)

    def ready(self) -> None:
        self.calls = getattr(self, "calls", 0) + 1
        super().ready()


def counting_line(environment: HttpEnvironment) -> Line:
    sock, peer = tcp_pair()
    connection = CountingConnection(environment, sock, None, 65_536)
    connection.idle_ns = connection.call_deadline_ns = 1 << 62
    return Line(connection, peer)


def calls(opened: Line) -> int:
    assert isinstance(opened.connection, CountingConnection)
    return int(getattr(opened.connection, "calls", 0))


def said_goodbye(peer: object) -> None:
    peer.close()  # type: ignore[attr-defined]


def said_goodbye_at_length(peer: object) -> None:
    peer.sendall(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")  # type: ignore[attr-defined]
    peer.close()  # type: ignore[attr-defined]


def test_its_state_is_shown(environment: HttpEnvironment) -> None:
    with line(environment) as opened:
        connection = opened.connection
        assert repr(connection) == "<Connection idle, 0 bytes of the last response>"
        exchange = gevent.spawn(connection.exchange, REQUEST, False)
        gevent.sleep(0)
        assert repr(connection) == "<Connection waiting, 0 bytes of the last response>"
        opened.peer.sendall(OK)
        exchange.get()
        assert repr(connection) == "<Connection idle, 41 bytes of the last response>"
        opened.peer.close()
        until(lambda: connection.is_closed)
        assert repr(connection) == "<Connection closed, 41 bytes of the last response>"
    assert repr(connection) == "<Connection closed, 41 bytes of the last response>"


@pytest.mark.parametrize("part", [said_goodbye, said_goodbye_at_length, reset])
def test_an_idle_connection_that_the_server_closed_is_closed_and_does_not_spin(
    environment: HttpEnvironment, part: Callable[[object], None]
) -> None:
    opened = counting_line(environment)
    assert opened.ask([OK]) == (200, b"ok\n", True)
    before = calls(opened)
    part(opened.peer)
    until(lambda: opened.connection.stale)
    gevent.sleep(0.05)
    assert calls(opened) == before + 1
    assert opened.connection.stale
    assert opened.connection.is_closed, "a user who does not come back to this origin would hold it for ever"
    assert not goes_on(opened.connection)


def test_a_greenlet_that_waits_for_something_else_is_not_woken(environment: HttpEnvironment) -> None:
    opened = counting_line(environment)
    assert opened.ask([OK]) == (200, b"ok\n", True)
    something_else = gevent.spawn_later(0.05, str)
    opened.peer.sendall(b"unasked")
    woken = gevent.wait([something_else], timeout=1)
    assert woken == [something_else]
    assert opened.connection.stale
    opened.close()


def test_bytes_that_come_while_the_greenlet_is_elsewhere_neither_wake_it_nor_spin_nor_make_stale(
    environment: HttpEnvironment,
) -> None:
    opened = counting_line(environment)
    assert opened.ask([OK]) == (200, b"ok\n", True)
    connection, before = opened.connection, calls(opened)
    connection.begin(REQUEST)
    opened.peer.sendall(OK[:20])
    gevent.sleep(0.05)
    assert (calls(opened), connection.stale) == (before + 1, False)
    speaker = gevent.spawn_later(A_MOMENT_S, opened.peer.sendall, OK[20:])
    while not connection.complete:
        connection.wait()
        connection.receive()
    connection.finish()
    assert (connection.status, connection.body, connection.stale) == (200, b"ok\n", False)
    speaker.join()
    opened.peer.close()
    until(lambda: connection.stale)  # or its watcher sleeps
    opened.close()


def test_a_close_between_the_last_byte_and_the_end_of_the_exchange_makes_stale(environment: HttpEnvironment) -> None:
    with line(environment) as opened:
        connection = opened.connection
        connection.begin(REQUEST)
        opened.peer.sendall(OK)
        while not connection.complete:
            connection.wait()
            connection.receive()
        opened.peer.close()
        until(lambda: connection.stale)  # whoever reads a streamed body may take his time
        connection.finish()
        assert not goes_on(connection)


def test_a_time_out_of_the_script_closes_the_connection(environment: HttpEnvironment, traffic: CountedTraffic) -> None:
    for pieces in ([], [OK[:10]], [OK[:-1]]):
        with line(environment) as opened:
            speaker = opened.say(pieces)
            with gevent.Timeout(0.01, False):
                opened.connection.exchange(REQUEST, False)
            speaker.kill()
            assert repr(opened.connection).startswith("<Connection closed")
            assert opened.connection.waiter is None
            assert not goes_on(opened.connection)
    assert traffic.told() == {"sent": 3, "unanswered": 3}


def test_a_kill_before_the_response_was_read_closes_the_connection(environment: HttpEnvironment) -> None:
    with line(environment) as opened:
        exchange = gevent.spawn(opened.connection.exchange, REQUEST, False)
        gevent.sleep(0)
        opened.peer.sendall(OK)
        exchange.kill()
        assert opened.connection.is_closed
        gevent.sleep(A_MOMENT_S)


def test_a_kill_and_the_response_in_the_same_turn_of_the_loop(
    environment: HttpEnvironment, traffic: CountedTraffic
) -> None:
    for _ in range(50):
        with line(environment) as opened:
            exchange = gevent.spawn(opened.connection.exchange, REQUEST, False)
            gevent.sleep(0)
            opened.peer.sendall(OK)
            exchange.kill(block=False)
            gevent.sleep(random.choice([0, 0.0001]))
            exchange.join()
            assert opened.connection.waiter is None
            assert not opened.connection.in_exchange
    assert traffic.counts["sent"] == 50


def test_killed_at_random_moments_nothing_is_half_read_or_left_open(
    environment: HttpEnvironment, traffic: CountedTraffic
) -> None:
    """A hundred greenlets make exchanges one after the other, and are killed at any moment."""
    moments = random.Random(7)

    def live(opened: Line) -> None:
        while True:
            assert opened.outcome() == (200, b"ok\n", True)

    def serve(peer: object) -> None:
        while peer.recv(65536):  # type: ignore[attr-defined]
            for at in range(0, len(OK), 7):
                peer.sendall(OK[at : at + 7])  # type: ignore[attr-defined]
                gevent.sleep(moments.choice([0, 1e-6, 1e-4]))

    lines = [counting_line(environment) for _ in range(100)]
    servers = [gevent.spawn(serve, opened.peer) for opened in lines]
    users = [gevent.spawn(live, opened) for opened in lines]
    while traffic.counts["answered"] < 100:
        gevent.sleep(0.001)
    for user in users:
        gevent.sleep(moments.uniform(0, 0.003))
        user.kill(block=moments.random() < 0.5)
    gevent.joinall(users)
    for opened in lines:
        assert opened.connection.waiter is None
        assert opened.connection.is_closed or goes_on(opened.connection)
        opened.close()
    gevent.killall(servers)
    assert traffic.counts["unanswered"] <= 100


def test_an_environment_that_closes_counts_what_was_under_way(
    environment: HttpEnvironment, traffic: CountedTraffic
) -> None:
    with line(environment) as opened:
        exchange = gevent.spawn(opened.connection.exchange, REQUEST, False)
        gevent.sleep(0)
        environment.close()
        assert traffic.told() == {"sent": 1, "unanswered": 1}
        exchange.kill()
    assert traffic.told() == {"sent": 1, "unanswered": 1}


@pytest.mark.parametrize("ending", ["kept", "close", "reset", "garbage", "bodiless"])
def test_a_closed_connection_leaves_nothing_to_the_garbage_collector(ending: str) -> None:
    traffic = CountedTraffic()
    environment = HttpEnvironment(traffic, ScriptedClock())
    said = {"garbage": b"garbage\r\n\r\n", "bodiless": b"HTTP/1.1 304 X\r\nContent-Length: 9\r\n\r\n"}.get(
        ending, OK[:-1]
    )
    said = OK if ending == "kept" else said

    def once() -> None:
        with line(environment) as opened:
            opened.ask([said], ending)

    def ours() -> list[object]:
        return [found for found in gc.get_objects() if isinstance(found, Connection | CallFailure)]

    once()
    gc.collect()
    before = {id(found) for found in ours()}
    gc.disable()
    try:
        for _ in range(20):
            once()
        gevent.sleep(0)
        left = [found for found in ours() if id(found) not in before]
    finally:
        gc.enable()
    environment.close()
    assert left == []
