"""`self.client`: HTTP in the words that users of requests know, each call recorded.

The plain call, a method and a path with nothing but a name, is the hot path: one dictionary look-up finds everything
about it, and a successful one is recorded with a single call. Whatever needs more goes through `request`.
"""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Callable, Mapping
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, NamedTuple

from swell.http.request import prepare
from swell.http.response import Response
from swell.http.target import BadTarget, Target
from swell.http.url import InvalidUrl, parse_url
from swell.script.caught import CaughtResponse, Verdict, settle
from swell.script.events import events
from swell.script.names import tag_text
from swell.script.samples import Sample
from swell.script.session_attributes import SessionAttributes

if TYPE_CHECKING:
    from swell.http.environment import HttpEnvironment
    from swell.http.trace import Trace
    from swell.user import Seat

ROUTES_MOST = 10_000
BASE_URLS_MOST = 1_000


@dataclasses.dataclass(frozen=True, slots=True)
class Route:
    """All that a plain call needs to know, made at its first time."""

    target: Target
    series: int
    name: str


class Tagged(NamedTuple):
    """The name of a call that has tags."""

    name: str | None
    tags: str


Label = str | None | Tagged
_TAGS = {"tags"}

_routes: weakref.WeakKeyDictionary[HttpEnvironment, dict[tuple[str, str], dict[Any, Route]]] = (
    weakref.WeakKeyDictionary()
)


