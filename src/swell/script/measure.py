"""`with self.measure("SQL", "find problem"):` times any block of code and records it as a sample."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from swell.script.current import desk_of
from swell.script.events import events
from swell.script.flow import AUTHOR_FAULT, Flow
from swell.script.own_samples import NS_PER_MS, record_own
from swell.script.traces import one_line

if TYPE_CHECKING:
    from swell.script.user import User


class Measure:
    """A sample in the making. It fails if the block raises, or if it calls `failure`; what is raised goes on up."""

    __slots__ = ("_begun_ns", "_error", "_held_ns", "_lag_ns", "_method", "_name", "_user", "response_length")

    def __init__(self, user: User, method: str, name: str) -> None:
        self._user = user
        self._method = method
        self._name = name
        self._error: BaseException | str | None = None
        self.response_length = 0
        """Bytes received, if you want them counted."""
        self._begun_ns = self._held_ns = 0
        self._lag_ns = -1

    def __repr__(self) -> str:
        return f"<Measure {self._method} {self._name}{', failed' if self._error else ''}>"

    def failure(self, reason: BaseException | str) -> None:
        """Count it as failed, for this reason."""
        self._error = reason

    def __enter__(self) -> Measure:
        seat = self._user._seat
        if seat.intended_ns:
            self._held_ns, self._lag_ns = seat.held_ns, seat.lag_ns
            seat.intended_ns = 0
        self._begun_ns = seat.clock.now_ns()
        return self

    def __exit__(self, kind: type[BaseException] | None, raised: BaseException | None, _: TracebackType | None) -> None:
        done_ns = self._user._seat.clock.now_ns()
        if raised is not None and not isinstance(raised, Flow):
            if not isinstance(raised, AUTHOR_FAULT):
                return  # the user was killed in the middle of it: there is nothing to measure
            self._error = raised
        self._record(done_ns)

    def _record(self, done_ns: int) -> None:
        seat, error = self._user._seat, self._error
        took_ns = done_ns - self._begun_ns
        record_own(
            desk_of(seat),
            self._method,
            self._name,
            done_ns=done_ns,
            service_ns=took_ns,
            response_ns=took_ns + self._held_ns,
            lag_ns=self._lag_ns,
            length_bytes=self.response_length,
            error=(one_line(error) or "failed") if error is not None else "",
        )
        if events.request.listeners:
            events.request.tell(
                request_type=self._method,
                name=self._name,
                response_time=(took_ns + self._held_ns) / NS_PER_MS,
                response_length=self.response_length,
                response=None,
                context=self._user.context(),
                exception=error,
            )
