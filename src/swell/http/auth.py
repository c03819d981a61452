"""The `auth` of a call: (user, password) for basic, a `DigestAuth`, or the objects of requests that mean the same."""

from __future__ import annotations

import base64

from swell.http.challenge import Challenge, parse_challenges
from swell.http.digest import DigestAuth

__all__ = ["Challenge", "DigestAuth", "basic_header", "basic_of", "digest_of", "parse_challenges"]


def basic_header(user: str | bytes, password: str | bytes) -> str:
    """The value of an Authorization header for basic authentication (RFC 7617).

    Text goes out as Latin-1, as from requests, or as UTF-8 where Latin-1 has no such characters.
    """
    credentials = _bytes(user) + b":" + _bytes(password)
    return "Basic " + base64.b64encode(credentials).decode("ascii")


def basic_of(auth: object) -> tuple[str, str] | None:
    """User and password, if `auth` is a pair or something like requests' HTTPBasicAuth. Not what `digest_of` knows."""
    if isinstance(auth, tuple | list) and len(auth) == 2:
        return auth[0], auth[1]
    if digest_of(auth) is None and hasattr(auth, "username") and hasattr(auth, "password"):
        return auth.username, auth.password
    return None


def digest_of(auth: object) -> DigestAuth | None:
    """The digest authentication that `auth` stands for, if any: itself, or that of requests' HTTPDigestAuth.

    The latter is told by its class name, so that requests is not imported. What has been learnt from challenges is
    kept on the object, as requests keeps it.
    """
    if isinstance(auth, DigestAuth):
        return auth
    if not any(kind.__name__ == "HTTPDigestAuth" for kind in type(auth).__mro__):
        return None
    kept = vars(auth).get("swell_digest")
    username, password = vars(auth)["username"], vars(auth)["password"]
    if isinstance(kept, DigestAuth) and (kept.username, kept.password) == (username, password):
        return kept
    vars(auth)["swell_digest"] = digest = DigestAuth(username, password)
    return digest


def _bytes(text: str | bytes) -> bytes:
    if isinstance(text, bytes):
        return text
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
