"""Durations, rates and numbers, as people write them."""

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.quantities import parse_count, parse_duration_s, parse_number, parse_rate_per_s, shown


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("1h30m", 5_400),
        ("90", 90),
        ("1.5", 1.5),
        (".5s", 0.5),
        ("1.5h", 5_400),
        ("250ms", 0.25),
        ("1d", 86_400),
        ("1h2m3s4ms", 3_723.004),
        (" 30s ", 30),
        ("0", 0),
        ("-5", -5),
    ],
)
def test_a_duration_is_parts_with_units_or_a_number_of_seconds(text: str, seconds: float) -> None:
    assert parse_duration_s(text) == pytest.approx(seconds)


@given(st.integers(0, 10**9))
def test_a_duration_is_the_float_nearest_to_what_is_written(thousandths: int) -> None:
    seconds, ms = divmod(thousandths, 1_000)
    assert parse_duration_s(f"{thousandths}ms") == thousandths / 1_000
    assert parse_duration_s(f"{seconds}s{ms}ms") == thousandths / 1_000
    assert parse_duration_s(f"{seconds}.{ms:03}m") == thousandths * 60 / 1_000


@pytest.mark.parametrize(
    "text",
    ["9" * 5_000 + "s", "", "s", "5x", "5 m", "30m1h", "5m5m", "1h-5m", "-5s", "1,5s", "٣s", "5s\n5s", "1e3s", "5S"],
)
def test_what_is_no_duration_is_said_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration such as 30s, 5m, 1h30m or 90 \(seconds\)"):
        parse_duration_s(text)


def test_a_duration_that_is_no_time_is_a_number_for_the_plan_to_refuse() -> None:
    assert math.isnan(parse_duration_s("nan"))
    assert parse_duration_s("inf") == math.inf


@pytest.mark.parametrize(
    ("text", "per_s"), [("100", 100), ("100/s", 100), ("30/m", 0.5), ("7200/h", 2), ("0.5", 0.5), ("1e3/s", 1_000)]
)
def test_a_rate_is_per_second_unless_it_says_otherwise(text: str, per_s: float) -> None:
    assert parse_rate_per_s(text) == pytest.approx(per_s)


@pytest.mark.parametrize("text", ["", "/s", "5/x", "5 per s", "5//s", "ten"])
def test_what_is_no_rate_is_said_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="is not a rate such as 100, 100/s or 30/m"):
        parse_rate_per_s(text)


@pytest.mark.parametrize(("text", "count"), [("5", 5), ("10_000", 10_000), ("-5", -5), ("+5", 5), (" 5 ", 5)])
def test_a_count_is_a_whole_number(text: str, count: int) -> None:
    assert parse_count(text) == count


@pytest.mark.parametrize("text", ["", "x", "1.5", "1e3", "nan", "inf", "0x10", "5_", "٣", "9" * 5_000])
def test_what_is_no_whole_number_is_said_shortly(text: str) -> None:
    with pytest.raises(ValueError, match="is not a whole number") as caught:
        parse_count(text)
    assert len(str(caught.value)) < 100


@given(st.integers(0, 10**6), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_the_parts_of_a_duration_add_up(hours: int, minutes: int, seconds: int, milliseconds: int) -> None:
    text = f"{hours}h{minutes}m{seconds}s{milliseconds}ms"
    assert parse_duration_s(text) == pytest.approx(hours * 3_600 + minutes * 60 + seconds + milliseconds / 1_000)


@given(st.text())
def test_any_text_has_a_value_or_a_fault(text: str) -> None:
    for parse in (parse_count, parse_number, parse_duration_s, parse_rate_per_s):
        with contextlib.suppress(ValueError):
            parse(text)


@given(st.text() | st.integers() | st.lists(st.text()))
def test_what_is_quoted_has_room_on_a_line(value: object) -> None:
    assert len(shown(value)) <= 60
