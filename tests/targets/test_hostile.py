"""The hostile server does what its paths and ports promise, to the byte."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.targets.client import address, ask, body_of, get, request
from tests.targets.hostile import Hostile, hostile
from tests.targets.tls import Authority

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Hostile]:
    with hostile() as running:
        yield running


@pytest.mark.parametrize(
    ("where", "sent"), [("before-head", b""), ("mid-head", b"text/pl"), ("mid-body", b"only the beginning of it")]
)
def test_connections_break_where_the_path_says(server: Hostile, where: str, sent: bytes) -> None:
    answer, ended = get(server.url, f"/close/{where}")
    assert answer.endswith(sent)
    assert ended == "closed"
    assert get(server.url, f"/reset/{where}")[1] == "reset"


@pytest.mark.parametrize("path", ["/reset/next", "/close/next"])
def test_the_second_request_meets_a_broken_connection(server: Hostile, path: str) -> None:
    with socket.create_connection(address(server.url), timeout=5) as client:
        client.sendall(request(path))
        assert client.recv(1000) == OK
        client.sendall(request("/ok"))
        try:
            ended = "closed" if client.recv(1000) == b"" else "open"
        except ConnectionResetError:
            ended = "reset"
    assert ended == {"/reset/next": "reset", "/close/next": "closed"}[path]
    assert [line.target for line in server.log()][-2:] == [path, "/ok"]


@pytest.mark.parametrize(
    "path", ["/garbage", "/garbage/binary", "/garbage/tls", "/bad/status-line", "/bad/status-number"]
)
def test_garbage_is_no_http(server: Hostile, path: str) -> None:
    connection = http.client.HTTPConnection(*address(server.url), timeout=5)
    connection.request("GET", path)
    with pytest.raises(http.client.HTTPException):
        connection.getresponse()
    connection.close()


@pytest.mark.parametrize(
    ("path", "marks"),
    [
        ("/bad/two-lengths", [b"Content-Length: 3\r\n", b"Content-Length: 5\r\n"]),
        ("/bad/length-and-chunked", [b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n"]),
        ("/bad/negative-length", [b"Content-Length: -3\r\n"]),
        ("/bad/chunk-size", [b"\r\n\r\nxyz\r\n"]),
        ("/bad/chunk-end", [b"3\r\nok\nand more"]),
        ("/bad/header", [b"\r\nthis line has no colon\r\n"]),
        ("/close/mid-chunk", [b"10\r\nonly half"]),
        ("/until-close", [b"HTTP/1.1 200 OK\r\n\r\nok\n"]),
        ("/http10", [b"HTTP/1.0 200 OK\r\n\r\nok\n"]),
        ("/close/said", [b"Connection: close\r\n"]),
        ("/close/unsaid", [OK]),
    ],
)
def test_an_answer_comes_whole_and_then_the_connection_closes(server: Hostile, path: str, marks: list[bytes]) -> None:
    answer, ended = get(server.url, path)
    assert ended == "closed"
    assert all(mark in answer for mark in marks), answer


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/ok", OK),
        ("/any/thing?n=1", OK),
        ("/bytewise", OK),
        ("/extra/response", OK + OK),
        ("/extra/garbage", OK + b"and then some"),
        ("/http10/keep-alive", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nok\n"),
        ("/no-body/204", b"HTTP/1.1 204 No Content\r\nContent-Length: 1000\r\n\r\n"),
        ("/no-body/304", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n"),
        ("/stall?after=4", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nxxxx"),
        ("/silent", b""),
    ],
)
def test_an_answer_comes_and_the_connection_stays_open(server: Hostile, path: str, answer: bytes) -> None:
    assert get(server.url, path) == (answer, "open")


@pytest.mark.parametrize("path", ["/chunked", "/chunked/trailers", "/chunked/extensions", "/chunked/pieces"])
def test_chunked_answers_hold_the_body(server: Hostile, path: str) -> None:
    connection = http.client.HTTPConnection(*address(server.url), timeout=5)
    connection.request("GET", path)
    assert connection.getresponse().read() == b"ok\n"
    connection.close()


@pytest.mark.parametrize("path", ["/informational", "/informational/apart"])
def test_interim_answers_precede_the_real_one(server: Hostile, path: str) -> None:
    answer, _ = get(server.url, path)
    statuses = [line.split()[1] for line in answer.split(b"\r\n") if line.startswith(b"HTTP/")]
    assert statuses == [b"100", b"102", b"103", b"200"]


def test_head_gets_the_length_without_the_body(server: Hostile) -> None:
    answer, ended = ask(server.url, request("/late?ms=0", method="HEAD"), request("/head", method="HEAD"))
    assert (body_of(answer).count(b"Content-Length: 1000"), answer.count(b"ok\n"), ended) == (1, 0, "open")


def test_the_idle_connection_is_closed_after_a_while(server: Hostile) -> None:
    began_s = time.monotonic()
    answer, ended = get(server.url, "/close/idle?ms=200", quiet_s=5)
    assert (answer, ended) == (OK, "closed")
    assert time.monotonic() - began_s > 0.19


def test_an_unasked_answer_arrives_on_the_idle_connection(server: Hostile) -> None:
    answer, ended = get(server.url, "/extra/late?ms=20")
    assert answer.startswith(OK + b"HTTP/1.1 408 ")
    assert ended == "closed"


def test_a_body_can_drip(server: Hostile) -> None:
    began_s = time.monotonic()
    answer, _ = get(server.url, "/drip?every_ms=50&bytes=4")
    assert body_of(answer) == b"xxxx"
    assert time.monotonic() - began_s > 0.19


def test_redirects_have_no_end(server: Hostile) -> None:
    assert b"Location: /redirect/endless?n=8\r\n" in get(server.url, "/redirect/endless?n=7")[0]
    assert b"Location: /redirect/loop\r\n" in get(server.url, "/redirect/loop")[0]


def test_the_hostile_ports_differ_in_what_they_do_to_a_connection(server: Hostile) -> None:
    endings = {port: get(server.url_of(port), "/ok")[1] for port in ("reset", "close", "silent", "greeting", "unasked")}
    assert endings == {
        "reset": "reset",
        "close": endings["close"],
        "silent": "open",
        "greeting": "open",
        "unasked": "closed",
    }
    assert endings["close"] in {"closed", "reset"}
    assert get(server.url_of("greeting"), "/ok")[0].startswith(b"SSH-2.0")
    assert get(server.url_of("unasked"), "/ok")[0].startswith(b"HTTP/1.1 503 ")


def test_one_port_refuses_and_one_lets_nobody_in(server: Hostile) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address(server.url_of("refuse")), timeout=5)
    with pytest.raises(TimeoutError):
        socket.create_connection(address(server.url_of("full")), timeout=0.3)


def test_the_log_names_connections_and_requests(server: Hostile) -> None:
    ask(server.url, request("/ok?log=1", "X-Request-Id: r/1"), request("/ok?log=2"))
    get(server.url, "/ok?log=3")
    lines = [line for line in server.log() if "log=" in line.target]
    assert [line.target for line in lines] == ["/ok?log=1", "/ok?log=2", "/ok?log=3"]
    assert lines[0].connection == lines[1].connection != lines[2].connection
    assert ("x-request-id", "r/1") in lines[0].headers


def test_what_is_no_request_is_refused(server: Hostile) -> None:
    answer, ended = ask(server.url, b"nonsense\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert ended == "closed"


def test_paths_answer_over_tls_and_truncate_it(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.create_default_context(cafile=str(authority.certificate))
    with hostile(authority.server()) as server:
        host, port = address(server.url_of("tls"))
        with (
            socket.create_connection((host, port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=host, suppress_ragged_eofs=False) as client,
        ):
            client.sendall(request("/until-close"))
            assert client.recv(1000) == b"HTTP/1.1 200 OK\r\n\r\nok\n"
            with pytest.raises(ssl.SSLEOFError):
                client.recv(1000)
