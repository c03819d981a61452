"""Whether a core was left to those who were measured on it: other programs' turns look like a slow generator."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

Found = TypeVar("Found")

QUIET_SHARE = 0.03
ATTEMPTS = 4
_IDLE, _IOWAIT = 3, 4


class CoreWatch:
    """Entered while child processes run on the core, until they have been waited for: then it knows what others had."""

    def __init__(self, core: int) -> None:
        self._core = core
        self.foreign_share = 0.0

    def __enter__(self) -> None:
        self._began_s, self._busy_s, self._own_s = time.monotonic(), busy_s(self._core), children_s()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        foreign_s = (busy_s(self._core) - self._busy_s) - (children_s() - self._own_s)
        self.foreign_share = foreign_s / (time.monotonic() - self._began_s)


def check_in_quiet(core: int, measure: Callable[[CoreWatch], Found], check: Callable[[Found], None]) -> None:
    """Let `check` judge what `measure` finds, which enters the watch that it is given. What fails counts when the core
    was left to us; when others had more than a little of it, all is done again, a few times at the most."""
    for attempt in range(1, ATTEMPTS + 1):
        watch = CoreWatch(core)
        found = measure(watch)
        print(f"attempt {attempt}: others had {100 * watch.foreign_share:.1f} % of the core")
        try:
            check(found)
            return
        except AssertionError:
            if watch.foreign_share < QUIET_SHARE or attempt == ATTEMPTS:
                raise


def busy_s(core: int) -> float:
    """CPU time that was spent on a core, by whomever, the hypervisor's other guests included."""
    name = f"cpu{core} "
    line = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith(name))
    ticks = [int(word) for word in line.split()[1:9]]
    return (sum(ticks) - ticks[_IDLE] - ticks[_IOWAIT]) / os.sysconf("SC_CLK_TCK")


def children_s() -> float:
    """CPU time of all child processes that have been waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
