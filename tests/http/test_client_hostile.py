"""Every manner of the hostile server: each call ends, in a response; and the server's own log agrees with ours."""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Iterator

import pytest

from swell.http.client import Client
from swell.http.environment import HttpEnvironment
from tests.http.loopback import call, plain_get
from tests.http.scripted import CountedTraffic
from tests.targets.behaviour import BEHAVIOURS
from tests.targets.hostile import PORTS, Hostile, hostile
from tests.targets.tls import Authority

LARGE = {"/endless/body", "/bomb/gzip", "/bomb/gzip-gzip", "/bomb/br", "/bomb/deflate", "/bomb/zstd"}
SLOW = {path for path in BEHAVIOURS if path.startswith(("/silent", "/drip", "/stall", "/late", "/expect"))}
MOST_MEMORY_KIB = 300 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    with hostile(authority.server()) as running:
        yield running


def seen(server: Hostile) -> Counter[str]:
    return Counter(line.target for line in server.log())


@pytest.mark.parametrize("port", ["main", "tls"])
@pytest.mark.parametrize("path", sorted(set(BEHAVIOURS) - LARGE - SLOW))
def test_whatever_it_does_calls_end_and_the_accounting_agrees_with_its_log(
    server: Hostile, client: Client, traffic: CountedTraffic, path: str, port: str
) -> None:
    before = seen(server).total()
    for method in ("GET", "POST", "GET"):
        data = b"x" * 300_000 if method == "POST" else None
        response = call(client, method, server.url_of(port) + path, data=data, verify=False, timeout=(5, 0.25))
        assert response.status_code or response.error
        assert response.begun_ns <= response.done_ns
        assert len(response.error) < 120
        client.check()
        traffic.check()
    logged = seen(server).total() - before
    # A 408 that crosses a request is its answer to any client, though the server has not read it.
    assert traffic.counts["answered"] <= logged + (path == "/extra/late") <= traffic.counts["sent"]


@pytest.mark.parametrize("path", sorted(SLOW))
def test_what_takes_too_long_is_timed_out(server: Hostile, client: Client, traffic: CountedTraffic, path: str) -> None:
    response = call(client, "GET", f"{server.url}{path}?ms=500&every_ms=500", timeout=0.1)
    assert response.error.startswith("timed out: no ") or (response.status_code and path.startswith("/expect/"))
    traffic.check()


@pytest.mark.parametrize("path", sorted(LARGE))
def test_what_is_too_large_is_bounded(server: Hostile, client: Client, traffic: CountedTraffic, path: str) -> None:
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    response = call(client, "GET", f"{server.url}{path}?mib=200", timeout=5)
    if response.ok:
        with pytest.raises(ValueError, match="64 MiB"):
            _ = response.content
    else:
        assert response.error == "body cut off"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < MOST_MEMORY_KIB
    traffic.check()


@pytest.mark.parametrize("port", sorted(set(PORTS) - {"main"}))
def test_ports_that_do_something_before_there_is_a_request(
    server: Hostile, client: Client, traffic: CountedTraffic, port: str
) -> None:
    response = call(client, "GET", server.url_of(port), timeout=0.1)
    assert response.status_code == 503 if port == "unasked" else response.error
    traffic.check()


def test_ten_thousand_urls_are_ten_thousand_answers(
    server: Hostile, client: Client, environment: HttpEnvironment, traffic: CountedTraffic
) -> None:
    for number in range(10_000):
        assert plain_get(client, f"{server.url}/any/{number}").status_code == 200
    assert traffic.told() == {"sent": 10_000, "answered": 10_000}
    assert len(environment.connections) == 1
