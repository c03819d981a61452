"""Calls of one user: connections, cookies, instants, and what is counted for them."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import gevent
import pytest

from swell.http.client import Client
from swell.http.environment import HttpEnvironment
from swell.http.pool import MOST_PER_ORIGIN
from tests.http.loopback import Visit, answering, call, plain_get, serving
from tests.http.scripted import OK, CountedTraffic

MOMENT_S = 0.02


def test_calls_share_a_connection(client: Client, traffic: CountedTraffic) -> None:
    with serving(answering()) as server:
        for _ in range(5):
            response = plain_get(client, server.url + "/x")
            assert (response.status_code, response.content, response.error) == (200, b"ok\n", "")
        assert len(server.visits) == 1
        assert repr(client) == "<Client with 1 pools, 0 cookies>"
    assert traffic.told() == {"sent": 5, "answered": 5}


def test_instants_are_in_order_and_only_the_first_call_connects(client: Client) -> None:
    with serving(answering()) as server:
        begun_ns = time.monotonic_ns()
        first, second = plain_get(client, server.url, begun_ns), plain_get(client, server.url)
        assert begun_ns == first.begun_ns < first.sent_ns <= first.first_byte_ns <= first.done_ns <= second.begun_ns
        assert 0 < first.connect_ns < first.sent_ns - begun_ns
        assert second.connect_ns == 0
        assert (first.bytes_in, first.bytes_out) == (len(OK), len(server.heads[0]) + 4)


def test_at_most_six_connections_are_open_to_an_origin_and_every_call_is_made(
    client: Client, traffic: CountedTraffic
) -> None:
    def handle(visit: Visit) -> None:
        while visit.request() is not None:
            gevent.sleep(0.001)
            visit.send(OK)

    with serving(handle) as server:
        calls = [gevent.spawn(plain_get, client, server.url) for _ in range(60)]
        assert [made.get().status_code for made in calls] == [200] * 60
        assert server.most_at_once == MOST_PER_ORIGIN
        assert len(server.visits) == MOST_PER_ORIGIN
    assert traffic.told() == {"sent": 60, "answered": 60}


def test_each_origin_has_a_pool_of_its_own_and_so_has_each_way_to_connect(client: Client) -> None:
    with serving(answering()) as one, serving(answering()) as other:
        plain_get(client, one.url)
        plain_get(client, other.url)
        call(client, "GET", one.url, verify=False)
        assert (len(one.visits), len(other.visits)) == (2, 1)


def test_a_closed_client_keeps_nothing_open_not_even_what_was_busy(
    client: Client, environment: HttpEnvironment
) -> None:
    def handle(visit: Visit) -> None:
        while visit.request() is not None:
            gevent.sleep(MOMENT_S)
            visit.send(OK)

    with serving(handle) as server:
        plain_get(client, server.url)
        busy = gevent.spawn(plain_get, client, server.url)
        gevent.sleep(MOMENT_S / 2)
        client.close()
        assert busy.get().status_code == 200
        assert environment.connections == set()


def test_it_goes_over_unix_sockets_and_ipv6(client: Client, tmp_path: Path) -> None:
    with serving(answering(), unix_path=tmp_path / "s") as unix, serving(answering(), host="::1") as ipv6:
        for server in (unix, ipv6):
            path = ":/x" if server is unix else "/x"
            assert [plain_get(client, server.url + path).content for _ in range(2)] == [b"ok\n"] * 2
            assert server.targets() == ["GET /x"] * 2
            assert len(server.visits) == 1
        assert b"\r\nHost: localhost\r\n" in unix.heads[0]
        assert f"\r\nHost: {ipv6.url.removeprefix('http://')}\r\n".encode() in ipv6.heads[0]


def test_cookies_are_kept_and_sent_also_those_behind_hints_and_many_headers(client: Client) -> None:
    many = b"".join(b"X-Header-%d: %d\r\n" % (number, number) for number in range(200))
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    answers = [
        OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=1\r\n\r\n"),
        OK.replace(b"\r\n\r\n", b"\r\n" + many + b"set-cookie: b=2\r\n\r\n"),
        hints + OK.replace(b"\r\n\r\n", b"\r\n" + many + b"SET-COOKIE: c=3\r\n\r\n"),
    ]
    with serving(answering(*answers)) as server:
        for _ in range(4):
            plain_get(client, server.url)
        assert b"\r\nCookie: a=1; b=2; c=3" in server.heads[3]
        assert client.cookies.get_dict() == {"a": "1", "b": "2", "c": "3"}


def test_a_body_that_looks_like_a_cookie_is_none(client: Client) -> None:
    body = b"\nSet-Cookie: a=1\r\n"
    with serving(answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)) as server:
        plain_get(client, server.url)
        assert client.cookies.get_dict() == {}


def test_exchanges_may_be_marked_with_a_running_number(traffic: CountedTraffic, clock: Any) -> None:
    environment = HttpEnvironment(traffic, clock, request_id=("X-Request-Id", "run/1.2/"))
    client = Client(environment)
    with serving(answering()) as server:
        plain_get(client, server.url)
        call(client, "POST", server.url, data=b"x")
        assert b"\r\nX-Request-Id: run/1.2/1" in server.heads[0]
        assert b"\r\nX-Request-Id: run/1.2/2" in server.heads[1]
    client.close()
    environment.close()


def test_source_addresses_take_turns(traffic: CountedTraffic, clock: Any) -> None:
    environment = HttpEnvironment(traffic, clock, source_addresses=("127.0.0.2", "127.0.0.3"))
    with serving(answering()) as server:
        for client in [Client(environment) for _ in range(4)]:
            # localhost is ::1 as well, for which there is no source address: that costs nobody his turn
            assert plain_get(client, server.url.replace("127.0.0.1", "localhost")).status_code == 200
        assert [visit.sock.getpeername()[0] for visit in server.visits] == ["127.0.0.2", "127.0.0.3"] * 2
    environment.close()


def test_a_body_too_large_to_be_kept_is_nowhere_kept(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swell.http.connection.BODY_BYTES_KEPT", 100_000)
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000
    with serving(answering(large)) as server:
        response = plain_get(client, server.url)
        assert (response.status_code, response.raw_body, response.bytes_in) == (200, b"", len(large))
        with pytest.raises(ValueError, match="not kept"):
            _ = response.content


def test_killed_at_random_moments_the_accounting_holds_and_nothing_stays_open(
    environment: HttpEnvironment, traffic: CountedTraffic
) -> None:
    turns = itertools.count()

    def handle(visit: Visit) -> None:
        while visit.request() is not None:
            turn = next(turns)
            gevent.sleep((turn % 3) * 0.0003)
            if turn % 11 == 0:
                visit.reset()
                return
            if turn % 7 == 0:
                visit.send(OK[: turn % 40])
                return
            for at in range(0, len(OK), 15):
                visit.send(OK[at : at + 15])

    def live(client: Client, url: str) -> None:
        while True:
            gevent.joinall([gevent.spawn(plain_get, client, url) for _ in range(3)], raise_error=True)

    with serving(handle) as server:
        clients = [Client(environment) for _ in range(8)]
        for at in range(150):
            client = clients[at % 8]
            user = gevent.spawn(live, client, server.url)
            inner = gevent.spawn(plain_get, client, server.url)
            gevent.sleep(0.0001 * (at % 23))
            gevent.killall([user, inner], block=at % 2 == 0)
            client.check()
        gevent.sleep(0.3)
        for client in clients:
            client.close()
            client.check()
        assert environment.connections == set()
    traffic.check()
    assert traffic.counts["answered"] > 50
    assert traffic.counts["unanswered"] > 5
