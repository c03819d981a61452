"""From what a script says, `post("/x", json=...)`, to what goes on the wire: a target and the options of the call.

The keyword arguments and their meaning are those of requests. Per-call values win over the session's; a header set to
None is left out.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from swell.http.auth import basic_header, basic_of, digest_of
from swell.http.body import Body, chunked
from swell.http.digest import DigestAuth
from swell.http.encode import encode_body
from swell.http.headers import RequestHeaders, encode_fields
from swell.http.options import BETWEEN_BYTES_S, CALL_S, CONNECT_S, NS_PER_S, CallOptions
from swell.http.proxy import choose_proxy
from swell.http.target import Target
from swell.http.tls import Cert, Verify
from swell.http.url import Url, parse_url, with_params

if TYPE_CHECKING:
    from swell.http.environment import HttpEnvironment

Timeout = float | tuple[float | None, float | None] | None
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class SessionSettings:
    """The attributes of a session that calls start from; each may be changed at any time."""

    __slots__ = ("auth", "base", "cert", "params", "proxies", "verify")

    def __init__(self) -> None:
        self.base: Url | None = None
        self.params: dict[str, Any] = {}
        self.auth: Any = None
        self.verify: Verify = True
        self.cert: Cert = None
        self.proxies: dict[str, str] = {}


def prepare(
    environment: HttpEnvironment,
    settings: SessionSettings,
    session_headers: RequestHeaders,
    method: str,
    url_text: str,
    *,
    params: Any = None,
    data: Any = None,
    json: Any = None,
    files: Any = None,
    headers: Mapping[str, str | bytes | None] | None = None,
    cookies: Mapping[str, str] | None = None,
    auth: Any = None,
    timeout: Timeout = None,
    allow_redirects: bool = True,
    stream: bool = False,
    verify: Verify | None = None,
    cert: Cert = None,
    proxies: Mapping[str, str] | None = None,
) -> tuple[Target, CallOptions]:
    """Make a call ready. Raises InvalidUrl for the URL, ValueError or TypeError for what cannot be sent as given."""
    url = parse_url(url_text, settings.base)
    for more in (settings.params, params):
        if more:
            url = with_params(url, more)
    body = encode_body(data, json, files)
    fields = RequestHeaders(session_headers)
    _frame(fields, method, body)
    digest = _authorise(fields, auth or settings.auth or url.userinfo)
    if headers:
        fields.update(headers)
    body = _of_known_length(fields, body)
    connect_s, between_bytes_s = _timeouts(timeout)
    environment.sweep.heed(between_bytes_s)
    connect = environment.connect_options(settings.verify if verify is None else verify, cert or settings.cert, None)
    content, upload = _content(body)
    expects = "100-continue" in fields.get("Expect", "").lower()
    options = CallOptions(
        connect,
        connect_s=connect_s,
        idle_ns=_ns(between_bytes_s),
        call_ns=_ns(max(CALL_S, between_bytes_s)),
        block=encode_fields(fields.items()),
        fields=fields,
        own_host="Host" in fields,
        cookies=cookies,
        body=b"" if expects else content,
        upload=(lambda: iter((content,))) if expects and upload is None else upload,
        replayable=body.replayable,
        expects_continue=expects,
        follow=allow_redirects,
        stream=stream,
        proxies={**settings.proxies, **(proxies or {})} if settings.proxies or proxies else None,
        auth=digest,
        is_simple=upload is None and not expects and not stream,
    )
    return through_proxy(environment, Target(method, url), options)


def through_proxy(environment: HttpEnvironment, target: Target, options: CallOptions) -> tuple[Target, CallOptions]:
    """The same request by way of the proxy that `options.proxies` has for its URL. Raises InvalidUrl."""
    if options.proxies is None:
        return target, options
    proxy = choose_proxy(options.proxies, target.url)
    connect = environment.connect_options(options.connect.verify, options.connect.cert, proxy)
    if proxy is not None and not proxy.is_tunnel and not target.secure:
        target = target.in_absolute_form(proxy.authorization)
    return target, dataclasses.replace(options, connect=connect)


def _frame(fields: RequestHeaders, method: str, body: Body) -> None:
    if body.content_type is not None:
        fields["Content-Type"] = body.content_type
    if body.content is None:
        if method in _WITH_BODY:
            fields["Content-Length"] = "0"
    elif body.length is None:
        fields["Transfer-Encoding"] = "chunked"
    else:
        fields["Content-Length"] = str(body.length)


def _of_known_length(fields: RequestHeaders, body: Body) -> Body:
    """A script may know what swell does not. Two framings at once would be one too many (RFC 9112 §6.3)."""
    if body.length is not None or "Content-Length" not in fields:
        return body
    fields.pop("Transfer-Encoding", None)
    return body._replace(length=int(fields["Content-Length"]))


def _authorise(fields: RequestHeaders, auth: Any) -> DigestAuth | None:
    """Set the header of basic authentication; a digest's is made when it is known what was asked for."""
    digest = digest_of(auth)
    if digest is None and auth is not None:
        pair = basic_of(auth)
        if pair is None:
            raise TypeError(f"auth: {auth!r} is neither (user, password) nor basic or digest authentication")
        fields["Authorization"] = basic_header(*pair)
    return digest


def _content(body: Body) -> tuple[bytes, Callable[[], Iterator[bytes]] | None]:
    """The body's bytes, or what gives its parts for each attempt."""
    if body.content is None or isinstance(body.content, bytes):
        return body.content or b"", None
    parts = body.content
    restart = body.restart or (lambda: parts)
    return b"", restart if body.length is not None else lambda: chunked(restart())


def _timeouts(timeout: Timeout) -> tuple[float, float]:
    connect_s, between_bytes_s = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    connect_s = CONNECT_S if connect_s is None else float(connect_s)
    between_bytes_s = BETWEEN_BYTES_S if between_bytes_s is None else float(between_bytes_s)
    for value in (connect_s, between_bytes_s):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"timeout: {value:g} is not a time over 0 s")
    return connect_s, between_bytes_s


def _ns(seconds: float) -> int:
    return int(seconds * NS_PER_S)
