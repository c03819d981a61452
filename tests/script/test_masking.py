import base64
import html
import json
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.script.masking import MASK, Mask

SPELLINGS: dict[str, Callable[[str], str]] = {
    "itself": str,
    "in a URL": lambda value: urllib.parse.quote(value, safe="", errors="replace"),
    "in a path": lambda value: urllib.parse.quote(value, errors="replace"),
    "in a form": lambda value: urllib.parse.quote_plus(value, errors="replace"),
    "in a URL in lower case": lambda value: _lower(urllib.parse.quote(value, safe="", errors="replace")),
    "in JSON": lambda value: json.dumps(value)[1:-1],
    "in JSON in UTF-8": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "in HTML": html.escape,
    "in repr": lambda value: repr(value)[1:-1],
    "read as Latin-1": lambda value: value.encode("utf-8", "replace").decode("latin-1"),
    "on one line": lambda value: " ".join(value.split()),
}

values = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=40).filter(
    lambda value: len(value.strip()) >= 4 and value.isprintable()
) | st.sampled_from(
    ["pa ss/wö+rd&%\"'\\", "-----BEGIN KEY-----\nabc+/=\r\ndef\n-----END KEY-----\n", "日本語😀x", "a=b;c"]
)


def _lower(quoted: str) -> str:
    return "".join(part.lower() if part.startswith("%") else part for part in _parts(quoted))


def _parts(quoted: str) -> list[str]:
    found, at = [], 0
    while at < len(quoted):
        length = 3 if quoted[at] == "%" else 1
        found.append(quoted[at : at + length])
        at += length
    return found


@given(values, st.sampled_from(list(SPELLINGS)), st.text(max_size=20), st.text(max_size=20))
def test_a_value_is_hidden_however_it_is_spelt(value: str, spelling: str, before: str, after: str) -> None:
    spelt = SPELLINGS[spelling](value)
    shown = Mask([value]).of(f"{before}{spelt}{after}")
    assert spelt.strip() not in shown
    assert MASK in shown


@given(values, st.text(max_size=60), st.integers(0, 40))
def test_no_part_of_a_value_is_left_where_a_text_is_cut(value: str, before: str, length: int) -> None:
    mask = Mask([value])
    text = f"{before}{value}{value}" * 30
    needed = mask.reach(length)
    piece = text[:needed]
    shown = mask.start_of(piece, length, is_cut=len(piece) < len(text))
    assert shown == mask.of(text)[:length] or (len(shown) < length and mask.of(text).startswith(shown))


def test_the_value_that_holds_another_is_hidden_whole() -> None:
    assert Mask(["token", "token-of-mine"]).of("x token-of-mine token y") == f"x {MASK} {MASK} y"


def test_lines_of_a_key_are_hidden_one_by_one() -> None:
    key = "-----BEGIN KEY-----\nMIIBVwIBADAN\nabc\n-----END KEY-----"
    assert Mask([key]).of("MIIBVwIBADAN\nabc") == f"{MASK}\nabc"


def test_credentials_are_hidden_where_they_hold_a_value() -> None:
    mask = Mask(["pässword"])
    for encoding in ("utf-8", "latin-1"):
        told = base64.b64encode("user:pässword".encode(encoding)).decode()
        assert mask.of(f"Authorization: Basic {told}\nAccept: */*") == f"Authorization: Basic {MASK}\nAccept: */*"
    others = base64.b64encode(b"user:other").decode()
    assert mask.of(f"authorization: basic {others}") == f"authorization: basic {others}"
    assert mask.of("basic understanding of basic something") == "basic understanding of basic something"


@pytest.mark.parametrize("values", [[], ["abc"], ["", "   ", "    "]])
def test_without_values_or_with_short_ones_nothing_is_hidden(values: list[str]) -> None:
    mask = Mask(values)
    assert (mask.of("abc   abc Basic abcdefgh"), mask.reach(10)) == ("abc   abc Basic abcdefgh", 10)
