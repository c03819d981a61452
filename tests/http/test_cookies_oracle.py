"""The cookie jar beside a slow and obvious one."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from swell.http.cookies import CookieJar

NOW_S = 1_700_000_000.0


LABELS = st.sampled_from(
    ["a.example.com", "b.example.com", "example.com", "x.a.example.com", "com", "localhost", "1.2.3.4"]
)
PATHS = st.sampled_from(["/", "/a", "/a/", "/a/b", "/ab"])
SET_COOKIES = st.builds(
    lambda name, value, *attributes: "; ".join([f"{name}={value}", *filter(None, attributes)]),
    st.sampled_from("abc"),
    st.sampled_from("123"),
    st.one_of(st.just(""), LABELS.map("Domain={}".format)),
    st.one_of(st.just(""), PATHS.map("Path={}".format)),
    st.sampled_from(["", "", "", "Max-Age=0", "Max-Age=2", "Max-Age=4"]),
    st.sampled_from(["", "", "Secure"]),
)


class PlainJar:
    """RFC 6265 §5.3 and §5.4 as they are written, one list and no memory."""

    def __init__(self) -> None:
        self.cookies: list[dict[str, object]] = []

    def absorb(self, text: str, host: str, path: str, now_s: float) -> None:
        pair, *parts = text.split("; ")
        attributes = {part.partition("=")[0]: part.partition("=")[2] for part in parts}
        domain, host_only = attributes.get("Domain", ""), False
        if domain and "." not in domain:
            if domain != host:
                return
            domain = ""
        if domain and not self.domain_matches(host, domain):
            return
        if not domain:
            domain, host_only = host, True
        max_age = attributes.get("Max-Age")
        expires = math.inf if max_age is None else now_s + int(max_age)
        folder = path.rpartition("/")[0] or "/"
        cookie = {
            "name": pair[0],
            "value": pair[2:],
            "domain": domain,
            "path": attributes.get("Path", folder),
            "host_only": host_only,
            "secure": "Secure" in attributes,
            "expires": expires,
        }
        for place, old in enumerate(self.cookies):
            if all(old[key] == cookie[key] for key in ("name", "domain", "path")):
                self.cookies[place] = cookie
                return
        self.cookies.append(cookie)

    def header_for(self, host: str, path: str, secure: bool, now_s: float) -> str:
        self.cookies = [cookie for cookie in self.cookies if float(str(cookie["expires"])) > now_s]
        found = [cookie for cookie in self.cookies if self.fits(cookie, host, path, secure)]
        found.sort(key=lambda cookie: -len(str(cookie["path"])))
        return "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in found)

    def fits(self, cookie: dict[str, object], host: str, path: str, secure: bool) -> bool:
        domain, under = str(cookie["domain"]), str(cookie["path"])
        at_home = host == domain if cookie["host_only"] else self.domain_matches(host, domain)
        below = path == under or path.startswith(under if under.endswith("/") else under + "/")
        return at_home and below and (secure or not cookie["secure"])

    def domain_matches(self, host: str, domain: str) -> bool:
        return host == domain or (host.endswith("." + domain) and not host.replace(".", "").isdigit())


@given(st.lists(st.tuples(SET_COOKIES, LABELS, PATHS, st.booleans()), max_size=20))
def test_a_jar_agrees_with_the_rfc_as_it_is_written(steps: list[tuple[str, str, str, bool]]) -> None:
    jar, oracle = CookieJar(), PlainJar()
    for step, (set_cookie, host, path, secure) in enumerate(steps):
        now_s = NOW_S + step
        # An expired cookie that is still in the list must not lend its place to a new one of its name.
        oracle.header_for(host, path, secure, now_s)
        jar.absorb([set_cookie], host, path, secure, now_s)
        oracle.absorb(set_cookie, host, path, now_s)
        asked = [(other, secure) for other in ("a.example.com", "x.a.example.com", "localhost", host)]
        assert [jar.header_for(other, path, secure, now_s) for other, secure in asked] == [
            oracle.header_for(other, path, secure, now_s) for other, secure in asked
        ]
        jar.check()
