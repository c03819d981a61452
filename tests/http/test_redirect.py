"""What a redirect asks for next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.http.redirect import STATUSES, NextRequest, RedirectError, next_request
from swell.http.url import InvalidUrl, parse_url

URL = parse_url("http://h/a/b?c#part")
HEADERS = {
    "X-Mine": "1",
    "Content-Type": "text/plain",
    "content-encoding": "gzip",
    "Expect": "100-continue",
    "Authorization": "Basic eA==",
    "Cookie": "a=1",
    "Host": "virtual",
}


def after(status: int, method: str, location: str = "/next", **options: bool) -> NextRequest:
    return next_request(status, method, URL, location, HEADERS, **options)


def test_methods_change_as_in_browsers() -> None:
    methods = ("GET", "HEAD", "POST", "PUT", "DELETE")
    assert {status: [after(status, method).method for method in methods] for status in sorted(STATUSES)} == {
        301: ["GET", "HEAD", "GET", "PUT", "DELETE"],
        302: ["GET", "HEAD", "GET", "PUT", "DELETE"],
        303: ["GET", "HEAD", "GET", "GET", "GET"],
        307: ["GET", "HEAD", "POST", "PUT", "DELETE"],
        308: ["GET", "HEAD", "POST", "PUT", "DELETE"],
    }


def test_a_body_that_is_dropped_takes_its_fields_along() -> None:
    following = after(303, "POST")
    assert not following.keeps_body
    assert following.headers == {name: HEADERS[name] for name in ("X-Mine", "Authorization", "Cookie", "Host")}
    assert after(307, "POST") == NextRequest("POST", parse_url("http://h/next#part"), HEADERS, True)


def test_a_body_that_is_kept_must_be_there_to_be_sent_again() -> None:
    with pytest.raises(RedirectError, match="redirect 307: the body cannot be sent again"):
        after(307, "POST", body_replayable=False)
    assert after(303, "POST", body_replayable=False).method == "GET"


@pytest.mark.parametrize(
    ("url", "location", "kept"),
    [
        ("http://h/", "/x", True),
        ("http://h/", "http://H:80/x", True),
        ("http://h/", "https://h/x", True),
        ("http://h/", "https://h:8443/x", False),
        ("http://h:81/", "https://h/x", False),
        ("https://h/", "http://h/x", False),
        ("http://h/", "//other/x", False),
        ("unix:/run/a.sock", "/x", True),
        ("unix:/run/a.sock", "http://h/x", False),
    ],
)
def test_credentials_set_by_hand_do_not_follow_to_another_origin(url: str, location: str, kept: bool) -> None:
    following = next_request(302, "GET", parse_url(url), location, HEADERS)
    assert ({"Authorization", "Cookie", "Host"} <= set(following.headers)) == kept
    assert "X-Mine" in following.headers


def test_a_login_in_the_url_does_not_follow_to_another_origin() -> None:
    url = parse_url("http://user:secret@h/")
    assert next_request(302, "GET", url, "/x", {}).url.userinfo == ("user", "secret")
    assert next_request(302, "GET", url, "http://other/x", {}).url.userinfo is None


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("next", "http://h/a/next#part"),
        ("/next#own", "http://h/next#own"),
        ("/next#", "http://h/next"),
        ("/f\u00c3\u00bc", "http://h/f%C3%BC#part"),
        ("/f\u00fc", "http://h/f%C3%BC#part"),
        ("/a b", "http://h/a%20b#part"),
    ],
)
def test_locations_are_resolved_and_inherit_the_fragment(location: str, url: str) -> None:
    assert str(after(302, "GET", location).url) == url


@given(st.text(), st.sampled_from(sorted(STATUSES)), st.sampled_from(["GET", "POST"]))
def test_any_location_is_a_request_or_an_invalid_url(location: str, status: int, method: str) -> None:
    try:
        following = after(status, method, location)
    except InvalidUrl:
        return
    assert following.url.target.isascii()
