"""What this machine gives a load generator: cores, file descriptors, ports, as the kernel's files say."""

from __future__ import annotations

import dataclasses
import math
import resource
from pathlib import Path

from swell.runtime.cgroups import ROOT, allowed_cores, cgroup_quota, read_words

DEFAULT_PORTS = (32_768, 60_999)


@dataclasses.dataclass(frozen=True, slots=True)
class FdLimit:
    """How many files a process may have open: now, and at most without being root. None: no limit."""

    soft: int | None
    hard: int | None


def usable_cores(root: Path = ROOT) -> int:
    """Whole cores that this process may use: those it may run on, and what its cgroups allow of them; at least 1."""
    return max(1, math.floor(min(allowed_cores(), cgroup_quota(root) or math.inf)))


def boot() -> str:
    """Which start of this machine its monotonic clock counts from; '' where the kernel does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


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


def _fd_limit() -> FdLimit:
    soft, hard = (
        None if limit == resource.RLIM_INFINITY else limit for limit in resource.getrlimit(resource.RLIMIT_NOFILE)
    )
    return FdLimit(soft, hard)
