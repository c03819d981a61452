"""The rig of `bench/cluster_scale.py`, small: a real controller, real sockets, workers that are played. Everything they
report is counted exactly once. What it costs is measured there, not here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

RIG = Path(__file__).parent.parent.parent / "bench" / "cluster_scale.py"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("more", [[], ["--curve"]], ids=["plain", "encrypted"])
def test_fifty_workers_are_counted_exactly_once(more: list[str]) -> None:
    command = [sys.executable, str(RIG), "--exact", "--workers", "50", "--seconds", "3", *more]
    rig = subprocess.run(command, capture_output=True, text=True, timeout=55, check=False)
    assert (rig.returncode, rig.stderr.strip()) == (0, "")
    assert json.loads(rig.stdout)["accounts"]["sealed"] >= 50 * 3
