"""`traceparent`: which calls carry one, what is in it, and that every exchange of a call is a span of its own."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.http.trace import Trace, Tracing, TracingClient
from tests.http.loopback import Visit, answering, serving
from tests.http.scripted import OK
from tests.script.sessions import head_of, http_stage

HEADER = re.compile(r"traceparent: 00-([0-9a-f]{32})-([0-9a-f]{16})-01")
ID = "4bf92f3577b34da6a3ce929d0e0e4736"


def spans_of(heads: list[bytes]) -> list[tuple[str, str] | None]:
    """Trace and span id of each request; None for one that is not marked."""
    found = [HEADER.findall(head.decode("latin-1")) for head in heads]
    assert all(len(headers) <= 1 for headers in found)
    return [headers[0] if headers else None for headers in found]


def test_a_header_names_the_trace_and_a_new_span_each_time() -> None:
    trace = Trace(ID)
    lines = [trace.header().decode() for _ in range(3)]
    found = [HEADER.fullmatch(line.removesuffix("\r\n")) for line in lines]
    assert {match[1] for match in found if match} == {ID}
    assert len({match[2] for match in found if match}) == 3
    assert repr(trace) == f"<Trace {ID}, 3 exchanges>"


@given(st.integers(0, 2**64 - 1), st.floats(0, 1), st.integers(1, 1_000))
def test_which_calls_are_marked_follows_from_the_seed_and_their_number(seed: int, ratio: float, number: int) -> None:
    one, same, of_another_run = Tracing(ratio, "a"), Tracing(ratio, "a"), Tracing(ratio, "b")
    traces = [tracing.trace_of(seed, number) for tracing in (one, same, of_another_run)]
    assert len({trace is None for trace in traces}) == 1
    if traces[0] and traces[1] and traces[2]:
        assert traces[0].id == traces[1].id != traces[2].id


@pytest.mark.parametrize(
    ("ratio", "least", "most"), [(0.0, 0, 0), (0.01, 70, 130), (0.5, 4_850, 5_150), (1.0, 10**4, 10**4)]
)
def test_the_share_is_the_one_asked_for(ratio: float, least: int, most: int) -> None:
    traces = [Tracing(ratio, "run").trace_of(7, number) for number in range(10_000)]
    marked = [trace.id for trace in traces if trace is not None]
    assert least <= len(marked) == len(set(marked)) <= most


def test_nothing_but_the_one_header_is_added_and_host_stays_first() -> None:
    with http_stage() as stage, serving(answering()) as server:
        stage.environment.tracing = Tracing(1.0, "run")
        plain = stage.open(server.url)
        plain.post("/x", json={"a": 1}, headers={"A": "b"})
        without = head_of(server)
        traced = stage.open_traced(server.url)
        traced.post("/x", json={"a": 1}, headers={"A": "b"})
        lines = head_of(server).splitlines(keepends=True)
        assert lines[1].startswith("Host: ")
        assert HEADER.fullmatch(lines.pop(2).strip())
        assert "".join(lines) == without


def redirecting(visit: Visit) -> None:
    """/0 redirects to /1, /1 to /2, which answers."""
    while (request := visit.request()) is not None:
        number = int(request.split(b" ")[1][1:])
        moved = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /%d\r\n\r\n" % (number + 1)
        visit.send(OK if number == 2 else moved)


@pytest.mark.parametrize("options", [{}, {"headers": {"Host": "other"}}, {"stream": True}, {"data": b"x"}])
def test_the_hops_of_a_redirect_are_spans_of_one_trace(options: dict[str, object]) -> None:
    with http_stage() as stage, serving(redirecting) as server:
        stage.environment.tracing = Tracing(1.0, "run")
        session = stage.open_traced(server.url)
        response = session.post("/0", **options) if "data" in options else session.get("/0", **options)
        assert response.content == b"ok\n" or response.ok
        spans = spans_of(server.heads)
        assert len(spans) == 3
        assert {span[0] for span in spans if span} == {response.trace_id}
        assert len({span[1] for span in spans if span}) == 3
    assert [(trace_id, status) for trace_id, _, status, _ in stage.book.traces] == [(response.trace_id, 200)]


def test_of_plain_and_other_calls_the_same_share_is_marked_and_recorded() -> None:
    with http_stage() as stage, serving(answering()) as server:
        tracing = stage.environment.tracing = Tracing(0.3, "run")
        session = stage.open_traced(server.url)
        for number in range(60):
            if number % 3:
                session.get("/")
            else:
                session.post("/", data="x")
        expected = [tracing.trace_of(stage.seat.seed, number) for number in range(1, 61)]
        ids = [trace.id if trace else None for trace in expected]
        assert [span[0] if span else None for span in spans_of(server.heads)] == ids
        assert [trace_id for trace_id, *_ in stage.book.traces] == [id_ for id_ in ids if id_]
        assert 8 <= len(stage.book.traces) <= 30
        durations = {record.response_ns for record in stage.book.records}
        assert {response_ns for _, response_ns, _, _ in stage.book.traces} <= durations
        assert len(stage.book.records) == 60


def test_a_traceparent_of_the_scripts_own_stays_what_it_is() -> None:
    with http_stage() as stage, serving(answering()) as server:
        stage.environment.tracing = Tracing(1.0, "run")
        session = stage.open_traced(server.url)
        session.get("/", headers={"Traceparent": "mine"})
        assert "Traceparent: mine" in head_of(server)
        session.headers["traceparent"] = "mine too"
        session.get("/")
        assert "traceparent: mine too" in head_of(server)
    assert (stage.book.traces, spans_of(server.heads)) == ([], [None, None])


def test_a_call_that_got_no_answer_is_recorded_with_its_trace() -> None:
    def silent(visit: Visit) -> None:
        visit.request()

    with http_stage() as stage, serving(silent) as server:
        stage.environment.tracing = Tracing(1.0, "run")
        stage.open_traced(server.url).post("/")
        [(span)] = spans_of(server.heads)
        assert span is not None
        assert [(trace_id, status) for trace_id, _, status, _ in stage.book.traces] == [(span[0], 0)]


def test_a_client_without_a_trace_in_its_options_marks_nothing() -> None:
    with http_stage() as stage, serving(answering()) as server:
        session = stage.open(server.url)
        session._client.__class__ = TracingClient
        session.get("/")
        session._options = dataclasses.replace(session._options, trace=Trace(ID))
        session.get("/")
        session.get("/")
        assert [span and span[0] for span in spans_of(server.heads)] == [None, ID, ID]
