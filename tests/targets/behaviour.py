"""What a scripted server does with a request, found by the request's path."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable

from tests.targets.wire import Request, Wire


class Then(enum.Enum):
    """What becomes of the connection after a behaviour."""

    NEXT = "next"
    CLOSE = "close"
    RESET = "reset"


Act = Callable[[Wire, Request, bytes], Then]
"""Is given the connection, the request and its body."""


@dataclasses.dataclass(frozen=True, slots=True)
class Behaviour:
    """One way to treat a request. Without `reads_body` it is given an empty body, and the real one is still to come."""

    act: Act
    reads_body: bool


BEHAVIOURS: dict[str, Behaviour] = {}


def on(path: str, *, reads_body: bool = True) -> Callable[[Act], Act]:
    """Registers a behaviour under a path. Its settings come from the query: `/late?ms=200`."""

    def register(act: Act) -> Act:
        assert path not in BEHAVIOURS, f"two behaviours for {path}"
        BEHAVIOURS[path] = Behaviour(act, reads_body)
        return act

    return register


def answer_exactly(path: str, *parts: bytes | str, then: Then = Then.CLOSE) -> None:
    """Registers a behaviour that sends these bytes, whatever was asked."""

    @on(path)
    def act(wire: Wire, _: Request, __: bytes) -> Then:
        wire.send(*parts)
        return then
