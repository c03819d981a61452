"""The comparison on a terminal: as a whole, at every width, with names that could break it."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest

from bench.simulated_runs import Target, simulated
from swell.report.comparison_table import comparison_report
from swell.report.comparison_wording import change_text, interval_text
from swell.result import RunResult
from swell.stats.comparison.compare import compare
from swell.stats.comparison.document import Comparison, Estimate, Finding, Thing, ThingCompared
from tests.report.expected_text import assert_expected, assert_fits, rendered
from tests.report.sample_results import HOSTILE, hostile

BASE = Target(seconds=60, calls_per_s=200, series=2, warm_up_s=6)


def run_of(seed: int, **changed: object) -> RunResult:
    return simulated(dataclasses.replace(BASE, **changed), np.random.default_rng(seed))  # type: ignore[arg-type]


def mixed() -> Comparison:
    """A run that is slower, answers more, fails more and has a series more."""
    run = run_of(2, median_ms=26, series=3, calls_per_s=360, failing=0.01, seconds=70)
    run = msgspec.structs.replace(run, plan=msgspec.structs.replace(run.plan, host="http://b"))
    return compare(run_of(1), run, limit=0.05, names=("before", ""))


def calm() -> Comparison:
    return compare(run_of(1, series=1, calls_per_s=20), run_of(2, series=1, calls_per_s=20), limit=0.05)


def text_of(comparison: Comparison, width: int = 100) -> str:
    return rendered(comparison_report(comparison, width), width)


@pytest.mark.parametrize(("name", "width"), [("mixed", 80), ("mixed", 120), ("calm", 80)])
def test_a_comparison_reads_as_expected(name: str, width: int) -> None:
    found = {"mixed": mixed, "calm": calm}[name]()
    assert_expected(f"comparison_{name}_{width}", text_of(found, width))


@pytest.mark.parametrize("width", [80, 100, 112, 120, 160, 300])
def test_it_fits_whatever_the_width(width: int) -> None:
    for found in (mixed(), calm(), compare(hostile(), hostile(), also=[name for name in HOSTILE if name])):
        assert_fits(text_of(found, width), width)


def test_nothing_of_a_row_is_cut_off_at_80_columns() -> None:
    assert "…" not in text_of(mixed(), 80).replace(" … ", "")


def test_of_many_series_those_that_differ_are_shown_and_the_rest_counted() -> None:
    many = compare(run_of(1, series=40, calls_per_s=900), run_of(2, series=40, calls_per_s=900))
    text = text_of(many)
    assert sum(line.startswith("GET /") for line in text.splitlines()) == 20
    assert "(and 20 series more: --json has them all)" in text


def test_why_there_are_too_few_is_said_once_with_a_count() -> None:
    text = text_of(calm())
    assert "too few     fewer than 10 calls lie beyond it (1)" in text


def test_of_a_short_span_it_is_said_that_it_is_short() -> None:
    short = compare(run_of(1, seconds=20, warm_up_s=0), run_of(2, seconds=20, warm_up_s=0), limit=0.05)
    assert "20 s are few to tell a difference in: run for a minute or more" in text_of(short)
    assert "run for a minute" not in text_of(mixed())


def test_a_gate_that_failed_names_what_failed_it() -> None:
    text = text_of(mixed())
    assert "FAILED: slower by more than 5 %" in text
    assert "all calls: failures, p50, p95, p99\n" in text


@pytest.mark.parametrize(
    ("thing", "change", "says", "between"),
    [
        (Thing.P95, Estimate(1.1, 1.05, 1.155), "+10.0 %", "+5.0 … +15.5 %"),
        (Thing.P95, Estimate(0.5, 0.25, 0.9997), "−50.0 %", "−75.0 … −0.03 %"),
        (Thing.P50, Estimate(25.0, 9.0, None), "×25", "+800 % … ∞"),
        (Thing.P50, Estimate(1.0, 0.99, 1.01), "0.00 %", "−1.0 … +1.0 %"),
        (Thing.FAILURES, Estimate(0.0109, 0.008, 0.0143), "+1.1 pt", "+0.80 … +1.4 pt"),
        (Thing.FAILURES, Estimate(0.0, None, None), "0.00 pt", ""),
        (Thing.THROUGHPUT, Estimate(1e9, 1e8, 1e10), "×>10⁶", "×>10⁶ … ×>10⁶"),
    ],
)
def test_changes_are_written_for_people(thing: Thing, change: Estimate, says: str, between: str) -> None:
    row = ThingCompared(thing=thing, unit="", base=None, run=None, change=change, verdict=Finding.SLOWER)
    assert (change_text(row), interval_text(row)) == (says, between)
