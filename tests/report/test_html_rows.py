"""What the page shows of each series, worker and mark, and of how many of them."""

from __future__ import annotations

import dataclasses

import msgspec

from swell.feed_plan import FeedCount
from swell.report.html_bounds import Bounds
from swell.report.html_health import health_lines
from swell.report.html_marks import marks
from swell.report.html_measures import feed_notes, feed_rows
from swell.report.html_page import to_html
from swell.report.html_series import chosen, detailed, numbers_of, rows_of, strip_scale
from swell.report.html_timeline import edges_s
from swell.result import HealthSpan, RunResult, WorkerResult
from swell.segment import Health
from swell.stats.summary import summarise
from tests.report import sample_results
from tests.report.long_results import long_run


def worker(number: int, *spans: tuple[float, float, float]) -> WorkerResult:
    """One with so much CPU from when to when."""
    health = tuple(HealthSpan(from_s, to_s, Health(cpu=cpu)) for from_s, to_s, cpu in spans)
    return WorkerResult(worker=number, incarnation=1, health=health)


def of_workers(*workers: WorkerResult) -> RunResult:
    return msgspec.structs.replace(sample_results.ended(), workers=workers)


def test_each_worker_has_a_line_of_the_worst_that_reaches_into_a_bin() -> None:
    result = of_workers(worker(0, (0.1, 1.1, 0.2), (1.1, 5.0, 0.9)), worker(1, (4.2, 5.2, 0.5)))
    assert health_lines(result, [0, 2, 4, 6], 8).cpu == {
        "worker 0.1": [0.9, 0.9, 0.9],
        "worker 1.1": [None, None, 0.5],
    }


def test_of_many_workers_the_busiest_and_the_mean_are_drawn() -> None:
    result = of_workers(*(worker(number, (0.0, 2.0, number / 10)) for number in range(10)))
    lines = health_lines(result, [0, 2, 4], 8)
    assert lines.cpu["busiest worker"] == [0.9, None]
    assert [value and round(value, 2) for value in lines.cpu["mean of all"]] == [0.45, None]


def test_a_feed_is_in_trouble_when_rows_are_lost_run_out_or_are_waited_for() -> None:
    feeds = (
        FeedCount(name="calm.csv", rows=7, used=80),
        FeedCount(name="out.csv", rows=1_000, used=1_000, ran_out=20),
        FeedCount(name="lost.csv", rows=12_345, used=12_000, unknown=345),
        FeedCount(name="slow.csv", rows=10, used=10, waited_s=50.0),
    )
    document = msgspec.structs.replace(summarise(sample_results.ended()), feeds=feeds)
    rows = list(feed_rows(document, Bounds()))
    assert [(row.name, row.trouble) for row in rows] == [
        ("calm.csv", False),
        ("out.csv", True),
        ("lost.csv", True),
        ("slow.csv", True),
    ]
    assert [cell.text for cell in rows[2].cells] == ["12,345", "12,000", "345", "0", "0 s"]
    assert len(list(feed_notes(document))) == 2
    assert list(feed_notes(msgspec.structs.replace(document, feeds=feeds[:2]))) == []
    page = to_html(sample_results.ended(), document)
    assert page.count('<tr class="trouble"><th scope="row">') == 3
    assert "rows that may have been used by a worker that died" in page


def test_half_of_the_series_that_open_are_those_with_failures() -> None:
    series = summarise(long_run(40, 0.05, 3)).series
    found = detailed(series, Bounds(detailed_series=6))
    failing = sorted((row.failures for row in series), reverse=True)
    busiest = sorted((row.requests for row in series), reverse=True)
    assert len(found) == 6
    assert sum(row.failures >= failing[2] > 0 for row in found) == 3
    assert sum(row.requests >= busiest[3] for row in found) >= 3


def test_beyond_the_bound_the_busiest_series_keep_their_rows_in_their_order() -> None:
    series = summarise(sample_results.of_many_series(50)).series
    found = chosen(series, Bounds(series=7))
    assert [row.requests for row in found] == [7] * 7
    assert [series.index(row) for row in found] == sorted(series.index(row) for row in found)


def test_a_series_is_found_again_by_all_of_its_names() -> None:
    result = sample_results.ended()
    twins = (*result.series, msgspec.structs.replace(result.series[1], tags="plan=paid"))
    result = msgspec.structs.replace(result, series=twins)
    document = summarise(result)
    assert [result.series[number].name for number in numbers_of(result, document.series)] == [
        row.name for row in document.series
    ]


def test_strips_lie_on_one_logarithmic_axis() -> None:
    series = summarise(sample_results.of_many_series(100)).series
    scale = strip_scale(series)
    rows = {row.name: row for row in rows_of(series, [], scale, Bounds())}
    least, middle, greatest = (rows[f"/items/{number}"].strip for number in (1, 10, 100))
    assert least is not None
    assert middle is not None
    assert greatest is not None
    assert (least.p50, middle.p50, greatest.greatest) == (0, 50, 100)


def test_more_marks_than_fit_are_counted() -> None:
    result = long_run(3, 0.05, 2)
    document = summarise(result)
    every, none = marks(result, document, Bounds())
    shown, hidden = marks(result, document, Bounds(marks=1))
    assert (len(every), none, shown, hidden) == (4, 0, every[:1], 3)


def test_a_stretch_and_a_moment_are_said_as_on_a_clock() -> None:
    result = long_run(3, 1.0, 2)
    found, _ = marks(result, summarise(result), Bounds())
    assert [mark.when for mark in found][:2] == ["24:00", "36:00"]
    assert dataclasses.replace(found[0], to_s=1_500.0).when == "24:00 – 25:00"


def test_edges_of_a_short_run_are_its_seconds() -> None:
    assert edges_s(sample_results.ended(), 600) == list(range(11))
