"""A server that does to its clients whatever the path, or the port, says, and keeps a log of what it was asked.

What each path does is listed at the top of broken_answers, slow_answers, huge_answers and odd_answers. Some things
happen before there is a request; each of them has a port of its own, see `PORTS`.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import ssl
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from tests.targets import broken_answers, huge_answers, odd_answers, slow_answers
from tests.targets.behaviour import BEHAVIOURS, Behaviour, Then
from tests.targets.listening import listen, port_of
from tests.targets.process import TargetLog, announce, exit_at_end_of_stdin, read_log, target_process
from tests.targets.tls import Certificate
from tests.targets.wire import ClientLeft, Request, Wire

MANNERS = (broken_answers, huge_answers, odd_answers, slow_answers)


class LogLine(msgspec.Struct, frozen=True):
    """One request whose head was read."""

    connection: int
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]


class Hostile:
    """A running hostile server."""

    def __init__(self, ports: dict[str, int], log_path: Path) -> None:
        self._ports = ports
        self._log_path = log_path
        self.url = self.url_of("main")

    def url_of(self, port: str) -> str:
        """The URL of one of `PORTS`."""
        return f"https://localhost:{self._ports[port]}" if port == "tls" else f"http://127.0.0.1:{self._ports[port]}"

    def log(self) -> list[LogLine]:
        """Every request whose head was read so far, on the ports `main` and `tls`."""
        return read_log(self._log_path, LogLine)


@contextlib.contextmanager
def hostile(certificate: Certificate | None = None) -> Iterator[Hostile]:
    """Starts the server in a process of its own. With a certificate the paths answer over TLS too, on port `tls`."""
    files = (str(certificate.certificate), str(certificate.key)) if certificate else ()
    with tempfile.TemporaryDirectory(prefix="swell-hostile-") as folder:
        log_path = Path(folder) / "requests.log"
        with target_process("tests.targets.hostile", str(log_path), *files) as process:
            yield Hostile(json.loads(process.first_line), log_path)


class _Conversation:
    """Answers the requests of one connection after another; connections are numbered in the order they came."""

    def __init__(self, log: TargetLog) -> None:
        self._log = log
        self._numbers = itertools.count(1)

    def over_tls(self, certificate: str, key: str) -> Callable[[socket.socket], None]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)

        def hold(client: socket.socket) -> None:
            with contextlib.suppress(OSError):
                self.hold(context.wrap_socket(client, server_side=True, suppress_ragged_eofs=False))

        return hold

    def hold(self, client: socket.socket) -> None:
        number = next(self._numbers)
        wire = Wire(client, lambda request: self._log.write(_log_line(number, request)))
        try:
            self._answer_all(wire)
        except ClientLeft:
            pass
        except ValueError:
            wire.answer("that is no request\n", "Connection: close", status="400 Bad Request")
        finally:
            wire.close()

    def _answer_all(self, wire: Wire) -> None:
        while (request := wire.request()) is not None:
            then = _answer(wire, request)
            if then is Then.RESET:
                wire.reset()
            if then is not Then.NEXT:
                break


def _log_line(connection: int, request: Request) -> LogLine:
    return LogLine(connection, request.method, request.target, request.headers)


def _answer(wire: Wire, request: Request) -> Then:
    behaviour = _behaviour(request.path)
    if behaviour is None:
        wire.answer("no such behaviour\n", status="404 Not Found")
        return Then.NEXT
    if not behaviour.reads_body:
        return behaviour.act(wire, request, b"")
    if request.header("expect").lower() == "100-continue":
        wire.send("HTTP/1.1 100 Continue\r\n\r\n")
    return behaviour.act(wire, request, wire.body(request))


def _behaviour(path: str) -> Behaviour | None:
    return BEHAVIOURS["/any"] if path.startswith("/any/") else BEHAVIOURS.get(path)


def _by_hand(act: Callable[[Wire], None]) -> Callable[[socket.socket], None]:
    return lambda client: act(Wire(client))


def _stay_silent(wire: Wire) -> None:
    wire.wait_for_close()
    wire.close()


def _greet(wire: Wire) -> None:
    with contextlib.suppress(ClientLeft):
        wire.send("SSH-2.0-OpenSSH_9.6\r\n")
    _stay_silent(wire)


def _answer_unasked(wire: Wire) -> None:
    with contextlib.suppress(ClientLeft):
        wire.answer("busy\n", "Connection: close", status="503 Service Unavailable")
    wire.shut()
    _stay_silent(wire)


def _reset(wire: Wire) -> None:
    wire.reset()


def _close(wire: Wire) -> None:
    wire.close()


PORTS: dict[str, Callable[[Wire], None] | None] = {
    "main": None,  # speaks HTTP, as the path says
    "tls": None,  # the same over TLS, if a certificate was given
    "refuse": None,  # bound, but not listening
    "full": None,  # listening, but its queue is full and nobody takes from it
    "reset": _reset,  # at once
    "close": _close,  # at once
    "silent": _stay_silent,  # takes the connection, and whatever comes over it
    "greeting": _greet,  # speaks first, and something else
    "unasked": _answer_unasked,  # sends a 503 before any request, and FIN
}


def _refusing() -> socket.socket:
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


def _full() -> list[socket.socket]:
    """A listener, and the connections that fill its queue of one; the kernel takes one more than the queue holds."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    clients = [socket.socket() for _ in range(3)]
    for client in clients:
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
    return [listener, *clients]


def main() -> None:
    log_path, *certificate = sys.argv[1:]
    conversation = _Conversation(TargetLog(Path(log_path)))
    kept = [_refusing(), *_full()]
    ports = {"main": listen(conversation.hold), "refuse": port_of(kept[0]), "full": port_of(kept[1])}
    ports |= {name: listen(_by_hand(act)) for name, act in PORTS.items() if act is not None}
    if certificate:
        ports["tls"] = listen(conversation.over_tls(*certificate))
    announce(json.dumps(ports))
    exit_at_end_of_stdin()


if __name__ == "__main__":
    main()
