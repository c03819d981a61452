"""The document: one whole of it, and what its parts promise."""

from __future__ import annotations

import json

import msgspec
import pytest

from swell.document import ResultDocument
from swell.report.json_document import to_json
from swell.result import RunResult
from swell.stats.summary import summarise
from tests.report import sample_results
from tests.stats.segments import MS, Call, segment
from tests.stats.worker_runs import merged

RESULTS = {
    name: getattr(sample_results, name)
    for name in ("running", "ended", "troubled", "without_requests", "hostile", "of_many_series")
}


def small() -> ResultDocument:
    calls = [
        Call(0, 1, 8 * MS, 6 * MS, connect_ns=1 * MS),
        Call(1, 1, 16 * MS, 14 * MS),
        Call(1, 2, 32 * MS, 30 * MS, status=503, error=1, failed=True, outcome=2),
        Call(3, 2, 4 * MS, 4 * MS, status=0, error=2, failed=True, outcome=2),
    ]
    return summarise(
        merged(
            [
                segment(
                    1,
                    calls,
                    series=[(1, "/"), (2, "/submit")],
                    errors=[(1, "HTTP 503"), (2, "connection refused")],
                    users=2,
                    sealed_s=4.0,
                )
            ]
        ).snapshot()
    )


def test_totals_count_failed_calls_too_and_time_successes_failures_and_both() -> None:
    totals = small().totals
    assert (totals.requests, totals.failures, totals.rps, totals.failures_per_s) == (4, 2, 1.0, 0.5)
    assert totals.statuses == {"200": 2, "503": 1}
    assert (totals.bytes_sent, totals.bytes_received) == (400, 4_000)
    blocks = (totals.response_ms, totals.service_ms, totals.failed_ms, totals.all_ms)
    assert [(block.clock, block.count, block.min, block.mean, block.max) for block in blocks if block] == [
        ("kernel", 2, 8.0, 12.0, 16.0),
        ("kernel", 2, 6.0, 10.0, 14.0),
        ("user", 2, 4.0, 18.0, 32.0),
        ("mixed", 4, 4.0, 15.0, 32.0),
    ]


def test_a_series_has_its_own_and_a_block_without_a_sample_is_null() -> None:
    index, submit = small().series
    assert (index.name, index.requests, index.failures, index.rps, index.statuses) == ("/", 2, 0, 0.5, {"200": 2})
    assert index.failed_ms is None
    assert index.connect_ms is not None
    assert (index.connect_ms.clock, index.connect_ms.count, index.connect_ms.max) == ("user", 1, 1.0)
    assert (submit.name, submit.failures, submit.response_ms, submit.service_ms) == ("/submit", 2, None, None)


def test_errors_are_by_series_with_the_seconds_in_which_they_occurred() -> None:
    assert [(row.method, row.name, row.error, row.count, row.first_s, row.last_s) for row in small().errors] == [
        ("GET", "/submit", "HTTP 503", 1, 1.0, 1.0),
        ("GET", "/submit", "connection refused", 1, 3.0, 3.0),
    ]


def test_the_timeline_has_every_second_and_percentiles_only_where_a_call_succeeded() -> None:
    points = [(point.t_s, point.users, point.requests, point.failures, point.p50_ms) for point in small().timeline]
    assert points == [(0, 0, 1, 0, 8.0), (1, 0, 2, 1, 16.0), (2, 0, 0, 0, None), (3, 2, 1, 1, None)]


def test_durations_keep_their_fraction() -> None:
    document = summarise(merged([segment(1, [Call(response_ns=12_345_678)])]).snapshot())
    assert document.totals.response_ms is not None
    assert document.totals.response_ms.p50 == 12.345678


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_has_a_document_without_a_nan_that_can_be_read_back(name: str) -> None:
    result: RunResult = RESULTS[name]()
    document = summarise(result)
    encoded = to_json(document)
    assert json.loads(encoded)["schema"] == "swell.result/1"
    assert b"NaN" not in encoded
    assert document.totals.requests == sum(series.requests for series in document.series)
    assert document.totals.requests == sum(point.requests for point in document.timeline)


def test_the_documents_keys_are_those_that_were_promised() -> None:
    read = msgspec.json.decode(msgspec.json.encode(small()))
    promised = {
        "schema run totals scenarios series errors exceptions checks transactions measures thresholds verdict"
        " accounting workers limits generator timeline": read,
        "id script target started_at duration_s end workers plan": read["run"],
        "requests failures rps failures_per_s users_peak dropped missed bytes_sent bytes_received response_ms"
        " service_ms failed_ms all_ms": read["totals"],
        "name model users_peak iterations dropped missed": read["scenarios"][0],
        "scenario method name requests failures rps statuses response_ms service_ms failed_ms all_ms connect_ms"
        " first_byte_ms": read["series"][0],
        "clock count min mean p50 p75 p90 p95 p99 p99_9 max": read["series"][0]["response_ms"],
        "scenario method name error count first_s last_s samples": read["errors"][0],
        "state reasons": read["verdict"],
        "sent answered unanswered not_sent retried redirected unaccounted": read["accounting"],
        "id incarnation host capacity sent answered lost_at_s": read["workers"][0],
        "series errors exceptions": read["limits"],
        "cap beyond": read["limits"]["series"],
        "healthy reasons clock cpu_max loop_lag_p99_ms schedule_lag_p99_ms gc_pause_max_ms fds_max ports_max unstamped"
        " window_limited samples_lost": read["generator"],
        "t_s users requests failures p50_ms p95_ms p99_ms": read["timeline"][0],
    }
    assert {
        keys: sorted(set(keys.split()) - set(part)) for keys, part in promised.items() if set(keys.split()) - set(part)
    } == {}


def test_the_start_is_written_in_utc_to_the_second() -> None:
    assert small().run.started_at == "2026-01-31T12:00:00Z"
