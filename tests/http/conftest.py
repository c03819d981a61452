"""What every test of the client's hot path stands on; at its end the accounting is checked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

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
