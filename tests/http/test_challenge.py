"""Challenges in WWW-Authenticate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.http.challenge import Challenge, parse_challenges


@pytest.mark.parametrize(
    ("values", "challenges"),
    [
        (['Basic realm="simple"'], [Challenge("basic", {"realm": "simple"})]),
        (
            ['Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"'],
            [
                Challenge("newauth", {"realm": "apps", "type": "1", "title": 'Login to "apps"'}),
                Challenge("basic", {"realm": "simple"}),
            ],
        ),
        (["Negotiate", "NTLM"], [Challenge("negotiate", {}), Challenge("ntlm", {})]),
        (
            ["Negotiate a87421000492aa874209af8bc028==, Basic"],
            [Challenge("negotiate", {}, "a87421000492aa874209af8bc028=="), Challenge("basic", {})],
        ),
        (['Digest realm = "a, b" ,nonce= x'], [Challenge("digest", {"realm": "a, b", "nonce": "x"})]),
        (['Digest\trealm="first",REALM="second"'], [Challenge("digest", {"realm": "first"})]),
        ([', ,Basic realm="x",,'], [Challenge("basic", {"realm": "x"})]),
        (['Basic realm="unclosed, charset=x'], [Challenge("basic", {"charset": "x"})]),
        (["=, \x00, Basic"], [Challenge("basic", {})]),
        (["", "Basic " + "x" * 9000], []),
    ],
)
def test_a_list_of_challenges_is_told_from_a_list_of_parameters(values: list[str], challenges: list[Challenge]) -> None:
    assert parse_challenges(values) == challenges


@given(st.lists(st.text() | st.text('ab=", \\')))
def test_any_text_is_a_list_of_challenges(values: list[str]) -> None:
    for challenge in parse_challenges([*values, *(f"Digest {value}" for value in values)]):
        assert challenge.scheme


def test_a_long_value_takes_no_longer_than_its_length_allows() -> None:
    for hard in ('a="', "a=", "a ", 'a="\\', "a,", "="):
        parse_challenges([("Digest " + hard * 8192)[:8192]])
