"""URLs: what is connected to, what is put on the request line, and RFC 3986's own table of references."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.http.url import InvalidUrl, Origin, Url, join, parse_url, with_params

RFC_BASE = "http://a/b/c/d;p?q"
RFC_3986_5_4 = {
    # 5.4.1, normal
    "g": "http://a/b/c/g",
    "./g": "http://a/b/c/g",
    "g/": "http://a/b/c/g/",
    "/g": "http://a/g",
    "//g": "http://g/",
    "?y": "http://a/b/c/d;p?y",
    "g?y": "http://a/b/c/g?y",
    "#s": "http://a/b/c/d;p?q#s",
    "g#s": "http://a/b/c/g#s",
    "g?y#s": "http://a/b/c/g?y#s",
    ";x": "http://a/b/c/;x",
    "g;x": "http://a/b/c/g;x",
    "g;x?y#s": "http://a/b/c/g;x?y#s",
    "": "http://a/b/c/d;p?q",
    ".": "http://a/b/c/",
    "./": "http://a/b/c/",
    "..": "http://a/b/",
    "../": "http://a/b/",
    "../g": "http://a/b/g",
    "../..": "http://a/",
    "../../": "http://a/",
    "../../g": "http://a/g",
    # 5.4.2, abnormal
    "../../../g": "http://a/g",
    "../../../../g": "http://a/g",
    "/./g": "http://a/g",
    "/../g": "http://a/g",
    "g.": "http://a/b/c/g.",
    ".g": "http://a/b/c/.g",
    "g..": "http://a/b/c/g..",
    "..g": "http://a/b/c/..g",
    "./../g": "http://a/b/g",
    "./g/.": "http://a/b/c/g/",
    "g/./h": "http://a/b/c/g/h",
    "g/../h": "http://a/b/c/h",
    "g;x=1/./y": "http://a/b/c/g;x=1/y",
    "g;x=1/../y": "http://a/b/c/y",
    "g?y/./x": "http://a/b/c/g?y/./x",
    "g?y/../x": "http://a/b/c/g?y/../x",
    "g#s/./x": "http://a/b/c/g#s/./x",
    "g#s/../x": "http://a/b/c/g#s/../x",
    "http:g": "http://a/b/c/g",
}


def test_references_resolve_as_the_table_of_rfc_3986_says() -> None:
    base = parse_url(RFC_BASE)
    assert {reference: str(join(base, reference)) for reference in RFC_3986_5_4} == RFC_3986_5_4


def test_a_reference_with_a_foreign_scheme_is_refused() -> None:
    with pytest.raises(InvalidUrl, match="not an http, https or unix URL"):
        join(parse_url(RFC_BASE), "g:h")


@pytest.mark.parametrize(
    ("text", "origin", "target"),
    [
        ("http://example.com", Origin("http", "example.com", 80), "/"),
        ("HTTPS://Example.COM:443/A?b=C", Origin("https", "example.com", 443), "/A?b=C"),
        ("http://h:8080?x", Origin("http", "h", 8080), "/?x"),
        ("http://h:/x", Origin("http", "h", 80), "/x"),
        ("  http://h/x\n", Origin("http", "h", 80), "/x"),
        ("http://[::0001]:81/", Origin("http", "::1", 81), "/"),
        ("http://[fe80::1%25eth0]/", Origin("http", "fe80::1%eth0", 80), "/"),
        ("http://bücher.example/", Origin("http", "xn--bcher-kva.example", 80), "/"),
        ("http://h./x", Origin("http", "h.", 80), "/x"),
        ("http://h/a b/ü?q=ü&x=y z#part", Origin("http", "h", 80), "/a%20b/%C3%BC?q=%C3%BC&x=y%20z"),
        ("http://h/%7Euser/%2f?100%&%zz", Origin("http", "h", 80), "/%7Euser/%2f?100%25&%25zz"),
        ("http://h/a/../b/./c?d/../e", Origin("http", "h", 80), "/b/c?d/../e"),
        ('http://h/"<>\\^`{|}', Origin("http", "h", 80), "/%22%3C%3E%5C%5E%60%7B%7C%7D"),
        ("http://h/a\r\nX-Injected: yes", Origin("http", "h", 80), "/a%0D%0AX-Injected:%20yes"),
        ("unix:/run/app.sock", Origin("unix", "localhost", 0, "/run/app.sock"), "/"),
        ("unix:///run/app.sock", Origin("unix", "localhost", 0, "/run/app.sock"), "/"),
        ("unix:/run/app.sock:/x?y=1", Origin("unix", "localhost", 0, "/run/app.sock"), "/x?y=1"),
    ],
)
def test_a_url_becomes_an_origin_and_a_target(text: str, origin: Origin, target: str) -> None:
    url = parse_url(text)
    assert (url.origin, url.target) == (origin, target)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "empty"),
        ("/x", "no scheme"),
        ("localhost:8080/x", "no scheme: write http://localhost:8080/x"),
        ("ftp://h/x", "not an http, https or unix URL"),
        ("http://", "no host"),
        ("http:///x", "no host"),
        ("http://:80/", "no host before the port"),
        ("http://h:0/", "port '0' is not in 1..65535"),
        ("http://h:65536/", "port '65536'"),
        ("http://h:8x/", "port '8x'"),
        ("http://h:٨٠/", "port"),
        ("http://a b/", "not a host name"),
        ("http://a..b/", "not a host name"),
        ("http://" + "a" * 64 + "/", "not a host name"),
        ("http://[::1/", "not an IPv6 address|not a host"),
        ("http://[::1]x/", "not a host"),
        ("http://[12]/", "not an IPv6 address"),
        ("http://[::1%eth0\n]/", "not an IPv6 address"),
        ("unix:", "names no unix socket"),
        ("unix://host/run/app.sock", "write a unix socket as unix:/path"),
    ],
)
def test_what_is_no_url_is_refused_with_the_reason(text: str, complaint: str) -> None:
    with pytest.raises(InvalidUrl, match=complaint):
        parse_url(text)


@pytest.mark.parametrize(
    ("base", "path", "whole"),
    [
        ("http://h", "/x", "http://h/x"),
        ("http://h/", "/x", "http://h/x"),
        ("http://h/api", "/x?y=/..", "http://h/api/x?y=/.."),
        ("http://h/api/", "x", "http://h/api/x"),
        ("http://h/api", "?y", "http://h/api?y"),
        ("http://h/api", "", "http://h/api"),
        ("http://h", "//x", "http://h//x"),
        ("http://h/a", "/../b/./c", "http://h/b/c"),
        ("http://h", "/a b%20%", "http://h/a%20b%20%25"),
        ("http://h", "/x#part", "http://h/x#part"),
        ("http://h", "item:42", "http://h/item:42"),
        ("http://h", "https://other/x", "https://other/x"),
        ("unix:/run/app.sock", "/x", "unix:/run/app.sock:/x"),
        ("unix:/run/app.sock", "http://localhost/x", "http://localhost/x"),
    ],
)
def test_a_path_is_appended_to_the_host_that_the_user_was_given(base: str, path: str, whole: str) -> None:
    assert str(parse_url(path, parse_url(base))) == whole


def test_user_and_password_are_decoded_and_never_shown() -> None:
    url = parse_url("http://al%40ice:s%3Acret@h:81/x")
    assert url.userinfo == ("al@ice", "s:cret")
    assert str(url) == "http://h:81/x"
    assert parse_url("/y", url).userinfo == url.userinfo
    assert join(url, "/y").userinfo == url.userinfo
    assert join(url, "//other/y").userinfo is None


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("http://h", "h"),
        ("http://h:80", "h"),
        ("https://h:80", "h:80"),
        ("http://[::1]:81", "[::1]:81"),
        ("http://[fe80::1%25eth0]", "[fe80::1]"),
        ("unix:/run/app.sock", "localhost"),
    ],
)
def test_the_host_header_omits_the_schemes_own_port(text: str, host: str) -> None:
    assert parse_url(text).host_header == host


def test_a_redirect_to_localhost_stays_on_the_unix_socket() -> None:
    base = parse_url("unix:/run/app.sock:/a")
    assert str(join(base, "http://localhost/b")) == "unix:/run/app.sock:/b"
    assert str(join(base, "//localhost/b")) == "unix:/run/app.sock:/b"
    assert str(join(base, "c")) == "unix:/run/app.sock:/c"
    assert str(join(base, "http://localhost:81/b")) == "http://localhost:81/b"


@pytest.mark.parametrize(
    ("params", "target"),
    [
        (None, "/p?a=1"),
        ({}, "/p?a=1"),
        ({"b": 2, "c": None, "d": ["x y", "z&", None]}, "/p?a=1&b=2&d=x+y&d=z%26"),
        ([("b", 1), ("b", "ü"), ("", "")], "/p?a=1&b=1&b=%C3%BC&="),
        ({"b": b"\xff", "c": True, "d": (1.5,)}, "/p?a=1&b=%FF&c=True&d=1.5"),
        ("b=x y&c#", "/p?a=1&b=x%20y&c%23"),
        (b"b=1", "/p?a=1&b=1"),
    ],
)
def test_params_mean_what_they_mean_to_requests(params: object, target: str) -> None:
    url = with_params(parse_url("http://h/p?a=1"), params)  # type: ignore[arg-type]
    assert url.target == target


def test_only_https_is_wrapped_in_tls() -> None:
    assert [parse_url(text).origin.is_tls for text in ("https://h", "http://h", "unix:/run/a.sock")] == [
        True,
        False,
        False,
    ]


def test_origins_are_equal_by_value_so_that_pools_find_them() -> None:
    assert len({parse_url(text).origin for text in ("http://h", "http://H:80/x", "http://u:p@h/y#z")}) == 1


@given(st.text())
def test_garbage_is_a_url_or_an_invalid_url(text: str) -> None:
    base = parse_url("http://h/a")
    for candidate in (text, f"http://{text}", f"unix:{text}", f"http://h:1/{text}", f"http://[{text}"):
        for parsed in (parsed_or_none(candidate), parsed_or_none(candidate, base), joined_or_none(base, candidate)):
            if parsed is not None:
                assert_fit_for_the_wire(parsed)


@given(st.text(), st.text())
def test_encoding_a_target_again_changes_nothing(path: str, query: str) -> None:
    path = path.replace("#", "").replace("?", "")
    url = parse_url(f"http://h/{path}?{query.replace('#', '')}")
    assert parse_url(str(url)) == url


def assert_fit_for_the_wire(url: Url) -> None:
    assert url.target.startswith("/")
    assert all(0x21 <= ord(character) <= 0x7E for character in url.target + url.host_header)


def parsed_or_none(text: str, base: Url | None = None) -> Url | None:
    try:
        return parse_url(text, base)
    except InvalidUrl:
        return None


def joined_or_none(base: Url, text: str) -> Url | None:
    try:
        return join(base, text)
    except InvalidUrl:
        return None
