"""How frames travel between a controller and its workers: ZeroMQ's ROUTER and DEALER, as greenlets wait for them.

One greenlet receives on a socket and waits for nothing else (the green Poller is reported to spin). Nothing here
knows what a frame means, and sending never waits: what does not fit is dropped and counted, as the protocol allows.
What keeps strangers, broken connections and floods from a run is told in docs/design/link.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import gevent
import msgspec
import zmq
import zmq.green

from swell.cluster.address import Address, is_loopback, parse_address, resolve
from swell.cluster.connections import Connections
from swell.cluster.doorkeeper import ZAP_DOMAIN, Doorkeeper
from swell.cluster.key import ClusterKey
from swell.cluster.messages import FRAME_BYTES_MAX
from swell.cluster.plain_socket import PlainSocket
from swell.cluster.sockets import LINGER_MS, USUAL, Timing, as_client, as_server, tune
from swell.cluster.wayfarer import Wayfarer
from swell.errors import LinkError
from swell.result import LinkCounts, LinkFacts, Refusal, RefusedCount

SENDERS_CAP = 100
OTHER_SENDERS = b"(other)"
Received = tuple[bytes, bytes]
"""Who sent it, and the frame."""


class ControllerLink(Protocol):
    """The controller's end: many peers, each with a name."""

    def receive(self) -> Received | None:
        """Wait for the next (sender, frame); None once the link is closed."""

    def receive_some(self, limit: int) -> list[Received] | None:
        """Wait for the next, and take what is there besides, `limit` in all; None once the link is closed."""

    def send(self, to: bytes, frame: bytes) -> bool:
        """Send a frame without waiting; False when it was dropped."""

    def facts(self) -> LinkFacts:
        """What has been turned away here so far, for the result."""

    def close(self) -> None: ...


class WorkerLink(Protocol):
    """A worker's end."""

    def receive(self) -> bytes | None:
        """Wait for the next frame; None once the link is closed."""

    def send(self, frame: bytes) -> bool:
        """Send a frame without waiting; False when it was dropped."""

    def close(self) -> None: ...


class RouterLink:
    """The controller's end over ZeroMQ: a socket file for workers of this machine, and an address for those of others.

    What comes over TCP is encrypted and has to have the key; without a key, only this machine is listened to. The
    socket file needs none: only its owner can reach it. `on_stranger` hears of an address the first time that somebody
    from there is turned away.
    """

    def __init__(
        self,
        local: str = "",
        listen: Address | None = None,
        key: ClusterKey | None = None,
        timing: Timing = USUAL,
        on_stranger: Callable[[str], None] | None = None,
    ) -> None:
        self.listens_on: Address | None = None
        """Where workers of other machines find it; with a port, where any would do."""
        self.refused: Counter[tuple[bytes, Refusal]] = Counter()
        """Messages by sender that were not one frame, or too long."""
        self.dropped = 0
        """Frames for somebody who was not there, or did not read."""
        self._local = local
        self._connections = Connections(on_stranger)
        self._doorkeeper: Doorkeeper | None = None
        self._context = zmq.green.Context()
        self._socket: Any = self._context.socket(zmq.ROUTER)
        self._plain = PlainSocket(self._socket)
        tune(self._socket, timing)
        self._socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        try:
            if local:
                _bind(self._socket, local, local)
            if listen is not None:
                self.listens_on = self._listen(listen, key)
        except LinkError:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"<RouterLink on {' and '.join(filter(None, (self._local, str(self.listens_on or ''))))}>"

    def _listen(self, address: Address, key: ClusterKey | None) -> Address:
        """From here on, the socket's options are those of connections over TCP alone."""
        hosts = resolve(address)
        if key is None and not all(map(is_loopback, hosts)):
            raise LinkError(f"others can reach {address}: without a key nobody listens there")
        if key is not None:
            as_server(self._socket, key)
            self._socket.setsockopt(zmq.ZAP_DOMAIN, ZAP_DOMAIN)
        self._doorkeeper = Doorkeeper(self._context, self._socket, key, self._connections)
        host = self._bind_one(hosts, address)
        endpoint: bytes = self._socket.get(zmq.LAST_ENDPOINT)
        return Address(address.host if host in hosts[:1] else host, int(endpoint.rstrip(b"\0").rpartition(b":")[2]))

    def _bind_one(self, hosts: Sequence[str], address: Address) -> str:
        """Listen on the first of the hosts that this machine has; `::` stands for all, of both kinds."""
        for host in hosts:
            self._socket.setsockopt(zmq.IPV6, int(":" in host))
            try:
                _bind(self._socket, Address(host, address.port).endpoint, str(address))
            except LinkError:
                if host == hosts[-1]:
                    raise
            else:
                return host
        raise LinkError(f"cannot listen on {address}: it has no address")

    def receive(self) -> Received | None:
        while (parts := _receive(self._socket)) is not None:
            if received := self._accepted(parts):
                return received
            gevent.sleep(0)  # whoever sends such may send them without end
        return None

    def receive_some(self, limit: int) -> list[Received] | None:
        first = self.receive()
        if first is None:
            return None
        received = [first]
        for _ in range(limit - 1):
            if (parts := self._plain.receive()) is None:
                break
            if one := self._accepted(parts):
                received.append(one)
        return received

    def send(self, to: bytes, frame: bytes) -> bool:
        sent = len(frame) <= FRAME_BYTES_MAX and self._plain.send((to, frame))
        self.dropped += not sent
        return sent

    def facts(self) -> LinkFacts:
        refused = (
            RefusedCount(kind, sender.decode("ascii", "backslashreplace"), count)
            for (sender, kind), count in self.refused.items()
        )
        return LinkFacts(tuple(refused), self.counts())

    def counts(self) -> LinkCounts:
        """What has happened to connections and frames so far."""
        return msgspec.structs.replace(self._connections.counts(), dropped=self.dropped)

    def close(self) -> None:
        if self._doorkeeper is not None:
            self._doorkeeper.close()
        self._socket.close(linger=LINGER_MS)
        self._context.term()

    def _accepted(self, parts: list[bytes]) -> Received | None:
        """The message, if it is one frame of a length that can be."""
        if len(parts) == 2 and len(parts[1]) <= FRAME_BYTES_MAX:
            return parts[0], parts[1]
        kind = Refusal.OVERSIZE if len(parts) == 2 else Refusal.PARTS
        known = (parts[0], kind) in self.refused or len(self.refused) < SENDERS_CAP
        self.refused[parts[0] if known else OTHER_SENDERS, kind] += 1
        return None


