"""Digest authentication, RFC 7616, with what older servers send (RFC 2069: no qop).

A `DigestAuth` knows nothing until it has taken a challenge; from then on it authenticates every request at once, with
a rising nonce count, until the server sends a new challenge. One client nonce serves for the life of a server nonce:
the -sess algorithms demand it, the others do not mind. Quality `auth` is preferred to `auth-int`, which has to have
the whole body in hand.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from urllib.parse import quote

from swell.http.challenge import Challenge

_ALGORITHMS = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
_QUALITIES = ("auth", "auth-int")


def _random_nonce() -> str:
    return os.urandom(16).hex()


class DigestAuth:
    """A name and password for digest authentication: `client.get(url, auth=DigestAuth("user", "secret"))`."""

    __slots__ = ("_challenge", "_client_nonce", "_make_nonce", "_nonce_count", "_secret", "password", "username")

    def __init__(self, username: str, password: str, make_nonce: Callable[[], str] = _random_nonce) -> None:
        self.username = username
        self.password = password
        self._make_nonce = make_nonce
        self._challenge: Challenge | None = None
        self._client_nonce = ""
        self._nonce_count = 0
        self._secret = ""  # H(A1), the same as long as the nonces are

    def __repr__(self) -> str:
        state = "unchallenged" if self._challenge is None else f"{self._nonce_count} requests under this nonce"
        return f"<DigestAuth {self.username!r}, {state}>"

    @property
    def ready(self) -> bool:
        """Whether a challenge has been taken, so that requests can be authenticated before they are refused."""
        return self._challenge is not None

    def take(self, challenges: Iterable[Challenge], again: bool = False) -> bool:
        """Take the first challenge that can be answered; False if there is none.

        `again` says that this call has answered one already: then only a stale nonce is a reason to try once more
        (RFC 7616 §3.3), anything else means that name or password are wrong.
        """
        for challenge in challenges:
            if not _answerable(challenge):
                continue
            if again and challenge.parameters.get("stale", "").lower() != "true":
                return False
            self._take(challenge)
            return True
        return False

    def header(self, method: str, target: str, body: bytes | None = b"") -> str:
        """The value of the Authorization header for a request, "" before any challenge (RFC 7616 §3.4).

        `target` is the request target as sent. Raises ValueError where the server insists on `auth-int` and the body
        is not in hand (None).
        """
        if self._challenge is None:
            return ""
        parameters = self._challenge.parameters
        quality = _quality(parameters)
        if quality == "auth-int" and body is None:
            raise ValueError("digest: auth-int needs the whole body before it is sent")
        self._nonce_count += 1
        response = self._response(method, target, body or b"", quality)
        fields = [
            *self._user_fields(),
            f"realm={_quoted(parameters['realm'])}",
            f"nonce={_quoted(parameters['nonce'])}",
            f"uri={_quoted(target)}",
            *([f"algorithm={parameters['algorithm']}"] if "algorithm" in parameters else []),
            f'response="{response}"',
            *([f"opaque={_quoted(parameters['opaque'])}"] if "opaque" in parameters else []),
        ]
        if quality:
            fields += [f"qop={quality}", f"nc={self._nonce_count:08x}"]
        if quality or _algorithm(parameters)[1]:
            fields.append(f"cnonce={_quoted(self._client_nonce)}")
        return "Digest " + ", ".join(fields)

    def _take(self, challenge: Challenge) -> None:
        if self._challenge is not None and self._challenge.parameters["nonce"] == challenge.parameters["nonce"]:
            return  # the count goes on: a server may refuse one that it has seen
        self._challenge = challenge
        self._nonce_count = 0
        self._client_nonce = self._make_nonce()
        parameters = challenge.parameters
        self._secret = self._hash(self._bytes(f"{self.username}:{parameters['realm']}:{self.password}"))
        if _algorithm(parameters)[1]:
            self._secret = self._hash(self._bytes(f"{self._secret}:{parameters['nonce']}:{self._client_nonce}"))

    def _response(self, method: str, target: str, body: bytes, quality: str) -> str:
        """RFC 7616 §3.4.1 to §3.4.3."""
        assert self._challenge is not None
        nonce = self._challenge.parameters["nonce"]
        request = f"{method}:{target}"
        if quality == "auth-int":
            request += f":{self._hash(body)}"
        request_hash = self._hash(self._bytes(request))
        if not quality:
            return self._hash(self._bytes(f"{self._secret}:{nonce}:{request_hash}"))
        count = f"{self._nonce_count:08x}:{self._client_nonce}:{quality}"
        return self._hash(self._bytes(f"{self._secret}:{nonce}:{count}:{request_hash}"))

    def _user_fields(self) -> list[str]:
        """The user's name: hashed if the server wants it so (§3.4.4), else quoted, or encoded if it is not ASCII."""
        assert self._challenge is not None
        parameters = self._challenge.parameters
        if parameters.get("userhash", "").lower() == "true":
            name_hash = self._hash(self._bytes(f"{self.username}:{parameters['realm']}"))
            return [f'username="{name_hash}"', "userhash=true"]
        if self.username.isascii() or not _is_utf_8(parameters):
            return [f"username={_quoted(self.username)}"]
        return [f"username*=UTF-8''{quote(self.username, safe='')}"]

    def _hash(self, data: bytes) -> str:
        assert self._challenge is not None
        return _digest(_algorithm(self._challenge.parameters)[0], data)

    def _bytes(self, text: str) -> bytes:
        assert self._challenge is not None
        try:
            return text.encode("utf-8" if _is_utf_8(self._challenge.parameters) else "latin-1")
        except UnicodeEncodeError:
            return text.encode("utf-8", "surrogatepass")


def _answerable(challenge: Challenge) -> bool:
    parameters = challenge.parameters
    if challenge.scheme != "digest" or not {"realm", "nonce"} <= parameters.keys():
        return False
    name = _ALGORITHMS.get(_algorithm(parameters)[0])
    return name in hashlib.algorithms_available and ("qop" not in parameters or _quality(parameters) != "")


def _algorithm(parameters: dict[str, str]) -> tuple[str, bool]:
    """The algorithm's name and whether it is a -sess one; MD5 where none is named."""
    name = parameters.get("algorithm", "MD5").upper()
    return name.removesuffix("-SESS"), name.endswith("-SESS")


def _quality(parameters: dict[str, str]) -> str:
    """The quality of protection to use, "" for a server that offers none."""
    offered = [quality.strip().lower() for quality in parameters.get("qop", "").split(",")]
    return next((quality for quality in _QUALITIES if quality in offered), "")


def _is_utf_8(parameters: dict[str, str]) -> bool:
    return parameters.get("charset", "").upper() == "UTF-8"


def _digest(algorithm: str, data: bytes) -> str:
    return hashlib.new(_ALGORITHMS[algorithm], data, usedforsecurity=False).hexdigest()


def _quoted(text: str) -> str:
    """A quoted string (RFC 9110 §5.6.4); line ends, which no field may have, become spaces."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\r", " ").replace("\n", " ").replace("\0", " ") + '"'
