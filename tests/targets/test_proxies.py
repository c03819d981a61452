"""The proxies pass bytes on faithfully, count them, and let nobody through who does not give the password."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest
import requests

from tests.targets.client import address, ask, body_of, request
from tests.targets.hostile import Hostile, hostile
from tests.targets.proxies import Proxies, proxies
from tests.targets.tunnel import Passage


@pytest.fixture(scope="module")
def target() -> Iterator[Hostile]:
    with hostile() as running:
        yield running


@pytest.fixture
def proxy() -> Iterator[Proxies]:
    with proxies() as running:
        yield running


@pytest.fixture
def guarded() -> Iterator[Proxies]:
    with proxies("alice:wonder") as running:
        yield running


def name_of(target: Hostile) -> str:
    return target.url.removeprefix("http://")


def through(proxy: Proxies, *greeting: bytes, then: bytes = b"") -> tuple[bytes, str]:
    """What comes back from the SOCKS port for those greetings, sent one after the other, and a request."""
    return ask(proxy.url("socks5"), *greeting, then)


def test_requests_in_absolute_form_are_forwarded_one_by_one(target: Hostile, proxy: Proxies) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"http": proxy.url("http")}
        echoed = session.post(f"{target.url}/echo?a=1", data=b"body").json()
        assert session.get(f"{target.url}/chunked").text == "ok\n"
        assert session.head(f"{target.url}/head").headers["Content-Length"] == "1000"
    assert (echoed["target"], echoed["body"]) == ("/echo?a=1", "body")
    assert proxy.passages() == [Passage("forward", name_of(target), True)] * 3


def test_connect_opens_a_tunnel(target: Hostile, proxy: Proxies) -> None:
    connect = f"CONNECT {name_of(target)} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    answer, ended = ask(proxy.url("http"), connect, request("/close/said"))
    assert answer.startswith(b"HTTP/1.1 200 Connection Established\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"ok\n")
    assert ended in {"closed", "open"}
    assert proxy.passages() == [Passage("connect", name_of(target), True)]


def test_a_target_out_of_reach_is_a_bad_gateway(target: Hostile, proxy: Proxies) -> None:
    refusing = target.url_of("refuse").removeprefix("http://")
    connect = f"CONNECT {refusing} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    assert ask(proxy.url("http"), connect)[0].startswith(b"HTTP/1.1 502 ")
    assert ask(proxy.url("http"), request(f"http://{refusing}/"))[0].startswith(b"HTTP/1.1 502 ")
    assert proxy.passages() == [Passage("connect", refusing, False), Passage("forward", refusing, False)]


def test_the_http_proxy_wants_its_password(target: Hostile, guarded: Proxies) -> None:
    with requests.Session() as session:
        session.trust_env = False
        right, wrong = guarded.url("http"), guarded.url("http").replace("wonder", "land")
        answers = [session.get(f"{target.url}/ok", proxies={"http": url}) for url in (wrong, right)]
    assert [answer.status_code for answer in answers] == [407, 200]
    assert answers[0].headers["Proxy-Authenticate"] == 'Basic realm="proxy"'
    assert guarded.passages() == [Passage("forward", name_of(target), True, "alice")]


def test_socks_4_takes_an_address_and_4a_a_name(target: Hostile, proxy: Proxies) -> None:
    _, port = address(target.url)
    by_address = struct.pack(">BBH4s", 4, 1, port, socket.inet_aton("127.0.0.1")) + b"\0"
    by_name = struct.pack(">BBH4s", 4, 1, port, b"\0\0\0\1") + b"\0localhost\0"
    for greeting in (by_address, by_name):
        answer, _ = through(proxy, greeting, then=request("/ok"))
        assert answer.startswith(b"\0\x5a")
        assert body_of(answer) == b"ok\n"
    assert [(line.kind, line.target) for line in proxy.passages()] == [
        ("socks4", f"127.0.0.1:{port}"),
        ("socks4a", f"localhost:{port}"),
    ]


@pytest.mark.parametrize(("kind", "host"), [(1, b"\x7f\0\0\1"), (3, b"\x09localhost")])
def test_socks_5_takes_an_address_or_a_name(target: Hostile, proxy: Proxies, kind: int, host: bytes) -> None:
    _, port = address(target.url)
    asked = b"\5\1\0" + bytes([kind]) + host + struct.pack(">H", port)
    answer, _ = through(proxy, b"\5\1\0", asked, then=request("/ok"))
    assert answer.startswith(b"\5\0\5\0\0\1\0\0\0\0\0\0HTTP/1.1 200 ")
    assert [line.kind for line in proxy.passages()] == ["socks5"]


def test_socks_5_wants_its_password(target: Hostile, guarded: Proxies) -> None:
    _, port = address(target.url)
    asked = b"\5\1\0\1\x7f\0\0\1" + struct.pack(">H", port)
    assert through(guarded, b"\5\1\0") == (b"\5\xff", "closed")
    assert through(guarded, b"\5\1\2", b"\1\5alice\4land")[0] == b"\5\2\1\1"
    answer, _ = through(guarded, b"\5\2\0\2", b"\1\5alice\6wonder", asked, then=request("/ok"))
    assert answer.startswith(b"\5\2\1\0\5\0\0\1")
    assert body_of(answer) == b"ok\n"
    assert [(line.ok, line.user) for line in guarded.passages()] == [(True, "alice")]


def test_socks_says_when_the_target_refuses(target: Hostile, proxy: Proxies) -> None:
    _, port = address(target.url_of("refuse"))
    asked = b"\5\1\0\1\x7f\0\0\1" + struct.pack(">H", port)
    assert through(proxy, b"\5\1\0", asked) == (b"\5\0\5\5\0\1\0\0\0\0\0\0", "closed")
    four = struct.pack(">BBH4s", 4, 1, port, socket.inet_aton("127.0.0.1")) + b"\0"
    assert through(proxy, four)[0].startswith(b"\0\x5b")


def test_a_tunnel_counts_its_bytes(target: Hostile, proxy: Proxies) -> None:
    _, port = address(target.url)
    sent = request("/close/said")
    asked = b"\5\1\0\1\x7f\0\0\1" + struct.pack(">H", port)
    with socket.create_connection(address(proxy.url("socks5")), timeout=5) as client:
        client.sendall(b"\5\1\0" + asked + sent)
        client.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: client.recv(4096), b""))
    carried = len(received) - 12
    while not proxy.traffic():
        pass
    assert [(line.up_bytes, line.down_bytes) for line in proxy.traffic()] == [(len(sent), carried)]
