"""Serves the contest site on gevent's WSGI server, from a database of its own that goes when the server goes."""

from __future__ import annotations

import logging
import socket
import tempfile
from pathlib import Path

from gevent.pywsgi import WSGIServer

from swell.demo.database import ContestDatabase
from swell.demo.site import create_site

ACCESS_LOGGER = logging.getLogger("swell.demo.access")


class ContestServer:
    """A running site. It answers whenever the gevent hub of the process that started it runs."""

    def __init__(self, host: str, port: int, *, access_log: bool = False) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="swell-demo-")
        self._database = ContestDatabase(Path(self._folder.name) / "contest.sqlite")
        log = ACCESS_LOGGER if access_log else None
        self._server = WSGIServer((host, port), create_site(self._database), log=log)

    @property
    def url(self) -> str:
        host, port = self._server.server_host, self._server.server_port
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        """Begins to listen. Raises OSError if the address cannot be had."""
        try:
            self._server.start()
        except OSError:
            self._remove()
            raise
        # Connections inherit this. gevent sends head and body separately, and Nagle's algorithm would hold the body
        # back for the 40 ms until the head is acknowledged.
        self._server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def stop(self) -> None:
        """Stops listening, lets requests under way finish for up to a second, and removes the database."""
        self._server.stop(timeout=1)
        self._remove()

    def _remove(self) -> None:
        self._database.close()
        self._folder.cleanup()


def serve(host: str = "127.0.0.1", port: int = 0, *, access_log: bool = False) -> ContestServer:
    """Starts the contest site; port 0 takes a free one. Raises OSError if the address cannot be had."""
    server = ContestServer(host, port, access_log=access_log)
    server.start()
    return server
