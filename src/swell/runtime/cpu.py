"""How much of the CPU that it could have had a process has used, and for how long a quota held it up.

What it could have had is not a core. Where others run on the same cores, or a quota has run out, the process waits for
its turn: the kernel counts that (/proc/self/schedstat, of the first thread, which is the one with the loop). What is
neither used nor waited for was to be had; of that, a quota lets it use no more than is left in it. So two workers on
one core have half of it each, and are busy when they use that half; a worker at a tenth of a core is busy at a tenth.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from swell.clock import Clock
from swell.runtime.cgroups import ROOT, cpu_groups, read_words, throttled_ns, tightest_quota

ONE_CORE = 1.0
"""What a process with one loop can use."""


@dataclasses.dataclass(frozen=True, slots=True)
class CpuUse:
    """Over some time; all are shares of it."""

    cores: float = 0.0
    """Used: 1.0 is one whole core."""
    busy: float = 0.0
    """Used of what could have been: 1.0: it could do no more."""
    throttled: float = 0.0
    """The quota had run out."""


class CpuMeter:
    """Looks at this process, from when it is made."""

    def __init__(self, clock: Clock, root: Path = ROOT) -> None:
        self._clock = clock
        self._root = root
        self._cpu_ns = time.process_time_ns()
        self._waited_ns = waited_ns(root)
        self._throttled_ns = self._throttling()
        self._sampled_ns = clock.now_ns()

    def __repr__(self) -> str:
        return f"<CpuMeter, {self._cpu_ns / 1e9:.3f} s used>"

    def sample(self) -> CpuUse:
        """What was used since the last sample."""
        since_ns, self._sampled_ns = self._sampled_ns, self._clock.now_ns()
        span_ns = max(self._sampled_ns - since_ns, 1)
        cpu_ns, self._cpu_ns = self._cpu_ns, time.process_time_ns()
        before_ns, self._waited_ns = self._waited_ns, waited_ns(self._root)
        quota = tightest_quota(self._root)
        return cpu_use(
            used=(self._cpu_ns - cpu_ns) / span_ns,
            waited=max(self._waited_ns - before_ns, 0) / span_ns,
            quota=None if quota is None else quota.cores,
            throttled=self._newly_throttled_ns() / span_ns,
        )

    def _newly_throttled_ns(self) -> int:
        """The quotas of all groups together; one that the process has just come into counts from now on."""
        before, self._throttled_ns = self._throttled_ns, self._throttling()
        return sum(ns - before.get(folder, ns) for folder, ns in self._throttled_ns.items())

    def _throttling(self) -> dict[Path, int]:
        found = {folder: throttled_ns(folder) for folder in cpu_groups(self._root)}
        return {folder: ns for folder, ns in found.items() if ns is not None}


def cpu_use(used: float, waited: float, quota: float | None, throttled: float) -> CpuUse:
    """From cores used, the share of the time waited for a turn, the quota in cores, and the share of the time in which
    the group was throttled."""
    available = max(ONE_CORE - waited, 0.0)
    if quota is not None:
        available = min(available, quota)
    # The stat of a group tells of all its processes; and of a process only what it waited for matters.
    throttled = min(max(throttled, 0.0), waited) if waited > 0 else 0.0
    return CpuUse(used, used / max(available, used, 1e-9), throttled)


def waited_ns(root: Path = ROOT) -> int:
    """How long this process' first thread has waited for a core so far; 0 where the kernel does not count it."""
    words = read_words(f"{root}/proc/self/schedstat")
    return int(words[1]) if len(words) == 3 and words[1].isdigit() else 0
