"""Whoever else comes to the controller's port while a run goes on: refused, counted, and the run is as it would be."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster import zmtp
from tests.e2e.command import SWELL
from tests.faults.lab.account import faults_of_account, incarnations
from tests.faults.lab.cluster import PORT, Cluster, cluster
from tests.faults.lab.network import LINK_ADDRESS
from tests.faults.lab.scale import Scale
from tests.faults.lab.sightings import faults_of_load
from tests.faults.lab.visitors import VISITOR

Figures = Callable[..., None]

USERS = 6
RUN_S = 60
SILENT = 1_000
OF_THEIRS = 1
"""The machine from which the others come."""


def begin(lab: Cluster, run_s: float) -> None:
    lab.run(VISITOR, "-u", str(USERS), "-t", f"{run_s:g}s", "--no-store", expect=1)
    lab.join(0)
    lab.wait_for_load(USERS)


def connect(lab: Cluster) -> socket.socket:
    """From the machine of the others."""
    return lab.net.machines[OF_THEIRS].place.within(lambda: socket.create_connection((LINK_ADDRESS, PORT), timeout=10))


def join(lab: Cluster, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`swell worker` there, to its end."""
    command = [*lab.net.machines[OF_THEIRS].prefix, SWELL, "worker", f"{LINK_ADDRESS}:{PORT}", *options]
    return subprocess.run(
        [*command, "--processes", "1", "--connect-timeout", "2s"],
        cwd=folder, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def check(lab: Cluster, run_s: float) -> dict[str, object]:
    """The run was what it would have been; what it says of the link."""
    result = lab.finish(run_s).result
    seen = lab.seen()
    assert faults_of_account(result, seen, lab.finished()) == []
    assert faults_of_load(seen, USERS) == []
    assert result["run"]["end"] == "completed"
    assert result["accounting"]["unaccounted"] == 0
    assert set(incarnations(result)) == {"0.1"}
    return dict(result["cluster"])


@pytest.mark.row("strangers")
def test_strangers_are_turned_away_with_words_and_counted(tmp_path: Path, scale: Scale, figures: Figures) -> None:
    run_s = scale.seconds(RUN_S)
    subprocess.run([SWELL, "keygen", tmp_path / "earlier.key"], check=True, stdout=subprocess.DEVNULL)
    with cluster(tmp_path, scale, 2) as lab:
        begin(lab, run_s)
        without, with_another = join(lab, tmp_path), join(lab, tmp_path, "--key", str(tmp_path / "earlier.key"))
        for content in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 300, zmtp.dealer(b"0.1") + zmtp.frame(b"\x80")):
            with connect(lab) as stranger:
                stranger.sendall(content)
                with contextlib.suppress(OSError):
                    while stranger.recv(65_536):
                        pass
        found = check(lab, run_s)
    assert (without.returncode, with_another.returncode) == (4, 4)
    assert "wants a key" in without.stderr
    assert "has another key" in with_another.stderr
    strangers = sum(one["count"] for one in found["strangers"])
    assert strangers >= 5
    assert found["refused"] == []
    assert "turned away" in lab.said
    figures(strangers=strangers)


@pytest.mark.row("strangers")
def test_a_thousand_silent_connections_disturb_nobody(tmp_path: Path, scale: Scale, figures: Figures) -> None:
    run_s = scale.seconds(RUN_S)
    with cluster(tmp_path, scale, 2) as lab, contextlib.ExitStack() as stack:
        begin(lab, run_s)
        for _ in range(SILENT):
            stack.enter_context(connect(lab))
        found = check(lab, run_s)
    strangers = sum(one["count"] for one in found["strangers"])
    assert strangers <= SILENT
    figures(silent=SILENT, cut_off=strangers)


@pytest.mark.row("malformed frames")
def test_whoever_has_the_key_and_sends_wrong_frames_is_refused_by_kind(
    tmp_path: Path, scale: Scale, figures: Figures
) -> None:
    run_s = scale.seconds(RUN_S)
    with cluster(tmp_path, scale, 2) as lab:
        begin(lab, run_s)
        command = [*lab.net.machines[OF_THEIRS].prefix, sys.executable, "-m", "tests.faults.lab.vandal"]
        words = (f"tcp://{LINK_ADDRESS}:{PORT}", str(tmp_path / "cluster.key"), "7.1")
        subprocess.run([*command, *words], check=True, stdout=subprocess.DEVNULL, timeout=30)
        found = check(lab, run_s)
    kinds: Counter[str] = Counter()
    for one in found["refused"]:
        assert one["sender"] == "7.1"
        kinds[one["kind"]] += one["count"]
    assert {"malformed", "empty", "oversize", "parts", "other_version", "other_run", "unknown_sender"} <= kinds.keys()
    assert found["strangers"] == []
    figures(**kinds)


@pytest.mark.row("strangers")
def test_with_the_key_the_same_machine_joins(tmp_path: Path, scale: Scale) -> None:
    """So the tests above can fail."""
    run_s = scale.seconds(RUN_S) / 2
    with cluster(tmp_path, scale, 2) as lab:
        begin(lab, run_s)
        lab.join(OF_THEIRS)
        lab.wait_for_incarnation("1.1")
        result = lab.finish(run_s).result
    assert set(incarnations(result)) == {"0.1", "1.1"}
    assert result["cluster"]["strangers"] == []
