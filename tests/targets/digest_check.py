"""RFC 7616 from the server's side: hands out nonces, and judges the credentials that come back. Knows no socket."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import itertools
import re
import threading

from tests.targets.wire import Request

USER, PASSWORD, REALM, OPAQUE = "swell", "secret", "tests, and more", "b3BhcXVl"
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


class Verdict(enum.Enum):
    """What the server thinks of an Authorization header. All but the first two are a client's mistake."""

    ACCEPTED = "accepted"
    CHALLENGED = "no credentials"
    STALE = "the nonce has been used often enough"
    FOREIGN_NONCE = "we never gave out that nonce"
    REPLAYED = "that nonce count came before"
    WRONG_URI = "uri differs from the request's"
    WRONG_PARAMETER = "a parameter is missing or not what the challenge said"
    WRONG_RESPONSE = "response differs from the one computed here"


@dataclasses.dataclass(frozen=True, slots=True)
class Scheme:
    """One way of digest authentication. `qop` is "auth", "auth-int", "auth,auth-int" or "none" (as before RFC 2617)."""

    algorithm: str
    qop: str
    uses_per_nonce: int

    def challenge(self, nonce: str, *, stale: bool) -> str:
        parts = [f'Digest realm="{REALM}"', f'nonce="{nonce}"', f'opaque="{OPAQUE}"', f"algorithm={self.algorithm}"]
        if self.qop != "none":
            parts.append(f'qop="{self.qop}"')
        if stale:
            parts.append("stale=true")
        return ", ".join(parts)


class Nonces:
    """The nonces given out, and the counts that came back with each."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._counts: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def issue(self) -> str:
        nonce = hashlib.sha256(f"nonce {next(self._numbers)}".encode()).hexdigest()[:24]
        with self._lock:
            self._counts[nonce] = set()
        return nonce

    def use(self, nonce: str, count: str, limit: int) -> Verdict:
        """ACCEPTED, and remembers the count; or why not. A nonce without counts is used by a new count each time."""
        with self._lock:
            seen = self._counts.get(nonce)
            if seen is None:
                return Verdict.FOREIGN_NONCE
            if len(seen) >= limit:
                return Verdict.STALE
            count = count or f"use {len(seen)}"
            if count in seen:
                return Verdict.REPLAYED
            seen.add(count)
            return Verdict.ACCEPTED


def judge(request: Request, body: bytes, scheme: Scheme, nonces: Nonces) -> Verdict:
    """The verdict on a request. A right response is what uses up a nonce, nothing else does."""
    kind, _, rest = request.header("authorization").partition(" ")
    if kind.lower() != "digest":
        return Verdict.CHALLENGED
    given = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(rest)}
    if given.get("uri") != request.target:
        return Verdict.WRONG_URI
    if not _agrees(given, scheme):
        return Verdict.WRONG_PARAMETER
    if given.get("response") != _response(given, scheme.algorithm, request.method, body):
        return Verdict.WRONG_RESPONSE
    return nonces.use(given["nonce"], given.get("nc", ""), scheme.uses_per_nonce)


def _agrees(given: dict[str, str], scheme: Scheme) -> bool:
    named = (given.get("username"), given.get("realm"), given.get("opaque"), given.get("algorithm", "MD5"))
    if named != (USER, REALM, OPAQUE, scheme.algorithm) or "nonce" not in given:
        return False
    if scheme.qop == "none":
        return "qop" not in given
    return given.get("qop") in scheme.qop.split(",") and len(given.get("nc", "")) == 8 and bool(given.get("cnonce"))


def _response(given: dict[str, str], algorithm: str, method: str, body: bytes) -> str:
    plain = algorithm.removesuffix("-sess")

    def digest(text: bytes | str) -> str:
        return _HASHES[plain](text.encode() if isinstance(text, str) else text).hexdigest()

    secret = digest(f"{USER}:{REALM}:{PASSWORD}")
    if algorithm.endswith("-sess"):
        secret = digest(f"{secret}:{given['nonce']}:{given.get('cnonce', '')}")
    asked = f"{method}:{given['uri']}" + (f":{digest(body)}" if given.get("qop") == "auth-int" else "")
    if "qop" not in given:
        return digest(f"{secret}:{given['nonce']}:{digest(asked)}")
    return digest(f"{secret}:{given['nonce']}:{given['nc']}:{given['cnonce']}:{given['qop']}:{digest(asked)}")
