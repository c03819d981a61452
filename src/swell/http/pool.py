"""A user's connections to one origin: as in a browser, at most six, kept alive between calls.

A connection that its watcher has seen closed is thrown away when it is found; a call that finds all six busy waits for
one to come back, in order.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from gevent.event import AsyncResult

from swell.http.connection import Connection

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

    def take(self) -> Connection | None:
        """An idle connection that is still open, or None: then the caller opens one. Either way one is busy now."""
        while self.busy >= MOST_PER_ORIGIN:
            self._wait_for_turn()
        self.busy += 1
        idle = self.idle
        while idle:
            connection = idle.pop()
            if not connection.stale:
                return connection
            connection.close()
        return None

    def take_none(self) -> Connection | None:
        """Room for a connection that the caller opens, whatever is idle."""
        while self.busy >= MOST_PER_ORIGIN:
            self._wait_for_turn()
        self.busy += 1
        return None

    def give_back(self, connection: Connection | None) -> None:
        """End of use: kept if it can be reused, else closed. None: it could not be opened."""
        self.busy -= 1
        if connection is not None:
            if connection.keep_alive and not connection.stale and connection.complete == 1:
                self.idle.append(connection)
            else:
                self._drop(connection)
        if self._waiting:
            self._waiting.popleft().set(None)

    def close(self) -> None:
        """Close all that is idle. What is busy is closed by whoever uses it."""
        while self.idle:
            self.idle.pop().close()

    def _drop(self, connection: Connection) -> None:
        if connection.tls is not None and connection.used:
            self.tls_session = connection.tls.session
        connection.close()

    def _wait_for_turn(self) -> None:
        turn: AsyncResult[None] = AsyncResult()
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(turn)
        try:
            turn.get()
        except BaseException:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif self._waiting:
                self._waiting.popleft().set(None)
            raise
