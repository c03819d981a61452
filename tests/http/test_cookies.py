"""Cookies: RFC 6265 towards servers, a dict towards scripts."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.http.cookies import MAX_COOKIES, MAX_COOKIES_PER_DOMAIN, CookieJar, with_cookies

NOW_S = 1_700_000_000.0
HOST = "www.example.com"


def jar_after(*set_cookies: str, host: str = HOST, path: str = "/a/b", secure: bool = False) -> CookieJar:
    jar = CookieJar()
    jar.absorb(set_cookies, host, path, secure, NOW_S)
    jar.check()
    return jar


def sent(jar: CookieJar, url: str, now_s: float = NOW_S) -> str:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    header = jar.header_for(host, slash + path, scheme == "https", now_s)
    jar.check()
    return header


@pytest.mark.parametrize(
    ("set_cookie", "url", "header"),
    [
        # the pair
        ("a=1", "http://www.example.com/a/b", "a=1"),
        (" a = 1 ; HttpOnly", "http://www.example.com/a/b", "a=1"),
        ('a="b c"', "http://www.example.com/a/b", 'a="b c"'),
        ("a=b=c", "http://www.example.com/a/b", "a=b=c"),
        ("a=", "http://www.example.com/a/b", "a="),
        ("a", "http://www.example.com/a/b", ""),
        ("=1", "http://www.example.com/a/b", ""),
        ("a=1\x01", "http://www.example.com/a/b", ""),
        ("a=" + "x" * 4096, "http://www.example.com/a/b", ""),
        # host and domain
        ("a=1", "http://example.com/a/b", ""),
        ("a=1", "http://sub.www.example.com/a/b", ""),
        ("a=1; Domain=.Example.COM", "http://example.com/a/b", "a=1"),
        ("a=1; Domain=example.com", "http://other.example.com/a/b", "a=1"),
        ("a=1; Domain=example.com", "http://badexample.com/a/b", ""),
        ("a=1; Domain=www.example.com", "http://sub.www.example.com/a/b", "a=1"),
        ("a=1; Domain=sub.www.example.com", "http://sub.www.example.com/a/b", ""),
        ("a=1; Domain=other.com", "http://other.com/a/b", ""),
        ("a=1; Domain=com", "http://www.example.com/a/b", ""),
        ("a=1; Domain=", "http://www.example.com/a/b", "a=1"),
        ("a=1; Domain=.", "http://www.example.com/a/b", "a=1"),
        ("a=1; Domain=other.com; Domain=example.com", "http://example.com/a/b", "a=1"),
        # path
        ("a=1", "http://www.example.com/a/c?x=/", "a=1"),
        ("a=1", "http://www.example.com/a", "a=1"),
        ("a=1", "http://www.example.com/ab", ""),
        ("a=1", "http://www.example.com/", ""),
        ("a=1; Path=/", "http://www.example.com/?x", "a=1"),
        ("a=1; Path=/x", "http://www.example.com/x/y", "a=1"),
        ("a=1; Path=/x", "http://www.example.com/xy", ""),
        ("a=1; Path=x", "http://www.example.com/a/z", "a=1"),
        ("a=1; Path=/x; Path=", "http://www.example.com/a/z", "a=1"),
        # secure
        ("a=1; secure", "http://www.example.com/a/b", ""),
        ("a=1; secure", "https://www.example.com/a/b", "a=1"),
        # expiry
        ("a=1; Max-Age=10", "http://www.example.com/a/b", "a=1"),
        ("a=1; Max-Age=0", "http://www.example.com/a/b", ""),
        ("a=1; Max-Age=-5", "http://www.example.com/a/b", ""),
        ("a=1; Max-Age=soon", "http://www.example.com/a/b", "a=1"),
        ("a=1; Max-Age=" + "9" * 1000, "http://www.example.com/a/b", "a=1"),
        ("a=1; Expires=Sun, 06 Nov 1994 08:49:37 GMT", "http://www.example.com/a/b", ""),
        ("a=1; Expires=Fri, 06 Nov 2099 08:49:37 GMT", "http://www.example.com/a/b", "a=1"),
        ("a=1; Max-Age=10; Expires=Sun, 06 Nov 1994 08:49:37 GMT", "http://www.example.com/a/b", "a=1"),
        ("a=1; Path=/" + "x" * 1025, "http://www.example.com/a/b", "a=1"),
        ("a=1; Expires=whenever", "http://www.example.com/a/b", "a=1"),
    ],
)
def test_a_cookie_goes_back_where_rfc_6265_says(set_cookie: str, url: str, header: str) -> None:
    assert sent(jar_after(set_cookie), url) == header


@pytest.mark.parametrize(
    ("set_cookie", "secure", "kept"),
    [
        ("__Secure-a=1; Secure", True, True),
        ("__Secure-a=1", True, False),
        ("__Secure-a=1; Secure", False, False),
        ("__Host-a=1; Secure; Path=/", True, True),
        ("__host-a=1; Secure; Path=/", True, True),
        ("__Host-a=1; Secure", True, False),
        ("__Host-a=1; Secure; Path=/; Domain=example.com", True, False),
        ("__Host-a=1; Path=/", True, False),
    ],
)
def test_a_name_prefix_is_a_promise_that_is_held(set_cookie: str, secure: bool, kept: bool) -> None:
    assert bool(jar_after(set_cookie, secure=secure)) == kept


@pytest.mark.parametrize(
    ("host", "domain", "kept"),
    [
        ("localhost", "localhost", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "0.0.1", False),
        ("::1", "::1", True),
        ("example.com", "example.com", True),
    ],
)
def test_a_host_without_parents_may_name_itself_alone(host: str, domain: str, kept: bool) -> None:
    jar = jar_after(f"a=1; Domain={domain}", host=host)
    assert sent(jar, f"http://{host}/a/b") == ("a=1" if kept else "")
    assert sent(jar, f"http://sub.{host}/a/b") == ("a=1" if host == "example.com" else "")


def test_longer_paths_come_first_then_older_cookies() -> None:
    jar = jar_after("late=1; Path=/", "deep=1; Path=/a/b", "mid=1; Path=/a", "later=1; Path=/")
    jar.absorb(["late=2; Path=/"], HOST, "/", False, NOW_S)
    assert sent(jar, f"http://{HOST}/a/b") == "deep=1; mid=1; late=2; later=1"


def test_a_cookie_runs_out_at_its_second_and_leaves_the_jar() -> None:
    jar = jar_after("a=1; Max-Age=10; Path=/", "b=2; Path=/")
    assert sent(jar, f"http://{HOST}/", NOW_S + 9.9) == "a=1; b=2"
    assert sent(jar, f"http://{HOST}/", NOW_S + 10) == "b=2"
    assert jar.items() == [("b", "2")]


def test_a_cookie_that_is_prolonged_is_still_sent_and_is_no_new_version() -> None:
    jar = jar_after("a=1; Max-Age=10; Path=/")
    version = jar.version
    jar.absorb(["a=1; Max-Age=10; Path=/"], HOST, "/", False, NOW_S + 9)
    assert jar.version == version
    assert sent(jar, f"http://{HOST}/", NOW_S + 18) == "a=1"
    assert sent(jar, f"http://{HOST}/", NOW_S + 19) == ""


def test_an_expired_set_cookie_removes_its_namesake_only_from_its_own_domain_and_path() -> None:
    jar = jar_after("a=1; Path=/", "a=2; Path=/a", "a=3; Path=/; Domain=example.com")
    jar.absorb(["a=; Max-Age=0; Path=/"], HOST, "/", False, NOW_S)
    assert sent(jar, f"http://{HOST}/a") == "a=2; a=3"


def test_a_jar_is_bounded_and_gives_up_the_oldest() -> None:
    jar = jar_after(*[f"c{n}=1" for n in range(MAX_COOKIES_PER_DOMAIN + 5)])
    assert (len(jar), "c4" in jar, "c5" in jar) == (MAX_COOKIES_PER_DOMAIN, False, True)
    for n in range(MAX_COOKIES):
        jar.set("a", "1", domain=f"h{n}.example")
    jar.check()
    assert (len(jar), "c204" in jar, jar.get("a", domain="h0.example")) == (MAX_COOKIES, False, "1")


def test_the_memory_of_headers_is_forgotten_with_every_change() -> None:
    jar = CookieJar({"a": "1"})
    url = f"http://{HOST}/x"
    assert [sent(jar, url), sent(jar, url)] == ["a=1", "a=1"]
    jar["a"] = "2"
    assert sent(jar, url) == "a=2"
    jar.absorb(["b=1; Path=/x"], HOST, "/x", False, NOW_S)
    assert (sent(jar, url), sent(jar, f"http://{HOST}/y")) == ("b=1; a=2", "a=2")
    del jar["a"]
    assert sent(jar, url) == "b=1"
    jar.clear()
    assert sent(jar, url) == ""


def test_many_paths_do_not_grow_the_memory_of_headers() -> None:
    jar = jar_after("a=1; Path=/a")
    empty_memo_bytes = sys.getsizeof({})
    for n in range(1000):
        assert sent(jar, f"http://{HOST}/a/{n}?x={n}") == "a=1"
    memo = jar._memo
    assert memo is not None
    assert sys.getsizeof(memo) < 20 * empty_memo_bytes


def test_an_empty_jar_is_small_and_false() -> None:
    jar = CookieJar()
    owned = [getattr(jar, slot) for slot in CookieJar.__slots__]
    assert [item for item in owned if isinstance(item, dict | list | set)] == []
    assert sys.getsizeof(jar) < 400
    assert not jar
    assert jar.header_for(HOST, "/", False, NOW_S) == ""


def test_a_script_uses_a_jar_as_a_dict() -> None:
    jar = jar_after("theirs=1; Path=/")
    jar["mine"] = "2"
    jar.set("deep", "3", domain=".example.com", path="/deep")
    jar.update({"more": "4"})
    assert sent(jar, f"http://{HOST}/deep") == "deep=3; theirs=1; mine=2; more=4"
    assert sent(jar, "http://elsewhere/") == "mine=2; more=4"
    assert (jar["mine"], jar.get("none"), jar.get("none", "x"), "deep" in jar, len(jar)) == ("2", None, "x", True, 4)
    assert list(jar) == jar.keys() == ["theirs", "mine", "deep", "more"]
    assert jar.values() == ["1", "2", "3", "4"]
    assert dict(jar) == dict(jar.items()) == jar.get_dict()
    assert jar.get_dict(domain="example.com") == {"deep": "3"}
    assert jar.get_dict(path="/deep") == {"deep": "3"}
    assert (jar.pop("more"), jar.pop("more"), jar.pop("more", "x")) == ("4", None, "x")
    jar["mine"] = None
    assert "mine" not in jar
    with pytest.raises(KeyError):
        jar["mine"]
    with pytest.raises(KeyError):
        del jar["mine"]
    assert repr(jar) == "<CookieJar: theirs=1 for www.example.com/, deep=3 for example.com/deep>"
    copy = CookieJar(jar)
    jar.clear()
    jar.check()
    copy.check()
    assert (repr(jar), len(copy)) == ("<CookieJar: empty>", 2)


@pytest.mark.parametrize(
    ("name", "value"), [("", "1"), ("a b", "1"), ("a=", "1"), ("a", "1;b"), ("a", "1\r\n"), ("a", 1)]
)
def test_a_cookie_that_would_not_arrive_as_one_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="cookie"):
        CookieJar()[name] = value
    with pytest.raises(ValueError, match="cookie"):
        with_cookies("", {name: value})


def test_the_cookies_of_one_call_are_added_and_replace_their_namesakes() -> None:
    assert with_cookies("a=1; b=2", {"b": "3", "c": "4", "d": None}) == "a=1; b=3; c=4"
    assert with_cookies("", CookieJar({"a": "1"})) == "a=1"
    assert with_cookies("a=1", {}) == "a=1"


@given(st.lists(st.text()), st.text(), st.text())
def test_garbage_from_a_server_is_no_error(values: list[str], host: str, path: str) -> None:
    jar = CookieJar()
    jar.absorb([*values, *(f"a=1; {value}" for value in values)], host, path, True, NOW_S)
    jar.header_for(host, path, True, NOW_S)
    jar.check()
