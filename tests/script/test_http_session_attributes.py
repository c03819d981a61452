"""Attributes of a session, each of which a script may change at any time."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from tests.http.loopback import Visit, answering, serving, tls_serving
from tests.http.scripted import OK
from tests.script.sessions import HttpStage, head_of, http_stage
from tests.targets.tls import Authority


@pytest.fixture
def stage() -> Iterator[HttpStage]:
    with http_stage() as made:
        yield made


def test_headers_may_change_at_any_time(stage: HttpStage) -> None:
    with serving(answering()) as server:
        session = stage.open(server.url)
        session.get("/")
        assert "\r\nUser-Agent: swell" in head_of(server)
        session.headers["X-Token"] = "one"
        session.get("/")
        assert "\r\nX-Token: one\r\n" in head_of(server)
        session.headers.update({"x-token": "two", "User-Agent": "me"})
        session.get("/")
        assert "\r\nx-token: two\r\n" in head_of(server)
        assert "\r\nUser-Agent: me\r\n" in head_of(server)
        del session.headers["X-Token"]
        session.get("/")
        assert "oken" not in head_of(server)
        session.headers = {"Only": "this"}  # type: ignore[assignment]
        session.post("/", headers={"And": "that"})
        assert "\r\nOnly: this\r\n" in head_of(server)
        assert "\r\nAnd: that\r\n" in head_of(server)
        session.headers["Host"] = "elsewhere.example"
        session.get("/")
        assert head_of(server).count("Host: ") == 1
        assert "\r\nHost: elsewhere.example\r\n" in head_of(server)


def test_headers_of_one_user_are_not_those_of_another(stage: HttpStage) -> None:
    with serving(answering()) as server:
        one, other = stage.open(server.url), stage.open(server.url)
        one.get("/")
        one.headers["X-Token"] = "one"
        other.get("/")
        assert "X-Token" not in head_of(server)
        one.get("/")
        assert "X-Token" in head_of(server)


def test_authentication_may_change_at_any_time(stage: HttpStage) -> None:
    with serving(answering()) as server:
        session = stage.open(server.url)
        session.auth = ("me", "one")
        session.get("/")
        session.post("/")
        assert "\r\nAuthorization: Basic bWU6b25l\r\n" in head_of(server)
        assert b"\r\nAuthorization: Basic bWU6b25l" in server.heads[0]
        session.auth = ("me", "two")
        session.get("/")
        assert "\r\nAuthorization: Basic bWU6dHdv\r\n" in head_of(server)
        session.get("/", auth=("you", "one"))
        assert "\r\nAuthorization: Basic eW91Om9uZQ==\r\n" in head_of(server)
        session.auth = None
        session.get("/")
        assert "Authorization" not in head_of(server)


def test_parameters_of_the_session_are_added_to_every_call(stage: HttpStage) -> None:
    with serving(answering()) as server:
        session = stage.open(server.url)
        session.get("/x")
        session.params["key"] = "1"
        session.get("/x")
        session.get("/x", params={"more": "2"})
        session.params = {}
        session.get("/x")
        assert server.targets() == ["GET /x", "GET /x?key=1", "GET /x?key=1&more=2", "GET /x"]


def test_cookies_may_be_set_read_and_replaced(stage: HttpStage) -> None:
    with serving(answering(OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=1\r\n\r\n", 1))) as server:
        session = stage.open(server.url)
        session.get("/")
        assert session.cookies["a"] == "1"
        session.cookies["b"] = "2"
        session.get("/")
        assert "\r\nCookie: a=1; b=2\r\n" in head_of(server)
        session.get("/", cookies={"c": "3"})
        assert "c=3" in head_of(server)
        session.get("/")
        assert "c=3" not in head_of(server)
        session.cookies = {"only": "this"}  # type: ignore[assignment]
        session.get("/")
        assert "\r\nCookie: only=this\r\n" in head_of(server)
        session.cookies.clear()
        session.get("/")
        assert "Cookie" not in head_of(server)


def test_certificates_may_change_at_any_time(stage: HttpStage, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    mine = authority.client("tester")
    with tls_serving(authority.server(), ca=str(authority.certificate), verify_mode=ssl.CERT_OPTIONAL) as server:
        session = stage.open(server.url)
        assert session.get("/").error.startswith("TLS: certificate not accepted")
        for verify in (False, str(authority.certificate), authority.certificate):
            session.verify = verify
            assert (session.get("/").status_code, session.post("/").status_code) == (200, 200)
        assert not server.visits[-1].sock.getpeercert()
        session.cert = (mine.certificate, str(mine.key))
        assert (session.get("/").status_code, session.post("/").status_code) == (200, 200)
        assert server.visits[-1].sock.getpeercert()
        session.cert, session.verify = None, True
        assert session.get("/").error.startswith("TLS: certificate not accepted")


def test_proxies_may_change_at_any_time(stage: HttpStage) -> None:
    with serving(answering()) as server, serving(answering()) as proxy:
        session = stage.open(server.url)
        session.get("/a")
        session.proxies = {"http": proxy.url}
        session.get("/b")
        session.proxies["http"] = "http://127.0.0.1:1"
        assert session.get("/c").error == "connection refused"
        del session.proxies["http"]
        session.get("/d")
        assert (server.targets(), proxy.targets()) == (["GET /a", "GET /d"], [f"GET {server.url}/b"])


def test_what_cannot_be_sent_is_raised_and_not_recorded(stage: HttpStage) -> None:
    with serving(answering()) as server:
        session = stage.open(server.url)
        with pytest.raises(ValueError, match="X-A"):
            session.get("/", headers={"X-A": "a\r\nb"})
        with pytest.raises(TypeError):
            session.get("/", no_such_option=1)
        with pytest.raises(ValueError, match="timeout"):
            session.get("/", timeout=0)
        assert (stage.book.records, server.heads) == ([], [])


def test_a_kill_is_no_call(stage: HttpStage) -> None:
    with serving(lambda visit: (visit.request(), gevent.sleep(5))[0]) as server:
        session = stage.open(server.url)
        calling = gevent.spawn(session.get, "/")
        gevent.sleep(0.02)
        calling.kill()
        with gevent.Timeout(0.02, False):
            session.post("/")
        assert stage.book.records == []
    assert stage.traffic.told() == {"sent": 2, "unanswered": 2}


def test_several_calls_at_once_are_each_recorded(stage: HttpStage) -> None:
    def handle(visit: Visit) -> None:
        while visit.request() is not None:
            gevent.sleep(0.005)
            visit.send(OK)

    with serving(handle) as server:
        session = stage.open(server.url)
        calls = [gevent.spawn(session.get, f"/{number}") for number in range(20)]
        gevent.joinall(calls, raise_error=True)
        assert sorted(record.name for record in stage.book.records) == sorted(f"/{number}" for number in range(20))
        assert server.most_at_once == 6


def test_it_shows_whose_it_is(stage: HttpStage) -> None:
    assert repr(stage.open("http://shop.example/")) == "<HttpSession of user 7 to http://shop.example>"
    assert repr(stage.open("")) == "<HttpSession of user 7 to no base URL>"
