"""The cookies of one simulated user: RFC 6265 towards servers, a dict towards scripts.

A jar is asked for its Cookie header once per request, so the answer is remembered for each (host, path, secure) and
forgotten when `version` changes or the first cookie runs out. While no cookie has a path but `/`, which is the usual
jar, the path is left out of that key. Most users of most tests have no cookies at all: an empty jar holds no container.

Cookies are filed by domain, then by (path, name): a lookup walks up the labels of the host. Time is an argument,
seconds since the Unix epoch. The dict's side has no time, so it shows a cookie until the next request has removed it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping

from swell.http.set_cookie import Cookie, is_address, parse_set_cookie, path_matches

MAX_COOKIES = 3000  # RFC 6265 §6.1 asks for at least 3,000 in all and 50 a domain; browsers keep 180 a domain
MAX_COOKIES_PER_DOMAIN = 180
_MEMO_ENTRIES = 16
_UNFIT_NAME = re.compile(r"[\x00-\x20\x7f=;]")
_UNFIT_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f;]")


class CookieJar:
    """Keeps what servers set and sends it back where it belongs; `jar["a"] = "b"` is sent to every host.

    `version` increases whenever a header that the jar gives may have changed.
    """

    __slots__ = ("_domains", "_first_expiry_s", "_memo", "_order", "_paths_matter", "version")

    def __init__(self, cookies: Mapping[str, str] | CookieJar | None = None) -> None:
        self.version = 0
        self._domains: dict[str, dict[tuple[str, str], Cookie]] | None = None
        self._memo: dict[tuple[str, str, bool], str] | None = None
        self._first_expiry_s = math.inf  # no cookie runs out before; one that left may have been the reason
        self._order = 0
        self._paths_matter = False
        if cookies:
            self.update(cookies)

    # --- towards servers

    def absorb(self, set_cookie_values: Iterable[str], host: str, path: str, secure: bool, now_s: float) -> None:
        """Take the Set-Cookie values of a response from `host` (lower case, ASCII) to a request for `path`."""
        for text in set_cookie_values:
            cookie = parse_set_cookie(text, host, path, secure, now_s)
            if cookie is None:
                continue
            if cookie.expires_s > now_s:
                self._remove_expired(now_s)
                self._store(cookie)
            else:
                self._remove(cookie.domain, cookie.path, cookie.name)

    def header_for(self, host: str, path: str, secure: bool, now_s: float) -> str:
        """The Cookie header for a request, "" for none: longer paths first, then older ones (RFC 6265 §5.4)."""
        if self._domains is None:
            return ""
        key = (host, path if self._paths_matter else "/", secure)
        if now_s < self._first_expiry_s:
            if self._memo is not None and (header := self._memo.get(key)) is not None:
                return header
        else:
            self._remove_expired(now_s)
        header = "; ".join([f"{cookie.name}={cookie.value}" for cookie in self._matching(host, path, secure)])
        if self._memo is None or len(self._memo) >= _MEMO_ENTRIES:
            self._memo = {}
        self._memo[key] = header
        return header

    # --- towards scripts

    def set(self, name: str, value: str | None, domain: str = "", path: str = "/", secure: bool = False) -> None:
        """Set a cookie by hand, for `domain` and the hosts below it; "" is every host, a value of None removes it.

        Raises ValueError for a name or value that would not arrive as one cookie.
        """
        domain = domain.removeprefix(".").lower()
        if value is None:
            self._remove(domain, path, name)
        else:
            self._store(Cookie(*checked_pair(name, value), domain, path, secure=secure))

    def get(self, name: str, default: str | None = None, domain: str | None = None) -> str | None:
        """The value of a cookie, the one that was created last if several domains or paths have one of that name."""
        return self.get_dict(domain).get(name, default)

    def get_dict(self, domain: str | None = None, path: str | None = None) -> dict[str, str]:
        """Names and values, of one domain or path only if given."""
        return {
            cookie.name: cookie.value
            for cookie in self._in_order()
            if domain in (None, cookie.domain) and path in (None, cookie.path)
        }

    def update(self, cookies: Mapping[str, str] | Iterable[tuple[str, str]] | CookieJar) -> None:
        """Take over another jar's cookies as they are, or names and values for every host."""
        if isinstance(cookies, CookieJar):
            for cookie in cookies._in_order():
                self._store(cookie)
        else:
            for name, value in cookies.items() if isinstance(cookies, Mapping) else cookies:
                self[name] = value

    def clear(self) -> None:
        """Forget every cookie."""
        self._domains = None
        self._first_expiry_s, self._paths_matter = math.inf, False
        self._changed()

    def pop(self, name: str, default: str | None = None) -> str | None:
        """Remove every cookie of that name; the value that `get` would have given."""
        value = self.get(name, default)
        for cookie in [cookie for cookie in self._in_order() if cookie.name == name]:
            self._remove(cookie.domain, cookie.path, cookie.name)
        return value

    def keys(self) -> list[str]:
        """The names, one for each cookie."""
        return [cookie.name for cookie in self._in_order()]

    def values(self) -> list[str]:
        """The values, in the order of `keys`."""
        return [cookie.value for cookie in self._in_order()]

    def items(self) -> list[tuple[str, str]]:
        """Names and values, one pair for each cookie, in the order they were created."""
        return [(cookie.name, cookie.value) for cookie in self._in_order()]

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: str | None) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        if self.pop(name) is None:
            raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(cookie.name == name for cookie in self._in_order())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return sum(map(len, self._domains.values())) if self._domains else 0

    def __bool__(self) -> bool:
        return self._domains is not None

    def __repr__(self) -> str:
        shown = [f"{cookie.name}={cookie.value} for {cookie.domain or '*'}{cookie.path}" for cookie in self._in_order()]
        return f"<CookieJar: {', '.join(shown) or 'empty'}>"

    def check(self) -> None:
        """Assert what always holds: bounds, filing, no empty container, and memory that tells the truth."""
        cookies = self._in_order()
        assert len(cookies) <= MAX_COOKIES
        assert (self._domains is None) == (not cookies)
        for domain, filed in (self._domains or {}).items():
            assert 0 < len(filed) <= MAX_COOKIES_PER_DOMAIN
            assert all(cookie.domain == domain and key == (cookie.path, cookie.name) for key, cookie in filed.items())
        assert all(cookie.expires_s >= self._first_expiry_s for cookie in cookies)
        assert self._paths_matter or all(cookie.path == "/" for cookie in cookies)
        for (host, path, secure), header in (self._memo or {}).items():
            assert header == "; ".join(f"{c.name}={c.value}" for c in self._matching(host, path, secure))

    # --- the files

    def _matching(self, host: str, path: str, secure: bool) -> list[Cookie]:
        path = path.partition("?")[0] if path.startswith("/") else "/"
        found = [
            cookie
            for domain in _domains_of(host)
            for cookie in (self._domains or {}).get(domain, {}).values()
            if (secure or not cookie.secure)
            and (domain == host or not cookie.host_only)
            and path_matches(path, cookie.path)
        ]
        return sorted(found, key=lambda cookie: (-len(cookie.path), cookie.order))

    def _in_order(self) -> list[Cookie]:
        cookies = [cookie for filed in (self._domains or {}).values() for cookie in filed.values()]
        return sorted(cookies, key=lambda cookie: cookie.order)

    def _store(self, cookie: Cookie) -> None:
        if self._domains is None:
            self._domains = {}
        filed = self._domains.setdefault(cookie.domain, {})
        key = (cookie.path, cookie.name)
        old = filed.get(key)
        if old is None:
            self._order += 1
            filed[key] = cookie._replace(order=self._order)
            self._evict(filed)
        else:
            filed[key] = cookie._replace(order=old.order)
        self._first_expiry_s = min(self._first_expiry_s, cookie.expires_s)
        self._paths_matter = self._paths_matter or cookie.path != "/"
        # A session that is prolonged with every response is the usual case: its header is still the same.
        if old is None or old._replace(expires_s=cookie.expires_s) != filed[key]:
            self._changed()

    def _evict(self, filed: dict[tuple[str, str], Cookie]) -> None:
        """Keep the jar within its bounds by giving up the oldest cookies, first of the domain that grew."""
        if len(filed) > MAX_COOKIES_PER_DOMAIN:
            oldest = min(filed.values(), key=lambda cookie: cookie.order)
        elif len(self) > MAX_COOKIES:
            oldest = self._in_order()[0]
        else:
            return
        self._remove(oldest.domain, oldest.path, oldest.name)

    def _remove(self, domain: str, path: str, name: str) -> None:
        filed = (self._domains or {}).get(domain, {})
        if filed.pop((path, name), None) is None:
            return
        if not filed and self._domains is not None:
            del self._domains[domain]
        if not self._domains:
            self._domains = None
        self._changed()

    def _remove_expired(self, now_s: float) -> None:
        if now_s < self._first_expiry_s:
            return
        cookies = self._in_order()
        for cookie in cookies:
            if cookie.expires_s <= now_s:
                self._remove(cookie.domain, cookie.path, cookie.name)
        self._first_expiry_s = min((c.expires_s for c in cookies if c.expires_s > now_s), default=math.inf)

    def _changed(self) -> None:
        self.version += 1
        self._memo = None


