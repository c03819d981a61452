"""Calls of every kind, killed at any moment: no place in a pool, no connection, no fd and no exchange is lost."""

from __future__ import annotations

import contextlib
import os
import random
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import gevent.ssl
import pytest

from swell.http.client import Client
from swell.http.environment import HttpEnvironment
from tests.http.loopback import Visit, answering, call, plain_get, serving
from tests.http.scripted import OK, CountedTraffic
from tests.targets.tls import Authority

LARGE = b"x" * 300_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n"


class Moody:
    """A server that answers whole, in pieces, late, half or not at all."""

    def __init__(self, seed: int, context: Any = None) -> None:
        self._moods = random.Random(seed)
        self._context = context

    def __call__(self, visit: Visit) -> None:
        with contextlib.suppress(OSError):
            if self._context is not None:
                visit.sock = self._context.wrap_socket(visit.sock, server_side=True, do_handshake_on_connect=False)
                visit.sock.do_handshake()
            while self._answer(visit):
                pass

    def _answer(self, visit: Visit) -> bool:
        mood = self._moods.randrange(12)
        if mood == 0:
            visit.reset()
            return False
        if visit.request() is None or mood == 1:
            return False
        gevent.sleep(self._moods.choice([0, 0.0005, 0.003]))
        answer = self._moods.choice([OK, OK, HEAD + LARGE])
        if mood == 2:
            visit.send(answer[: len(answer) // 2])
            return False
        for at in range(0, len(answer), 50_000 if mood > 5 else 400_000):
            visit.send(answer[at : at + 50_000])
            gevent.sleep(0)
        return mood != 3


def chunks() -> Iterator[bytes]:
    for _ in range(20):
        yield LARGE[:5_000]
        gevent.sleep(0)


def read_some(client: Client, url: str, **options: Any) -> None:
    response = call(client, "GET", url, stream=True, **options)
    for _, __ in zip(range(2), response.iter_content(None), strict=False):
        gevent.sleep(0)


KINDS: list[Callable[..., object]] = [
    lambda client, url, **_: plain_get(client, url),
    lambda client, url, **options: call(client, "GET", url, **options),
    lambda client, url, **options: call(client, "POST", url, data=LARGE, **options),
    lambda client, url, **options: call(client, "PUT", url, data=chunks(), **options),
    lambda client, url, **options: call(client, "POST", url, data=b"x", headers={"Expect": "100-continue"}, **options),
    lambda client, url, **options: call(client, "GET", url, stream=True, **options).content,
    lambda client, url, **options: call(client, "GET", url, timeout=(0.002, 0.002), **options),
    read_some,
]


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_calls_of_every_kind_may_be_killed_at_any_moment(
    environment: HttpEnvironment,
    traffic: CountedTraffic,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    secure: bool,
) -> None:
    monkeypatch.setattr("swell.http.stream.CONTINUE_S", 0.003)
    moments = random.Random(seed)
    context: Any = None
    options: dict[str, Any] = {"verify": False}
    if secure:
        certificate = Authority(tmp_path).server()
        context = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.certificate, certificate.key)

    def live(client: Client, url: str) -> None:
        while True:
            moments.choice(KINDS)(client, url, **options)

    fds_before = len(os.listdir("/proc/self/fd"))
    with serving(Moody(seed, context)) as server:
        url = server.url.replace("http:", "https:") if secure else server.url
        clients = [Client(environment) for _ in range(4)]
        users: dict[int, Any] = {}
        for _ in range(250):
            at = moments.randrange(16)
            if at in users:
                users[at].kill(block=moments.random() < 0.5)
            users[at] = gevent.spawn(live, clients[at % 4], url)
            gevent.sleep(moments.choice([0, 0, 0.0003, 0.002, 0.006]))
            for client in clients:
                client.check()
            for connection in list(environment.connections):
                connection.check()
        gevent.killall(list(users.values()))
        assert traffic.counts["answered"] > 20
        for client in clients:
            client.check()
            client.close()  # and what dead greenlets hold: their exceptions, so their frames, so what these streamed
            assert [pool.busy for pool in client._pools.values()] == [0] * len(client._pools)
        assert environment.connections == set()
        traffic.check()
    gevent.sleep(0.01)
    assert len(os.listdir("/proc/self/fd")) <= fds_before


def test_when_users_may_send_nothing_any_more_not_a_byte_leaves_whatever_they_do(
    environment: HttpEnvironment, traffic: CountedTraffic
) -> None:
    """On a connection that is open, on a new one, and by a user that swallows its end; the loop goes on turning."""
    tried: list[str] = []

    def live(client: Client, url: str) -> None:
        plain_get(client, url)
        gevent.sleep(0.01)
        while len(tried) < 9:
            tried.append(url)
            with contextlib.suppress(BaseException):
                plain_get(client, url)

    clients = [Client(environment) for _ in range(2)]
    with serving(answering()) as server:
        users = [gevent.spawn(live, client, server.url) for client in clients]
        gevent.sleep(0.005)
        environment.until_ns = time.monotonic_ns()
        gevent.sleep(0.01)
        for _ in range(3):
            assert all(not user.dead for user in users)
            gevent.killall(users, block=False)
            gevent.sleep(0)
        assert traffic.told() == {"sent": 2, "answered": 2}
        assert len(server.heads) == 2
        assert len(server.visits) == 2
        assert 4 <= len(tried) <= 9
        tried.extend("no more" for _ in range(9))
        gevent.killall(users)
    for client in clients:
        client.close()
