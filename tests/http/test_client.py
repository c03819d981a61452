"""Calls of one user: connections kept and replaced, the one retry that is allowed, and what is counted for it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from swell.http.client import Client
from swell.http.environment import HttpEnvironment
from swell.http.pool import MOST_PER_ORIGIN
from tests.http.loopback import Handle, Visit, answering, call, plain_get, serving
from tests.http.scripted import OK, CountedTraffic

MOMENT_S = 0.02


@pytest.fixture
def client(environment: HttpEnvironment) -> Iterator[Client]:
    made = Client(environment)
    yield made
    made.close()
    made.check()


def closing(after: int, close: Callable[[Visit], None], delay_s: float = 0.0) -> Handle:
    """Answers so many requests of each connection; `close`s it then, on its own or on the next request."""

    def handle(visit: Visit) -> None:
        for _ in range(after):
            if visit.request() is None:
                return
            visit.send(OK)
        if delay_s:
            gevent.sleep(delay_s)
        else:
            visit.request()
        close(visit)

    return handle


def goodbye(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    visit.close()


CLOSES = [Visit.close, Visit.reset, goodbye]


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


@pytest.mark.parametrize("close", CLOSES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_known_to_be_closed_is_replaced_for_any_method_and_that_is_no_retry(
    client: Client, traffic: CountedTraffic, close: Callable[[Visit], None], method: str
) -> None:
    with serving(closing(1, close, delay_s=0.001)) as server:
        for _ in range(3):
            assert call(client, method, server.url).status_code == 200
            gevent.sleep(MOMENT_S)
        assert len(server.visits) == 3
    assert traffic.told() == {"sent": 3, "answered": 3}


@pytest.mark.parametrize("close", CLOSES[:2])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_a_close_that_crosses_an_idempotent_request_is_answered_by_one_retry(
    client: Client, traffic: CountedTraffic, close: Callable[[Visit], None], method: str
) -> None:
    with serving(closing(1, close)) as server:
        assert call(client, method, server.url).status_code == 200
        response = call(client, method, server.url)
        assert (response.status_code, response.error) == (200, "")
        assert response.begun_ns < response.sent_ns
        assert response.connect_ns > 0
        assert len(server.visits) == 2
    assert traffic.told() == {"sent": 3, "answered": 2, "unanswered": 1, "retried": 1}


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    ("close", "reason"), [(Visit.close, "closed before a response"), (Visit.reset, "connection reset")]
)
def test_a_close_that_crosses_any_other_request_is_its_failure(
    client: Client, traffic: CountedTraffic, close: Callable[[Visit], None], reason: str, method: str
) -> None:
    with serving(closing(1, close)) as server:
        call(client, method, server.url)
        response = call(client, method, server.url)
        assert (response.status_code, response.error, response.content) == (0, reason, b"")
        assert len(server.visits) == 1
    assert traffic.told() == {"sent": 2, "answered": 1, "unanswered": 1}


def test_there_is_no_second_retry(client: Client, traffic: CountedTraffic) -> None:
    def handle(visit: Visit) -> None:
        if visit.number == 1:
            closing(1, Visit.close)(visit)
        else:
            closing(0, Visit.close)(visit)

    with serving(handle) as server:
        plain_get(client, server.url)
        assert plain_get(client, server.url).error == "closed before a response"
        assert len(server.visits) == 2
    assert traffic.told() == {"sent": 3, "answered": 1, "unanswered": 2, "retried": 1}


def test_when_a_server_closes_all_it_has_each_call_is_retried_on_a_fresh_connection(
    client: Client, traffic: CountedTraffic
) -> None:
    """Not on another idle one, which has been closed as well."""
    answer_again = gevent.event.Event()

    def handle(visit: Visit) -> None:
        if visit.number > MOST_PER_ORIGIN:
            return answering()(visit)
        visit.request()
        gevent.sleep(MOMENT_S)
        visit.send(OK)
        answer_again.wait()
        return None

    with serving(handle) as server:
        gevent.joinall([gevent.spawn(plain_get, client, server.url) for _ in range(MOST_PER_ORIGIN)])
        answer_again.set()
        responses = [gevent.spawn(plain_get, client, server.url) for _ in range(MOST_PER_ORIGIN)]
        assert [response.get().status_code for response in responses] == [200] * MOST_PER_ORIGIN
    assert traffic.counts["retried"] <= MOST_PER_ORIGIN


def test_a_request_is_not_sent_again_once_a_byte_of_its_answer_has_come(
    client: Client, traffic: CountedTraffic
) -> None:
    with serving(answering(OK, OK[:1], last=b"")) as server:
        plain_get(client, server.url)
        gevent.spawn_later(MOMENT_S, server.visits[0].close)
        assert plain_get(client, server.url).error == "head cut off"
    assert traffic.told() == {"sent": 2, "answered": 1, "unanswered": 1}


def test_a_fresh_connection_that_is_closed_is_no_reason_for_a_retry(client: Client, traffic: CountedTraffic) -> None:
    with serving(closing(0, Visit.close)) as server:
        assert plain_get(client, server.url).error == "closed before a response"
        assert len(server.visits) == 1
    assert traffic.told() == {"sent": 1, "unanswered": 1}


def test_a_body_that_cannot_be_made_again_is_not_sent_again(client: Client, traffic: CountedTraffic) -> None:
    with serving(closing(1, Visit.close)) as server:
        plain_get(client, server.url)
        response = call(client, "PUT", server.url, data=iter([b"once"]))
        assert response.error == "closed before a response"
    assert traffic.told() == {"sent": 2, "answered": 1, "unanswered": 1}


def test_a_body_that_can_be_made_again_is_sent_again_whole(client: Client, traffic: CountedTraffic) -> None:
    with serving(closing(1, Visit.close)) as server:
        plain_get(client, server.url)
        assert call(client, "PUT", server.url, data=b"again").status_code == 200
        assert server.targets() == ["GET /", "PUT /", "PUT /"]
    assert traffic.counts["retried"] == 1


def test_a_time_out_is_no_reason_for_a_retry(client: Client, traffic: CountedTraffic) -> None:
    with serving(answering(OK, last=b"")) as server:
        plain_get(client, server.url)
        response = call(client, "GET", server.url, timeout=0.05)
        assert response.error == "timed out: no response"
        assert response.first_byte_ns == 0
        assert response.done_ns - response.begun_ns >= 50_000_000
        assert len(server.visits) == 1
    assert traffic.told() == {"sent": 2, "answered": 1, "unanswered": 1}


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
