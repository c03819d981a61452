"""Two real runs, the second against a target ten times as slow: compared, and written in the formats of other tools."""

from __future__ import annotations

import csv
import json
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from swell.histogram import MAX_NS
from tests.e2e.command import SWELL, SwellRun
from tests.targets.hostile import hostile

SCRIPT = """
    from swell import HttpUser, constant, task

    class Reader(HttpUser):
        wait_time = constant(0.01)

        @task
        def read(self):
            self.client.get("/late?ms={ms}", name="/late")
"""
SECONDS = 10


def compare(store: Path, *words: str) -> tuple[int, str]:
    ended = subprocess.run(
        [SWELL, "compare", *words, "--store", store], capture_output=True, text=True, check=False, timeout=15
    )
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.timeout(60)
def test_a_slow_target_fails_the_gate_and_the_same_one_passes(swell: Callable[..., SwellRun], tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    with hostile() as target:
        runs = [
            swell(
                SCRIPT.replace("{ms}", ms),
                *("-H", target.url, "-u", "5", "-w", "1", "-t", f"{SECONDS}s", "-q", "--seed", "1"),
                *("--store", str(store), "--run-name", name),
                *("--csv", str(tmp_path / name), "--junit", str(tmp_path / f"{name}.xml")),
                *("--hdr", str(tmp_path / f"{name}.hlog")),
            )
            for name, ms in (("fast", "5"), ("slow", "100"))
        ]
        requests = [run.finish().result["totals"]["requests"] for run in runs]
    code, said = compare(store, "fast", "slow", "--fail-if-slower", "5%", "--json")
    document = json.loads(said)
    verdicts = {thing["thing"]: thing["verdict"] for thing in document["all"]["things"]}
    assert (verdicts["throughput"], verdicts["p50"]) == ("slower", "slower")
    assert (code, document["gate"]["failed"]) == (3, True)
    assert any(text.startswith("script: ") for text in document["warnings"])
    code, said = compare(store, "slow", "slow", "--fail-if-slower")
    assert (code, "passed: nothing is shown to be slower" in said) == (0, True)
    for name, count in zip(("fast", "slow"), requests, strict=True):
        check_csv(tmp_path / name, count)
        assert {suite.get("name") for suite in ET.parse(tmp_path / f"{name}.xml").getroot()} == {"requests", "run"}
        check_hdr(tmp_path / f"{name}.hlog", count)


def check_csv(prefix: Path, count: int) -> None:
    with open(f"{prefix}_stats.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["Name"], int(row["Request Count"])) for row in rows] == [("/late", count), ("Aggregated", count)]


def check_hdr(path: Path, count: int) -> None:
    reader, total = HistogramLogReader(str(path), HdrHistogram(1, MAX_NS, 3)), {None: 0, "GET_/late": 0}
    while (interval := reader.get_next_interval_histogram()) is not None:
        total[interval.get_tag()] += interval.get_total_count()
    reader.close()
    assert set(total.values()) == {count}
