"""The report at the end, as a whole and with everything that could break it."""

from __future__ import annotations

import sys

import msgspec
import pytest

from swell.document import ClusterSummary, ResultDocument, ThresholdSummary
from swell.report.console import open_console
from swell.report.final_table import final_report, print_final
from swell.result import ExportCount, Refusal, RefusedCount, StrangerCount
from swell.segment import ExceptionCount
from swell.stats.summary import summarise
from tests.report import sample_results
from tests.report.expected_text import assert_expected, assert_fits, rendered
from tests.report.sample_results import HOSTILE

RESULTS = ("running", "ended", "troubled", "without_requests", "hostile", "of_many_series")


def document_of(name: str) -> ResultDocument:
    return summarise(getattr(sample_results, name)())


def text_of(document: ResultDocument, width: int = 100) -> str:
    return rendered(final_report(document, width), width)


@pytest.mark.parametrize(
    ("name", "width"),
    [("ended", 100), ("ended", 80), ("ended", 160), ("troubled", 100), ("without_requests", 100), ("hostile", 100)],
)
def test_the_report_reads_as_expected(name: str, width: int) -> None:
    assert_expected(f"final_{name}_{width}", text_of(document_of(name), width))


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("width", [60, 80, 100, 120, 160, 300])
def test_the_report_fits_whatever_the_width(name: str, width: int) -> None:
    assert_fits(text_of(document_of(name), width), width)


def test_what_looks_like_markup_is_shown_as_it_is() -> None:
    text = text_of(document_of("hostile"), 120)
    assert "GET /[red]not red[/red]/[/]" in text
    assert r"GET /right-to-left/\u202egnp.exe" in text
    assert r"\x1b[31m" in text
    assert "\x1b" not in text


def test_a_long_name_loses_its_middle() -> None:
    line = next(line for line in text_of(document_of("hostile")).splitlines() if line.startswith("GET /long/"))
    assert "…" in line
    assert "/the/end " in line


def test_an_error_of_many_series_names_as_many_as_fit_and_counts_the_others() -> None:
    document = document_of("ended")
    errors = tuple(
        msgspec.structs.replace(document.errors[0], name=f"/problems/of/week/{number}") for number in range(5)
    )
    lines = text_of(msgspec.structs.replace(document, errors=errors)).splitlines()
    where = next(line.strip() for line in lines if "more)" in line)
    assert where == "GET /problems/of/week/0 24 · GET /problems/of/week/1 24 (and 3 series more)"


def test_what_the_target_said_begins_at_its_beginning() -> None:
    document = document_of("ended")
    error = document.errors[0]
    sample = msgspec.structs.replace(error.samples[0], body="<!doctype html>\n" + "<p>so sorry</p>\n" * 20)
    errors = (msgspec.structs.replace(error, samples=(sample,)),)
    text = text_of(msgspec.structs.replace(document, errors=errors))
    assert "e.g. 503 http://127.0.0.1:8000/submit  <!doctype html> <p>so sorry" in text


def test_of_a_thousand_series_the_busiest_are_shown_and_the_rest_counted() -> None:
    text = text_of(document_of("of_many_series"))
    assert sum(line.startswith("GET /items/") for line in text.splitlines()) == 60
    assert "(and 940 series more, with fewer requests: --json has them all)" in text


def test_series_are_listed_under_their_scenarios_where_there_are_several() -> None:
    lines = text_of(summarise(sample_results.of_many_series(6, scenarios=2))).splitlines()
    assert [line.split("  ")[0] for line in lines[5:13]] == [
        *("Visitor0", "GET /items/2", "GET /items/4", "GET /items/6"),
        *("Visitor1", "GET /items/1", "GET /items/3", "GET /items/5"),
    ]


def test_all_calls_together_are_timed_when_more_than_one_percent_failed() -> None:
    ended = document_of("ended")
    few = msgspec.structs.replace(ended, totals=msgspec.structs.replace(ended.totals, failures=20))
    assert [line.split()[0] for line in _times(ended)] == ["response", "service", "failed", "all"]
    assert [line.split()[0] for line in _times(few)] == ["response", "service", "failed"]


def _times(document: ResultDocument) -> list[str]:
    lines = text_of(document).splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("ms "))
    return lines[first + 1 : lines.index(next(line for line in lines[first:] if line.startswith("timed by")))]


@pytest.mark.parametrize(
    ("clock", "note"),
    [
        ("kernel", "timed by the kernel's clock"),
        ("user", "timed by the user's clock: the generator's own delays are in them"),
        ("mixed", "timed by the kernel's clock and, where it gave no stamp, by the user's"),
    ],
)
def test_it_says_which_clock_timed_the_calls(clock: str, note: str) -> None:
    ended = document_of("ended")
    generator = msgspec.structs.replace(ended.generator, clock=clock)
    text = text_of(msgspec.structs.replace(ended, generator=generator), 120)
    assert f"{note} · ~ fewer than 10 samples lie beyond\n" in text


def test_calls_without_a_response_are_counted_beside_the_statuses() -> None:
    ended = document_of("ended")
    totals = msgspec.structs.replace(ended.totals, statuses={"200": 2_000})
    lines = text_of(msgspec.structs.replace(ended, totals=totals)).splitlines()
    assert "statuses    200 2,000  no response 24" in lines


