"""A stretch of a run is summed up as if there had been nothing else, at the run's own seconds."""

from __future__ import annotations

import msgspec
import pytest

from swell.segment import Kind
from swell.stats.summary import summarise
from swell.stats.window_document import summarise_window, window_document
from tests.report.sample_results import contest_calls, ended
from tests.stats.worker_runs import oracle

SUBMIT = "/submit"


def test_its_percentiles_are_those_of_its_own_calls() -> None:
    document = summarise_window(ended(), 2, 5)
    calls = [call for second in range(2, 5) for call in contest_calls(second)]
    twice = [call for call in calls if not call.failed] * 2 + [call for call in calls if call.failed]
    response = document.totals.response_ms
    assert response is not None
    assert document.totals.requests == len(twice)
    assert document.totals.rps == len(twice) / 3
    assert response.p95 == pytest.approx(oracle(twice, Kind.RESPONSE).quantile_ns(0.95) / 1e6)
    assert [point.t_s for point in document.timeline] == [2, 3, 4]


def test_errors_are_those_of_the_stretch() -> None:
    first, later = summarise_window(ended(), 0, 4), summarise_window(ended(), 5, 6)
    assert first.errors == ()
    (error,) = later.errors
    assert (error.name, error.first_s, error.last_s) == (SUBMIT, 5.0, 5.0)
    assert error.count == sum(call.failed for call in contest_calls(5))
    assert error.samples


def test_stretches_add_up_to_the_run() -> None:
    parts = [window_document(ended(), second, second + 1) for second in range(10)]
    whole = window_document(ended(), 0, 10)
    assert sum(part.totals.requests for part in parts) == whole.totals.requests == 2_024
    assert sum(part.totals.bytes_received for part in parts) == whole.totals.bytes_received


def test_the_rate_of_a_last_stretch_is_over_the_plan_without_the_drain_behind_it() -> None:
    result = msgspec.structs.replace(ended(), duration_s=9.5)
    last = window_document(result, 9, 12)
    assert last.totals.rps == last.totals.requests / 0.5 > 0
    assert window_document(result, 0, 12).totals.rps == summarise(result).totals.rps


def test_a_stretch_without_a_call_is_empty() -> None:
    document = window_document(ended(), 200, 300)
    assert (document.from_s, document.to_s, document.totals.requests, document.series) == (200, 300, 0, ())
    assert document.totals.response_ms is None
