"""What this machine gives a load generator: cores, file descriptors, ports, as the kernel's files say."""

from __future__ import annotations

import dataclasses
import math
import os
import resource
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path("/")
CGROUP_MOUNT = "sys/fs/cgroup"
DEFAULT_PORTS = (32_768, 60_999)


@dataclasses.dataclass(frozen=True, slots=True)
class FdLimit:
    """How many files a process may have open: now, and at most without being root. None: no limit."""

    soft: int | None
    hard: int | None


def usable_cores(root: Path = ROOT) -> int:
    """Whole cores that this process may use: those it may run on, and what its cgroups allow of them; at least 1."""
    return max(1, math.floor(min(allowed_cores(), cgroup_quota(root) or math.inf)))


def allowed_cores() -> int:
    """The cores in this process' affinity mask; all of them where there are no masks (macOS)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cgroup_quota(root: Path = ROOT) -> float | None:
    """Cores' worth of CPU time that the tightest of this process' cgroups allows; None where none sets a limit.

    Version 2 keeps `quota period` in cpu.max, version 1 in cpu.cfs_quota_us and cpu.cfs_period_us. A limit of a group
    above holds for those below it. In a container the path in /proc/self/cgroup may be the host's: a folder that is not
    there is passed over, up to the mount point, which is always looked at.
    """
    quotas = [quota for folder in _cgroup_folders(root) if (quota := _quota_in(folder)) is not None]
    return min(quotas, default=None)


def raise_fd_limit() -> FdLimit:
    """Raise the soft limit to the hard one, as far as the kernel lets us, and return what holds now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):  # macOS has a lower limit of its own (kern.maxfilesperproc)
            return _fd_limit()
    return _fd_limit()


def ephemeral_ports(root: Path = ROOT) -> tuple[int, int]:
    """The first and last local port that the kernel gives to outgoing connections."""
    words = read_words(root / "proc/sys/net/ipv4/ip_local_port_range")
    return (int(words[0]), int(words[1])) if len(words) == 2 else DEFAULT_PORTS


def read_words(path: Path) -> list[str]:
    """The words in one of the kernel's files; none where it cannot be read."""
    try:
        return path.read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return []


def _fd_limit() -> FdLimit:
    soft, hard = (
        None if limit == resource.RLIM_INFINITY else limit for limit in resource.getrlimit(resource.RLIMIT_NOFILE)
    )
    return FdLimit(soft, hard)


def _cgroup_folders(root: Path) -> Iterator[Path]:
    """The folders of this process' CPU cgroups, in both versions, each with all those above it."""
    mount = root / CGROUP_MOUNT
    for line in read_words(root / "proc/self/cgroup"):
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


def _quota_in(folder: Path) -> float | None:
    words = read_words(folder / "cpu.max")
    if not words:
        words = [*read_words(folder / "cpu.cfs_quota_us"), *read_words(folder / "cpu.cfs_period_us")]
    if len(words) == 1:
        words.append("100000")
    if len(words) != 2 or not words[0].isdigit() or not words[1].isdigit() or int(words[1]) == 0:
        return None  # `max`, -1, or not a limit at all
    return int(words[0]) / int(words[1])
