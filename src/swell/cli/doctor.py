"""`swell doctor`: what this machine can carry, and which command changes what holds it back."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from swell.cli.checks import FDS_OF_A_WORKER
from swell.cli.machine import FdLimit, ephemeral_ports, raise_fd_limit, usable_cores
from swell.http.kernel_clock import KernelClock, open_probe
from swell.runtime.cgroups import ROOT, allowed_cores, cgroup_quota, read_words
from swell.runtime.real_clock import RealClock

RUNS_IMPOSSIBLE = 4
FEW_FDS = 10_240
FEW_PORTS = 16_000
SHORT_QUEUE = 1_024
TIME_WAIT_S = 60
SLOW_CLOCK_NS = 500
BYTES_PER_USER = 20_000
LITTLE_MEMORY_BYTES = 1 << 30


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's: what was looked at, what was found, and the command that would better it."""

    topic: str
    text: str
    remedy: str = ""
    runs_impossible: bool = False

    @property
    def is_ok(self) -> bool:
        return not self.remedy


def examine(root: Path = ROOT) -> int:
    """Print a line for everything looked at; the exit code is 4 if no run is possible here, otherwise 0."""
    findings = [
        _cores(root),
        _memory(root),
        _fds(raise_fd_limit()),
        *_ports(root),
        _accept_queue(root),
        _stamps(),
        _clock(root),
        *_governor(root),
    ]
    for finding in findings:
        print(f"{'ok  ' if finding.is_ok else 'warn'}  {finding.topic:<15} {finding.text}")
        if finding.remedy:
            print(f"      {'':<15} -> {finding.remedy}")
    return RUNS_IMPOSSIBLE if any(finding.runs_impossible for finding in findings) else 0


def _cores(root: Path) -> Finding:
    usable, allowed, quota = usable_cores(root), allowed_cores(), cgroup_quota(root)
    text = f"{usable} usable: `swell run` starts up to {usable} worker{'s' * (usable > 1)}"
    if quota is not None and quota < allowed:
        text += f" (of {allowed}, a cgroup allows {quota:g})"
        if quota != int(quota):
            return Finding(
                "cores", text, "a whole number of cores as the container's CPU limit; a fraction is throttled"
            )
    return Finding("cores", text)


def _memory(root: Path) -> Finding:
    words = read_words(root / "proc/meminfo")
    if "MemAvailable:" not in words:
        return Finding("memory", "not known")
    available_bytes = int(words[words.index("MemAvailable:") + 1]) * 1_024
    users = available_bytes // BYTES_PER_USER // 1_000 * 1_000
    text = (
        f"{available_bytes / (1 << 30):.1f} GiB available: room for about {users:,} users over HTTP, a quarter over TLS"
    )
    return Finding("memory", text, "" if available_bytes >= LITTLE_MEMORY_BYTES else "end what else runs here")


def _fds(limit: FdLimit) -> Finding:
    if limit.soft is None:
        return Finding("open files", "no limit")
    users = max(limit.soft - FDS_OF_A_WORKER, 0)
    text = f"{limit.soft:,} a worker: at most {users:,} connections in each"
    remedy = "as root, `ulimit -n 1048576` before `swell run`; in a container `--ulimit nofile=1048576:1048576`"
    return Finding("open files", text, remedy if limit.soft < FEW_FDS else "", runs_impossible=users == 0)


def _ports(root: Path) -> Iterable[Finding]:
    first, last = ephemeral_ports(root)
    count = last - first + 1
    text = f"{first}-{last}: {count:,} connections to one target from each source address"
    remedy = 'sysctl -w net.ipv4.ip_local_port_range="1024 65535", or `--source-address` with several addresses'
    yield Finding("ports", text, remedy if count < FEW_PORTS else "")
    reuse = "".join(read_words(root / "proc/sys/net/ipv4/tcp_tw_reuse"))
    if reuse in ("0", "2"):
        where = "to a target elsewhere" if reuse == "2" else "to one target"
        text = f"tcp_tw_reuse is {reuse}: at most {count // TIME_WAIT_S:,} new connections/s {where}"
        remedy = "sysctl -w net.ipv4.tcp_tw_reuse=1, if users do not keep their connections"
        yield Finding("closed ports", text, remedy if reuse == "0" else "")


def _accept_queue(root: Path) -> Finding:
    length = next(iter(read_words(root / "proc/sys/net/core/somaxconn")), "")
    if not length.isdigit():
        return Finding("accept queue", "not known")
    remedy = "sysctl -w net.core.somaxconn=4096, if the target runs on this machine"
    return Finding("accept queue", f"somaxconn is {length}", remedy if int(length) < SHORT_QUEUE else "")


def _stamps() -> Finding:
    kernel_clock = KernelClock(open_probe())
    try:
        if kernel_clock.ready(RealClock()):
            return Finding("kernel stamps", f"work, good to {max(kernel_clock.error_ns / 1_000, 0.1):.1f} µs")
    finally:
        kernel_clock.close()
    remedy = "a Linux kernel with SO_TIMESTAMPING; until then latencies are the generator's own, true below 70 % CPU"
    return Finding("kernel stamps", "none: instants are taken when Python reads", remedy)


def _clock(root: Path) -> Finding:
    folder = root / "sys/devices/system/clocksource/clocksource0"
    source = "".join(read_words(folder / "current_clocksource")) or sys.platform
    cost_ns = _clock_cost_ns()
    text = f"{source}, {cost_ns:.0f} ns a reading"
    if cost_ns <= SLOW_CLOCK_NS:
        return Finding("clock source", text)
    return Finding(
        "clock source", text, f"echo tsc > {folder / 'current_clocksource'}, if tsc is in available_clocksource"
    )


def _clock_cost_ns(readings: int = 1_000, rounds: int = 5) -> float:
    def once() -> float:
        begun_ns = time.perf_counter_ns()
        for _ in range(readings):
            time.monotonic_ns()
        return (time.perf_counter_ns() - begun_ns) / readings

    return min(once() for _ in range(rounds))


def _governor(root: Path) -> Iterable[Finding]:
    """Nothing where it cannot be seen, as in most virtual machines."""
    governors = {
        word
        for path in sorted(root.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"))
        for word in read_words(path)
    }
    if governors:
        slow = governors & {"powersave", "conservative"}
        yield Finding(
            "CPU governor", ", ".join(sorted(governors)), "cpupower frequency-set -g performance" if slow else ""
        )