class DealerLink:
    """The end of a worker or a supervisor over ZeroMQ, at `ipc://...` or a `tcp://` of `Address.endpoint`. `identity`
    is what the controller knows it by. `fresh`: a frame that cannot leave at once is of no use to anybody later.
    """

    def __init__(
        self,
        endpoint: str,
        identity: bytes,
        key: ClusterKey | None = None,
        timing: Timing = USUAL,
        *,
        fresh: bool = False,
    ) -> None:
        self.endpoint = endpoint
        self.dropped = 0
        """Frames that found no room, or nobody to go to."""
        self._wayfarer: Wayfarer | None = None
        self._context = zmq.green.Context()
        self._socket: Any = self._context.socket(zmq.DEALER)
        tune(self._socket, timing)
        self._socket.setsockopt(zmq.IDENTITY, identity)
        self._socket.setsockopt(zmq.IMMEDIATE, int(fresh))
        if endpoint.startswith("tcp://"):
            self._wayfarer = Wayfarer(self._context, self._socket, endpoint, has_key=key is not None)
            self._socket.setsockopt(zmq.IPV6, int(_is_ipv6(endpoint)))
            if key is not None:
                as_client(self._socket, key)
        try:
            self._socket.connect(endpoint)
        except zmq.ZMQError as exc:
            self.close()
            raise LinkError(f"cannot connect to {endpoint}: {exc}") from exc

    def __repr__(self) -> str:
        return f"<DealerLink to {self.endpoint}{f', {self.trouble}' if self.trouble else ''}>"

    @property
    def trouble(self) -> str:
        """Why nobody is reached at the moment, in words that follow the address; '' if all is well, or not known."""
        return self._wayfarer.trouble if self._wayfarer is not None else ""

    def receive(self) -> bytes | None:
        parts = _receive(self._socket)
        return None if parts is None else b"".join(parts)

    def send(self, frame: bytes) -> bool:
        sent = _send(self._socket, [frame])
        self.dropped += not sent
        return sent

    def close(self) -> None:
        if self._wayfarer is not None:
            self._wayfarer.close()
        self._socket.close(linger=LINGER_MS)
        self._context.term()


def _bind(socket: Any, endpoint: str, shown: str) -> None:
    try:
        socket.bind(endpoint)
    except zmq.ZMQError as exc:
        raise LinkError(f"cannot listen on {shown}: {exc}") from exc


def _is_ipv6(endpoint: str) -> bool:
    """Whether a host has IPv6 addresses alone: with both, a controller that listens on `0.0.0.0` is found too."""
    try:
        hosts = resolve(parse_address(endpoint.removeprefix("tcp://"), endpoint))
    except LinkError:
        return False  # it may come up later; libzmq looks for it at each try
    return ":" in hosts[0]


def _receive(socket: Any) -> list[bytes] | None:
    try:
        parts: list[bytes] = socket.recv_multipart()
    except zmq.ZMQError:
        if socket.closed:
            return None
        raise
    return parts


def _send(socket: Any, parts: list[bytes]) -> bool:
    if len(parts[-1]) > FRAME_BYTES_MAX:
        return False  # the other end would break the connection off
    try:
        socket.send_multipart(parts, zmq.NOBLOCK)
    except zmq.ZMQError:
        return False
    return True
