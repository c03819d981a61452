"""Cookie dates: RFC 6265's lenient reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.http.cookie_date import parse_cookie_date


@pytest.mark.parametrize(
    ("text", "epoch_s"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784111777),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784111777),
        ("Sun Nov  6 08:49:37 1994", 784111777),
        ("6 november 94 8:49:37", 784111777),
        ("08:49:37 06 Nov 1994 23:59:59 07 Dec 2000", 784111777),
        ("Thu, 01-Jan-1970 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 253402300799),
        ("1 Jan 69 00:00:00", 3124224000),
        ("1 Jan 70 00:00:00", 0),
        ("1st Jan 1970 00:00:00xyz", 0),
        ("31 Feb 2020 00:00:00", None),
        ("1 Jan 1600 00:00:00", None),
        ("1 Jan 2020 24:00:00", None),
        ("1 Jan 2020 00:60:00", None),
        ("1 Jan 2020 00:00", None),
        ("1 Jan 00:00:00", None),
        ("0 Jan 2020 00:00:00", None),
        ("", None),
    ],
)
def test_cookie_dates_are_read_leniently(text: str, epoch_s: float | None) -> None:
    assert parse_cookie_date(text) == epoch_s


@given(st.text())
def test_any_text_is_a_date_or_none(text: str) -> None:
    parse_cookie_date(text)
    parse_cookie_date(f"{text} 1 Jan 2020 {text} 00:00:00 {text}")
