"""A cable with delay, jitter and loss, where the kernel has no netem: what enters one TUN device leaves the other.

    python -m tests.faults.lab.forwarder FD FD DELAY_MS JITTER_MS LOSS SEED

Each packet is lost with the probability `LOSS`, or handed over after `DELAY_MS` and up to `JITTER_MS` more, each way;
with jitter, one may overtake another. It ends with its standard input, and says then how many it has carried and lost.
"""

from __future__ import annotations

import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

TUN = "/dev/net/tun"
TUNSETIFF = 0x4004_54CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
PACKET_BYTES_MAX = 65_536
PACKETS_PER_TURN = 64


def open_tun(name: str) -> int:
    """A new TUN device in this thread's namespace, as a file descriptor: one packet a read, one a write."""
    fd = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


class Cable:
    """Both directions between two devices."""

    def __init__(self, ends: tuple[int, int], delay_s: float, jitter_s: float, loss: float, seed: int) -> None:
        self._other_end = {ends[0]: ends[1], ends[1]: ends[0]}
        self._delay_s, self._jitter_s, self._loss = delay_s, jitter_s, loss
        self._random = random.Random(seed)
        self._under_way: list[tuple[float, int, int, bytes]] = []
        """A heap: when a packet is due, its number, where it goes, what it is."""
        self.carried = self.lost = 0

    def forward_until_closed(self, control: int) -> None:
        """Until `control` is at its end."""
        while True:
            first_s = self._under_way[0][0] if self._under_way else None
            wait_s = None if first_s is None else max(first_s - time.monotonic(), 0.0)
            ready, _, _ = select.select([*self._other_end, control], [], [], wait_s)
            if control in ready:
                return
            for fd in ready:
                self._take_in(fd)
            self._hand_over()

    def _take_in(self, fd: int) -> None:
        for _ in range(PACKETS_PER_TURN):
            try:
                packet = os.read(fd, PACKET_BYTES_MAX)
            except OSError:  # no more; or the device is down
                return
            if self._random.random() < self._loss:
                self.lost += 1
                continue
            self.carried += 1
            due_s = time.monotonic() + self._delay_s + self._jitter_s * self._random.random()
            heapq.heappush(self._under_way, (due_s, self.carried, self._other_end[fd], packet))

    def _hand_over(self) -> None:
        now_s = time.monotonic()
        while self._under_way and self._under_way[0][0] <= now_s:
            _, _, fd, packet = heapq.heappop(self._under_way)
            try:
                os.write(fd, packet)
            except OSError:  # the device is down, or full: as on a cable, it is gone
                self.lost += 1


def main() -> None:
    ends = int(sys.argv[1]), int(sys.argv[2])
    delay_ms, jitter_ms, loss, seed = map(float, sys.argv[3:7])
    cable = Cable(ends, delay_ms / 1e3, jitter_ms / 1e3, loss, int(seed))
    print("ready", flush=True)
    cable.forward_until_closed(sys.stdin.fileno())
    print(cable.carried, cable.lost, flush=True)


if __name__ == "__main__":
    main()
