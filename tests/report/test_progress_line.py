"""One line for where there is no terminal."""

from __future__ import annotations

from swell.report.progress_line import progress_line
from tests.report import sample_results


def test_a_line_tells_time_users_rate_failures_and_percentiles_of_the_last_seconds() -> None:
    assert progress_line(sample_results.running()) == (
        "0:06/0:10  20 users  203.2 req/s  3.20 failed/s (1.6 %)  p50 9.535  p95 49.94  p99 127.7 ms"
    )


def test_before_the_first_response_there_are_no_percentiles() -> None:
    assert progress_line(sample_results.without_requests()) == "0:00  0 users  0 req/s  0 failed/s (0 %)  no response"
