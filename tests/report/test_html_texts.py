"""What the page is given: JSON that may stand in HTML, texts cut to size."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.report.html_bounds import clipped, clipped_lines
from swell.report.html_json import rounded, script_json

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_json_means_the_same_and_holds_nothing_that_html_would_read(value: object) -> None:
    text = script_json(value)  # type: ignore[arg-type]
    assert json.loads(text) == value
    assert not set(text) & set("<>&\u2028\u2029")


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(1, 8))
def test_a_rounded_number_is_the_nearest_with_so_many_digits(value: float, digits: int) -> None:
    found = rounded(value, digits)
    if not math.isfinite(value):
        assert found is None
    else:
        assert found == pytest.approx(value, rel=0.51 * 10 ** (1 - digits), abs=1e-300)


@pytest.mark.parametrize(
    ("value", "found"), [(None, None), (0.0, 0), (12345.6, 12350), (0.000123456, 0.0001235), (2.0, 2), (999.96, 1000)]
)
def test_numbers_keep_four_digits(value: float | None, found: float | None) -> None:
    assert rounded(value) == found
    assert type(rounded(value)) is type(found)


@given(st.text(max_size=400), st.integers(8, 200))
def test_a_clipped_text_is_short_printable_and_keeps_both_ends(text: str, characters: int) -> None:
    found = clipped(text, characters)
    assert len(found) <= characters
    assert found.isprintable()


def test_a_clipped_name_loses_its_middle() -> None:
    found = clipped("/long/" + "x" * 3_000 + "/the/end", 40)
    assert found == "/long/" + "x" * 20 + "…" + "xxxxx/the/end"
    assert clipped("/short", 40) == "/short"
    assert clipped("\u202egnp", 40) == r"\u202egnp"


@given(st.text(max_size=400), st.integers(8, 200), st.booleans())
def test_clipped_lines_are_few_and_printable(text: str, characters: int, end: bool) -> None:
    found = clipped_lines(text, characters, end=end)
    assert len(found) <= characters + 1
    assert all(line.isprintable() for line in found.split("\n"))


def test_a_cut_says_so_on_its_side() -> None:
    assert clipped_lines("one\ntwo\nthree", 8) == "one\ntwo\n…".replace("\n…", "…")
    assert clipped_lines("one\ntwo\nthree", 8, end=True) == "…wo\nthree"
    assert clipped_lines("one\ttwo\n", 80) == "one two"
