"""What all users of one worker share for their HTTP: the loop, the clock, the counters, the caches, the time-outs."""

from __future__ import annotations

import functools
import itertools
import resource
from _socket import AF_INET, AF_INET6
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Protocol

import gevent
import greenlet

from swell.http.headers import RequestHeaders, encode_fields
from swell.http.names import Names
from swell.http.options import PLAIN_CONNECT, ConnectOptions
from swell.http.sweep import Sweep
from swell.http.tls import Cert, Verify, client_context
from swell.user import Traffic

if TYPE_CHECKING:
    from swell.http.connection import Connection
    from swell.http.proxy import Proxy
    from swell.http.trace import Tracing

BLOCKS_MOST = 10_000
FOREVER_NS = (1 << 63) - 1
USER_AGENT = "swell"
FDS_KEPT_FREE = 32
"""Of those a worker may have, so many are not for users' connections: its own files have to be opened too."""


class StampClock(Protocol):
    """The kernel's receive stamps on the monotonic clock."""

    offset_ns: int

    def suspect(self, stamp_ns: int, earliest_ns: int, latest_ns: int) -> int | None:
        """A stamp mapped outside [earliest, latest]: measure again; its instant, or None if it cannot be trusted."""

    def enable(self, sock: Any) -> None:
        """Ask the kernel for stamps on this socket."""


class HttpEnvironment:
    """One per worker process. `request_id`: header name and "run/worker.incarnation/", to mark exchanges."""

    def __init__(
        self,
        traffic: Traffic,
        clock: StampClock,
        *,
        names: Names | None = None,
        source_addresses: tuple[str, ...] = (),
        request_id: tuple[str, str] | None = None,
    ) -> None:
        hub = gevent.get_hub()
        self.loop = hub.loop
        self.switch_to_hub = greenlet.greenlet.switch.__get__(hub)
        self.traffic = traffic
        self.clock = clock
        self.names = names or Names()
        self.connections: set[Connection] = set()
        self.sweep = Sweep(self.loop, self.connections)
        self._source_addresses = {
            family: itertools.cycle([address for address in source_addresses if (":" in address) == is_v6])
            for family, is_v6 in ((AF_INET, False), (AF_INET6, True))
        }
        self.fds_for_users = _fds_for_users()
        self.request_ids = _request_ids(*request_id) if request_id else None
        self.tracing: Tracing | None = None
        """Which calls carry a `traceparent`; set by whoever runs the users."""
        self.headers = RequestHeaders(
            {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate, br, zstd", "Accept": "*/*"}
        )
        self.until_ns = FOREVER_NS
        """From this instant on no user sends a request: looked at before each, since whoever wakes from a freeze may be
        any of them."""
        self.fd_exhausted = 0
        self.ports_exhausted = 0
        self._blocks: dict[int, bytes] = {}
        self.tls_context = functools.lru_cache(maxsize=64)(client_context)
        self._connects: dict[Any, ConnectOptions] = {(True, None, None): PLAIN_CONNECT}

    def __repr__(self) -> str:
        return f"<HttpEnvironment: {len(self.connections)} connections>"

    def header_block(self, headers: RequestHeaders) -> bytes:
        """The session headers as bytes; equal versions mean equal fields."""
        block = self._blocks.get(headers.version)
        if block is None:
            if len(self._blocks) >= BLOCKS_MOST:
                self._blocks.clear()
            block = self._blocks[headers.version] = encode_fields(headers.items())
        return block

    def source_address(self, family: int) -> str | None:
        """The address of this machine to connect from next; None: the kernel's choice."""
        addresses = self._source_addresses.get(family)
        return next(addresses, None) if addresses is not None else None

    def connect_options(self, verify: Verify, cert: Cert, proxy: Proxy | None) -> ConnectOptions:
        """The one `ConnectOptions` of these values: connections are pooled by its identity."""
        key = (verify, cert, proxy)
        found = self._connects.get(key)
        if found is None:
            found = self._connects[key] = ConnectOptions(verify, cert, proxy)
        return found

    def await_end(self) -> None:
        """Stay here, for whoever wants to send something when users may no more: its end is near. One that swallows
        its kill comes back, and does not keep the loop from turning."""
        while monotonic_ns() >= self.until_ns:
            self.switch_to_hub()

    def exhausted(self, resource: str) -> None:
        """Count that the generator ran out of file descriptors or local ports."""
        self.fd_exhausted += resource == "fd"
        self.ports_exhausted += resource == "port"

    def close(self) -> None:
        """Close every connection and stop the time-outs; what is under way counts as unanswered."""
        self.sweep.close()
        for connection in list(self.connections):
            connection.abandon()


def _fds_for_users() -> int:
    """A connection whose file descriptor is lower may be kept."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return (1 << 31) if limit == resource.RLIM_INFINITY else max(limit - FDS_KEPT_FREE, limit // 2)


def _request_ids(name: str, prefix: str) -> Any:
    numbers = itertools.count(1)
    return lambda: f"{name}: {prefix}{next(numbers)}\r\n".encode("latin-1")
