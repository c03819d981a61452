"""Names to addresses, once a name and worker: a cache that never blocks the loop.

gevent's resolver asks in a thread. Concurrent look-ups of one name share one question. An answer is kept for a minute,
a failure for a second, so that a target which moves is followed and one that is missing does not drown the resolver.
"""

from __future__ import annotations

import _socket
import ipaddress
import socket
from time import monotonic
from typing import NamedTuple

import gevent.event
import gevent.socket

from swell.http.failure import CallFailure

KEEP_S = 60.0
KEEP_FAILURE_S = 1.0
NAMES_MOST = 10_000


class Address(NamedTuple):
    """Where to connect: the socket's family and what `connect` takes."""

    family: int
    sockaddr: tuple[object, ...] | str


class _Answer(NamedTuple):
    addresses: tuple[Address, ...]
    failure: str
    until_s: float


class Names:
    """A worker's view of the DNS. `overrides`: (host, port) to address, as `--resolve HOST:PORT:ADDR` gives them."""

    def __init__(self, overrides: dict[tuple[str, int], str] | None = None) -> None:
        self._overrides = overrides or {}
        self._answers: dict[tuple[str, int], _Answer] = {}
        self._asked: dict[tuple[str, int], gevent.event.Event] = {}

    def __repr__(self) -> str:
        return f"<Names: {len(self._answers)} kept, {len(self._asked)} being asked>"

    def look_up(self, host: str, port: int) -> tuple[Address, ...]:
        """The addresses of `host`, in the order to try them. Raises CallFailure ("DNS: ...")."""
        key = (host, port)
        while True:
            answer = self._answers.get(key)
            if answer is not None and answer.until_s > monotonic():
                break
            if key in self._asked:
                self._asked[key].wait()
                continue
            answer = self._ask(key)
            break
        if answer.failure:
            raise CallFailure(answer.failure, silent=True)
        return answer.addresses

    def _ask(self, key: tuple[str, int]) -> _Answer:
        done = self._asked[key] = gevent.event.Event()
        try:
            answer = self._answer(*key)
            if len(self._answers) >= NAMES_MOST:
                self._answers.clear()
            self._answers[key] = answer
            return answer
        finally:
            del self._asked[key]
            done.set()

    def _answer(self, host: str, port: int) -> _Answer:
        host = self._overrides.get((host, port), host)
        try:
            literal = _literal(host, port)
            if literal is not None:
                return _Answer((literal,), "", float("inf"))
            found = gevent.socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            text = getattr(error, "strerror", None) or "name not usable"
            return _Answer((), f"DNS: {text.lower()}", monotonic() + KEEP_FAILURE_S)
        addresses = tuple(dict.fromkeys(Address(int(family), sockaddr) for family, _, _, _, sockaddr in found))
        return _Answer(addresses, "", monotonic() + KEEP_S)


def _literal(host: str, port: int) -> Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if address.version == 4:
        return Address(_socket.AF_INET, (host, port))
    scope = getattr(address, "scope_id", None)
    return Address(_socket.AF_INET6, (host.partition("%")[0], port, 0, _scope_number(scope)))


def _scope_number(scope: str | None) -> int:
    if not scope:
        return 0
    return int(scope) if scope.isdigit() else socket.if_nametoindex(scope)
