"""Proxies that say what went through them: HTTP (CONNECT and absolute form), SOCKS 4, 4a and 5."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.targets.http_proxy import HttpProxy
from tests.targets.listening import listen
from tests.targets.process import TargetLog, announce, exit_at_end_of_stdin, read_log, target_process
from tests.targets.socks_proxy import SocksProxy
from tests.targets.tunnel import Passage, Traffic, Tunnels


class Proxies:
    """One process, with a port for HTTP and one for all the SOCKS versions."""

    def __init__(self, ports: dict[str, int], folder: Path, credentials: str) -> None:
        self._ports = ports
        self._folder = folder
        self._credentials = credentials

    def url(self, scheme: str) -> str:
        """For `http`, `socks4`, `socks4a`, `socks5` or `socks5h`, with the credentials if there are any."""
        user = f"{self._credentials}@" if self._credentials else ""
        return f"{scheme}://{user}127.0.0.1:{self._ports['http' if scheme == 'http' else 'socks']}"

    def passages(self) -> list[Passage]:
        """What was asked for so far: one per tunnel, and one per request in absolute form."""
        return read_log(self._folder / "passages.log", Passage)

    def traffic(self) -> list[Traffic]:
        """The tunnels that have closed so far."""
        return read_log(self._folder / "traffic.log", Traffic)


@contextlib.contextmanager
def proxies(credentials: str = "") -> Iterator[Proxies]:
    """Starts the proxies; with `credentials`, `user:password`, they let nobody else through."""
    with (
        tempfile.TemporaryDirectory(prefix="swell-proxies-") as folder,
        target_process("tests.targets.proxies", folder, credentials) as process,
    ):
        yield Proxies(json.loads(process.first_line), Path(folder), credentials)


def main() -> None:
    folder, credentials = Path(sys.argv[1]), sys.argv[2]
    tunnels = Tunnels(TargetLog(folder / "passages.log"), TargetLog(folder / "traffic.log"))
    http, socks = HttpProxy(tunnels, credentials), SocksProxy(tunnels, credentials)
    announce(json.dumps({"http": listen(http.hold), "socks": listen(socks.hold)}))
    exit_at_end_of_stdin()


if __name__ == "__main__":
    main()
