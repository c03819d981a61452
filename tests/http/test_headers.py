"""Header fields as received and as sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.http.headers import Headers, RequestHeaders, checked_field, encode_fields

HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"Content-Type: text/html\r\n"
    b"Set-Cookie: a=1\r\n"
    b"X-Folded: one\r\n \t two\r\n"
    b"set-cookie:b=2  \r\n"
    b"X-Latin: caf\xe9 \x85\r\n"
    b"X-Empty:\r\n"
    b"\r\n"
)


def test_received_fields_are_found_in_any_case_and_joined_when_repeated() -> None:
    headers = Headers(HEAD)
    assert dict(headers) == {
        "Content-Type": "text/html",
        "Set-Cookie": "a=1, b=2",
        "X-Folded": "one two",
        "X-Latin": "café \x85",
        "X-Empty": "",
    }
    assert headers["CONTENT-TYPE"] == headers.get("content-type") == "text/html"
    assert headers.get_all("SET-cookie") == ["a=1", "b=2"]
    assert headers.get_all("x-none") == []
    assert "set-Cookie" in headers
    assert "x-none" not in headers
    assert headers.get("x-none") is None
    assert headers.get("x-none", "there is none") == "there is none"
    assert len(headers) == 5
    assert headers == {key.upper(): value for key, value in headers.items()}


def test_a_missing_field_is_a_key_error_with_the_name_as_it_was_asked_for() -> None:
    with pytest.raises(KeyError, match="X-None"):
        Headers(HEAD)["X-None"]
    with pytest.raises(KeyError, match="X-None"):
        RequestHeaders()["X-None"]


def test_headers_show_what_they_hold() -> None:
    assert repr(Headers(b"HTTP/1.1 200 OK\r\nA: b")) == "Headers({'A': 'b'})"
    assert repr(RequestHeaders({"A": "b"})) == "RequestHeaders({'A': 'b'})"


def test_bare_line_feeds_and_lines_without_a_colon_are_lived_with() -> None:
    assert dict(Headers(b"HTTP/1.0 200\n folded onto nothing\nA : b\nnonsense\nC:d:e\n\n")) == {"A": "b", "C": "d:e"}


def test_a_failed_call_has_no_headers() -> None:
    assert dict(Headers()) == {}


@given(st.binary())
def test_any_bytes_are_some_headers(head: bytes) -> None:
    headers = Headers(b"HTTP/1.1 200 OK\r\n" + head)
    assert [headers[name] for name in headers] == list(headers.values())


CHANGES = {
    "set": lambda headers: headers.__setitem__("A", "2"),
    "set anew": lambda headers: headers.__setitem__("B", "2"),
    "delete": lambda headers: headers.__delitem__("a"),
    "update": lambda headers: headers.update({"A": "2"}, B="3"),
    "update from pairs": lambda headers: headers.update([("A", "2")]),
    "pop": lambda headers: headers.pop("A"),
    "popitem": lambda headers: headers.popitem(),
    "setdefault": lambda headers: headers.setdefault("B", "2"),
    "clear": lambda headers: headers.clear(),
    "None": lambda headers: headers.__setitem__("A", None),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_raises_the_version_and_leaves_a_copy_alone(change: str) -> None:
    headers = RequestHeaders({"A": "1"})
    copy = headers.copy()
    before = headers.version
    assert copy.version == before
    CHANGES[change](headers)
    assert headers.version > before
    assert (copy.version, dict(copy)) == (before, {"A": "1"})
    assert headers != copy


def test_reading_does_not_raise_the_version() -> None:
    headers = RequestHeaders({"A": "1"})
    before = headers.version
    assert (headers["a"], headers.get("b"), "A" in headers, len(headers), list(headers)) == ("1", None, True, 1, ["A"])
    assert headers.version == before


def test_two_users_with_headers_of_their_own_never_share_a_version() -> None:
    assert RequestHeaders({"A": "1"}).version != RequestHeaders({"A": "1"}).version


def test_a_later_spelling_of_a_name_replaces_the_earlier_one() -> None:
    headers = RequestHeaders({"x-token": "1"})
    headers["X-Token"] = b"2"
    assert list(headers.items()) == [("X-Token", "2")]


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("A\r\nB", "1", "is not a token"),
        ("A B", "1", "is not a token"),
        ("A:", "1", "is not a token"),
        ("", "1", "is not a token"),
        ("Ä", "1", "is not a token"),
        ("A", "1\r\nB: 2", r"header A: its value has '\\r'"),
        ("A", "1\n2", r"header A: its value has '\\n'"),
        ("A", "1\0", r"header A: its value has '\\x00'"),
        ("A", 1, "text, not 1"),
    ],
)
def test_what_would_break_the_line_is_refused_and_changes_nothing(name: str, value: str, complaint: str) -> None:
    headers = RequestHeaders({"Kept": "yes"})
    before = headers.version
    with pytest.raises(ValueError, match=complaint):
        headers.update([("Fine", "1"), (name, value)])
    assert (dict(headers), headers.version) == ({"Kept": "yes"}, before)


def test_deleting_what_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="A"):
        del RequestHeaders()["A"]


def test_fields_go_out_as_latin_1_or_else_as_utf_8() -> None:
    assert encode_fields([("A", "é"), ("B", "€")]) == b"A: \xe9\r\nB: \xe2\x82\xac\r\n"


@given(st.text(), st.text())
def test_no_field_that_passes_the_check_can_end_its_line(name: str, value: str) -> None:
    try:
        field = checked_field(name, value)
    except ValueError:
        return
    line = encode_fields([field])
    assert line.count(b"\n") == line.count(b"\r") == 1
    assert line.endswith(b"\r\n")


@given(st.dictionaries(st.from_regex(r"[A-Za-z-]{1,9}", fullmatch=True), st.text("abc é", max_size=9)))
def test_what_is_sent_reads_back(fields: dict[str, str]) -> None:
    sent = RequestHeaders(fields)
    assert Headers(b"HTTP/1.1 200 OK\r\n" + encode_fields(sent.items())) == sent
