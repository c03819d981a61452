"""What a redirect asks for next (RFC 9110 §15.4): a pure decision; counting the hops is the caller's.

The rules are those of browsers (Fetch, HTTP-redirect fetch), where requests agrees or nearly so:

    301, 302  POST becomes GET, other methods stay
    303       all become GET but HEAD
    307, 308  method and body stay

A body that is dropped takes the fields that describe it along. On another origin, credentials that were set by hand do
not follow; as in requests, https on the same host's own port is no other origin for one who came over http.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from swell.http.url import Origin, Url, join

STATUSES = frozenset({301, 302, 303, 307, 308})
_CREDENTIALS = frozenset({"authorization", "cookie", "host", "proxy-authorization"})
_BODY_FIELDS = frozenset({"expect", "trailer", "transfer-encoding"})


class RedirectError(ValueError):
    """The redirect cannot be followed; the text is short and the same for every such redirect."""


class NextRequest(NamedTuple):
    """The next hop. `headers` are the ones given, without those that must not follow."""

    method: str
    url: Url
    headers: dict[str, str]
    keeps_body: bool


def next_request(
    status: int, method: str, url: Url, location: str, headers: Mapping[str, str], body_replayable: bool = True
) -> NextRequest:
    """The request that a response with a Location asks for, after one for `url` with `headers` (those set by hand).

    Raises InvalidUrl for the location, RedirectError for a body that would have to be sent again and cannot be.
    """
    following = _following_url(url, location)
    next_method = method_after(status, method)
    keeps_body = next_method == method and status != 303
    if keeps_body and not body_replayable:
        raise RedirectError(f"redirect {status}: the body cannot be sent again")
    fields = dict(headers)
    if not keeps_body:
        fields = {name: value for name, value in fields.items() if not _describes_body(name.lower())}
    if not keeps_credentials(url.origin, following.origin):
        fields = {name: value for name, value in fields.items() if name.lower() not in _CREDENTIALS}
    return NextRequest(next_method, following, fields, keeps_body)


def method_after(status: int, method: str) -> str:
    """The method of the next hop."""
    if status in (301, 302):
        return "GET" if method == "POST" else method
    if status == 303:
        return "HEAD" if method == "HEAD" else "GET"
    return method


def keeps_credentials(origin: Origin, following: Origin) -> bool:
    """Whether an Authorization or Cookie field that a script set may go along to `following`."""
    upgraded = origin.host == following.host and (origin.scheme, origin.port) == ("http", 80)
    return origin == following or (upgraded and (following.scheme, following.port) == ("https", 443))


def _following_url(url: Url, location: str) -> Url:
    # Header fields are read as Latin-1; many servers send a Location in UTF-8.
    try:
        location = location.encode("latin-1").decode("utf-8")
    except UnicodeError:
        pass
    following = join(url, location)
    # RFC 9110 §10.2.2: a Location without a fragment inherits that of the request.
    return following if following.fragment or "#" in location else following._replace(fragment=url.fragment)


def _describes_body(name: str) -> bool:
    return name.startswith("content-") or name in _BODY_FIELDS
