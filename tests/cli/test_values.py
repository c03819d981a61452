"""Texts of options, and what they mean."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.cli.values import did_you_mean, parse_flag, parse_list


@pytest.mark.parametrize("text", ["1", "true", "YES", "on"])
def test_a_flag_is_set_by_the_words_for_it(text: str) -> None:
    assert parse_flag(text)


@pytest.mark.parametrize("text", ["0", "false", "No", "off", ""])
def test_a_flag_is_cleared_by_the_words_for_it(text: str) -> None:
    assert not parse_flag(text)


def test_a_list_has_commas_between_its_words() -> None:
    assert parse_list(" a, b,,c ") == ("a", "b", "c")


def test_a_likely_misspelling_is_named_and_an_unlikely_one_is_not() -> None:
    assert did_you_mean("Raeder", ["Reader", "Writer"]) == "did you mean Reader?"
    assert did_you_mean("zebra", ["Reader", "Writer"]) == ""


@given(st.text())
def test_any_text_has_a_value_or_a_fault(text: str) -> None:
    with contextlib.suppress(ValueError):
        parse_flag(text)
