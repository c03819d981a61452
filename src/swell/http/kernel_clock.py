"""The kernel's receive stamps, placed on the monotonic clock: when bytes reached this machine, not when Python looked.

The kernel stamps what arrives only while some socket asks for it, so a pair of datagram sockets on loopback stays
open for life. Stamps are CLOCK_REALTIME. How far that is ahead of the monotonic clock is learnt from our own
datagrams: one that was sent between two monotonic reads was stamped between them, so the offset lies between
`stamp - after` and `stamp - before`. The two clocks are slewed together, so intervals may be intersected for as long
as they agree; when they no longer do, the wall clock was set, and what was known before counts no more. `time.time()`
is never asked: libfaketime moves it, and not the stamps.

    WAITING   no stamp seen yet           -> KERNEL on the first, USER when none comes
    KERNEL    stamps come, the offset holds
    USER      this machine gives no stamps: instants are those of the reads, and each is counted as unstamped
"""

from __future__ import annotations

import enum
import struct
import sys
import time
from _socket import AF_INET, SOCK_DGRAM, SOL_SOCKET, socket
from collections.abc import Callable
from typing import Protocol

from swell.clock import NS_PER_S, Clock

SO_TIMESTAMPING = 37
RX_SOFTWARE = 1 << 3
SOFTWARE = 1 << 4
STAMP_SPACE = 64
"""Room for the ancillary data of a read: a header of 16 bytes and three timespecs, the first of which is the stamp."""
stamp_parts = struct.Struct("=qq").unpack_from
"""(seconds, nanoseconds) of the ancillary data of a read."""

ROUNDS = 8
SUSPECT_GAP_NS = 10_000_000
READY_WAIT_NS = 500_000_000
_RETRY_NS = 1_000_000
_ROUNDING_NS = 1_000


class Stamps(enum.Enum):
    """Where instants of arrival come from."""

    WAITING = "waiting"
    KERNEL = "kernel"
    USER = "user"


class Probe(Protocol):
    """Sends datagrams to itself and says when they were stamped."""

    def exchange(self) -> tuple[int, int, int] | None:
        """(monotonic before the send, stamp, monotonic after the send), or None when no stamp came at once."""

    def close(self) -> None: ...


class KernelClock:
    """One per worker. `offset_ns`: what to take off a stamp to have it on the monotonic clock."""

    __slots__ = ("_high_ns", "_low_ns", "_measured_ns", "_monotonic_ns", "_probe", "offset_ns", "stamps", "steps")

    def __init__(self, probe: Probe | None = None, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._probe = probe or open_probe()
        self._monotonic_ns = monotonic_ns
        self._measured_ns = 0
        self._low_ns = self._high_ns = self.offset_ns = 0
        self.stamps = Stamps.WAITING if self._probe else Stamps.USER
        self.steps = 0
        """How often the wall clock was found to have been set."""

    def __repr__(self) -> str:
        return f"<KernelClock, stamps: {self.stamps.value}, offset good to {self.error_ns} ns, {self.steps} steps>"

    @property
    def error_ns(self) -> int:
        """How far off `offset_ns` can be."""
        return (self._high_ns - self._low_ns + 1) // 2

    def ready(self, clock: Clock) -> bool:
        """Wait, half a second at most, until a stamp has been seen; False: this machine gives none."""
        give_up_ns = clock.now_ns() + READY_WAIT_NS
        while self.stamps is Stamps.WAITING and not self.measure():
            if clock.now_ns() >= give_up_ns:
                self.stamps = Stamps.USER
            else:
                clock.sleep_until_ns(clock.now_ns() + _RETRY_NS)
        return self.stamps is Stamps.KERNEL

    def measure(self) -> bool:
        """Learn the offset anew; to be called every second. False when no stamp came: then the last one holds."""
        self._measured_ns = self._monotonic_ns()
        if self._probe is None or self.stamps is Stamps.USER:
            return False
        seen = [bracket for bracket in (self._probe.exchange() for _ in range(ROUNDS)) if bracket]
        if not seen:
            return False
        before_ns, stamp_ns, after_ns = min(seen, key=lambda bracket: bracket[2] - bracket[0])
        if not self._narrow(stamp_ns - after_ns, stamp_ns - before_ns):
            self.steps += self.stamps is Stamps.KERNEL
            self._low_ns, self._high_ns = stamp_ns - after_ns, stamp_ns - before_ns
        for before_ns, stamp_ns, after_ns in seen:
            self._narrow(stamp_ns - after_ns, stamp_ns - before_ns)
        self.offset_ns = (self._low_ns + self._high_ns) // 2
        self.stamps = Stamps.KERNEL
        return True

    def _narrow(self, low_ns: int, high_ns: int) -> bool:
        low_ns, high_ns = max(low_ns, self._low_ns), min(high_ns, self._high_ns)
        if low_ns > high_ns:
            return False
        self._low_ns, self._high_ns = low_ns, high_ns
        return True

    def suspect(self, stamp_ns: int, earliest_ns: int, latest_ns: int) -> int | None:
        """A stamp mapped outside [earliest, latest]: measure again; its instant, or None if it cannot be trusted."""
        if self._monotonic_ns() - self._measured_ns >= SUSPECT_GAP_NS:
            self.measure()
        at_ns = stamp_ns - self.offset_ns
        slack_ns = self.error_ns + _ROUNDING_NS
        if earliest_ns - slack_ns <= at_ns <= latest_ns + slack_ns:
            return min(max(at_ns, earliest_ns), latest_ns)
        return None

    def enable(self, sock: socket) -> None:
        """Ask the kernel for stamps on this socket."""
        if self.stamps is not Stamps.USER:
            ask_for_stamps(sock)

    def close(self) -> None:
        """Close the datagram sockets."""
        if self._probe is not None:
            self._probe.close()
            self._probe = None
        self.stamps = Stamps.USER


def ask_for_stamps(sock: socket) -> bool:
    """Have what arrives at `sock` stamped by the kernel; False where that is not offered."""
    try:
        sock.setsockopt(SOL_SOCKET, SO_TIMESTAMPING, RX_SOFTWARE | SOFTWARE)
    except OSError:
        return False
    return True


class LoopbackProbe:
    """Two datagram sockets on loopback, never patched, never waited for."""

    __slots__ = ("_count", "_receiver", "_sender")

    def __init__(self) -> None:
        self._count = 0
        self._receiver = _datagram_socket()
        self._sender = _datagram_socket()
        self._sender.connect(self._receiver.getsockname())
        self._receiver.connect(self._sender.getsockname())
        if not ask_for_stamps(self._receiver):
            self.close()
            raise OSError("this kernel gives no receive stamps")

    def exchange(self) -> tuple[int, int, int] | None:
        self._count += 1
        mark = self._count.to_bytes(8, "big")
        try:
            before_ns = time.monotonic_ns()
            self._sender.send(mark)
            after_ns = time.monotonic_ns()
            content = b""
            while content != mark:  # an older one may come first, if it came late
                content, ancillary, _, _ = self._receiver.recvmsg(8, STAMP_SPACE)
        except OSError:
            return None
        if not ancillary:
            return None
        seconds, nanoseconds = stamp_parts(ancillary[0][2])
        return before_ns, seconds * NS_PER_S + nanoseconds, after_ns

    def close(self) -> None:
        self._receiver.close()
        self._sender.close()


def _datagram_socket() -> socket:
    sock = socket(AF_INET, SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind(("127.0.0.1", 0))
    return sock


def open_probe() -> Probe | None:
    """The probe of this machine; None where the kernel gives no stamps, or loopback none of its sockets."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return LoopbackProbe()
    except OSError:
        return None
