"""The encoding of a response's text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.http.charset import guess, is_charset, text_encoding


@pytest.mark.parametrize(
    ("content_type", "content", "encoding"),
    [
        ("text/html; charset=utf-8", b"x", "utf-8"),
        ('text/html; a=b; Charset = "KOI8-R"', b"x", "KOI8-R"),
        ("text/html;charset='latin1'; x", b"x", "latin1"),
        ("text/html; charset=no-such", "ü".encode(), "utf-8"),
        ("text/html; charset=zlib", "ü".encode(), "utf-8"),
        ("text/html; charset=", "ü".encode(), "utf-8"),
        ("text/html", "ü".encode(), "utf-8"),
        ("text/html", "ü".encode("latin-1"), "iso-8859-1"),
        ("", b"", "utf-8"),
        ("text/plain", "\ufeffx".encode(), "utf-8-sig"),
        ("text/plain", "x".encode("utf-16"), "utf-16"),
        ("text/plain", "x".encode("utf-32"), "utf-32"),
        ("application/json", b'{"a": 1}', "utf-8"),
        ("application/json", b'"\xfc"', "iso-8859-1"),
        ("application/problem+json; x", "{}".encode("utf-16-le"), "utf-16-le"),
    ],
)
def test_the_content_type_goes_first_then_the_bytes(content_type: str, content: bytes, encoding: str) -> None:
    assert text_encoding(content_type, content) == encoding


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("value", [1, {}, [], "x", {"ü": ["€", None]}])
def test_json_is_recognised_in_every_unicode_form(encoding: str, value: object) -> None:
    content = json.dumps(value, ensure_ascii=False).encode(encoding)
    assert json.loads(content.decode(text_encoding("application/json", content))) == value


@pytest.mark.parametrize("name", ["idna", "punycode", "unicode_escape", "undefined", "hex", "a\0b", "ü", ""])
def test_codecs_that_are_no_character_sets_are_not_taken_from_a_server(name: str) -> None:
    assert not is_charset(name)


@given(st.text(), st.binary())
def test_any_header_and_bytes_give_text(content_type: str, content: bytes) -> None:
    for header in (content_type, f"text/html; charset={content_type}", "application/json"):
        content.decode(text_encoding(header, content), "replace")
    content.decode(guess(content), "replace")
