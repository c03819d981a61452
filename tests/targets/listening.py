"""Takes connections on a free port of loopback, each in a thread of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

BACKLOG = 1024


def listen(hold: Callable[[socket.socket], None]) -> int:
    """Hands each connection to `hold`, for as long as the process lives. Returns the port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)

    def accept_for_ever() -> None:
        while True:
            threading.Thread(target=hold, args=listener.accept()[:1], daemon=True).start()

    threading.Thread(target=accept_for_ever, daemon=True).start()
    return port_of(listener)


def port_of(bound: socket.socket) -> int:
    return int(bound.getsockname()[1])
