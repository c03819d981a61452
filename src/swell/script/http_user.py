"""The user of a site: a `User` with an HTTP client."""

from __future__ import annotations

from typing import ClassVar

from swell.script.http_session import HttpSession
from swell.script.tracing_session import TracingSession
from swell.script.user import Made, User


def _session(user: HttpUser) -> HttpSession:
    http, host = user.environment.http, user.host or ""
    if http is not None and http.tracing is not None:
        return TracingSession(user._seat, host, http, user.context, tracing=http.tracing)
    return HttpSession(user._seat, host, http, user.context)


class HttpUser(User):
    """A user with an HTTP client: `self.client.get("/")`. Paths are taken from `--host`, or else `host`."""

    abstract: ClassVar[bool] = True
    _needs_host: ClassVar[bool] = True
    client: HttpSession = Made(_session)  # type: ignore[assignment]
    """The user's own client, with connections and cookies that it shares with nobody; opened at its first use."""

    def _close(self) -> None:
        client = vars(self).get("client")
        if isinstance(client, HttpSession):
            client.close()
