"""nginx as a target: a real server whose access log is the truth that a result can be held against.

It listens on sockets that this process has bound, so no port is ever guessed, and it is ended gracefully, so the log
is complete once the `with` block is left (or `stop()` has been called).
"""

from __future__ import annotations

import collections
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from tests.targets.nginx_config import configuration, write_pages
from tests.targets.process import read_log
from tests.targets.tls import Certificate

START_TIMEOUT_S = 5
STOP_TIMEOUT_S = 10


class LogLine(msgspec.Struct, frozen=True):
    """One request as nginx saw it. `completed` is false if the client had left before the response was sent."""

    time_s: float
    connection: int
    nth_on_connection: int
    method: str
    target: str
    status: int
    request_bytes: int
    response_bytes: int
    request_id: str
    host: str
    user_agent: str
    user: str
    protocol: str
    tls_reused: bool
    completed: bool


Make = Callable[[], list[socket.socket]]


class Nginx:
    """A running nginx with one worker process. The arguments are those of `nginx`."""

    def __init__(
        self,
        folder: Path,
        *,
        locations: str = "",
        main: str = "",
        certificate: Certificate | None = None,
        client_authority: Path | None = None,
        access_log: bool = True,
        request_id_header: str = "X-Request-Id",
        host: str = "127.0.0.1",
        bind: Callable[[Make], list[socket.socket]] = lambda make: make(),
    ) -> None:
        self._folder = folder
        self.unix_path = folder / "nginx.sock"
        self.log_path = folder / "access.log"
        listeners = bind(lambda: _listeners(self.unix_path, host))
        self._addresses = [_address(listener) for listener in listeners]
        write_pages(folder)
        (folder / "nginx.conf").write_text(
            configuration(
                addresses=self._addresses,
                locations=locations,
                main=main,
                certificate=certificate,
                client_authority=client_authority,
                access_log=access_log,
                request_id_header=request_id_header,
            )
        )
        self._process = self._start(listeners)

    @property
    def url(self) -> str:
        return f"http://{self._addresses[1]}"

    @property
    def tls_url(self) -> str:
        """Answers only if a certificate was given."""
        return f"https://localhost:{self._addresses[0].rpartition(':')[2]}"

    @property
    def ipv6_url(self) -> str:
        """Raises IndexError on a machine without IPv6."""
        return f"http://{self._addresses[3]}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def log(self) -> list[LogLine]:
        """Every line written so far. A response can be read before its line is written: `stop()` first, to be exact."""
        return read_log(self.log_path, LogLine)

    def counts(self) -> collections.Counter[tuple[str, int]]:
        """How often each (target, status) was answered; targets with their query."""
        return collections.Counter((line.target, line.status) for line in self.log())

    def stop(self) -> None:
        """Lets requests under way finish for a second, then ends nginx. Harmless when it has ended already."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self, listeners: list[socket.socket]) -> subprocess.Popen[bytes]:
        fds = [listener.fileno() for listener in listeners]
        process = subprocess.Popen(
            [_binary(), "-p", str(self._folder), "-c", str(self._folder / "nginx.conf"), "-e", "error.log"],
            env={**os.environ, "NGINX": "".join(f"{fd};" for fd in fds)},
            pass_fds=fds,
            start_new_session=True,
        )
        for listener in listeners:
            listener.close()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (self._folder / "nginx.pid").exists():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise RuntimeError(f"nginx did not start:\n{(self._folder / 'error.log').read_text()}")
            time.sleep(0.005)
        return process


@contextlib.contextmanager
def nginx(
    *,
    locations: str = "",
    main: str = "",
    certificate: Certificate | None = None,
    client_authority: Path | None = None,
    access_log: bool = True,
    request_id_header: str = "X-Request-Id",
    host: str = "127.0.0.1",
    bind: Callable[[Make], list[socket.socket]] = lambda make: make(),
) -> Iterator[Nginx]:
    """Starts nginx in a folder of its own. `locations` and `main` are lines of nginx configuration to add; `host` is
    where it listens, and `bind` may make its listeners in another network namespace."""
    with tempfile.TemporaryDirectory(prefix="swell-nginx-") as folder:
        Path(folder).chmod(0o755)
        server = Nginx(
            Path(folder),
            locations=locations,
            main=main,
            certificate=certificate,
            client_authority=client_authority,
            access_log=access_log,
            request_id_header=request_id_header,
            host=host,
            bind=bind,
        )
        try:
            yield server
        finally:
            server.stop()


def _listeners(unix_path: Path, host: str) -> list[socket.socket]:
    """TLS, plain, unix, IPv6 if there is any, bound and listening: nginx inherits them through its variable NGINX."""
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(str(unix_path))
    unix_path.chmod(0o666)
    listeners = [socket.create_server((host, 0)), socket.create_server((host, 0)), unix]
    with contextlib.suppress(OSError):
        listeners.append(socket.create_server(("::1", 0), family=socket.AF_INET6))
    for listener in listeners:
        listener.listen(4096)
        listener.setblocking(False)  # nginx takes an inherited socket as it is, and would wait in accept() for ever
    return listeners


def _address(listener: socket.socket) -> str:
    if listener.family == socket.AF_UNIX:
        return f"unix:{listener.getsockname()}"
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _binary() -> str:
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError("nginx is not installed: `make test-packages` installs it")
    return found
