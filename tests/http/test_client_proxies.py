"""Calls through proxies that count: absolute form or a tunnel, passwords, names looked up here or there, refusals."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from swell.http.client import Client
from tests.http.loopback import Visit, answering, call, serving
from tests.http.scripted import CountedTraffic
from tests.targets.hostile import Hostile, hostile
from tests.targets.proxies import Proxies, proxies
from tests.targets.tls import Authority

SCHEMES = ["http", "socks4", "socks4a", "socks5", "socks5h"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def target(authority: Authority) -> Iterator[Hostile]:
    with hostile(authority.server()) as running:
        yield running


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxies]:
    with proxies() as running:
        yield running


@pytest.fixture(scope="module")
def guarded() -> Iterator[Proxies]:
    with proxies("me:secret") as running:
        yield running


@pytest.mark.parametrize("port", ["main", "tls"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_calls_reach_the_target_and_share_a_connection(
    client: Client,
    target: Hostile,
    proxy: Proxies,
    authority: Authority,
    traffic: CountedTraffic,
    scheme: str,
    port: str,
) -> None:
    before = len(proxy.passages())
    url = target.url_of(port)
    for _ in range(3):
        response = call(
            client, "GET", f"{url}/ok", proxies={"all": proxy.url(scheme)}, verify=str(authority.certificate)
        )
        assert (response.status_code, response.content, response.error) == (200, b"ok\n", "")
    is_forwarded = scheme == "http" and port == "main"
    assert len(proxy.passages()) - before == (3 if is_forwarded else 1)
    assert len(client.environment.connections) == 1
    assert traffic.told() == {"sent": 3, "answered": 3}


@pytest.mark.parametrize("port", ["main", "tls"])
@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_is_told_its_password_and_the_target_is_not(
    client: Client, target: Hostile, guarded: Proxies, scheme: str, port: str
) -> None:
    url = f"{target.url_of(port)}/echo"
    response = call(client, "POST", url, data=b"x", proxies={"all": guarded.url(scheme)}, verify=False)
    assert response.status_code == 200
    assert "secret" not in response.text
    assert "proxy-authorization" not in response.text.lower()


def test_a_proxy_without_its_password_lets_nobody_through(
    client: Client, target: Hostile, guarded: Proxies, traffic: CountedTraffic
) -> None:
    def refused(scheme: str, port: str) -> str:
        address = guarded.url(scheme).replace("me:secret@", "")
        response = call(client, "GET", target.url_of(port), proxies={"all": address}, verify=False)
        return response.error or str(response.status_code)

    assert refused("http", "main") == "407"
    assert refused("http", "tls").startswith("proxy: ")
    assert refused("socks5", "main").startswith("proxy: ")
    assert traffic.told() == {"sent": 1, "answered": 1, "not_sent": 2}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_target_that_the_proxy_cannot_reach_is_a_failure(
    client: Client, target: Hostile, proxy: Proxies, scheme: str
) -> None:
    url = target.url_of("refuse").replace("http:", "https:")
    response = call(client, "GET", url, proxies={"all": proxy.url(scheme)}, verify=False)
    assert response.error.startswith("proxy: ")


def test_a_proxy_that_is_not_there_is_refused(client: Client, target: Hostile, traffic: CountedTraffic) -> None:
    response = call(client, "GET", target.url, proxies={"http": "http://127.0.0.1:1"})
    assert response.error == "connection refused"
    assert traffic.told() == {"not_sent": 1}


@pytest.mark.parametrize("scheme", ["http", "socks4", "socks5"])
@pytest.mark.parametrize("said", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 ", b"\x05", b"\x00\x5a"])
def test_a_proxy_that_breaks_off_is_a_failure(
    client: Client, traffic: CountedTraffic, scheme: str, said: bytes
) -> None:
    def handle(visit: Visit) -> None:
        visit.sock.recv(1000)
        visit.send(said)

    with serving(handle) as server:
        response = call(client, "GET", "https://127.0.0.1:1/", proxies={"all": server.url.replace("http", scheme)})
    assert response.error.startswith("proxy: "), response.error
    assert traffic.told() == {"not_sent": 1}


def test_proxies_are_chosen_by_host_and_scheme(client: Client, proxy: Proxies, target: Hostile) -> None:
    before = len(proxy.passages())
    with serving(answering()) as direct:
        chosen = {"http://elsewhere.example": "http://127.0.0.1:1", "https": proxy.url("http")}
        assert call(client, "GET", direct.url, proxies=chosen).status_code == 200
        assert call(client, "GET", target.url_of("tls") + "/ok", proxies=chosen, verify=False).status_code == 200
    assert len(proxy.passages()) - before == 1


def test_a_redirect_goes_by_the_way_of_its_own_url(client: Client, proxy: Proxies, target: Hostile) -> None:
    hop = f"HTTP/1.1 302 Found\r\nLocation: {target.url_of('tls')}/ok\r\nContent-Length: 0\r\n\r\n".encode()
    before = len(proxy.passages())
    with serving(answering(last=hop)) as server:
        response = call(client, "GET", server.url, proxies={"https": proxy.url("http")}, verify=False)
    assert (response.status_code, len(response.history)) == (200, 1)
    assert len(proxy.passages()) - before == 1


def test_a_closed_tunnel_is_replaced(client: Client, proxy: Proxies, target: Hostile) -> None:
    before = len(proxy.passages())
    for _ in range(2):
        url = f"{target.url}/close/said"
        assert call(client, "GET", url, proxies={"all": proxy.url("socks5")}).status_code == 200
    assert len(proxy.passages()) - before == 2
    with contextlib.suppress(ValueError):
        call(client, "GET", url, proxies={"all": "gopher://127.0.0.1"})
        raise AssertionError("no such proxy")
