"""nginx answers as its table of locations says, and its log agrees with what was asked."""

from __future__ import annotations

import collections
import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.targets.nginx import Nginx, nginx
from tests.targets.nginx_config import STATUSES
from tests.targets.tls import Authority


@pytest.fixture
def server() -> Iterator[Nginx]:
    with nginx() as running:
        yield running


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


def test_the_log_holds_exactly_the_requests_that_were_made(server: Nginx, session: requests.Session) -> None:
    for _ in range(200):
        session.get(f"{server.url}/ok")
    session.get(f"{server.url}/missing?q=1")
    session.post(f"{server.url}/echo", data=b"12345")
    server.stop()
    assert server.counts() == {("/ok", 200): 200, ("/missing?q=1", 404): 1, ("/echo", 200): 1}


def test_a_log_line_tells_who_asked_for_what(server: Nginx, session: requests.Session) -> None:
    headers = {"X-Request-Id": 'r/1.1/"7"', "User-Agent": "test"}
    session.get(f"{server.url}/basic?x=%20", headers=headers, auth=("swell", "secret"))
    server.stop()
    (line,) = server.log()
    assert (line.method, line.target, line.status, line.protocol) == ("GET", "/basic?x=%20", 200, "HTTP/1.1")
    assert (line.request_id, line.user_agent, line.user) == ('r/1.1/"7"', "test", "swell")
    assert line.completed
    assert abs(line.time_s - time.time()) < 60


def test_the_request_id_is_read_from_the_header_that_was_named(session: requests.Session) -> None:
    with nginx(request_id_header="X-Swell-Exchange") as server:
        session.get(f"{server.url}/ok", headers={"X-Swell-Exchange": "run/w0.1/1"})
        server.stop()
        assert [line.request_id for line in server.log()] == ["run/w0.1/1"]


def test_each_redirect_is_a_line(server: Nginx, session: requests.Session) -> None:
    response = session.get(f"{server.url}/redirect/2")
    server.stop()
    assert (response.text, len(response.history)) == ("ok\n", 3)
    assert list(server.counts()) == [("/redirect/2", 302), ("/redirect/1", 302), ("/redirect/0", 302), ("/ok", 200)]


def test_statuses_are_those_asked_for(server: Nginx, session: requests.Session) -> None:
    assert [session.get(f"{server.url}/status/{status}").status_code for status in STATUSES] == list(STATUSES)


def test_bodies_have_the_promised_lengths(server: Nginx, session: requests.Session) -> None:
    paths = ("/ok", "/hello.txt", "/124.html", "/files/1k", "/files/1m")
    lengths = [len(session.get(server.url + path).content) for path in paths]
    assert lengths == [3, 14, 124, 1024, 1024 * 1024]


def test_text_is_compressed_for_those_who_accept_it(server: Nginx, session: requests.Session) -> None:
    plain = session.get(f"{server.url}/text.txt", headers={"Accept-Encoding": "identity"})
    zipped = session.get(f"{server.url}/text.txt", headers={"Accept-Encoding": "gzip"})
    assert (plain.headers.get("Content-Encoding"), zipped.headers["Content-Encoding"]) == (None, "gzip")
    assert plain.text == zipped.text


def test_basic_authentication_refuses_the_wrong_password(server: Nginx, session: requests.Session) -> None:
    statuses = [session.get(f"{server.url}/basic", auth=("swell", word)).status_code for word in ("wrong", "secret")]
    assert statuses == [401, 200]


def test_cookies_come_back(server: Nginx, session: requests.Session) -> None:
    session.get(f"{server.url}/cookie/set")
    assert session.get(f"{server.url}/cookie").text == "session=abc\n"


def test_a_large_body_is_refused_where_it_is_limited(server: Nginx, session: requests.Session) -> None:
    assert session.post(f"{server.url}/limited", data=bytes(2000)).status_code == 413


def test_one_location_closes_after_every_response_and_one_after_three(server: Nginx, session: requests.Session) -> None:
    for path in ("/close", "/close", "/few", "/few", "/few", "/few"):
        session.get(server.url + path)
    server.stop()
    assert [line.nth_on_connection for line in server.log()] == [1, 1, 1, 2, 3, 1]


def test_a_client_that_leaves_early_has_its_line_marked(server: Nginx) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(100)
    server.stop()
    assert [(line.target, line.completed) for line in server.log()] == [("/slow", False)]


def test_the_log_can_be_left_out(session: requests.Session) -> None:
    with nginx(access_log=False) as server:
        session.get(f"{server.url}/ok")
        server.stop()
        assert server.log() == []


def test_locations_can_be_added(session: requests.Session) -> None:
    with nginx(locations="location = /mine { return 418; }") as server:
        assert session.get(f"{server.url}/mine").status_code == 418


def test_it_listens_on_a_unix_socket_and_on_ipv6(server: Nginx) -> None:
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(server.unix_path))
    connection.request("GET", "/ok")
    assert connection.getresponse().read() == b"ok\n"
    connection.close()
    assert server.ipv6_url.startswith("http://[::1]:")


def test_tls_names_the_client_and_resumes_sessions(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    client = authority.client("alice")
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.load_cert_chain(client.certificate, client.key)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with nginx(certificate=authority.server(), client_authority=authority.certificate) as server:
        first, session = _ask_over_tls(server, context, None)
        second, _ = _ask_over_tls(server, context, session)
        server.stop()
        assert first.startswith("TLSv1.2|localhost|false|")
        assert "CN=alice" in first
        assert second.startswith("TLSv1.2|localhost|true|")
        assert collections.Counter(line.tls_reused for line in server.log()) == {False: 1, True: 1}


def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.create_default_context(cafile=str(authority.certificate))
    with (
        nginx(certificate=authority.expired_server()) as server,
        pytest.raises(ssl.SSLCertVerificationError, match="expired"),
    ):
        _ask_over_tls(server, context, None)


def _ask_over_tls(
    server: Nginx, context: ssl.SSLContext, session: ssl.SSLSession | None
) -> tuple[str, ssl.SSLSession | None]:
    host, port = server.tls_url.removeprefix("https://").split(":")
    with (
        socket.create_connection((host, int(port))) as plain,
        context.wrap_socket(plain, server_hostname=host, session=session) as client,
    ):
        client.sendall(b"GET /tls HTTP/1.0\r\nHost: localhost\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(4096), b""))
        return answer.partition(b"\r\n\r\n")[2].decode(), client.session
