"""Processes that get no more than a part of a core: a cgroup of their own, of version 1 or 2. Needs root."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
PERIOD_US = 100_000
END_TIMEOUT_S = 5.0


class CpuGroup:
    """A cgroup. What is started with `prefix` before its command runs in it, and so do its children."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        for name, most in (("cpu.weight", "10000"), ("cpu.shares", "100000")):
            if (folder / name).exists():  # what else this machine does is not to be what limits them
                (folder / name).write_text(most)

    @property
    def prefix(self) -> tuple[str, ...]:
        """Puts a command into the group."""
        return ("sh", "-c", f'echo $$ > {self._folder}/cgroup.procs && exec "$@"', "sh")

    def limit(self, cores: float) -> None:
        """What all of its processes get together from now on."""
        quota_us = str(round(cores * PERIOD_US))
        if (self._folder / "cpu.max").exists():
            (self._folder / "cpu.max").write_text(f"{quota_us} {PERIOD_US}")
        else:
            (self._folder / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (self._folder / "cpu.cfs_quota_us").write_text(quota_us)

    def remove(self) -> None:
        """Once its processes have ended."""
        deadline_s = time.monotonic() + END_TIMEOUT_S
        while (self._folder / "cgroup.procs").read_text() and time.monotonic() < deadline_s:
            time.sleep(0.02)
        self._folder.rmdir()


@contextlib.contextmanager
def cpu_group(name: str, cores: float) -> Iterator[CpuGroup]:
    """A group for one test."""
    group = CpuGroup(_mount() / f"swell-{os.getpid()}-{name}")
    try:
        group.limit(cores)
        yield group
    finally:
        group.remove()


def _mount() -> Path:
    """Where groups with quotas can be made."""
    for place in (MOUNT / "cpu", MOUNT / "cpu,cpuacct"):
        if (place / "cpu.cfs_quota_us").exists():
            return place
    control = MOUNT / "cgroup.subtree_control"
    if "cpu" not in control.read_text().split():
        control.write_text("+cpu")
    return MOUNT
