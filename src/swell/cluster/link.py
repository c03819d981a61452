"""How frames travel between a controller and its workers: ZeroMQ's ROUTER and DEALER, as greenlets wait for them.

One greenlet receives on a socket and waits for nothing else (the green Poller is reported to spin). Nothing here
knows what a frame means, and sending never waits: what does not fit is dropped, as the protocol allows.
"""

from __future__ import annotations

from typing import Any, Protocol

import zmq
import zmq.green

from swell.errors import LinkError

QUEUE_FRAMES = 10_000
LINGER_MS = 500


class ControllerLink(Protocol):
    """The controller's end: many peers, each with a name."""

    def receive(self) -> tuple[bytes, bytes] | None:
        """Wait for the next (sender, frame); None once the link is closed."""

    def send(self, to: bytes, frame: bytes) -> bool:
        """Send a frame without waiting; False when it was dropped."""

    def close(self) -> None: ...


class WorkerLink(Protocol):
    """A worker's end."""

    def receive(self) -> bytes | None:
        """Wait for the next frame; None once the link is closed."""

    def send(self, frame: bytes) -> bool:
        """Send a frame without waiting; False when it was dropped."""

    def close(self) -> None: ...


class RouterLink:
    """The controller's end over ZeroMQ."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._context = zmq.green.Context()
        self._socket = _socket(self._context, zmq.ROUTER)
        self._socket.setsockopt(zmq.ROUTER_HANDOVER, 0)
        try:
            self._socket.bind(address)
        except zmq.ZMQError as exc:
            self.close()
            raise LinkError(f"cannot listen on {address}: {exc}") from exc

    def __repr__(self) -> str:
        return f"<RouterLink on {self.address}>"

    def receive(self) -> tuple[bytes, bytes] | None:
        parts = _receive(self._socket)
        if parts is None:
            return None
        return (parts[0], parts[1]) if len(parts) == 2 else (parts[0], b"")

    def send(self, to: bytes, frame: bytes) -> bool:
        return _send(self._socket, [to, frame])

    def close(self) -> None:
        self._socket.close(linger=LINGER_MS)
        self._context.term()


class DealerLink:
    """A worker's end over ZeroMQ. `identity` is what the controller knows it by."""

    def __init__(self, address: str, identity: bytes) -> None:
        self.address = address
        self._context = zmq.green.Context()
        self._socket = _socket(self._context, zmq.DEALER)
        self._socket.setsockopt(zmq.IDENTITY, identity)
        try:
            self._socket.connect(address)
        except zmq.ZMQError as exc:
            self.close()
            raise LinkError(f"cannot connect to {address}: {exc}") from exc

    def __repr__(self) -> str:
        return f"<DealerLink to {self.address}>"

    def receive(self) -> bytes | None:
        parts = _receive(self._socket)
        return None if parts is None else b"".join(parts)

    def send(self, frame: bytes) -> bool:
        return _send(self._socket, [frame])

    def close(self) -> None:
        self._socket.close(linger=LINGER_MS)
        self._context.term()


def _socket(context: Any, kind: int) -> Any:
    socket = context.socket(kind)
    socket.setsockopt(zmq.SNDHWM, QUEUE_FRAMES)
    socket.setsockopt(zmq.RCVHWM, QUEUE_FRAMES)
    return socket


def _receive(socket: Any) -> list[bytes] | None:
    try:
        parts: list[bytes] = socket.recv_multipart()
    except zmq.ZMQError:
        if socket.closed:
            return None
        raise
    return parts


def _send(socket: Any, parts: list[bytes]) -> bool:
    try:
        socket.send_multipart(parts, zmq.NOBLOCK)
    except zmq.ZMQError:
        return False
    return True
