from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.load import access_log
from swell.load.access_log import AccessLog, read_log, second_of_value
from swell.load.exact import exact
from swell.load.starts import Starts
from swell.load_plan import Curve, Leg, Spread

NOON = 971_179_200  # 2000-10-10T12:00:00Z
COMBINED = '10.0.0.1 - frank [10/Oct/2000:{}] "GET /a.gif HTTP/1.0" 200 2326 "http://x.example/" "Mozilla/5.0 [en]"'


def combined(*times: str) -> list[bytes]:
    return [COMBINED.format(time).encode() + b"\n" for time in times]


def area(curve: Curve) -> Fraction:
    return sum(((exact(leg.begin) * exact(leg.duration_s)) for leg in curve.legs), Fraction(0))


def test_requests_are_counted_by_the_second() -> None:
    log = read_log(combined("12:00:00 +0000", "12:00:00 +0000", "12:00:02 +0000"))
    assert log == AccessLog(counts=(2, 0, 1), bin_s=1, from_s=NOON)
    assert log.requests == 3


def test_zones_are_heeded() -> None:
    log = read_log(combined("05:00:00 -0700", "17:30:00 +0530", "12:00:01 +0000"))
    assert (log.counts, log.from_s) == ((2, 1), NOON)


def test_lines_need_not_be_in_order() -> None:
    times = [f"12:00:{second:02} +0000" for second in (5, 3, 9, 3, 0)]
    assert read_log(combined(*times)) == read_log(combined(*sorted(times)))


@pytest.mark.parametrize(
    "line",
    [
        '10.0.0.1 - - [10/Oct/2000:12:00:00 +0000] "GET / HTTP/1.1" 200 5',
        'www.example.org:443 10.0.0.1 - - [10/Oct/2000:12:00:00 +0000] "GET / HTTP/1.1" 200 5',
        '[::1] - - [10/Oct/2000:12:00:00.123 +0000] "GET /[1] HTTP/1.1" 200 5',
        '{"time_iso8601":"2000-10-10T14:00:00+02:00","request":"GET / HTTP/1.1","status":"200"}',
        '{"msec":"971179200.123","request":"GET / HTTP/1.1"}',
        '{"msec":971179200.123}',
        '{"time_local":"10/Oct/2000:12:00:00 +0000"}',
        '{"level":"info","ts":971179200.5,"logger":"http.log.access"}',
        '{"ts":"not a time","timestamp":"2000-10-10T12:00:00.123456789Z"}',
        '{"timestamp":971179200999}',
        '{"timestamp":971179200999999}',
        '{"timestamp":971179200999999999}',
        '{"@timestamp":"2000-10-10T12:00:00.000Z","message":"GET /"}',
        '{"StartUTC":"2000-10-10T12:00:00Z","RequestPath":"/"}',
        '{"time":"2000-10-10 12:00:00","log":"a line within"}',
    ],
)
def test_the_usual_formats_are_known(line: str) -> None:
    log = read_log([line.encode() + b"\r\n"])
    assert (log.from_s, log.requests, log.unparsed) == (NOON, 1, 0)


@pytest.mark.parametrize(
    "line",
    [
        "no time at all",
        '10.0.0.1 - - [32/Oct/2000:12:00:00 +0000] "GET / HTTP/1.1" 200 5',
        '10.0.0.1 - - [10/Okt/2000:12:00:00 +0000] "GET / HTTP/1.1" 200 5',
        '10.0.0.1 - - [10/Oct/2000:12:00:00 +9900] "GET / HTTP/1.1" 200 5',
        "[",
        "{",
        "{}",
        "[1]",
        '{"ts":null}',
        '{"ts":true}',
        '{"ts":-1}',
        '{"ts":1e300}',
        '{"time":{"nested":1}}',
        '{"time":"2000-13-10T12:00:00Z"}',
        '{"time":"12:00:00"}',
    ],
)
def test_what_says_no_time_is_counted_with_the_first_place(line: str) -> None:
    log = read_log([*combined("12:00:00 +0000"), b"\n", line.encode(), line.encode()])
    assert (log.requests, log.unparsed, log.first_unparsed) == (1, 2, (3, line))


def test_an_empty_log_has_nothing() -> None:
    assert read_log([b"\n", b""]) == AccessLog((), 1, 0)
    assert read_log([]).curve() == Curve()


def test_a_long_line_is_shown_shortly() -> None:
    log = read_log([b"x" * 100_000])
    assert log.first_unparsed is not None
    assert len(log.first_unparsed[1]) == 100


def test_the_curve_has_its_counts_as_rates() -> None:
    curve = AccessLog((2, 2, 0, 5), 1, NOON).curve()
    assert curve == Curve((Leg(2, 2, 2), Leg(1, 0, 0), Leg(1, 5, 5)))


def test_it_is_scaled_and_sped_up() -> None:
    assert AccessLog((2, 4), 1, 0).curve(scale=3, speed=2) == Curve((Leg(0.5, 12, 12), Leg(0.5, 24, 24)))


def test_a_log_of_days_has_wider_bins_and_all_its_requests() -> None:
    lines = [f'{{"ts":{NOON + minute * 60}}}'.encode() for minute in range(2 * 24 * 60)]
    log = read_log(lines)
    assert (log.bin_s, len(log.counts), log.requests) == (48, 3_599, 2 * 24 * 60)


def test_too_many_seconds_to_tell_apart_are_taken_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "MOST_SECONDS_APART", 100)
    log = read_log([f'{{"ts":{NOON + second}}}'.encode() for second in range(1_000)])
    assert (log.bin_s, log.requests) == (16, 1_000)


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=40).filter(any),
    st.sampled_from([1, 2, 7, 60]),
    st.sampled_from([1.0, 3.0, 0.5, 2.5, 10.0]),
    st.sampled_from([1.0, 2.0, 3.0, 0.25, 60.0]),
)
def test_counts_are_kept_to_the_last_one(counts: list[int], bin_s: int, scale: float, speed: float) -> None:
    curve = AccessLog(tuple(counts), bin_s, 0).curve(scale, speed)
    assert area(curve) == sum(counts) * exact(scale)
    assert Starts(curve, Spread.EVEN, 0).total == -(-sum(counts) * exact(scale) // 1)


@given(st.lists(st.integers(0, 10**7), max_size=50))
def test_counting_agrees_with_counting_one_by_one(seconds: list[int]) -> None:
    log = read_log([f'{{"ts":{second}}}'.encode() for second in seconds])
    expected = Counter((second - min(seconds)) // log.bin_s for second in seconds)
    assert {number: count for number, count in enumerate(log.counts) if count} == expected
    assert len(log.counts) <= 3_600


@given(st.lists(st.binary(max_size=200) | st.text(max_size=200).map(str.encode)))
def test_any_lines_are_requests_or_unparsed_or_empty(lines: list[bytes]) -> None:
    log = read_log(lines)
    assert log.requests + log.unparsed == sum(bool(line.strip()) for line in lines)


@given(st.text() | st.integers() | st.floats() | st.none() | st.booleans() | st.lists(st.integers()))
def test_any_value_is_a_time_or_none(value: object) -> None:
    second = second_of_value(value)
    assert second is None or isinstance(second, int)
