"""Texts of options, and what they mean."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.cli.values import did_you_mean, parse_address, parse_flag, parse_list


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


ADDRESSES = {
    "9464": ("127.0.0.1", 9464),
    ":0": ("127.0.0.1", 0),
    "localhost:9464": ("localhost", 9464),
    "0.0.0.0:65535": ("0.0.0.0", 65535),
    " [::1]:9464 ": ("::1", 9464),
}


@pytest.mark.parametrize(("text", "address"), ADDRESSES.items())
def test_an_address_is_a_host_and_a_port(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", ":", "host", "host:", "host:65536", "::1:9464", "[::1]", "a b:1", "http://a:1", "1:٣"]
)
def test_what_is_no_address_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="is not of the form HOST:PORT"):
        parse_address(text)
