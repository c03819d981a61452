"""Calls as scripts make them: what they are called, when they count, and what is recorded of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from swell.http.url import InvalidUrl
from swell.script import http_session
from swell.script.events import events
from swell.script.http_session import ROUTES_MOST
from swell.segment import Outcome
from tests.http.loopback import answering, serving
from tests.http.scripted import OK
from tests.script.sessions import BUSY, HttpStage, by_path, http_stage


@pytest.fixture
def stage() -> Iterator[HttpStage]:
    with http_stage() as made:
        yield made


def test_a_call_is_named_by_its_path_and_query(stage: HttpStage) -> None:
    with serving(answering()) as server:
        session = stage.open(server.url)
        for url in ("/a/b?c=d", "/ä b", f"{server.url}/whole", "relative", ""):
            assert session.get(url).status_code == 200
        assert [record.name for record in stage.book.records] == ["/a/b?c=d", "/%C3%A4%20b", "/whole", "/relative", "/"]
        assert server.targets() == [f"GET {record.name}" for record in stage.book.records]


def test_a_call_to_another_host_is_named_by_the_whole_url(stage: HttpStage) -> None:
    with serving(answering()) as own, serving(answering()) as other:
        session = stage.open(own.url)
        session.get(f"{other.url}/x?y=z")
        session.post(f"{other.url}/x")
        assert [record.name for record in stage.book.records] == [f"{other.url}/x?y=z", f"{other.url}/x"]


def test_a_name_of_ones_own_is_kept(stage: HttpStage) -> None:
    with serving(answering()) as server:
        session = stage.open(server.url)
        session.get("/problems/1", name="/problems/:id")
        session.get("/problems/2", name="/problems/:id")
        session.post("/problems", json={}, name="submit")
        session.get("/problems/1")
        assert [record.name for record in stage.book.records] == [
            "/problems/:id",
            "/problems/:id",
            "submit",
            "/problems/1",
        ]
        assert server.targets()[1] == "GET /problems/2"


def test_parameters_are_part_of_the_name(stage: HttpStage) -> None:
    with serving(answering()) as server:
        stage.open(server.url).get("/s", params={"q": "a b", "n": 1})
        assert stage.book.last.name == server.targets()[0].removeprefix("GET ") == "/s?q=a+b&n=1"


@pytest.mark.parametrize("path", ["", "/", "/api", "/api/"])
def test_paths_are_appended_to_the_base_url(stage: HttpStage, path: str) -> None:
    with serving(answering()) as server:
        session = stage.open(server.url + path)
        session.get("/x")
        assert server.targets() == [f"GET {path.rstrip('/')}/x"]


def test_the_base_url_may_be_a_unix_socket_or_an_ipv6_address(stage: HttpStage, tmp_path: Path) -> None:
    with serving(answering(), unix_path=tmp_path / "s") as unix, serving(answering(), host="::1") as ipv6:
        for server in (unix, ipv6):
            session = stage.open(server.url)
            assert session.get("/x?y=z").status_code == 200
            assert session.post("/x").status_code == 200
        assert [record.name for record in stage.book.records] == ["/x?y=z", "/x"] * 2


def test_user_and_password_in_the_base_url_are_basic_authentication(stage: HttpStage) -> None:
    with serving(answering()) as server:
        session = stage.open(server.url.replace("//", "//me:secret@"))
        session.get("/x")
        session.post("/y")
        assert all(b"\r\nAuthorization: Basic bWU6c2VjcmV0" in head for head in server.heads)
        assert [record.name for record in stage.book.records] == ["/x", "/y"]
        assert "secret" not in repr(session) + session.base_url


def test_the_base_url_may_change_between_calls(stage: HttpStage) -> None:
    with serving(answering()) as one, serving(answering()) as other:
        session = stage.open(one.url)
        session.get("/x")
        session.base_url = other.url
        session.get("/x")
        session.base_url = ""
        assert session.get("/x").error.startswith("invalid URL: ")
        session.get(f"{one.url}/x")
        assert (one.targets(), other.targets()) == (["GET /x", "GET /x"], ["GET /x"])
        assert [record.name for record in stage.book.records] == ["/x", "/x", "/x", f"{one.url}/x"]
    with pytest.raises(InvalidUrl):
        session.base_url = "ftp://x"


def test_a_url_that_is_none_is_a_failed_call_like_any_other(stage: HttpStage) -> None:
    session = stage.open("http://127.0.0.1:1")
    for call in (session.get, session.post, session.head):
        response = call("http://[::1:80:x/")
        assert (response.status_code, response.ok, response.content) == (0, False, b"")
        assert response.error.startswith("invalid URL: ")
    with session.get("ftp://x/", name="file", catch_response=True) as caught:
        assert caught.error.startswith("invalid URL: ")
    assert [(record.name, record.status, record.outcome) for record in stage.book.records] == [
        *[("http://[::1:80:x/", 0, Outcome.FAILED | Outcome.USER_CLOCK)] * 3,
        ("file", 0, Outcome.FAILED | Outcome.USER_CLOCK),
    ]
    assert stage.traffic.told() == {"not_sent": 4}


def test_ten_thousand_distinct_urls_are_bounded(stage: HttpStage) -> None:
    session = stage.open("http://127.0.0.1:1")
    for number in range(ROUTES_MOST + 50):
        session._new_route("GET", f"/{number}", None)
    assert len(session._routes) <= ROUTES_MOST


def test_many_base_urls_are_bounded(stage: HttpStage) -> None:
    session = stage.open("http://127.0.0.1:1")
    for number in range(2_500):
        session.base_url = f"http://host-{number}.example"
    assert len(http_session._routes[session._environment]) <= 1_001


def test_a_call_is_recorded_with_its_durations_and_bytes(stage: HttpStage) -> None:
    with serving(answering(last=BUSY)) as server:
        session = stage.open(server.url)
        for call in (lambda: session.get("/x"), lambda: session.post("/x", data=b"body")):
            response = call()
            record = stage.book.last
            assert record.done_ns == response.done_ns
            assert record.service_ns == response.done_ns - response.sent_ns > 0
            assert record.response_ns == response.done_ns - response.begun_ns >= record.service_ns
            assert record.first_byte_ns == response.first_byte_ns - response.sent_ns
            assert (record.bytes_in, record.bytes_out) == (len(BUSY), response.bytes_out)
        assert [record.connect_ns > 0 for record in stage.book.records] == [True, False]
        assert stage.book.short == [("GET", "/x", 503, "HTTP 503"), ("POST", "/x", 503, "HTTP 503")]


def test_the_clock_of_a_call_is_told(stage: HttpStage) -> None:
    with serving(answering()) as server:
        stage.open(server.url).get("/")
        assert stage.book.last.outcome == Outcome.USER_CLOCK


def test_a_failed_call_has_no_service_time_if_nothing_was_sent(stage: HttpStage) -> None:
    stage.open("http://127.0.0.1:1").get("/x")
    record = stage.book.last
    assert record.short == ("GET", "/x", 0, "connection refused")
    assert (record.service_ns, record.first_byte_ns, record.bytes_out) == (-1, 0, 0)
    assert record.response_ns >= record.connect_ns > 0
    assert record.outcome == Outcome.FAILED | Outcome.USER_CLOCK


def test_samples_show_what_failed(stage: HttpStage) -> None:
    large = b"HTTP/1.1 500 No\r\nContent-Length: 5000\r\nX-A: 1\r\n\r\n" + b"x" * 5000
    with serving(by_path(busy=BUSY, large=large)) as server:
        session = stage.open(server.url)
        session.get("/busy")
        session.get("/fine")
        session.get("/large")
        (text, busy), (_, cut) = stage.book.samples
        assert (text, busy.status, busy.url, busy.body) == ("HTTP 503", 503, f"{server.url}/busy", "busy\n")
        assert busy.headers == "Content-Length: 5\nX-A: 1"
        assert cut.body == "x" * 1024


def test_methods_are_sent_and_recorded_in_capitals(stage: HttpStage) -> None:
    with serving(answering()) as server:
        session = stage.open(server.url)
        session.get("/")
        session.post("/", data=b"x")
        session.put("/", data=b"x")
        session.patch("/", data=b"x")
        session.delete("/")
        session.options("/")
        session.request("purge", "/")
        with serving(answering(last=b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n")) as elsewhere:
            assert session.head(f"{elsewhere.url}/").status_code == 302
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"]
        assert [record.method for record in stage.book.records] == [*methods, "HEAD"]
        assert server.targets() == [f"{method} /" for method in methods]


def test_redirects_are_one_call_to_the_first_name(stage: HttpStage) -> None:
    hop = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"
    with serving(by_path(here=hop)) as server:
        response = stage.open(server.url).get("/here")
        assert [record.name for record in stage.book.records] == ["/here"]
        assert (response.url, [hop.status_code for hop in response.history]) == (f"{server.url}/there", [302])
        assert stage.book.last.response_ns > stage.book.last.service_ns
        assert stage.book.last.bytes_in == len(hop) + len(OK)
    assert stage.traffic.told() == {"sent": 2, "answered": 2, "redirected": 1}


def test_a_planned_start_is_consumed_by_the_first_call(stage: HttpStage) -> None:
    with serving(by_path(busy=BUSY)) as server:
        session = stage.open(server.url)
        for first in (lambda: session.get("/x"), lambda: session.get("/busy"), lambda: session.post("/x")):
            stage.seat.intended_ns, stage.seat.lag_ns, stage.seat.held_ns = 1, 5_000, 3_000_000_000
            responses = (first(), session.get("/y"))
            planned, later = stage.book.records[-2:]
            assert (planned.lag_ns, later.lag_ns) == (5_000, -1)
            assert planned.response_ns == responses[0].done_ns - responses[0].begun_ns + 3_000_000_000
            assert planned.service_ns < 1_000_000_000
            assert later.response_ns == responses[1].done_ns - responses[1].begun_ns
            assert stage.seat.intended_ns == 0


def test_a_planned_start_is_consumed_by_a_call_that_could_not_be_made(stage: HttpStage) -> None:
    session = stage.open("http://127.0.0.1:1")
    stage.seat.intended_ns, stage.seat.lag_ns, stage.seat.held_ns = 1, 5_000, 0
    session.get("http://[nothing")
    session.get("/")
    assert [record.lag_ns for record in stage.book.records] == [5_000, -1]


def test_listeners_are_told_of_each_call_once(stage: HttpStage) -> None:
    told: list[dict[str, Any]] = []
    events.request.add_listener(lambda **arguments: told.append(arguments))
    with serving(by_path(busy=BUSY)) as server:
        session = stage.open(server.url)
        session.get("/fine", name="fine")
        session.get("/busy", context={"more": 1})
        with session.post("/x", catch_response=True) as response:
            response.failure("rejected")
        session.get("http://[nothing")
        session.get("/streamed", stream=True).close()
        assert len(told) == len(stage.book.records) == 5
        assert [(call["request_type"], call["name"], str(call["exception"] or "")) for call in told] == [
            ("GET", "fine", ""),
            ("GET", "/busy", "HTTP 503"),
            ("POST", "/x", "rejected"),
            ("GET", "http://[nothing", stage.book.records[3].error),
            ("GET", "/streamed", ""),
        ]
        assert [call["context"] for call in told[:2]] == [{"user": 7}, {"user": 7, "more": 1}]
        assert told[1]["response"].status_code == 503
        assert (told[1]["response_length"], told[1]["url"]) == (5, f"{server.url}/busy")
        assert told[1]["response_time"] == pytest.approx(stage.book.records[1].response_ns / 1e6)


@pytest.mark.parametrize("name", [None, "/:page"])
def test_tags_tell_calls_of_one_name_apart_however_they_are_made(stage: HttpStage, name: str | None) -> None:
    with serving(by_path()) as server:
        session = stage.open(server.url)
        tags = {"size": 3, "page": "front"}
        session.get("/a", name)
        session.get("/a", name, tags=tags)
        session.get("/a", name, tags={"page": "front", "size": "3"})
        session.get("/a", name, tags={})
        session.get("/a", name, tags=tags, headers={"A": "b"})
        session.post("/a", name=name, tags=tags)
        session.get("http://[", name, tags=tags)
        session.get(server.url.replace("//", "//user:secret@") + "/a", name or "/a", tags=tags)
    shown, tagged = name or "/a", f"{name or '/a'} [page=front,size=3]"
    assert [record.name for record in stage.book.records] == [
        *(shown, tagged, tagged, shown, tagged, tagged),
        *(f"{name or 'http://['} [page=front,size=3]", tagged),
    ]


def test_tags_that_cannot_be_shown_are_refused_before_anything_is_sent(stage: HttpStage) -> None:
    with serving(by_path()) as server:
        session = stage.open(server.url)
        for call in (session.get, session.post):
            with pytest.raises(ValueError, match="tags: "):
                call("/a", tags={"a": "b,c"})
    assert stage.book.records == []
