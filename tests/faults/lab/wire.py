"""What goes over a device, seen as whoever taps the cable sees it: every packet, both ways (AF_PACKET; needs root)."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

from tests.faults.lab.namespaces import Namespace

ETH_P_ALL = 0x0003
PACKET_BYTES_MAX = 1 << 18
LOOK_EVERY_S = 0.05


class Tap:
    """The packets of one device, put together as they came."""

    def __init__(self, listening: socket.socket) -> None:
        self.packets: list[bytes] = []
        self._listening = listening
        self._listening.settimeout(LOOK_EVERY_S)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                self.packets.append(self._listening.recv(PACKET_BYTES_MAX))

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._listening.close()

    def of_port(self, port: int) -> list[bytes]:
        """Those of TCP over IPv4 that come from or go to a port."""
        return [packet for packet in self.packets if port in _ports(packet)]


def _ports(packet: bytes) -> tuple[int, ...]:
    if packet[12:14] != b"\x08\x00" or packet[23] != socket.IPPROTO_TCP:
        return ()
    return struct.unpack_from("!2H", packet, 14 + (packet[14] & 0xF) * 4)


@contextlib.contextmanager
def tapped(place: Namespace, device: str) -> Iterator[Tap]:
    """Listen to a device of a namespace."""

    def open_tap() -> socket.socket:
        listening = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 20)
        listening.bind((device, 0))
        return listening

    tap = Tap(place.within(open_tap))
    try:
        yield tap
    finally:
        tap.close()
