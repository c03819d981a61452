"""Why a worker does not get through to its controller, from what the monitor of its socket tells."""

from __future__ import annotations

from typing import Any

import gevent
import zmq

from swell.cluster.doorkeeper import events, unwatch, watch

_WATCHED = (
    zmq.EVENT_CONNECT_RETRIED
    | zmq.EVENT_CLOSED
    | zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)


class Wayfarer:
    """Beside a socket that is going to connect."""

    def __init__(self, context: Any, connecting: Any, endpoint: str, *, has_key: bool) -> None:
        self.trouble = ""
        """Why it is not there, in words that follow the address."""
        self._endpoint = endpoint
        self._has_key = has_key
        self._is_there = False
        self._was_turned_away = False
        self._connecting = connecting
        self._watching = watch(context, connecting, _WATCHED)
        self._greenlet = gevent.spawn(events, self._watching, self.on_event)

    def __repr__(self) -> str:
        return f"<Wayfarer to {self._endpoint}, {self.trouble or ('there' if self._is_there else 'under way')}>"

    def close(self) -> None:
        """Before the socket that it watches."""
        self._greenlet.kill()
        unwatch(self._connecting)
        self._watching.close(linger=0)

    def on_event(self, event: int, _: int) -> None:
        """Take in what has happened."""
        match event:
            case zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self.trouble, self._is_there, self._was_turned_away = "", True, False
            case (
                zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
                | zmq.EVENT_HANDSHAKE_FAILED_AUTH
                | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
            ):
                # which end notices first that keys differ, and so which event it is, is a matter of chance
                key = "has another key, or none" if self._has_key else "wants a key"
                self.trouble, self._was_turned_away = f"{key}, or is no controller of swell's", True
            case zmq.EVENT_DISCONNECTED if self._is_there:
                self.trouble, self._is_there = "has hung up", False
            case zmq.EVENT_CLOSED | zmq.EVENT_CONNECT_RETRIED if not self._is_there and not self._was_turned_away:
                self.trouble = self.trouble or "does not answer"
