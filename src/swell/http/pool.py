"""A user's connections to one origin: as in a browser, at most six, kept alive between calls.

A connection that its watcher has seen closed is thrown away when it is found. A call that finds all six busy waits for
one to come back, in order: whoever gives one back hands its place to the first who waits, and does not take it again
himself, as a greenlet that makes call after call otherwise would.
"""

from __future__ import annotations

from collections import deque
from time import monotonic_ns
from typing import Any

from gevent.event import AsyncResult

from swell.http.connection import Connection
from swell.http.failure import CallFailure

MOST_PER_ORIGIN = 6


class Pool:
    """Idle connections, the newest on top, and how many are in use or being opened."""

    __slots__ = ("_waiting", "busy", "idle", "tls_session")

    def __init__(self) -> None:
        self.idle: list[Connection] = []
        self.busy = 0
        self.tls_session: Any = None
        self._waiting: deque[AsyncResult[None]] | None = None

    def __repr__(self) -> str:
        waiting = len(self._waiting) if self._waiting else 0
        return f"<Pool of {len(self.idle)} idle, {self.busy} busy, {waiting} waiting>"

    def take(self, deadline_ns: int) -> Connection | None:
        """An idle connection that is still open, or None: then the caller opens one. Either way one is busy now.

        Raises CallFailure when its turn has not come by `deadline_ns`.
        """
        if self.busy < MOST_PER_ORIGIN:
            self.busy += 1
        else:
            self._wait_for_turn(deadline_ns)
        idle = self.idle
        while idle:
            connection = idle.pop()
            if not connection.stale:
                return connection
            self._drop(connection)
        return None

    def take_none(self, deadline_ns: int) -> Connection | None:
        """Room for a connection that the caller opens, whatever is idle."""
        if self.busy < MOST_PER_ORIGIN:
            self.busy += 1
        else:
            self._wait_for_turn(deadline_ns)
        return None

    def give_back(self, connection: Connection | None) -> None:
        """End of use: kept if it can be reused, else closed. None: it could not be opened."""
        if connection is not None:
            if connection.keep_alive and not connection.stale and connection.complete == 1:
                self.idle.append(connection)
            else:
                self._drop(connection)
        if self._waiting:
            self._waiting.popleft().set(None)
        else:
            self.busy -= 1

    def close(self) -> None:
        """Close all that is idle, and what is busy when it comes back."""
        idle, self.idle = self.idle, _ClosedIdle()
        for connection in idle:
            connection.close()

    def check(self) -> None:
        """Assert what must always hold."""
        assert 0 <= self.busy <= MOST_PER_ORIGIN, self
        assert not self._waiting or self.busy == MOST_PER_ORIGIN, self
        for connection in self.idle:
            assert not connection.in_exchange, connection
            connection.check()

    def _drop(self, connection: Connection) -> None:
        if connection.tls is not None and connection.used:
            self.tls_session = connection.tls.session
        connection.close()

    def _wait_for_turn(self, deadline_ns: int) -> None:
        """Returns when the place of a connection that came back is the caller's."""
        turn: AsyncResult[None] = AsyncResult()
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(turn)
        try:
            turn.wait(max(deadline_ns - monotonic_ns(), 0) / 1e9)
            if not turn.ready():
                raise CallFailure("timed out: whole call", silent=True)
        except BaseException:
            if turn in self._waiting:
                self._waiting.remove(turn)
            else:
                self.give_back(None)
            raise


class _ClosedIdle(list[Connection]):
    """The idle connections of a closed pool: there are none."""

    def append(self, connection: Connection) -> None:
        connection.close()