def with_cookies(header: str, cookies: Mapping[str, str | None] | CookieJar) -> str:
    """A Cookie header with the cookies of one call added; theirs replace others of the same name."""
    added = [checked_pair(name, value) for name, value in cookies.items() if value is not None]
    names = {name for name, _ in added}
    kept = [pair for pair in header.split("; ") if pair and pair.partition("=")[0] not in names]
    return "; ".join([*kept, *(f"{name}={value}" for name, value in added)])


def checked_pair(name: object, value: object) -> tuple[str, str]:
    """A cookie that a script made, if it would arrive as one. Raises ValueError."""
    if not isinstance(name, str) or not isinstance(value, str):
        raise ValueError(f"cookie {name!r:.80}: names and values are text, not {value!r:.80}")
    if not name or _UNFIT_NAME.search(name):
        raise ValueError(f"cookie name {name!r:.80} is empty or has a blank, '=' or ';' in it")
    unfit = _UNFIT_VALUE.search(value)
    if unfit:
        raise ValueError(f"cookie {name}: its value has {unfit.group()!r} in it")
    return name, value


def _domains_of(host: str) -> Iterator[str]:
    """Where the cookies for a host may be filed: for every host, its own name, and its parents' names."""
    yield ""
    parents = not is_address(host)
    while host:
        yield host
        host = host.partition(".")[2] if parents else ""
