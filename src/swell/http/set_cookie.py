"""One Set-Cookie field: what it says (RFC 6265 §5.2), and whether the host that sent it may say that (§5.3).

Beyond RFC 6265, from its revision (draft-ietf-httpbis-rfc6265bis), because every browser does it: the name prefixes
`__Secure-` and `__Host-`, the bounds on sizes, and refusing control characters. There is no list of public suffixes
here; a Domain of a single label ("com") is refused, which is the part of that list that one can know without it.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from swell.http.cookie_date import parse_cookie_date

MAX_PAIR_BYTES = 4096
MAX_ATTRIBUTE_BYTES = 1024

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SECONDS = re.compile(r"-?[0-9]+")
_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_BLANK = " \t"


class Cookie(NamedTuple):
    """A stored cookie. `domain` "" means every host; `expires_s` is Unix time, infinity for a session cookie."""

    name: str
    value: str
    domain: str
    path: str
    host_only: bool = False
    secure: bool = False
    http_only: bool = False
    expires_s: float = math.inf
    order: int = 0  # of creation; what replaces a cookie keeps its place


def parse_set_cookie(text: str, host: str, path: str, secure: bool, now_s: float) -> Cookie | None:
    """The cookie that a response from `host`, asked for `path`, sets; None if a browser would ignore the field.

    An `expires_s` that is not after `now_s` means that the cookie is to be removed.
    """
    pair, _, rest = text.partition(";")
    name, equals, value = pair.partition("=")
    name, value = name.strip(_BLANK), value.strip(_BLANK)
    if not equals or not name or len(name) + len(value) > MAX_PAIR_BYTES or _CONTROL.search(text):
        return None
    attributes = _attributes(rest)
    domain = attributes.get("domain", "").removeprefix(".").lower()
    host_only = not domain or (domain == host and ("." not in domain or is_address(host)))
    if not host_only and not ("." in domain and domain_matches(host, domain)):
        return None
    if not _prefix_holds(name, attributes, secure):
        return None
    return Cookie(
        name=name,
        value=value,
        domain=host if host_only else domain,
        path=attributes.get("path") or default_path(path),
        host_only=host_only,
        secure="secure" in attributes,
        http_only="httponly" in attributes,
        expires_s=_expires_s(attributes, now_s),
    )


def domain_matches(host: str, domain: str) -> bool:
    """RFC 6265 §5.1.3: the same name, or a host (no IP address) below it."""
    return host == domain or (host.endswith("." + domain) and not is_address(host))


def path_matches(path: str, cookie_path: str) -> bool:
    """RFC 6265 §5.1.4: the same path, or one below it, `/a` not being above `/ab`."""
    if not path.startswith(cookie_path):
        return False
    return len(path) == len(cookie_path) or cookie_path.endswith("/") or path[len(cookie_path)] == "/"


def default_path(path: str) -> str:
    """The folder of the path that was asked for (RFC 6265 §5.1.4)."""
    path = path.partition("?")[0]
    return (path.rpartition("/")[0] or "/") if path.startswith("/") else "/"


def is_address(host: str) -> bool:
    """Whether `host` is an IP address: addresses have no parent domains."""
    return ":" in host or _IPV4.fullmatch(host) is not None


def _attributes(text: str) -> dict[str, str]:
    """Names in lower case with their values; a later attribute wins; ones that say nothing valid are left out."""
    attributes: dict[str, str] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        name, value = name.strip(_BLANK).lower(), value.strip(_BLANK)
        if len(value) > MAX_ATTRIBUTE_BYTES:
            continue
        if name == "path" and not value.startswith("/"):
            value = ""
        if name == "max-age" and not _SECONDS.fullmatch(value):
            continue
        if name == "expires" and parse_cookie_date(value) is None:
            continue
        if name == "domain" and not value:
            continue
        attributes[name] = value
    return attributes


def _expires_s(attributes: dict[str, str], now_s: float) -> float:
    """Max-Age goes before Expires (RFC 6265 §5.3, step 3)."""
    if "max-age" in attributes:
        age_s = float(attributes["max-age"])
        return now_s + age_s if age_s > 0 else -math.inf
    expires_s = parse_cookie_date(attributes["expires"]) if "expires" in attributes else None
    return math.inf if expires_s is None else expires_s


def _prefix_holds(name: str, attributes: dict[str, str], secure: bool) -> bool:
    lowered = name.lower()
    if lowered.startswith("__host-"):
        return secure and "secure" in attributes and "domain" not in attributes and attributes.get("path") == "/"
    if lowered.startswith("__secure-"):
        return secure and "secure" in attributes
    return True
