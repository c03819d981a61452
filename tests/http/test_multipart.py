"""multipart/form-data, read back by the standard library's mail parser and compared with what requests sends."""

from __future__ import annotations

import io
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from swell.http.body import Body
from swell.http.encode import encode_body
from swell.http.multipart import MAX_JOINED_BYTES, encode_multipart

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def sent(body: Body) -> bytes:
    content = body.content if isinstance(body.content, bytes) else b"".join(body.content or ())
    assert body.length in (None, len(content))
    return content


def parts_of(body: Body) -> list[Message]:
    head = f"Content-Type: {body.content_type}\r\n\r\n".encode()
    message = message_from_bytes(head + sent(body))
    assert message.is_multipart()
    assert message.defects == []
    return list(message.walk())[1:]


def shown(part: Message) -> tuple[dict[str, str], bytes]:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return dict(part.items()), content


def named_file(name: str, content: bytes) -> io.BytesIO:
    file = io.BytesIO(content)
    file.name = name
    return file


@pytest.mark.parametrize(
    ("value", "disposition", "extra", "content"),
    [
        (b"x", 'form-data; name="f"; filename="f"', {}, b"x"),
        ("ü", 'form-data; name="f"; filename="f"', {}, "ü".encode()),
        (io.BytesIO(b"x"), 'form-data; name="f"; filename="f"', {}, b"x"),
        (io.StringIO("ü"), 'form-data; name="f"; filename="f"', {}, "ü".encode()),
        (named_file("/tmp/a.txt", b"x"), 'form-data; name="f"; filename="a.txt"', {}, b"x"),
        (named_file("<stdin>", b"x"), 'form-data; name="f"; filename="f"', {}, b"x"),
        (("n.txt", b"x"), 'form-data; name="f"; filename="n.txt"', {}, b"x"),
        ((None, b"x"), 'form-data; name="f"', {}, b"x"),
        (("n", "x", "text/plain"), 'form-data; name="f"; filename="n"', {"Content-Type": "text/plain"}, b"x"),
        (["n", b"x", None, {"X-A": "b"}], 'form-data; name="f"; filename="n"', {"X-A": "b"}, b"x"),
        (
            ("n", b"x", "text/plain", {"Expires": "0", "content-type": "no/no"}),
            'form-data; name="f"; filename="n"',
            {"Content-Type": "text/plain", "Expires": "0"},
            b"x",
        ),
    ],
)
def test_a_file_is_taken_in_every_form_that_requests_documents(
    value: object, disposition: str, extra: dict[str, str], content: bytes
) -> None:
    parts = parts_of(encode_body(files={"f": value}))
    assert [shown(part) for part in parts] == [({"Content-Disposition": disposition, **extra}, content)]


def test_fields_come_before_files_and_sequences_give_several() -> None:
    body = encode_body({"a": ["1", 2], "none": None, "b": b"3"}, files=[("f", b"4"), ("f", ("g", b"5")), ("no", None)])
    names = [(part.get_param("name", header="content-disposition"), part.get_payload()) for part in parts_of(body)]
    assert names == [("a", "1"), ("a", "2"), ("b", "3"), ("f", "4"), ("f", "5")]


def test_names_are_escaped_as_browsers_escape_them() -> None:
    body = encode_multipart({'a"\r\nb': "1"}, {"ü": ('"x".txt', b"")}, boundary="B")
    assert (
        sent(body)
        == (
            '--B\r\nContent-Disposition: form-data; name="a%22%0D%0Ab"\r\n\r\n1\r\n'
            '--B\r\nContent-Disposition: form-data; name="ü"; filename="%22x%22.txt"\r\n\r\n\r\n'
            "--B--\r\n"
        ).encode()
    )


@pytest.mark.parametrize(
    ("data", "files", "complaint"),
    [
        ("text", {"f": b"x"}, "beside files it must be pairs"),
        (None, {"f": ("only a name",)}, r"not \(file name, content"),
        (None, {"f": ("n", 5)}, "its content is a int"),
        (None, {"f": ("n", b"x", "text/plain\r\nX: y")}, "Content-Type"),
        (None, {"f": ("n", b"x", None, {"X\r\n": "y"})}, "not a token"),
    ],
)
def test_what_is_no_form_is_refused(data: object, files: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        encode_body(data, files=files)


def test_a_large_file_is_read_while_it_is_sent_and_can_be_sent_again(tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(b"0123456789" * MAX_JOINED_BYTES)
    with path.open("rb") as file:
        body = encode_body({"a": "1"}, files={"f": file})
        assert not isinstance(body.content, bytes)
        assert body.length is not None
        assert file.tell() == 0
        first = sent(body)
        again = body.again()
        assert again is not None
        assert sent(again) == first
        assert path.read_bytes() in first


def test_a_file_of_unknown_length_makes_a_chunked_form_that_goes_once() -> None:
    body = encode_body(files={"f": io.StringIO("text")})
    assert (body.length, body.replayable) == (None, False)
    assert b"\r\n\r\ntext\r\n" in sent(body)


@given(
    st.lists(st.tuples(TEXT, TEXT)),
    st.lists(st.tuples(TEXT, st.tuples(TEXT, st.binary())), min_size=1),
)
def test_a_form_is_what_requests_would_send(
    fields: list[tuple[str, str]], files: list[tuple[str, tuple[str, bytes]]]
) -> None:
    theirs = requests.Request("POST", "http://h/", data=fields, files=files).prepare()
    boundary = theirs.headers["Content-Type"].partition("boundary=")[2]
    assert sent(encode_multipart(fields, files, boundary)) == theirs.body
