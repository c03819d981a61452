"""Numbers as a person reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.report.figures import (
    bytes_text,
    clock_text,
    count_text,
    cpu_text,
    ms_text,
    rate_text,
    seconds_text,
    share_text,
)


def test_milliseconds_stay_readable_from_12_microseconds_to_3_minutes() -> None:
    shown = [0, 0.012, 0.9994, 3.184, 9.9994, 9.9996, 12.342, 99.996, 123.44, 999.94, 999.96, 12_345.6, 180_000]
    assert [ms_text(ms) for ms in shown] == [
        *("0", "0.012", "0.999", "3.184", "9.999", "10.00", "12.34", "100.0", "123.4", "999.9", "1,000", "12,346"),
        "180,000",
    ]


@given(st.floats(0.012, 3_600_000))
def test_a_duration_is_shown_within_half_a_percent_in_nine_columns(ms: float) -> None:
    text = ms_text(ms)
    assert len(text) <= 9
    assert float(text.replace(",", "")) == pytest.approx(ms, rel=0.05 if ms < 0.1 else 0.005)


def test_counts_are_grouped_and_shortened_from_ten_million_on() -> None:
    counts = [0, 12_345, 9_999_999, 10_000_000, 123_456_789, 12_345_678_901, 10**14]
    assert [count_text(count) for count in counts] == [
        *("0", "12,345", "9,999,999", "10 M", "123.5 M", "12.35 G", "100 T"),
    ]


def test_rates_have_the_digits_that_matter() -> None:
    assert [rate_text(rate) for rate in (0, 0.004, 0.52, 9.53, 205.84, 12_345.6)] == [
        *("0", "0.00", "0.52", "9.53", "205.8", "12,346"),
    ]


def test_a_share_is_nought_or_all_only_if_it_is_so() -> None:
    cases = [(0, 0), (0, 10), (1, 100_000), (1, 2_000), (52, 1_000), (1, 3), (99_999, 100_000), (7, 7)]
    assert [share_text(part, max(whole, 1)) for part, whole in cases] == [
        *("0 %", "0 %", "<0.01 %", "0.05 %", "5.2 %", "33.3 %", ">99.9 %", "100 %"),
    ]


def test_times_sizes_and_cpu() -> None:
    assert [clock_text(seconds) for seconds in (0, 7.9, 754, 3_723)] == ["0:00", "0:07", "12:34", "1:02:03"]
    assert [seconds_text(seconds) for seconds in (0.4, 8.02, 60, 59.5, 725, 12_000)] == [
        *("0.4 s", "8 s", "1 min", "59.5 s", "12 min 5 s", "3 h 20 min"),
    ]
    assert [bytes_text(size) for size in (0, 999, 1_234, 999_499, 999_500, 45_600_000, 10**18)] == [
        *("0 B", "999 B", "1.23 kB", "999 kB", "1 MB", "45.6 MB", "1e+03 PB"),
    ]
    assert [cpu_text(cpu) for cpu in (0, 0.424, 1.004)] == ["0 %", "42 %", "100 %"]
