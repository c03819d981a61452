"""What the doctor says of machines that are made up of the kernel's files."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from swell.cli import doctor
from swell.cli.machine import FdLimit
from tests.cli.test_machine import tree

GOOD = {
    "proc/meminfo": "MemTotal: 9000000 kB\nMemAvailable: 4000000 kB\n",
    "proc/sys/net/ipv4/ip_local_port_range": "32768 60999\n",
    "proc/sys/net/ipv4/tcp_tw_reuse": "1\n",
    "proc/sys/net/core/somaxconn": "4096\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
    "sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
}


def examined(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **changes: str) -> str:
    monkeypatch.setattr(doctor, "raise_fd_limit", lambda: FdLimit(65_536, 65_536))
    monkeypatch.setattr(doctor, "allowed_cores", lambda: 4)
    monkeypatch.setattr(doctor, "usable_cores", lambda root: 4)
    monkeypatch.setattr(doctor, "_clock_cost_ns", lambda: 40.0)
    files: Mapping[str, str] = {
        **GOOD,
        **{next(name for name in GOOD if key in name): text for key, text in changes.items()},
    }
    assert doctor.examine(tree(root, files)) == 0
    return capsys.readouterr().out


def test_a_machine_that_is_well_has_no_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [line for line in examined(tmp_path, monkeypatch, capsys).splitlines() if "kernel stamps" not in line] == [
        "ok    cores           4 usable: `swell run` starts up to 4 workers",
        "ok    memory          3.8 GiB available: room for about 204,000 users over HTTP, a quarter over TLS",
        "ok    open files      65,536 a worker: at most 65,472 connections in each",
        "ok    ports           32768-60999: 28,232 connections to one target from each source address",
        "ok    accept queue    somaxconn is 4096",
        "ok    clock source    tsc, 40 ns a reading",
        "ok    CPU governor    performance",
    ]


@pytest.mark.parametrize(
    ("part", "text", "remedy"),
    [
        ("governor", "powersave\n", "cpupower frequency-set -g performance"),
        ("somaxconn", "128\n", "sysctl -w net.core.somaxconn=4096, if the target runs on this machine"),
        ("tw_reuse", "0\n", "sysctl -w net.ipv4.tcp_tw_reuse=1, if users do not keep their connections"),
        (
            "port_range",
            "50000 60000\n",
            'sysctl -w net.ipv4.ip_local_port_range="1024 65535", or `--source-address` with',
        ),
        ("meminfo", "MemAvailable: 100000 kB\n", "end what else runs here"),
    ],
)
def test_each_limit_comes_with_the_command_that_lifts_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    part: str,
    text: str,
    remedy: str,
) -> None:
    printed = examined(tmp_path, monkeypatch, capsys, **{part: text})
    assert printed.count("warn") == 1
    assert f"-> {remedy}" in printed


def test_a_machine_that_cannot_open_a_connection_cannot_run_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "raise_fd_limit", lambda: FdLimit(64, 64))
    assert doctor.examine(tree(tmp_path, GOOD)) == 4
    assert "at most 0 connections in each" in capsys.readouterr().out


def test_this_machine_can_be_examined(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.examine() == 0
    assert capsys.readouterr().out.count("\n") >= 7
