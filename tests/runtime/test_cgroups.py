"""Quotas and throttling, read from made-up trees of the kernel's files."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from swell.runtime.cgroups import Quota, cgroup_quota, cpu_groups, throttled_ns, tightest_quota


def tree(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


V1 = "12:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n"


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "400000 100000\n"}, 4.0),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/cpu.max": "200000 100000\n",
                "sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
            },
            2.0,
        ),
        ({"proc/self/cgroup": "0::/../other\n", "sys/fs/cgroup/cpu.max": "300000 100000\n"}, 3.0),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000\n"}, 0.5),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "garbage\n"}, None),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "250000\n",
                "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000\n",
            },
            2.5,
        ),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "120000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "60000\n",
            },
            2.0,
        ),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            None,
        ),
    ],
)
def test_the_tightest_cgroup_above_this_process_sets_the_quota(
    tmp_path: Path, files: Mapping[str, str], quota: float | None
) -> None:
    assert cgroup_quota(tree(tmp_path, files)) == quota


def test_a_quota_is_so_much_time_in_each_period(tmp_path: Path) -> None:
    root = tree(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "5000 50000\n"})
    assert tightest_quota(root) == Quota(cpu_ns=5_000_000, period_ns=50_000_000)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("usage_usec 5\nnr_periods 3\nnr_throttled 2\nthrottled_usec 1500\nnr_bursts 0\n", 1_500_000),
        ("nr_periods 3\nnr_throttled 2\nthrottled_time 1500\nnr_bursts 0\n", 1_500),
        ("usage_usec 5\nuser_usec 3\n", None),
        ("throttled_usec", None),
        ("throttled_usec much\n", None),
        ("", None),
    ],
)
def test_both_versions_say_how_long_a_quota_held_a_group_up(tmp_path: Path, text: str, ns: int | None) -> None:
    assert throttled_ns(tree(tmp_path, {"cpu.stat": text})) == ns


def test_who_counts_nothing_is_not_throttled(tmp_path: Path) -> None:
    assert throttled_ns(tmp_path / "missing") is None


def test_groups_are_listed_once_each_from_the_innermost_up(tmp_path: Path) -> None:
    mount = tmp_path / "sys/fs/cgroup"
    found = cpu_groups(tree(tmp_path, {"proc/self/cgroup": "4:cpu:/a/b\n0::/\n"}))
    inner = [mount / "cpu/a/b", mount / "cpu/a", mount / "cpu"]
    assert found == (*inner, mount, mount / "unified")
