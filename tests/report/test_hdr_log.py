"""The HdrHistogram log, read back by HdrHistogram's own Python package."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from hypothesis import given, settings
from hypothesis import strategies as st

from swell.histogram import MAX_NS, Histogram
from swell.report.hdr_log import encoded, index_of, tags_of, to_hdr_log, varint
from swell.result import RunResult
from swell.segment import Kind
from swell.stats.summary import summarise
from swell.stats.windows import window
from tests.report import sample_results
from tests.report.sample_results import HOSTILE, ended

QS = (0.5, 0.9, 0.95, 0.99, 1.0)
ERROR = 0.006
"""Half a bucket of ours, and one of theirs."""


def intervals(result: RunResult, folder: Path) -> list[HdrHistogram]:
    """What the package's log reader finds."""
    path = folder / "run.hlog"
    path.write_bytes(to_hdr_log(result, summarise(result)))
    reader = HistogramLogReader(str(path), HdrHistogram(1, MAX_NS, 3))
    found = []
    while (one := reader.get_next_interval_histogram()) is not None:
        found.append(one)
    reader.close()
    return found


def decoded(histogram: Histogram) -> HdrHistogram:
    return HdrHistogram.decode(base64.b64encode(encoded(histogram)))


def assert_equal(theirs: HdrHistogram, ours: Histogram) -> None:
    assert theirs.get_total_count() == ours.total
    for q in QS if ours.total else ():
        rank = max(int(q * ours.total + 0.5), 1)  # they round where we round up
        same = ours.quantile_ns((rank - 0.5) / ours.total)
        assert theirs.get_value_at_percentile(100 * q) == pytest.approx(same, rel=ERROR)


def test_every_second_of_every_series_comes_back(tmp_path: Path) -> None:
    result = ended()
    tags = {tag: number for number, tag in tags_of(result).items()}
    found = intervals(result, tmp_path)
    assert len(found) == 10 * (1 + 6)
    for one in found:
        second = round((one.get_start_time_stamp() - 1_769_860_800_000) / 1_000)
        number = tags[one.get_tag()] if one.get_tag() else None
        assert one.get_end_time_stamp() - one.get_start_time_stamp() == 1_000
        assert_equal(one, window(result, second, second + 1).histogram((Kind.RESPONSE,), number))


def test_the_seconds_added_up_are_the_run(tmp_path: Path) -> None:
    result = ended()
    whole = HdrHistogram(1, MAX_NS, 3)
    for one in intervals(result, tmp_path):
        if one.get_tag() is None:
            whole.add(one)
    document = summarise(result)
    assert document.totals.response_ms is not None
    assert whole.get_total_count() == document.totals.response_ms.count
    assert whole.get_value_at_percentile(95) / 1e6 == pytest.approx(document.totals.response_ms.p95, rel=ERROR)


def test_the_head_says_when_the_run_began_and_what_the_columns_are() -> None:
    lines = to_hdr_log(ended(), summarise(ended())).decode("ascii").splitlines()
    assert lines[1:4] == [
        "#[Histogram log format version 1.3]",
        "#[StartTime: 1769860800.000 (seconds since epoch), Sat Jan 31 12:00:00 UTC 2026]",
        '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    ]


def test_hostile_names_make_tags_that_differ_and_hold_no_separator(tmp_path: Path) -> None:
    result = sample_results.hostile()
    tags = tags_of(result)
    assert len(set(tags.values())) == len(result.series) == len(HOSTILE) + 1
    assert all(tag.isascii() and tag.isprintable() and not set(tag) & set(", ") for tag in tags.values())
    assert {one.get_tag() for one in intervals(result, tmp_path)} == {None, *(tags[number] for number in range(1, 9))}


def test_a_run_without_requests_has_no_interval(tmp_path: Path) -> None:
    assert intervals(sample_results.without_requests(), tmp_path) == []


@settings(deadline=None)
@given(st.dictionaries(st.integers(1_000, MAX_NS), st.integers(1, 2**30), max_size=30))
def test_any_histogram_comes_back_with_its_counts(counts: dict[int, int]) -> None:
    histogram = Histogram()
    for value_ns, count in counts.items():
        histogram.add(value_ns, count)
    if histogram.total:
        assert_equal(decoded(histogram), histogram)


@given(st.integers(0, 2047))
def test_small_values_have_a_place_of_their_own(value_ns: int) -> None:
    assert index_of(value_ns) == value_ns


@given(st.integers(0, MAX_NS), st.integers(0, MAX_NS))
def test_places_are_in_the_order_of_values(one: int, other: int) -> None:
    assert (index_of(one) <= index_of(other)) or one > other


@pytest.mark.parametrize(
    ("number", "bytes_"),
    [
        (0, b"\x00"),
        (-1, b"\x01"),
        (1, b"\x02"),
        (63, b"\x7e"),
        (64, b"\x80\x01"),
        (-1024, b"\xff\x0f"),
        (2**62, b"\x80\x80\x80\x80\x80\x80\x80\x80\x80"),
    ],
)
def test_numbers_are_zigzag_leb128(number: int, bytes_: bytes) -> None:
    assert varint(number) == bytes_
