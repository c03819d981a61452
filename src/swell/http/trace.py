"""Marks a share of the calls for an APM: W3C `traceparent` (Trace Context, https://www.w3.org/TR/trace-context/).

    traceparent: 00-<trace id, 32 hex digits>-<span id, 16 hex digits>-01

A call has one trace id; each of its exchanges, a redirect's hop or a second attempt, has a span id of its own. Which
calls are marked follows from the user's seed and the number of its call. The ids also depend on the run, so that the
same calls of two runs with one seed are two traces.
"""

from __future__ import annotations

import dataclasses
from hashlib import blake2b

from swell.http.client import Client
from swell.http.options import CallOptions
from swell.http.response import Response
from swell.http.target import Target

HEADER = "traceparent"
_ALL = 1 << 64


class Trace:
    """A call that is marked."""

    __slots__ = ("_exchanges", "id")

    def __init__(self, id_: str) -> None:
        self.id = id_
        self._exchanges = 0

    def __repr__(self) -> str:
        return f"<Trace {self.id}, {self._exchanges} exchanges>"

    def header(self) -> bytes:
        """The header line for the next exchange of the call."""
        self._exchanges += 1
        span = _hex(f"{self.id}/{self._exchanges}", 8)
        return f"{HEADER}: 00-{self.id}-{span}-01\r\n".encode("ascii")


@dataclasses.dataclass(frozen=True, slots=True)
class Tracing:
    """How large a share of the calls of a run is marked."""

    ratio: float
    run: str

    def trace_of(self, seed: int, number: int) -> Trace | None:
        """The trace of call `number` of the user that has this seed; None if it is not to be marked."""
        place = int.from_bytes(blake2b(f"{seed}/{number}/trace".encode(), digest_size=8).digest(), "little")
        return Trace(_hex(f"{self.run}/{seed}/{number}", 16)) if place < self.ratio * _ALL else None


class TracingClient(Client):
    """A client that marks the exchanges of a call whose options have a trace."""

    __slots__ = ()

    def call(self, target: Target, options: CallOptions, begun_ns: int) -> Response:
        response = super().call(target, options, begun_ns)
        if options.trace is not None:
            response.trace_id = options.trace.id
        return response

    def _head(self, target: Target, options: CallOptions) -> bytes:
        head = super()._head(target, options)
        if options.trace is None:
            return head
        behind_host = head.index(b"\r\n", head.index(b"\r\n") + 2) + 2
        return head[:behind_host] + options.trace.header() + head[behind_host:]


def _hex(text: str, digest_bytes: int) -> str:
    """Hex digits that follow from the text; never all zero, which would be no valid id."""
    digits = blake2b(text.encode(), digest_size=digest_bytes).hexdigest()
    return digits if digits.strip("0") else digits[:-1] + "1"
