"""A green ZeroMQ socket for those who do not wait: zmq.green looks after each frame whether there are more, which costs
four times as much as taking it.

ZeroMQ tells of frames that have come once, and whoever sends may swallow that. zmq.green therefore looks again after
each frame sent; here it is done once for all that are sent before the loop goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gevent
import zmq
from zmq.backend import Socket

NOT_WAITING = int(zmq.NOBLOCK)
MORE = int(zmq.SNDMORE | zmq.NOBLOCK)
HAS_MORE = int(zmq.RCVMORE)


class PlainSocket:
    """The same socket. It has to be closed with the green one."""

    def __init__(self, green: Any) -> None:
        self._green = green
        self._socket: Any = Socket(shadow=green.underlying)
        self._loop = gevent.get_hub().loop
        self._is_to_look = False

    def __repr__(self) -> str:
        return f"<PlainSocket of {self._green!r}>"

    def receive(self) -> list[bytes] | None:
        """The parts of the next message; None: there is none, or the socket is closed."""
        if self._green.closed:
            return None
        try:
            parts: list[bytes] = [self._socket.recv(NOT_WAITING)]
            while self._socket.get(HAS_MORE):
                parts.append(self._socket.recv(NOT_WAITING))
        except zmq.ZMQError:
            return None
        return parts

    def send(self, parts: Sequence[bytes]) -> bool:
        """Send a message of several parts; False when it was dropped."""
        if self._green.closed:
            return False
        if not self._is_to_look:
            self._is_to_look = True
            self._loop.run_callback(self._look)
        try:
            for part in parts[:-1]:
                self._socket.send(part, MORE)
            self._socket.send(parts[-1], NOT_WAITING)
        except zmq.ZMQError:
            return False
        return True

    def _look(self) -> None:
        self._is_to_look = False
        if not self._green.closed:
            self._green.get(zmq.EVENTS)  # wakes whoever waits for what has come
