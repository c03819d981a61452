"""The four CSV files: heads as Locust writes them, figures as the document has them."""

from __future__ import annotations

import csv
import io

import pytest

from swell.document import ResultDocument
from swell.report.locust_csv import ENDINGS, to_csv
from swell.result import RunResult
from swell.segment import ExceptionCount
from swell.stats.summary import summarise
from tests.report import sample_results
from tests.report.sample_results import HOSTILE, ended

HEADS = {
    "_stats.csv": "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,"
    "Max Response Time,Average Content Size,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%",
    "_stats_history.csv": "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,"
    "99.99%,100%,Total Request Count,Total Failure Count,Total Median Response Time,Total Average Response Time,"
    "Total Min Response Time,Total Max Response Time,Total Average Content Size",
    "_failures.csv": "Method,Name,Error,Occurrences,First Seen,Last Seen",
    "_exceptions.csv": "Count,Message,Traceback,Nodes",
}
"""The first lines of what Locust 2.47 wrote with --csv."""
RESULTS = ("running", "ended", "troubled", "without_requests", "hostile", "of_many_series")

Table = list[dict[str, str]]


def tables_of(result: RunResult) -> tuple[ResultDocument, dict[str, Table]]:
    document = summarise(result)
    files = to_csv(result, document)
    return document, {
        ending: list(csv.DictReader(io.StringIO(data.decode(), newline=""))) for ending, data in files.items()
    }


def test_the_heads_are_locust_s() -> None:
    files = to_csv(ended(), summarise(ended()))
    assert tuple(files) == ENDINGS
    assert {ending: data.decode().split("\r\n")[0] for ending, data in files.items()} == HEADS


@pytest.mark.parametrize("name", RESULTS)
def test_every_row_has_a_cell_for_every_head(name: str) -> None:
    result = getattr(sample_results, name)()
    for ending, data in to_csv(result, summarise(result)).items():
        rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
        assert {len(row) for row in rows} == {len(HEADS[ending].split(","))}


def test_each_series_has_the_figures_of_the_document() -> None:
    document, tables = tables_of(ended())
    rows = {row["Name"]: row for row in tables["_stats.csv"]}
    assert len(rows) == len(document.series) + 1
    for series in document.series:
        row, times = rows[series.name], series.all_ms
        assert times is not None
        assert (row["Type"], int(row["Request Count"]), int(row["Failure Count"])) == (
            series.method,
            series.requests,
            series.failures,
        )
        found = [float(row[name]) for name in ("50%", "95%", "99%", "99.9%", "Average Response Time", "100%")]
        assert found == pytest.approx([times.p50, times.p95, times.p99, times.p99_9, times.mean, times.max], abs=6e-4)
        assert float(row["Requests/s"]) == pytest.approx(series.rps)
        assert float(row["Average Content Size"]) == series.bytes_received / series.requests


def test_the_last_row_is_all_of_them() -> None:
    document, tables = tables_of(ended())
    row, totals = tables["_stats.csv"][-1], document.totals
    assert (row["Type"], row["Name"]) == ("", "Aggregated")
    assert (int(row["Request Count"]), int(row["Failure Count"])) == (totals.requests, totals.failures)
    assert totals.all_ms is not None
    assert float(row["Median Response Time"]) == pytest.approx(totals.all_ms.p50, abs=6e-4)


def test_series_that_differ_only_in_their_class_are_one_row() -> None:
    result = sample_results.of_many_series(6, scenarios=2)
    same = tuple(
        type(series)(series.scenario, series.method, "/same") if series.name != "(other)" else series
        for series in result.series
    )
    _, tables = tables_of(sample_results.msgspec.structs.replace(result, series=same))
    assert [row["Name"] for row in tables["_stats.csv"]] == ["/same", "Aggregated"]


def test_the_history_adds_up_second_by_second() -> None:
    document, tables = tables_of(ended())
    rows = tables["_stats_history.csv"]
    assert [int(row["Timestamp"]) for row in rows] == [1_769_860_800 + second for second in range(1, 11)]
    requests = [point.requests for point in document.timeline]
    assert [float(row["Requests/s"]) for row in rows] == requests
    assert [int(row["Total Request Count"]) for row in rows] == [sum(requests[: end + 1]) for end in range(10)]
    assert {int(row["User Count"]) for row in rows} == {20}
    last, whole = rows[-1], tables["_stats.csv"][-1]
    assert last["Total Median Response Time"] == whole["Median Response Time"]
    assert last["Total Average Response Time"] == whole["Average Response Time"]
    assert (last["Total Min Response Time"], last["Total Max Response Time"]) == (
        whole["Min Response Time"],
        whole["Max Response Time"],
    )


def test_failures_say_when_they_were_seen() -> None:
    _, tables = tables_of(ended())
    assert tables["_failures.csv"] == [
        {
            "Method": "GET",
            "Name": "/submit",
            "Error": "HTTP 503",
            "Occurrences": "24",
            "First Seen": "2026-01-31T12:00:04Z",
            "Last Seen": "2026-01-31T12:00:06Z",
        }
    ]


def test_exceptions_keep_their_lines() -> None:
    _, tables = tables_of(ended(exceptions=[ExceptionCount('a, "b"', "line 1\nline 2", 3)]))
    assert tables["_exceptions.csv"] == [
        {"Count": "3", "Message": 'a, "b"', "Traceback": "line 1\nline 2", "Nodes": ""}
    ]


def test_a_run_without_requests_has_no_percentiles() -> None:
    _, tables = tables_of(sample_results.without_requests())
    (row,) = tables["_stats.csv"]
    assert (row["Request Count"], row["50%"], row["100%"]) == ("0", "N/A", "N/A")
    assert tables["_stats_history.csv"] == []


def test_hostile_names_come_back_as_they_were() -> None:
    _, tables = tables_of(sample_results.hostile())
    names = {row["Name"] for row in tables["_stats.csv"]}
    assert {name.replace("\ud800", "?") for name in HOSTILE} <= names
