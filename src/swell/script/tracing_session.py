"""`self.client` in a run with `--trace`: some calls carry a `traceparent`, and their trace ids are recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from swell.http.response import Response
from swell.http.trace import HEADER, TracingClient
from swell.script.http_session import HttpSession, Label, Tagged
from swell.script.names import tag_text

if TYPE_CHECKING:
    from swell.http.environment import HttpEnvironment
    from swell.http.trace import Trace, Tracing
    from swell.user import Seat


class TracingSession(HttpSession):
    """An HTTP session that marks a share of its calls. Those that are not marked take the same way as ever."""

    __slots__ = ("_calls", "_tracing")
    _client_type = TracingClient

    def __init__(
        self,
        seat: Seat,
        base_url: str,
        environment: HttpEnvironment,
        user_context: Callable[[], dict[str, Any]] = dict,
        *,
        tracing: Tracing,
    ) -> None:
        self._tracing = tracing
        self._calls = 0
        super().__init__(seat, base_url, environment, user_context)

    def request(
        self,
        method: str,
        url: str,
        name: str | None = None,
        *,
        catch_response: bool = False,
        context: Mapping[str, object] | None = None,
        tags: Mapping[str, object] | None = None,
        **options: Any,
    ) -> Response:
        label: Label = Tagged(name, tag_text(tags)) if tags else name
        trace = self._next_trace(options.get("headers"))
        return self._request(method, url, label, catch_response, context, options, trace)

    def _plain_call(self, method: str, url: str, name: Label) -> Response:
        if "@" in url:
            return super()._plain_call(method, url, name)
        trace = self._next_trace(None)
        if trace is None:
            return super()._plain_call(method, url, name)
        return self._request(method, url, name, False, None, {}, trace)

    def _next_trace(self, headers: Mapping[str, Any] | None) -> Trace | None:
        """The trace of the call that is about to be made. A `traceparent` of the script's own stays what it is."""
        self._calls += 1
        trace = self._tracing.trace_of(self._seat.seed, self._calls)
        if trace is None or HEADER in self.headers or (headers and any(name.lower() == HEADER for name in headers)):
            return None
        return trace
