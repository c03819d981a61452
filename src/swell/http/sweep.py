"""Time-outs without a timer per request: one timer per worker looks through the connections that wait.

It ticks ten times a second, and faster when a script asked for a time-out under a second: a time-out is then at most a
twentieth late.
"""

from __future__ import annotations

import _socket
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swell.http.connection import Connection

SLOWEST_TICK_S = 0.1
FASTEST_TICK_S = 0.005


class Sweep:
    """Ends waits that are overdue: `idle_ns` since the last byte moved, or `call_deadline_ns`."""

    def __init__(self, loop: Any, connections: set[Connection]) -> None:
        self._connections = connections
        self._loop = loop
        self._tick_s = SLOWEST_TICK_S
        self._timer = loop.timer(SLOWEST_TICK_S, SLOWEST_TICK_S, ref=False)
        self._timer.start(self.look)

    def heed(self, timeout_s: float) -> None:
        """Tick often enough for a time-out of `timeout_s`."""
        tick_s = max(timeout_s / 20, FASTEST_TICK_S)
        if tick_s < self._tick_s:
            self._tick_s = tick_s
            self._timer.stop()
            self._timer.close()
            self._timer = self._loop.timer(tick_s, tick_s, ref=False)
            self._timer.start(self.look)

    def look(self) -> None:
        """Expire every wait that is overdue now."""
        now_ns = monotonic_ns()
        overdue = [
            connection
            for connection in self._connections
            if connection.waiter is not None
            and (now_ns - connection.since_ns > connection.idle_ns or now_ns > connection.call_deadline_ns)
        ]
        for connection in overdue:
            # An earlier one's end may have ended this one's wait. And after a task has blocked the CPU this timer comes
            # before the sockets do: an answer that is here already is no time-out.
            if connection.waiter is not None and not _has_bytes(connection):
                connection.expire(_reason(connection, now_ns))

    def close(self) -> None:
        """Stop ticking."""
        self._timer.stop()
        self._timer.close()


def _has_bytes(connection: Connection) -> bool:
    try:
        connection.sock.recv(1, _socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True  # the read that follows says what it is
    return True


def _reason(connection: Connection, now_ns: int) -> str:
    if now_ns > connection.call_deadline_ns:
        return "timed out: whole call"
    return "timed out: no more bytes" if connection.head else "timed out: no response"
