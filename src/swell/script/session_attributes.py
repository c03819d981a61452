"""What a session's calls start from: the attributes that users of requests know, each to be changed at any time.

They decide whether a call that is given nothing but a URL is *plain*: then all that it needs is prepared beforehand.
Headers, cookies, basic authentication and TLS leave it plain; parameters, proxies and digest authentication do not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from swell.http.auth import basic_header, basic_of, digest_of
from swell.http.client import Client
from swell.http.cookies import CookieJar
from swell.http.headers import RequestHeaders
from swell.http.options import PLAIN, CallOptions
from swell.http.request import SessionSettings
from swell.http.tls import Cert, Verify
from swell.http.url import parse_url

if TYPE_CHECKING:
    from swell.http.environment import HttpEnvironment


class SessionAttributes:
    """The attributes of an HTTP session, and the client that they are for."""

    _client_type: ClassVar[type[Client]] = Client
    __slots__ = ("_client", "_environment", "_has_digest", "_is_plain", "_lent", "_options", "_settings")

    def __init__(self, environment: HttpEnvironment) -> None:
        self._environment = environment
        self._client = self._client_type(environment)
        self._settings = SessionSettings()
        self._options: CallOptions = PLAIN
        self._is_plain = True
        self._has_digest = False
        self._lent = False

    @property
    def headers(self) -> RequestHeaders:
        """Sent with every call; a dict in which case does not matter."""
        return self._client.headers

    @headers.setter
    def headers(self, fields: Mapping[str, str]) -> None:
        self._client.headers = RequestHeaders(fields)

    @property
    def cookies(self) -> CookieJar:
        """What servers have set, sent back where it belongs, and what the script adds."""
        return self._client.cookies

    @cookies.setter
    def cookies(self, cookies: Mapping[str, str] | CookieJar) -> None:
        self._client.cookies = CookieJar(cookies)

    @property
    def base_url(self) -> str:
        """What paths are appended to."""
        return str(self._settings.base).rstrip("/") if self._settings.base else ""

    @base_url.setter
    def base_url(self, url: str) -> None:
        base = parse_url(url) if url else None
        if base is not None and base.userinfo is not None:
            self.auth = base.userinfo
            base = base._replace(userinfo=None)
        self._settings.base = base
        self._base_changed()

    @property
    def params(self) -> dict[str, Any]:
        """Added to the query of every call."""
        self._lend()
        return self._settings.params

    @params.setter
    def params(self, params: Mapping[str, Any]) -> None:
        self._settings.params = dict(params)
        self._sort()

    @property
    def proxies(self) -> dict[str, str]:
        """Scheme, or scheme://host, to the proxy's URL."""
        self._lend()
        return self._settings.proxies

    @proxies.setter
    def proxies(self, proxies: Mapping[str, str]) -> None:
        self._settings.proxies = dict(proxies)
        self._sort()

    @property
    def auth(self) -> Any:
        """(user, password) for basic authentication, or a DigestAuth."""
        return self._settings.auth

    @auth.setter
    def auth(self, auth: Any) -> None:
        pair = basic_of(auth)
        if auth is not None and pair is None and digest_of(auth) is None:
            raise TypeError(f"auth: {auth!r} is neither (user, password) nor basic or digest authentication")
        self._settings.auth = auth
        self._client.authorise(basic_header(*pair) if pair else "")
        self._has_digest = auth is not None and pair is None
        self._sort()

    @property
    def verify(self) -> Verify:
        """Whether a server's certificate is checked (True, False), or the file or folder of CAs to check it with."""
        return self._settings.verify

    @verify.setter
    def verify(self, verify: Verify) -> None:
        self._settings.verify = verify
        self._renew_options()

    @property
    def cert(self) -> Cert:
        """The client's certificate: a PEM file, or (certificate, key)."""
        return self._settings.cert

    @cert.setter
    def cert(self, cert: Cert) -> None:
        self._settings.cert = cert
        self._renew_options()

    def _base_changed(self) -> None:
        """What had been prepared for another base URL is of no use for this one."""

    def _lend(self) -> None:
        """A dict of the settings is handed out: from now on it may change at any time."""
        self._lent = True
        self._is_plain = False

    def _sort(self) -> None:
        """Plain calls are those of a session whose settings add nothing to them but headers and TLS."""
        settings = self._settings
        self._is_plain = not (self._lent or settings.params or settings.proxies or self._has_digest)

    def _renew_options(self) -> None:
        settings = self._settings
        connect = self._environment.connect_options(settings.verify, settings.cert, None)
        self._options = dataclasses.replace(PLAIN, connect=connect)
