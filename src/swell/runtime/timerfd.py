"""The kernel's timer as a file descriptor that can be read once it has run out (timerfd_create(2), Linux).

Delays are relative, so that a clock moved by libfaketime, which the kernel does not see, does no harm.
"""

from __future__ import annotations

import ctypes
import os

from swell.clock import NS_PER_S

_CLOCK_MONOTONIC = 1


class TimerFd:
    """A timer. Setting it anew takes back that it ran out. Raises OSError or AttributeError where there is none."""

    __slots__ = ("_itimerspec", "_parts", "_set", "fd")

    def __init__(self, *, blocking: bool = False) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._set = libc.timerfd_settime
        self.fd = libc.timerfd_create(_CLOCK_MONOTONIC, os.O_CLOEXEC | (0 if blocking else os.O_NONBLOCK))
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._parts = (ctypes.c_long * 4)()
        """Interval s, ns; value s, ns."""
        self._itimerspec = ctypes.byref(self._parts)

    def arm(self, delay_ns: int) -> None:
        """Run out in `delay_ns`, and not when it was to before."""
        self._parts[2], self._parts[3] = divmod(max(delay_ns, 1), NS_PER_S)
        self._set(self.fd, 0, self._itimerspec, None)

    def disarm(self) -> None:
        """Do not run out."""
        self._parts[2] = self._parts[3] = 0
        self._set(self.fd, 0, self._itimerspec, None)

    def wait(self) -> None:
        """Block this thread until it runs out; of a `blocking` one."""
        os.read(self.fd, 8)

    def close(self) -> None:
        """Close the descriptor; nothing happens the second time."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
