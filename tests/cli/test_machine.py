"""Cores and ports, read from made-up trees of the kernel's files."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from swell.cli.machine import ephemeral_ports, raise_fd_limit, usable_cores


def tree(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("affinity", "cpu_max", "cores"),
    [(8, "max 100000", 8), (8, "350000 100000", 3), (2, "350000 100000", 2), (8, "50000 100000", 1)],
)
def test_usable_cores_are_the_lesser_of_affinity_and_quota_in_whole_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, affinity: int, cpu_max: str, cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(affinity)), raising=False)
    root = tree(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": cpu_max})
    assert usable_cores(root) == cores


def test_the_range_of_outgoing_ports_is_the_kernels_or_its_default(tmp_path: Path) -> None:
    assert ephemeral_ports(tmp_path) == (32_768, 60_999)
    tree(tmp_path, {"proc/sys/net/ipv4/ip_local_port_range": "1024\t65535\n"})
    assert ephemeral_ports(tmp_path) == (1_024, 65_535)


def test_the_limit_of_open_files_is_raised_as_far_as_it_goes() -> None:
    limit = raise_fd_limit()
    assert limit.hard is None or limit.soft is None or limit.soft <= limit.hard
    assert raise_fd_limit() == limit