def test_a_generator_that_hides_nothing_tells_of_receive_windows_and_lost_output() -> None:
    ended = document_of("ended")
    generator = msgspec.structs.replace(ended.generator, window_limited=3, output_lost=4)
    text = " ".join(text_of(msgspec.structs.replace(ended, generator=generator)).split())
    assert "3 responses waited for the receive window · 4 lines of output lost" in text


def test_an_error_of_many_series_is_one_row() -> None:
    ended = document_of("ended")
    rows = [
        msgspec.structs.replace(ended.errors[0], name=f"/{number}", count=number, samples=()) for number in range(1, 6)
    ]
    lines = text_of(msgspec.structs.replace(ended, errors=tuple(rows))).splitlines()
    place = next(place for place, line in enumerate(lines) if line.startswith("errors"))
    assert [line.strip() for line in lines[place : place + 2]] == [
        "errors             15  HTTP 503  4 s – 6 s",
        "GET /5 5 · GET /4 4 · GET /3 3 (and 2 series more)",
    ]


def test_a_long_traceback_shows_its_end() -> None:
    exception = ExceptionCount("ValueError", "\n".join(f"line {number}" for number in range(40)), 3)
    text = text_of(summarise(sample_results.ended(exceptions=[exception])))
    assert "(24 lines before)" in text
    assert "line 23\n" not in text
    assert "line 39\n" in text


def test_thresholds_are_listed_with_their_values() -> None:
    thresholds = (
        ThresholdSummary("p95 < 300ms", True, 120.04, "ms"),
        ThresholdSummary("errors < 1%", False, 1.2, "%"),
        ThresholdSummary("[b]: p99 < 1s", None, None, "ms", "there was no call [b]"),
        ThresholdSummary("rps > 90% of baseline", True, 12_345.6, "/s", "the baseline's is 100/s", 90.0),
    )
    text = text_of(msgspec.structs.replace(document_of("ended"), thresholds=thresholds))
    assert (
        "thresholds  ✓ p95 < 300ms  120 ms\n"
        "            ✗ errors < 1%  1.2 %\n"
        "            ? [b]: p99 < 1s  (there was no call [b])\n"
        "            ✓ rps > 90% of baseline  12,346/s  (limit 90/s, the baseline's is 100/s)\n"
    ) in text


def test_metrics_that_could_not_be_sent_are_told_and_others_not() -> None:
    lost = ExportCount("http://a.test/v1/metrics", sent=9, failed=2, skipped=1, fault="no route")
    document = msgspec.structs.replace(summarise(sample_results.ended()), exports=(ExportCount("b.test", 7), lost))
    lines = rendered(final_report(document, 140), 140).splitlines()
    told = "http://a.test/v1/metrics: 2 of 12 failed, 1 left out: the one before took too long · no route"
    assert [line for line in lines if line.startswith("exports")] == [f"exports     {told}"]
    assert "b.test" not in "".join(lines)


def test_paced_starts_that_were_missed_are_told() -> None:
    document = document_of("ended")
    assert "missed" not in text_of(document)
    missing = msgspec.structs.replace(document, totals=msgspec.structs.replace(document.totals, missed=1_234))
    assert "            1,234 paced starts missed: too late to be made up\n" in text_of(missing)


def test_what_was_turned_away_at_the_link_is_told_by_kind_and_where_from() -> None:
    cluster = ClusterSummary(
        refused=(
            RefusedCount(Refusal.MALFORMED, "1.1", 1_200),
            RefusedCount(Refusal.OTHER_RUN, "\x1b[31m", 2),
            RefusedCount(Refusal.MALFORMED, "2.1", 1),
            RefusedCount(Refusal.EMPTY, "3.1", 1),
        ),
        strangers=(StrangerCount("10.0.0.9", 7),),
        crowded_out=5,
    )
    text = text_of(msgspec.structs.replace(document_of("ended"), cluster=cluster), 120)
    assert "frames refused: 1,201 malformed, 2 of another run, 1 empty, from \\x1b[31m, 1.1, 2.1 and 1 more" in text
    assert "7 connections turned away, from 10.0.0.9" in text
    assert "5 frames came too fast, and had to be sent again" in text
    assert "turned away" not in text_of(document_of("ended"))


def test_what_lies_beyond_the_caps_is_told() -> None:
    ended = document_of("ended")
    limits = msgspec.structs.replace(
        ended.limits,
        series=msgspec.structs.replace(ended.limits.series, beyond=7),
        exceptions=msgspec.structs.replace(ended.limits.exceptions, beyond=5),
    )
    text = text_of(msgspec.structs.replace(ended, limits=limits))
    assert "7 calls in series beyond the first 1,000: under (other)" in text
    assert "(and 5 times another exception)" in text


def test_a_pipe_gets_no_colours(capsys: pytest.CaptureFixture[str]) -> None:
    print_final(document_of("ended"), open_console(sys.stdout))
    assert "\x1b" not in capsys.readouterr().out


def test_every_hostile_name_is_in_the_report() -> None:
    assert text_of(document_of("hostile")).count("e.g. 500") == len(HOSTILE)
