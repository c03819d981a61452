"""Checks, transactions and measures of a script, at the end of a run and while it goes on."""

from __future__ import annotations

import msgspec
import pytest

from swell.document import CheckSummary, Limit, MeasureSummary, ResultDocument, TransactionSummary
from swell.report.final_table import final_report
from swell.report.live_view import live_frame
from swell.result import RunResult
from swell.segment import MEASURES_FROM, SeriesName, Sort
from swell.stats.summary import summarise
from tests.report import sample_results
from tests.report.expected_text import assert_expected, assert_fits, rendered
from tests.report.sample_results import HOSTILE
from tests.stats.segments import Call, segment

OF = {"scenario": "Contestant"}


def measured(**changed: object) -> ResultDocument:
    """A contest whose script measures something of every kind."""
    document = summarise(sample_results.ended())
    found = document.totals.response_ms
    own = msgspec.structs.replace(
        document,
        checks=(
            CheckSummary(**OF, name="has a title", passed=1_234, failed=0),
            CheckSummary(**OF, name="was accepted", passed=90, failed=3),
        ),
        transactions=(
            TransactionSummary(**OF, name="checkout", count=93, failures=3, response_ms=found, failed_ms=None),
            TransactionSummary(**OF, name="never ends well", count=12_345, failures=12_345, response_ms=None,
                               failed_ms=found),
        ),
        measures=(
            MeasureSummary(**OF, name="orders placed", sort="counter", count=50, sum=62.6, per_s=6.26),
            MeasureSummary(**OF, name="people in the queue", sort="gauge", count=50, last=-3.5, min=-10, max=1_234_567),
            MeasureSummary(**OF, name="cache hits", sort="rate", count=200, share=0.995),
            MeasureSummary(**OF, name="time in the queue", sort="trend", count=200, trend=found),
        ),
        limits=msgspec.structs.replace(document.limits, measures=Limit(1_000, 17), values_refused=3),
    )  # fmt: skip
    return msgspec.structs.replace(own, **changed)


def text_of(document: ResultDocument, width: int = 100) -> str:
    return rendered(final_report(document, width), width)


def test_the_report_shows_them_with_the_worst_check_first() -> None:
    assert_expected("final_measured_100", text_of(measured()))


@pytest.mark.parametrize("width", [60, 80, 100, 160, 300])
def test_they_fit_whatever_the_width_and_the_names(width: int) -> None:
    hostile = measured(
        checks=tuple(CheckSummary(scenario=name, name=name, passed=1, failed=1) for name in HOSTILE),
        transactions=tuple(
            TransactionSummary(scenario=name, name=name, count=1, failures=0, response_ms=None, failed_ms=None)
            for name in HOSTILE
        ),
        measures=tuple(
            MeasureSummary(scenario=name, name=name, sort=sort, count=1)
            for name in HOSTILE
            for sort in ("counter", "gauge", "rate", "trend")
        ),
    )
    assert_fits(text_of(hostile, width), width)
    assert_fits(text_of(measured(), width), width)


def test_a_name_is_not_cut_for_the_sake_of_its_values() -> None:
    trend = next(line for line in text_of(measured(), 80).splitlines() if "trend" in line)
    assert "  time in the queue  " in trend


def test_of_many_the_first_are_shown_and_the_rest_counted() -> None:
    many = measured(
        checks=tuple(CheckSummary(**OF, name=f"check {number}", passed=number, failed=1) for number in range(1_000)),
        transactions=(),
        measures=tuple(
            MeasureSummary(**OF, name=f"n{number}", sort="counter", count=1, sum=1.0, per_s=0.1) for number in range(30)
        ),
    )
    text = text_of(many)
    assert "(and 980 more: --json has them all)" in text
    assert "(and 10 more: --json has them all)" in text
    assert "check 19 " in text
    assert "check 20 " not in text


def test_names_of_several_scenarios_say_whose_they_are() -> None:
    both = tuple(CheckSummary(scenario=name, name="has a title", passed=1, failed=0) for name in ("Reader", "Editor"))
    assert "Editor: has a title" in text_of(measured(checks=both))


def with_measures() -> RunResult:
    """A run under way whose script has made 9 checks and 2 transactions."""
    merge = sample_results.new_merge(sample_results.plan())
    names = [("is well", Sort.CHECK), ("checkout", Sort.TRANSACTION), ("orders", Sort.COUNTER)]
    calls = [Call(0, MEASURES_FROM + number, status=0, failed=failed)
             for number, failed, times in ((1, False, 6), (1, True, 3), (2, False, 2), (3, False, 7))
             for _ in range(times)]  # fmt: skip
    series = tuple(
        SeriesName(MEASURES_FROM + number, "Contestant", "", name, sort) for number, (name, sort) in enumerate(names, 1)
    )
    merge.apply(msgspec.structs.replace(segment(1, calls, users=3), series=series))
    return merge.snapshot(1.2)


def test_the_live_view_has_a_line_for_checks_and_transactions() -> None:
    lines = rendered(live_frame(with_measures(), 100, 30), 100).splitlines()
    assert "script     9 checks, 3 failed (33.3 %) · 2 transactions" in lines
    assert "no call is done yet" in lines
    assert not any(
        line.startswith("script") for line in rendered(live_frame(sample_results.running(), 100, 30), 100).splitlines()
    )


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_line_fits_whatever_the_width(width: int) -> None:
    assert_fits(rendered(live_frame(with_measures(), width, 30), width), width)
