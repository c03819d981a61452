"""Tags of calls, as results show them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.script.names import tag_text

words = st.text(st.characters(exclude_characters=",=", exclude_categories=["Cs"]), min_size=1)


@given(st.dictionaries(words, words))
def test_tags_can_be_read_back_from_their_text(tags: dict[str, str]) -> None:
    text = tag_text(tags)
    assert dict(pair.split("=", 1) for pair in text.split(",") if text) == tags


def test_tags_are_in_the_order_of_their_keys_whatever_they_are() -> None:
    assert tag_text({"size": 3, "page": "front", "cached": True}) == "cached=True,page=front,size=3"


@pytest.mark.parametrize("tags", [{"a": "b,c"}, {"a,b": "c"}, {"a=b": "c"}, {"": "x"}])
def test_a_tag_that_could_be_read_in_two_ways_is_refused(tags: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="tags: "):
        tag_text(tags)


@pytest.mark.parametrize("tags", ["page", ["page"], 3])
def test_tags_are_a_dict(tags: Any) -> None:
    with pytest.raises(TypeError, match="give a dict"):
        tag_text(tags)
