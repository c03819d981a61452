"""Half of ZMTP by hand, for peers that are none of ours: what libzmq would never send. See ZMQ RFC 23 and 26."""

from __future__ import annotations

import struct

from gevent import socket

SIGNATURE = b"\xff" + b"\0" * 8 + b"\x7f"
MORE, LONG, COMMAND = 1, 2, 4


def greeting(mechanism: bytes = b"NULL", version: tuple[int, int] = (3, 1), as_server: bool = False) -> bytes:
    """The 64 bytes that each end begins with."""
    return SIGNATURE + bytes(version) + mechanism.ljust(20, b"\0") + bytes([as_server]) + b"\0" * 31


def frame(body: bytes, flags: int = 0) -> bytes:
    """One frame."""
    if len(body) > 255:
        return bytes([flags | LONG]) + struct.pack(">Q", len(body)) + body
    return bytes([flags, len(body)]) + body


def command(name: bytes, body: bytes = b"") -> bytes:
    """A command, as READY or HELLO."""
    return frame(bytes([len(name)]) + name + body, COMMAND)


def ready(identity: bytes = b"", kind: bytes = b"DEALER") -> bytes:
    """How the NULL mechanism introduces a socket."""
    properties = {b"Socket-Type": kind, b"Identity": identity}
    body = b"".join(
        bytes([len(name)]) + name + struct.pack(">I", len(value)) + value for name, value in properties.items()
    )
    return command(b"READY", body)


def dealer(identity: bytes) -> bytes:
    """All that a DEALER without encryption says before its first message."""
    return greeting() + ready(identity)


def connect(port: int) -> socket.socket:
    """A connection to this machine, as a greenlet waits for it."""
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def introduce(connection: socket.socket, identity: bytes) -> None:
    """Shake hands as a DEALER without encryption: before that is done, no message may follow."""
    connection.sendall(dealer(identity))
    heard = b""
    while not (b"READY" in heard and b"ROUTER" in heard):
        heard += connection.recv(1_024)


def is_cut_off(connection: socket.socket, *, after_hanging_up: bool = False) -> bool:
    """Read until the other end closes the connection; False where it does not within 10 s."""
    try:
        if after_hanging_up:
            connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True
