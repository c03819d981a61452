"""What this process can carry: for a moment it makes calls as a worker does, to itself.

The calls are real: the HTTP client, its connections and kernel stamps, the ring; over loopback TCP, to an end in this
process that answers what is always the same. Both ends cost CPU, so the figure is not the calls per second that a run
will reach, which depend on its script and target, but one in proportion to it: what shares are dealt by.

All workers of a machine begin at the same moment, so that those who share a core, or a quota, find what is left of it.
A quota is given out once a period (100 ms, as a rule): a worker at a tenth of a core runs for 10 ms and stands still
for 90. Who has been idle begins with a quota unused, which would count on top. So everybody works hard for a period
first, and is then measured over whole periods: at whatever point of one they begin, so many quotas fall into them.

Everything here is made for the purpose and thrown away: no ring, clock or counter of the run has seen it.
"""

from __future__ import annotations

import contextlib
import struct
import tempfile
from _socket import AF_INET, SO_LINGER, SOCK_STREAM, SOL_SOCKET, socket
from collections.abc import Iterator
from pathlib import Path
from time import monotonic_ns
from typing import Any

import gevent

from swell.clock import NS_PER_S, Clock
from swell.errors import RunFailed
from swell.http.client import Client
from swell.http.environment import HttpEnvironment
from swell.http.kernel_clock import KernelClock
from swell.http.options import PLAIN
from swell.http.target import Target
from swell.http.url import parse_url
from swell.runtime.cgroups import PERIOD_NS, tightest_quota
from swell.runtime.ring import BATCH, Ring

EVERY_NS = NS_PER_S
"""How often a measurement may begin: it takes less, unless a quota's period is very long."""
SPAN_NS = NS_PER_S // 5
LONGEST_PERIOD_NS = NS_PER_S // 2
USERS = 20
"""As a worker's users do, several find their answers in one turn of the loop."""
NAMES_BYTES = 1 << 16
REQUEST_BYTES = 4_096
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: swell\r\nContent-Type: text/html\r\nContent-Length: 124\r\n"
    b"Connection: keep-alive\r\n\r\n" + b"x" * 124
)
AT_ONCE = struct.pack("ii", 1, 0)
"""A closed connection leaves nothing behind, no port in TIME_WAIT either."""


def measure(clock: Clock, every_ns: int = EVERY_NS) -> float:
    """Calls per second that this process can make under its quota and affinity, beside whoever measures at the same
    moment: when `clock` is next a multiple of `every_ns`. 0: it could not be measured. Takes about 0.3 s from then on,
    in which the loop turns, under full load."""
    try:
        with tempfile.TemporaryDirectory(prefix="swell-") as folder, _opened(Path(folder)) as bench:
            now_ns = clock.now_ns()
            clock.sleep_until_ns(now_ns + every_ns - now_ns % every_ns)
            warm_up_ns, span_ns = _spans_ns()
            bench.carried(warm_up_ns)
            return bench.carried(span_ns) * NS_PER_S / span_ns
    except (OSError, RunFailed):
        return 0.0


def _spans_ns() -> tuple[int, int]:
    """How long to work before measuring, and how long to measure: a period of the quota, and whole ones of it."""
    quota = tightest_quota()
    period_ns = min(quota.period_ns if quota else PERIOD_NS, LONGEST_PERIOD_NS)
    return max(period_ns, PERIOD_NS), max(2, -(-SPAN_NS // period_ns)) * period_ns


class Bench:
    """Users who call as fast as they can, and who answers them."""

    def __init__(self, ring: Ring, http: HttpEnvironment, target: Target) -> None:
        self._ring = ring
        self._target = target
        self._clients = [Client(http) for _ in range(USERS)]
        self._series = ring.series("Bench", "GET", "/")
        self._calls = 0
        self._failed = False

    def __repr__(self) -> str:
        return f"<Bench, {self._calls} calls made>"

    def carried(self, span_ns: int) -> int:
        """How many calls are made in so long; 0 if one has failed."""
        self._calls = 0
        until_ns = monotonic_ns() + span_ns
        gevent.joinall([gevent.spawn(self._call, client, until_ns) for client in self._clients])
        return 0 if self._failed else self._calls

    def _call(self, client: Client, until_ns: int) -> None:
        target, series, record = self._target, self._series, self._ring.record
        while (begun_ns := monotonic_ns()) < until_ns:
            response = client.call(target, PLAIN, begun_ns)
            done_ns, sent_ns = response.done_ns, response.sent_ns
            if response.error:
                self._failed = True
                return
            record(
                done_ns, done_ns - sent_ns, done_ns - begun_ns, response.first_byte_ns - sent_ns, response.connect_ns,
                -1, response.bytes_out, response.bytes_in, series, 0, response.status_code, 0,
            )  # fmt: skip
            if monotonic_ns() < until_ns:  # what a quota held up over the end was not made in time
                self._calls += 1


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[Bench]:
    with contextlib.ExitStack() as stack:
        ring = Ring(folder, capacity=2 * BATCH, names_bytes=NAMES_BYTES)
        stack.callback(ring.close)
        ring.on_batch = lambda: setattr(ring, "folded", ring.head)
        kernel_clock = KernelClock()
        stack.callback(kernel_clock.close)
        kernel_clock.measure()
        http = HttpEnvironment(ring, kernel_clock)
        stack.callback(http.close)
        answering = Answering()
        stack.callback(answering.close)
        yield Bench(ring, http, Target("GET", parse_url(f"http://127.0.0.1:{answering.port}/124.html")))


class Answering:
    """The other end: whatever comes is a request, and gets the one answer."""

    def __init__(self) -> None:
        self._loop = gevent.get_hub().loop
        self._watchers: list[Any] = []
        self._sockets: list[socket] = []
        listener = socket(AF_INET, SOCK_STREAM)
        self._sockets.append(listener)
        listener.setblocking(False)
        listener.bind(("127.0.0.1", 0))
        listener.listen(USERS)
        self.port: int = listener.getsockname()[1]
        self._watch(listener, self._accept, listener)

    def __repr__(self) -> str:
        return f"<Answering at port {self.port}, {len(self._sockets) - 1} connections>"

    def close(self) -> None:
        """Close all connections."""
        for watcher in self._watchers:
            watcher.stop()
            watcher.close()
        for sock in self._sockets:
            sock.close()

    def _accept(self, listener: Any) -> None:
        while True:
            try:
                fd, _ = listener._accept()  # all that a `_socket` has of it
            except BlockingIOError:
                return
            sock = socket(fileno=fd)
            sock.setblocking(False)
            sock.setsockopt(SOL_SOCKET, SO_LINGER, AT_ONCE)
            self._sockets.append(sock)
            self._watch(sock, _answer, sock)

    def _watch(self, sock: socket, action: Any, *args: Any) -> None:
        watcher = self._loop.io(sock.fileno(), 1)
        watcher.start(action, *args)
        self._watchers.append(watcher)


def _answer(sock: socket) -> None:
    with contextlib.suppress(OSError):
        if sock.recv(REQUEST_BYTES):
            sock.send(ANSWER)
