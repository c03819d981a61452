"""How the link's sockets are set: what bounds them, what ends a connection, its encryption (docs/design/link.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import zmq

from swell.cluster.key import ClusterKey
from swell.cluster.messages import FRAME_BYTES_MAX

QUEUE_FRAMES = 1_000
"""Each way and for each peer: beyond, a frame is dropped here, or waits over there."""
LINGER_MS = 500
ENCRYPTED_MORE_BYTES = 64
"""What CURVE adds to a frame."""
HANDSHAKE_MS = 10_000
"""Whoever has not shown the key by then is cut off."""
FIRST_RETRY_MS = 200
"""Plus up to as much again, at random, so that not all of a cluster come back at the same moment ..."""
LONGEST_RETRY_MS = 2_000
"""... and after each failure twice as long, up to this."""
KEEPALIVE_S = 15


@dataclass(frozen=True, slots=True)
class Timing:
    """When a connection is taken for dead, as parts of the lease: late enough for one that loses every fifth packet to
    last, early enough for a new one to be there before the lease is over."""

    lease_s: float = 15.0

    @property
    def ask_ms(self) -> int:
        """Whoever has been silent for so long is asked (libzmq's heartbeat) ..."""
        return self._part_ms(0.15)

    @property
    def answer_ms(self) -> int:
        """... and has to answer within this."""
        return self._part_ms(0.6)

    @property
    def connect_ms(self) -> int:
        """A connection that takes longer to come about is tried afresh."""
        return self._part_ms(0.2)

    def _part_ms(self, part: float) -> int:
        return max(round(self.lease_s * 1_000 * part), 1)


USUAL = Timing()


def tune(socket: Any, timing: Timing) -> None:
    """Set all that does not depend on who it is. Before it is bound or connected."""
    for option, value in (
        (zmq.SNDHWM, QUEUE_FRAMES),
        (zmq.RCVHWM, QUEUE_FRAMES),
        (zmq.MAXMSGSIZE, FRAME_BYTES_MAX + ENCRYPTED_MORE_BYTES),
        (zmq.HANDSHAKE_IVL, HANDSHAKE_MS),
        (zmq.HEARTBEAT_IVL, timing.ask_ms),
        (zmq.HEARTBEAT_TIMEOUT, timing.answer_ms),
        (zmq.HEARTBEAT_TTL, timing.answer_ms),
        (zmq.RECONNECT_IVL, FIRST_RETRY_MS),
        (zmq.RECONNECT_IVL_MAX, LONGEST_RETRY_MS),
        (zmq.CONNECT_TIMEOUT, timing.connect_ms),
        (zmq.TCP_KEEPALIVE, 1),
        (zmq.TCP_KEEPALIVE_IDLE, KEEPALIVE_S),
        (zmq.TCP_KEEPALIVE_INTVL, KEEPALIVE_S),
        (zmq.TCP_MAXRT, timing.answer_ms),
    ):
        socket.setsockopt(option, value)


def as_server(socket: Any, key: ClusterKey) -> None:
    """What is bound from now on is encrypted, and has the controller's keys."""
    socket.setsockopt(zmq.CURVE_SERVER, 1)
    socket.setsockopt(zmq.CURVE_SECRETKEY, key.controller.secret)


def as_client(socket: Any, key: ClusterKey) -> None:
    """What is connected from now on is encrypted, and goes to nobody but a controller with the key."""
    socket.setsockopt(zmq.CURVE_SERVERKEY, key.controller.public)
    socket.setsockopt(zmq.CURVE_PUBLICKEY, key.workers.public)
    socket.setsockopt(zmq.CURVE_SECRETKEY, key.workers.secret)
