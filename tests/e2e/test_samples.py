"""`--samples` in real runs: as many rows as calls, and in each what the result and the target's log say too."""

from __future__ import annotations

import collections
import csv
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet
import pytest

from tests.e2e.account import VISITOR
from tests.e2e.command import Ended, SwellRun
from tests.faults.test_killed_worker import worker_of
from tests.targets.nginx import Nginx, nginx

Start = Callable[..., SwellRun]


@pytest.fixture
def target() -> Iterator[Nginx]:
    with nginx() as server:
        yield server


def rows_of(path: Path) -> list[dict[str, str]]:
    if path.suffix == ".parquet":
        table = pyarrow.parquet.read_table(path).to_pylist()
        return [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in table]
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def check_rows(ended: Ended, rows: list[dict[str, str]]) -> None:
    """The rows add up to the result."""
    result = ended.result
    assert len(rows) == result["totals"]["requests"] == result["samples"]["rows"]
    assert (result["samples"]["lost"], result["samples"]["fault"]) == (0, "")
    assert sum(row["failed"].lower() == "true" for row in rows) == result["totals"]["failures"]
    by_series = collections.Counter((row["scenario"], row["method"], row["name"]) for row in rows)
    assert by_series == {(one["scenario"], one["method"], one["name"]): one["requests"] for one in result["series"]}
    statuses = collections.Counter(row["status"] for row in rows if row["status"])
    assert statuses == result["totals"]["statuses"]
    assert sum(int(row["bytes_received"]) for row in rows) == result["totals"]["bytes_received"]
    errors = collections.Counter((row["name"], row["error"]) for row in rows if row["error"])
    assert errors == ended.errors()
    well = [float(row["response_ms"]) for row in rows if row["failed"].lower() == "false"]
    assert max(well) == pytest.approx(result["totals"]["response_ms"]["max"], abs=1e-6)
    assert sum(well) / len(well) == pytest.approx(result["totals"]["response_ms"]["mean"], abs=1e-4)
    assert all(-0.001 < float(row["start_s"]) < ended.took_s for row in rows)


@pytest.mark.parametrize(("ending", "workers"), [("csv", "1"), ("csv", "2"), ("parquet", "2")])
def test_every_call_is_a_row(swell: Start, target: Nginx, tmp_path: Path, ending: str, workers: str) -> None:
    path = tmp_path / f"calls.{ending}"
    options = ("-H", target.url, "-u", "12", "-r", "100", "-t", "2.5s", "-w", workers, "--samples", str(path))
    ended = swell(VISITOR, *options).finish()
    check_rows(ended, rows_of(path))
    assert len(rows_of(path)) > 300
    assert {row["worker"] for row in rows_of(path)} == {str(number) for number in range(int(workers))}
    assert f"calls written to {path}".replace(" ", "") in "".join(ended.stdout.split())


@pytest.mark.parametrize("attempt", range(4))
def test_every_call_of_a_killed_worker_is_a_row_too(swell: Start, target: Nginx, tmp_path: Path, attempt: int) -> None:
    path = tmp_path / "calls.csv"
    options = ("-H", target.url, "-u", "10", "-r", "1000", "-t", "2s", "-w", "2", "--samples", str(path))
    run = swell(VISITOR, *options)
    run.wait_until(target.log, "the first request")
    time.sleep(random.uniform(0, 1.5))
    worker_of(run, f"{attempt % 2}.1").kill()
    ended = run.finish()
    rows = rows_of(path)
    check_rows(ended, rows)
    assert {(row["worker"], row["incarnation"]) for row in rows} <= {("0", "1"), ("1", "1"), (str(attempt % 2), "2")}
    [lost] = [worker for worker in ended.result["workers"] if worker["lost_at_s"] is not None]
    assert lost["id"] == str(attempt % 2)


def test_on_a_full_disk_the_run_goes_on_and_says_what_is_missing(swell: Start, target: Nginx, tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.symlink_to("/dev/full")
    ended = swell(VISITOR, "-H", target.url, "-u", "4", "-t", "1.5s", "--samples", str(path)).finish()
    requests = ended.result["totals"]["requests"]
    assert requests > 0
    assert ended.result["run"]["end"] == "completed"
    assert ended.result["samples"] == {
        "path": str(path), "rows": 0, "lost": requests, "fault": "No space left on device"
    }  # fmt: skip
    assert f"{requests:,} could not be: No space left on device" in " ".join(ended.stdout.split())
    assert ended.said.count("No space left on device; the run goes on") == 1