class HttpSession(SessionAttributes):
    """The HTTP client of one simulated user. Its attributes may be changed at any time."""

    __slots__ = ("__weakref__", "_routes", "_seat", "_unentered", "_user_context")

    def __init__(
        self,
        seat: Seat,
        base_url: str,
        environment: HttpEnvironment,
        user_context: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        super().__init__(environment)
        self._seat = seat
        self._user_context = user_context
        self._unentered: CaughtResponse | None = None
        self.base_url = base_url

    def __repr__(self) -> str:
        return f"<HttpSession of user {self._seat.number} to {self.base_url or 'no base URL'}>"

    # calls

    def get(self, url: str, name: str | None = None, **options: Any) -> Response:
        """GET `url`; a path is taken from the base URL on. Options are those of `request`."""
        if options or not self._is_plain:
            if self._is_plain and options.keys() == _TAGS and options["tags"] and "@" not in url:
                return self._plain_call("GET", url, Tagged(name, tag_text(options["tags"])))
            return self.request("GET", url, name, **options)
        return self._plain_call("GET", url, name)

    def post(self, url: str, data: Any = None, json: Any = None, name: str | None = None, **options: Any) -> Response:
        """POST `data` or `json` to `url`."""
        return self.request("POST", url, name, data=data, json=json, **options)

    def put(self, url: str, data: Any = None, name: str | None = None, **options: Any) -> Response:
        """PUT `data` to `url`."""
        return self.request("PUT", url, name, data=data, **options)

    def patch(self, url: str, data: Any = None, name: str | None = None, **options: Any) -> Response:
        """PATCH `url` with `data`."""
        return self.request("PATCH", url, name, data=data, **options)

    def delete(self, url: str, name: str | None = None, **options: Any) -> Response:
        """DELETE `url`."""
        return self.request("DELETE", url, name, **options)

    def head(self, url: str, name: str | None = None, **options: Any) -> Response:
        """HEAD of `url`; redirects are not followed unless `allow_redirects=True`."""
        options.setdefault("allow_redirects", False)
        return self.request("HEAD", url, name, **options)

    def options(self, url: str, name: str | None = None, **options: Any) -> Response:
        """OPTIONS of `url`."""
        return self.request("OPTIONS", url, name, **options)

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
        """Make one call. Options: params, data, json, files, headers, cookies, auth, timeout (seconds, or connect and
        between bytes), allow_redirects, stream, verify, cert, proxies, with the meaning they have in requests.

        `name` groups calls in the results, `tags` (a dict) tell calls of one name apart there. With `catch_response`
        the call is recorded at the end of the `with` block that it opens. Never raises for what the target does; raises
        TypeError or ValueError for what cannot be sent.
        """
        label: Label = Tagged(name, tag_text(tags)) if tags else name
        return self._request(method, url, label, catch_response, context, options, None)

    def _request(
        self,
        method: str,
        url: str,
        label: Label,
        catch_response: bool,
        context: Mapping[str, object] | None,
        options: dict[str, Any],
        trace: Trace | None,
    ) -> Response:
        if self._unentered is not None:
            self._record_unentered()
        begun_ns = monotonic_ns()
        try:
            target, call_options = prepare(
                self._environment, self._settings, self.headers, method.upper(), url, **options
            )
        except InvalidUrl as error:
            return self._refused(method.upper(), url, label, begun_ns, f"invalid URL: {error}", catch_response)
        if trace is not None:
            call_options = dataclasses.replace(call_options, trace=trace)
        sample = self._sample(target.method, self._shown(label, target), begun_ns, context)
        response = self._client.call(target, call_options, begun_ns)
        if catch_response:
            return self._caught(response, sample)
        if response.stream is not None and response.stream.is_open:
            response.on_done = lambda ended: settle(sample, ended)
        else:
            settle(sample, response)
        return response

    def _plain_call(self, method: str, url: str, name: Label) -> Response:
        if self._unentered is not None:
            self._record_unentered()
        route = self._routes.get((method, url, name))
        if route is None:
            if "@" in url:
                assert not isinstance(name, Tagged)
                return self.request(method, url, name)
            try:
                route = self._new_route(method, url, name)
            except InvalidUrl as error:
                return self._refused(method, url, name, monotonic_ns(), f"invalid URL: {error}", False)
        seat = self._seat
        lag_ns, held_ns = -1, 0
        if seat.intended_ns:
            seat.intended_ns = 0
            lag_ns, held_ns = seat.lag_ns, seat.held_ns
        begun_ns = monotonic_ns()
        response = self._client.call(route.target, self._options, begun_ns)
        if response.error or response.status_code >= 400 or events.request.listeners:
            sample = Sample(seat, method, route.name, route.series, begun_ns, held_ns, lag_ns, self._user_context)
            settle(sample, response)
            return response
        done_ns = response.done_ns
        sent_ns = response.sent_ns
        seat.record(
            done_ns, done_ns - sent_ns, done_ns - begun_ns + held_ns, response.first_byte_ns - sent_ns,
            response.connect_ns, lag_ns, response.bytes_out, response.bytes_in, route.series, 0,
            response.status_code, 2 if response.unstamped else 0,
        )  # fmt: skip
        return response

    def close(self) -> None:
        """Record what is still open and close the connections. Done for you at the user's end."""
        if self._unentered is not None:
            self._record_unentered()
        self._client.close()

    # behind them

    def _base_changed(self) -> None:
        shared = _routes.setdefault(self._environment, {})
        if len(shared) >= BASE_URLS_MOST:
            shared.clear()
        self._routes = shared.setdefault((self._seat.scenario, self.base_url), {})

    def _new_route(self, method: str, url: str, name: Label) -> Route:
        target = Target(method, parse_url(url, self._settings.base))
        shown = self._shown(name, target)
        route = Route(target, self._seat.recorder.series(self._seat.scenario, method, *shown), shown[0])
        if len(self._routes) >= ROUTES_MOST:
            self._routes.clear()
        self._routes[(method, url, name)] = route
        return route

    def _shown(self, label: Label, target: Target) -> tuple[str, str]:
        """What a call is called, and its tags."""
        name, tags = label if isinstance(label, Tagged) else (label, "")
        return name or self._default_name(target), tags

    def _default_name(self, target: Target) -> str:
        base = self._settings.base
        own = base is not None and target.origin == base.origin
        return target.url.target if own else str(target.url)

    def _sample(
        self, method: str, shown: tuple[str, str], begun_ns: int, context: Mapping[str, object] | None
    ) -> Sample:
        seat = self._seat
        series = seat.recorder.series(seat.scenario, method, *shown)
        lag_ns, held_ns = -1, 0
        if seat.intended_ns:
            seat.intended_ns = 0
            lag_ns, held_ns = seat.lag_ns, seat.held_ns
        return Sample(seat, method, shown[0], series, begun_ns, held_ns, lag_ns, self._user_context, context)

    def _caught(self, response: Response, sample: Sample) -> CaughtResponse:
        response.__class__ = CaughtResponse
        assert isinstance(response, CaughtResponse)
        response.owner = Verdict(sample, self._entered)
        self._unentered = response
        return response

    def _entered(self, response: CaughtResponse) -> None:
        if self._unentered is response:
            self._unentered = None

    def _record_unentered(self) -> None:
        response, self._unentered = self._unentered, None
        if response is not None:
            response.close()
            response.owner.settle(response)

    def _refused(
        self, method: str, url: str, label: Label, begun_ns: int, reason: str, catch_response: bool
    ) -> Response:
        """A call that could not be made: a failed result like any other."""
        response = Response(BadTarget(method, url), begun_ns)
        response.error = reason
        response.done_ns = monotonic_ns()
        self._environment.traffic.not_sent()
        name, tags = label if isinstance(label, Tagged) else (label, "")
        sample = self._sample(method, (name or url, tags), begun_ns, None)
        if catch_response:
            return self._caught(response, sample)
        settle(sample, response)
        return response
