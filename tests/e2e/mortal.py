"""A target that can die and come back on its own port; it answers every request with 200 and three bytes.

with mortal() as target:
    target.die()
    target.rise()
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator

from tests.targets.process import TargetProcess, announce, exit_at_end_of_stdin

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


class Mortal:
    """The target, alive at first."""

    def __init__(self) -> None:
        self._process = TargetProcess("tests.e2e.mortal", "0")
        self._port = self._process.first_line
        self.url = f"http://127.0.0.1:{self._port}"

    def die(self) -> None:
        """At once, with all connections and whatever is under way on them."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.stop()

    def rise(self) -> None:
        """On the same port."""
        self._process = TargetProcess("tests.e2e.mortal", self._port)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Alive, and doing nothing."""
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def stop(self) -> None:
        self._process.stop()


@contextlib.contextmanager
def mortal() -> Iterator[Mortal]:
    target = Mortal()
    try:
        yield target
    finally:
        target.stop()


def answer_all(client: socket.socket) -> None:
    with client, contextlib.suppress(OSError):
        while client.recv(65_536):
            client.sendall(ANSWER)


def main() -> None:
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
    threading.Thread(target=accept_all, args=(listener,), daemon=True).start()
    announce(str(listener.getsockname()[1]))
    exit_at_end_of_stdin()


def accept_all(listener: socket.socket) -> None:
    while True:
        client, _ = listener.accept()
        threading.Thread(target=answer_all, args=(client,), daemon=True).start()


if __name__ == "__main__":
    main()
