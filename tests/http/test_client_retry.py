"""Connections that the server closes: replaced when that is known, and the one retry that is allowed when it is not."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import pytest

from swell.http.client import Client
from swell.http.pool import MOST_PER_ORIGIN
from tests.http.loopback import Handle, Visit, answering, call, plain_get, serving
from tests.http.scripted import OK, CountedTraffic, until

MOMENT_S = 0.02


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


@pytest.mark.parametrize("close", CLOSES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_known_to_be_closed_is_replaced_for_any_method_and_that_is_no_retry(
    client: Client, traffic: CountedTraffic, close: Callable[[Visit], None], method: str
) -> None:
    with serving(closing(1, close, delay_s=0.001)) as server:
        for _ in range(3):
            assert call(client, method, server.url).status_code == 200
            until(lambda: not client.environment.connections)
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
