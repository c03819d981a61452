"""`catch_response` and `stream`: calls that are recorded when their block or their body has ended."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest

from swell.script.flow import RescheduleTask
from tests.http.loopback import Visit, answering, serving
from tests.script.sessions import BUSY, HttpStage, by_path, http_stage


@pytest.fixture
def stage() -> Iterator[HttpStage]:
    with http_stage() as made:
        yield made


@pytest.mark.parametrize(
    ("path", "say", "outcome"),
    [
        ("/fine", lambda r: None, (200, "")),
        ("/busy", lambda r: None, (503, "HTTP 503")),
        ("/busy", lambda r: r.success(), (503, "")),
        ("/fine", lambda r: r.failure("rejected"), (200, "rejected")),
        ("/fine", lambda r: r.failure(ValueError("rejected")), (200, "rejected")),
        ("/fine", lambda r: r.failure(ValueError()), (200, "ValueError")),
        ("/fine", lambda r: r.failure(""), (200, "failed")),
        ("/fine", lambda r: (r.failure("no"), r.success()), (200, "")),
        ("/busy", lambda r: (r.success(), r.failure("no")), (503, "no")),
    ],
)
def test_a_caught_call_counts_as_the_block_says(
    stage: HttpStage, path: str, say: Callable[[Any], None], outcome: tuple[int, str]
) -> None:
    with serving(by_path(busy=BUSY)) as server:
        session = stage.open(server.url)
        with session.get(path, catch_response=True) as response:
            assert stage.book.records == []
            say(response)
        assert stage.book.short == [("GET", path, *outcome)]
        session.close()
        assert len(stage.book.records) == 1


def test_a_call_that_failed_may_be_called_a_success(stage: HttpStage) -> None:
    with stage.open("http://127.0.0.1:1").get("/", catch_response=True) as response:
        assert response.error == "connection refused"
        response.success()
    assert stage.book.short == [("GET", "/", 0, "")]


@pytest.mark.parametrize(
    ("raised", "text"),
    [
        (ValueError("no token"), "ValueError: no token"),
        (AssertionError(), "AssertionError"),
        (KeyError("a"), "KeyError: 'a'"),
    ],
)
def test_an_exception_in_the_block_is_a_failure_and_is_raised(stage: HttpStage, raised: Exception, text: str) -> None:
    def use(session: Any) -> None:
        with session.get("/", catch_response=True) as response:
            response.success()
            raise raised

    with serving(answering()) as server:
        with pytest.raises(type(raised)) as caught:
            use(stage.open(server.url))
        assert caught.value is raised
        assert stage.book.short == [("GET", "/", 200, text)]


@pytest.mark.parametrize("raised", [RescheduleTask(), gevent.GreenletExit(), KeyboardInterrupt()])
def test_what_is_no_fault_leaves_the_call_to_its_status(stage: HttpStage, raised: BaseException) -> None:
    with serving(answering()) as server:
        session = stage.open(server.url)
        with pytest.raises(type(raised)), session.get("/", catch_response=True):
            raise raised
        assert stage.book.short == [("GET", "/", 200, "")]


def test_a_block_never_entered_is_recorded_at_the_next_call(stage: HttpStage) -> None:
    with serving(by_path(busy=BUSY)) as server:
        session = stage.open(server.url)
        session.get("/one", catch_response=True)
        assert stage.book.records == []
        session.get("/two")
        assert [record.name for record in stage.book.records] == ["/one", "/two"]
        response = session.get("/busy", catch_response=True)
        response.success()  # type: ignore[attr-defined]
        session.post("/three")
        assert stage.book.short[2:] == [("GET", "/busy", 503, ""), ("POST", "/three", 200, "")]


def test_a_block_never_entered_is_recorded_when_the_session_closes(stage: HttpStage) -> None:
    with serving(answering()) as server:
        session = stage.open(server.url)
        session.get("/one", catch_response=True)
        session.close()
        session.close()
        assert stage.book.short == [("GET", "/one", 200, "")]


def test_no_caught_call_is_lost_or_counted_twice_in_whatever_order_blocks_are_entered(stage: HttpStage) -> None:
    with serving(answering()) as server:
        session = stage.open(server.url)
        first = session.get("/first", catch_response=True)
        second = session.get("/second", catch_response=True)
        with first:  # type: ignore[attr-defined]
            pass
        assert [record.name for record in stage.book.records] == ["/first"]
        session.get("/third")
        assert [record.name for record in stage.book.records] == ["/first", "/second", "/third"]
        with second:  # type: ignore[attr-defined]
            pass
        assert len(stage.book.records) == 3


def test_blocks_may_be_nested(stage: HttpStage) -> None:
    with serving(by_path(busy=BUSY)) as server:
        session = stage.open(server.url)
        with session.get("/outer", catch_response=True) as outer:
            with session.get("/busy", catch_response=True) as inner:
                inner.success()
            session.get("/plain")
            outer.failure("outer")
        assert stage.book.short == [
            ("GET", "/busy", 503, ""),
            ("GET", "/plain", 200, ""),
            ("GET", "/outer", 200, "outer"),
        ]


def test_a_caught_stream_is_recorded_at_the_end_of_the_block(stage: HttpStage) -> None:
    def handle(visit: Visit) -> None:
        while visit.request() is not None:
            visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
            gevent.sleep(0.01)
            visit.send(b"123456789")

    with serving(handle) as server:
        session = stage.open(server.url)
        with session.get("/read", stream=True, catch_response=True) as response:
            assert response.content == b"123456789"
            assert stage.book.records == []
        with session.get("/unread", stream=True, catch_response=True):
            pass
        session.get("/unentered", stream=True, catch_response=True)
        session.close()
        assert [record.short for record in stage.book.records] == [
            ("GET", "/read", 200, ""),
            ("GET", "/unread", 200, ""),
            ("GET", "/unentered", 200, ""),
        ]
        assert stage.book.records[0].service_ns >= 10_000_000
        assert stage.book.records[0].bytes_in > stage.book.records[1].bytes_in


def test_a_streamed_call_is_recorded_when_it_is_done(stage: HttpStage) -> None:
    def handle(visit: Visit) -> None:
        while (request := visit.request()) is not None:
            visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
            gevent.sleep(0.01)
            visit.send(b"123456789" if b"/whole" in request else b"123")
            if b"/broken" in request:
                visit.close()
                return

    with serving(handle) as server:
        session = stage.open(server.url)
        whole = session.get("/whole", stream=True)
        assert stage.book.records == []
        assert whole.content == b"123456789"
        broken = session.get("/broken", stream=True)
        assert list(broken.iter_content()) == [b"123"]
        closed = session.get("/closed", stream=True)
        closed.close()
        gc.disable()
        session.get("/dropped", stream=True)
        gc.enable()
        assert stage.book.short == [
            ("GET", "/whole", 200, ""),
            ("GET", "/broken", 200, "body cut off"),
            ("GET", "/closed", 200, ""),
            ("GET", "/dropped", 200, ""),
        ]
