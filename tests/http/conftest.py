"""What every test of the client's hot path stands on; at its end the accounting is checked."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from swell.http.client import Client
from swell.http.environment import HttpEnvironment
from tests.http.scripted import CountedTraffic, ScriptedClock


@pytest.fixture
def traffic() -> CountedTraffic:
    return CountedTraffic()


@pytest.fixture
def clock() -> ScriptedClock:
    return ScriptedClock()


@pytest.fixture
def environment(traffic: CountedTraffic, clock: ScriptedClock) -> Iterator[HttpEnvironment]:
    made = HttpEnvironment(traffic, clock)
    yield made
    made.close()
    assert made.connections == set()
    traffic.check()


@pytest.fixture
def client(environment: HttpEnvironment) -> Iterator[Client]:
    made = Client(environment)
    yield made
    made.close()
    made.check()


@pytest.fixture
def unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name is known, and nobody outside is asked."""

    def refuse(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("gevent.socket.getaddrinfo", refuse)
