"""Bodies: the meaning of data, json and files, and what goes over the wire."""

from __future__ import annotations

import io
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.http.encode import NO_BODY, Body, chunked, encode_body, encode_json


def sent(body: Body) -> bytes:
    """All that the body gives, checked against the length it announced."""
    content = body.content if isinstance(body.content, bytes) else b"".join(body.content or ())
    assert body.length in (None, len(content))
    return content


def pieces(*values: bytes | bytearray | str) -> Iterator[bytes | bytearray | str]:
    yield from values


@pytest.mark.parametrize(
    ("data", "content", "content_type"),
    [
        ({"a": "1 2", "b": ["x", "y"], "c": None, "d": 3}, b"a=1+2&b=x&b=y&d=3", "application/x-www-form-urlencoded"),
        ([("a", "1"), ("a", "ü&")], b"a=1&a=%C3%BC%26", "application/x-www-form-urlencoded"),
        ((("a", b"\xff"),), b"a=%FF", "application/x-www-form-urlencoded"),
        ("grün", b"gr\xc3\xbcn", None),
        (b"\x00\xff", b"\x00\xff", None),
        (bytearray(b"ab"), b"ab", None),
        (memoryview(b"ab"), b"ab", None),
    ],
)
def test_data_is_a_form_or_stands_for_itself(data: object, content: bytes, content_type: str | None) -> None:
    assert encode_body(data) == Body(content, content_type, len(content))


@pytest.mark.parametrize("data", [None, "", b"", {}, [], ()])
def test_empty_data_is_no_body_and_leaves_room_for_json(data: object) -> None:
    assert encode_body(data) == NO_BODY
    assert encode_body(data, json={}) == Body(b"{}", "application/json", 2)


def test_data_goes_before_json_and_files_go_before_both() -> None:
    assert encode_body("x", json=1).content == b"x"
    assert b"filename" in sent(encode_body({"a": "1"}, json=1, files={"f": b"x"}))


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ({"a": [1, 2.5, None, True], "ü": "x"}, '{"a":[1,2.5,null,true],"ü":"x"}'),
        (0, "0"),
        (False, "false"),
        ("null", '"null"'),
        ({None: 1}, '{"null":1}'),
        ("\ud800", '"\\ud800"'),
        (10**30, "1" + "0" * 30),
    ],
)
def test_json_is_compact_utf_8(value: object, content: str) -> None:
    assert encode_json(value) == content.encode()


@pytest.mark.parametrize("value", [math.nan, {"a": [math.inf]}, {"b": None, "a": -math.inf}, {None: math.nan}])
def test_json_has_no_nan(value: object) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        encode_json(value)


def test_json_within_itself_is_refused() -> None:
    knot: list[object] = []
    knot.append(knot)
    with pytest.raises(ValueError, match="nested too deeply"):
        encode_json(knot)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_json_reads_back(value: object) -> None:
    assert json.loads(encode_json(value)) == value


@given(
    st.lists(
        st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
    )
)
def test_a_form_reads_back(fields: list[tuple[str, str]]) -> None:
    body = encode_body(fields)
    if fields:
        assert parse_qsl(sent(body).decode("ascii"), keep_blank_values=True) == fields
    else:
        assert body == NO_BODY


@pytest.mark.parametrize("data", [[1, 2], ["abc"], 5, object()])
def test_data_of_another_kind_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match="data is a"):
        encode_body(data)


def test_a_file_is_sent_from_where_it_stands_and_can_be_sent_again(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(bytes(range(256)) * 1000)
    with path.open("rb") as file:
        file.seek(6)
        body = encode_body(file)
        assert (body.length, body.content_type, body.replayable) == (255_994, None, True)
        assert sent(body) == path.read_bytes()[6:]
        again = body.again()
        assert again is not None
        assert sent(again) == path.read_bytes()[6:]


def test_a_file_is_read_in_pieces() -> None:
    body = encode_body(io.BytesIO(bytes(1_000_000)))
    assert isinstance(body.content, Iterator)
    assert max(map(len, body.content)) <= 65536


def test_a_file_that_grows_is_cut_at_the_length_that_was_announced() -> None:
    file = io.BytesIO(b"12345")
    body = encode_body(file)
    file.seek(0, io.SEEK_END)
    file.write(b"678")
    file.seek(0)
    assert sent(body) == b"12345"


def test_a_file_that_was_cut_is_an_error_not_a_short_body() -> None:
    file = io.BytesIO(b"12345")
    body = encode_body(file)
    file.truncate(3)
    with pytest.raises(EOFError, match="ended 2 bytes early"):
        sent(body)


def test_what_cannot_tell_its_length_is_sent_chunked_and_once() -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as pipe, os.fdopen(write_end, "wb") as source:
        source.write(b"from a pipe")
        source.close()
        from_pipe = encode_body(pipe)
        assert sent(from_pipe) == b"from a pipe"
    from_generator = encode_body(pieces(b"a", "ü", b"", bytearray(b"c")))
    assert sent(from_generator) == "aüc".encode()
    assert sent(encode_body(io.StringIO("grün"))) == "grün".encode()
    for body in (from_pipe, from_generator):
        assert (body.length, body.replayable, body.again()) == (None, False, None)


def test_bytes_can_be_sent_again() -> None:
    body = encode_body(b"x")
    assert body.again() == body
    assert NO_BODY.again() == NO_BODY


def test_chunks_have_their_length_in_hexadecimal_and_an_end() -> None:
    assert list(chunked([b"", b"x" * 26, b""])) == [b"1a\r\n" + b"x" * 26 + b"\r\n", b"0\r\n\r\n"]
    assert list(chunked([])) == [b"0\r\n\r\n"]
