"""What CPU the kernel lets this process have: the cores it may run on, and the quotas of its cgroups.

Version 2 keeps `quota period` in cpu.max, version 1 in cpu.cfs_quota_us and cpu.cfs_period_us. A limit of a group
above holds for those below it. In a container the path in /proc/self/cgroup may be the host's: a folder that is not
there is passed over, up to the mount point, which is always looked at.
"""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path("/")
CGROUP_MOUNT = "sys/fs/cgroup"
PERIOD_NS = 100_000_000
"""Of a quota where the kernel does not say."""
US = 1_000


@dataclasses.dataclass(frozen=True, slots=True)
class Quota:
    """So much CPU time in each period."""

    cpu_ns: int
    period_ns: int = PERIOD_NS

    @property
    def cores(self) -> float:
        """Cores' worth of CPU time."""
        return self.cpu_ns / self.period_ns


def allowed_cores() -> int:
    """The cores in this process' affinity mask; all of them where there are no masks (macOS)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def tightest_quota(root: Path = ROOT) -> Quota | None:
    """The quota of this process' cgroups that leaves it the least CPU; None where none sets a limit."""
    quotas = [quota for folder in cpu_groups(root) if (quota := _quota_in(folder)) is not None]
    return min(quotas, key=lambda quota: quota.cores, default=None)


def cgroup_quota(root: Path = ROOT) -> float | None:
    """Cores' worth of CPU time that the tightest of this process' cgroups allows; None where none sets a limit."""
    quota = tightest_quota(root)
    return None if quota is None else quota.cores


def cpu_groups(root: Path = ROOT) -> tuple[Path, ...]:
    """The folders of this process' CPU cgroups, in both versions, each with all those above it."""
    return _folders(root, tuple(read_words(root / "proc/self/cgroup")))


def throttled_ns(folder: Path) -> int | None:
    """For how long a cgroup's quota has kept its processes from running so far; None where nobody counts it."""
    words = read_words(f"{folder}/cpu.stat")
    counts = dict(zip(words[::2], words[1::2], strict=False))
    for name, unit_ns in (("throttled_usec", US), ("throttled_time", 1)):
        if counts.get(name, "").isdigit():
            return int(counts[name]) * unit_ns
    return None


def read_words(path: Path | str) -> list[str]:
    """The words in one of the kernel's files; none where it cannot be read."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read().decode("ascii", errors="replace").split()
    except OSError:
        return []


@functools.lru_cache(maxsize=4)
def _folders(root: Path, lines: tuple[str, ...]) -> tuple[Path, ...]:
    """They are looked at each second, and hardly ever others than before."""
    return tuple(dict.fromkeys(_listed(root / CGROUP_MOUNT, lines)))


def _listed(mount: Path, lines: tuple[str, ...]) -> Iterator[Path]:
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            bases = [mount, mount / "unified"]
        elif "cpu" in controllers.split(","):
            bases = [mount / controllers, mount / "cpu"]
        else:
            continue
        inner = PurePosixPath("/" + path.lstrip("/"))
        for base in bases:
            yield from (base / str(level).lstrip("/") for level in (inner, *inner.parents))


def _quota_in(folder: Path) -> Quota | None:
    words = read_words(f"{folder}/cpu.max")
    if not words:
        words = [*read_words(f"{folder}/cpu.cfs_quota_us"), *read_words(f"{folder}/cpu.cfs_period_us")]
    if len(words) == 1:
        words.append(str(PERIOD_NS // US))
    if len(words) != 2 or not words[0].isdigit() or not words[1].isdigit() or int(words[1]) == 0:
        return None  # `max`, -1, or not a limit at all
    return Quota(int(words[0]) * US, int(words[1]) * US)
