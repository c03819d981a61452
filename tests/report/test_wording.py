"""Texts from outside, made safe and short."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from swell.report.wording import shortened, visible, visible_lines

texts = st.text(st.characters(codec=None), max_size=60)


@given(texts)
def test_what_is_shown_is_printable_and_on_one_line(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable() or not shown
    assert len(shown.splitlines()) <= 1
    shown.encode()


@given(texts, st.integers(0, 80))
def test_a_shortened_text_fits_and_one_that_fits_is_left_alone(text: str, cells: int) -> None:
    shown = visible(text)
    short = shortened(shown, cells)
    assert cell_len(short) <= cells
    assert (short == shown) == (cell_len(shown) <= cells)


def test_the_middle_is_left_out() -> None:
    assert shortened("http://example.com/a/very/long/path?and=query", 21) == "http://exa…?and=query"
    assert shortened("日本語の長い名前", 8) == "日本…前"
    assert [shortened("abcdef", cells) for cells in (3, 2, 1, 0)] == ["a…f", "ab", "…", ""]


def test_unsafe_characters_are_escaped_and_others_kept() -> None:
    assert visible("a\x1b[31m\r\n\u202e\ud800é日\u200d[red]") == r"a\x1b[31m\r\n\u202e\ud800é日\u200d[red]"


def test_lines_of_a_traceback_stay_lines() -> None:
    assert visible_lines("one\n\ttwo\x07\n") == ["one", r"    two\x07"]
