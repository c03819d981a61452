"""A response by the names that users of requests know, made from raw bytes; and what a failed call leaves of it."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from swell.http.decode import DecodeError
from swell.http.response import HttpStatusError, Response
from swell.http.target import BadTarget, Target
from swell.http.url import parse_url

TARGET = Target("GET", parse_url("http://shop.example/a/b?c=d"))


def made(body: bytes = b"ok\n", *lines: str, status: str = "200 OK", interim: bytes = b"", **more: Any) -> Response:
    head = (
        interim
        + f"HTTP/1.1 {status}\r\n".encode("latin-1")
        + b"".join(f"{line}\r\n".encode("latin-1") for line in lines)
    )
    number = int(status[:3])
    return Response(
        TARGET, 1_000, 2_000, 5_000, 9_000, number, head + b"\r\n" + body, int(bool(interim)), body, 100, 200, **more
    )


def test_what_a_usual_response_says() -> None:
    response = made(b"hello", "Content-Type: text/plain; charset=utf-8", "X-A: 1", "x-a: 2")
    assert (response.status_code, response.ok, bool(response), response.reason) == (200, True, True, "OK")
    assert (response.content, response.text, response.encoding) == (b"hello", "hello", "utf-8")
    assert (response.url, response.method) == ("http://shop.example/a/b?c=d", "GET")
    assert dict(response.headers) == {"Content-Type": "text/plain; charset=utf-8", "X-A": "1, 2"}
    assert response.headers["CONTENT-type"] == "text/plain; charset=utf-8"
    assert (response.history, response.error, response.is_redirect) == ((), "", False)
    assert response.elapsed == timedelta(microseconds=3)
    assert (response.begun_ns, response.sent_ns, response.first_byte_ns, response.done_ns) == (
        1_000,
        2_000,
        5_000,
        9_000,
    )
    assert repr(response) == "<Response 200 of GET http://shop.example/a/b?c=d>"
    response.raise_for_status()
    response.close()


def test_it_has_the_names_of_requests() -> None:
    theirs = {name for name in (*vars(requests.Response), *vars(requests.Response())) if not name.startswith("_")}
    missing = [name for name in sorted(theirs) if not hasattr(made(), name)]
    assert missing == ["links", "next", "raw", "request"]
    assert [name for name in ("__iter__", "__enter__", "__exit__", "__bool__") if not hasattr(made(), name)] == []


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("200 OK", "OK"),
        ("404 Nicht da", "Nicht da"),
        ("404", "Not Found"),
        ("404 ", "Not Found"),
        ("799", ""),
        ("200 Zo\xeb", "Zo\xeb"),
    ],
)
def test_the_reason_is_the_servers_or_the_usual_one(status: str, reason: str) -> None:
    assert made(status=status).reason == reason
    assert made(status=status, interim=b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n").reason == reason


def test_interim_responses_leave_the_final_headers_alone() -> None:
    response = made(b"", "X-A: final", interim=b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
    assert dict(response.headers) == {"X-A": "final"}


@pytest.mark.parametrize(
    ("status", "ok"),
    [("199 X", True), ("204 X", True), ("304 X", True), ("399 X", True), ("400 X", False), ("500 X", False)],
)
def test_ok_is_below_400(status: str, ok: bool) -> None:
    assert made(status=status).ok is ok


def test_a_failed_status_can_be_raised() -> None:
    response = made(status="503 Busy")
    with pytest.raises(HttpStatusError, match=r"^503 Busy for GET http://shop.example/a/b") as caught:
        response.raise_for_status()
    assert caught.value.response is response


def test_a_call_that_failed_has_a_response_too() -> None:
    response = Response(TARGET, 1_000, done_ns=2_000)
    response.error = "connection refused"
    assert (response.status_code, response.ok, bool(response), response.reason) == (0, False, False, "")
    assert (response.content, response.text, dict(response.headers), response.cookies.get_dict()) == (b"", "", {}, {})
    assert (list(response.iter_content()), list(response.iter_lines()), response.elapsed) == ([], [], timedelta(0))
    assert (response.is_redirect, response.encoding, response.history) == (False, "utf-8", ())
    assert repr(response) == "<Response connection refused of GET http://shop.example/a/b?c=d>"
    with pytest.raises(HttpStatusError, match=r"^connection refused for GET"):
        response.raise_for_status()
    with pytest.raises(json.JSONDecodeError):
        response.json()
    response.close()


def test_a_redirect_that_led_nowhere_is_not_ok() -> None:
    response = made(b"", "Location: ftp://x", status="302 Found")
    assert (response.ok, response.is_redirect, response.is_permanent_redirect) == (True, True, False)
    response.error = "redirect: invalid Location"
    assert not response.ok
    with pytest.raises(HttpStatusError, match=r"^redirect: invalid Location for"):
        response.raise_for_status()


def test_what_could_not_be_read_as_a_url_is_shown_as_it_was_given() -> None:
    response = Response(BadTarget("GET", "http//typo"), 0)
    assert response.url == "http//typo"


# text and JSON


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("zwölf".encode(), "text/html; charset=utf-8", "zwölf"),
        ("zwölf".encode("latin-1"), "text/html; charset=ISO-8859-1", "zwölf"),
        ("zwölf".encode("latin-1"), "text/html", "zwölf"),
        ("zwölf".encode(), "", "zwölf"),
        ("zwölf".encode("utf-16"), "text/html", "zwölf"),
        ("zwölf".encode(), "text/html; charset=no-such-charset", "zwölf"),
        (b"z\xffz", "text/html; charset=utf-8", "z\ufffdz"),
        ('"ö"'.encode("utf-16-le"), "application/json", '"ö"'),
    ],
)
def test_text_is_in_the_encoding_that_the_server_names_or_the_bytes_show(
    body: bytes, content_type: str, text: str
) -> None:
    assert made(body, f"Content-Type: {content_type}").text == text


def test_the_encoding_may_be_set_even_to_nonsense() -> None:
    response = made("zwölf".encode(), "Content-Type: text/plain; charset=latin-1")
    response.encoding = "utf-8"
    assert (response.text, response.encoding) == ("zwölf", "utf-8")
    response.encoding = "no-such-charset"
    assert response.text == "zwölf"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_json_is_read_in_any_encoding(encoding: str) -> None:
    assert made('{"name": "Zoë"}'.encode(encoding)).json() == {"name": "Zoë"}


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"\xff\xfe\xfd"])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(json.JSONDecodeError):
        made(body).json()


def test_options_of_json_loads_are_passed_on() -> None:
    assert made(b"[1.5]").json(parse_float=str) == ["1.5"]


# bodies


def test_content_is_decoded_once() -> None:
    response = made(gzip.compress(b"hello"), "Content-Encoding: gzip")
    assert response.content == b"hello"
    assert response.content is response.content
    assert response.raw_body != response.content


def test_an_empty_body_needs_no_decoding() -> None:
    assert made(b"", "Content-Encoding: gzip").content == b""


def test_an_unknown_coding_is_passed_on() -> None:
    assert made(b"hello", "Content-Encoding: x-unknown").content == b"hello"


@pytest.mark.parametrize("body", [b"this is no gzip", gzip.compress(b"hello", mtime=0)[:-5]])
def test_a_body_that_does_not_decode_says_so_every_time(body: bytes) -> None:
    response = made(body, "Content-Encoding: gzip")
    for _ in range(2):
        with pytest.raises(DecodeError, match="gzip"):
            _ = response.content
        with pytest.raises(DecodeError, match="gzip"):
            _ = response.text


def test_a_bomb_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swell.http.response.DECODED_BYTES_MOST", 1_000_000)
    with pytest.raises(DecodeError, match="decoded"):
        _ = made(gzip.compress(bytes(2_000_000)), "Content-Encoding: gzip").content
    assert len(made(gzip.compress(bytes(1_000_000)), "Content-Encoding: gzip").content) == 1_000_000


def test_a_truncated_body_is_not_there() -> None:
    response = made(b"")
    response.truncated = True
    with pytest.raises(DecodeError, match="a body over 64 MiB is not kept"):
        _ = response.content


@pytest.mark.parametrize(("size", "parts"), [(2, [b"ab", b"cd", b"e"]), (None, [b"abcde"]), (99, [b"abcde"])])
def test_content_comes_in_pieces(size: int | None, parts: list[bytes]) -> None:
    assert list(made(b"abcde").iter_content(size)) == parts


def test_iterating_gives_pieces_and_the_end_of_a_block_changes_nothing() -> None:
    with made(b"x" * 200) as response:
        assert [len(part) for part in response] == [128, 72]
    assert len(response.content) == 200


@given(
    st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r\n", b"\r", b"\x0b", b"\xc3\xa9", b"\x85"])), st.integers(1, 9)
)
def test_lines_are_those_of_the_whole_body_however_it_is_cut(pieces: list[bytes], chunk_size: int) -> None:
    body = b"".join(pieces)
    assert list(made(body).iter_lines(chunk_size)) == body.splitlines()
    latin = made(body, "Content-Type: text/plain; charset=latin-1")
    assert list(latin.iter_lines(chunk_size, decode_unicode=True)) == [
        line.decode("latin-1") for line in body.splitlines()
    ]


# cookies


def test_cookies_are_those_that_this_response_set() -> None:
    response = made(b"", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2; Max-Age=60", "set-cookie: c=", "X: y")
    assert response.cookies.get_dict() == {"a": "1", "b": "2", "c": ""}
    assert response.cookies["a"] == "1"
    assert made().cookies.get_dict() == {}
