"""A disk that is full, a store that vanishes, a controller that is killed: the run goes on, or is there."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.command import SwellRun
from tests.e2e.stored import document_in, runs_in, swell_in
from tests.faults.lab.disks import fill, small_disk
from tests.targets.nginx import Nginx, nginx

Start = Callable[..., SwellRun]

VISITOR = """
    from swell import HttpUser, constant, task

    class Visitor(HttpUser):
        wait_time = constant(0.002)

        @task
        def page(self):
            self.client.get("/124.html")
    """


@pytest.fixture(scope="module")
def target() -> Iterator[Nginx]:
    with nginx() as server:
        yield server


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "400k") as place:
        yield place


def is_intact(store: Path) -> bool:
    with contextlib.closing(sqlite3.connect(store)) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)])


@pytest.mark.row("disk full under the store")
def test_a_run_goes_on_while_the_disk_is_full_and_says_so(swell: Start, target: Nginx, disk: Path) -> None:
    store = disk / "runs.db"
    run = swell(VISITOR, "-H", target.url, "-u", "2", "-t", "8s", "--store", str(store))
    run.wait_until(lambda: document_of(run, store)["run"]["duration_s"] > 2, "2 s of it in the store")
    while run.process.poll() is None:  # SQLite gives back a little when it tidies up
        fill(disk)
        time.sleep(0.1)
    ended = run.finish()
    assert ended.exit_code == ended.documented_exit_code, ended.said
    assert ended.result["verdict"]["state"] != "valid"
    assert f"{store}: the disk is full" in ended.reasons["store_failed"]
    assert ended.stderr.count("the run cannot be stored") == 1
    assert "swell show" not in ended.stdout
    assert ended.result["totals"]["requests"] == sum(point["requests"] for point in ended.result["timeline"])
    (disk / "ballast").unlink()
    (listed,) = runs_in(run._folder, "--store", str(store))
    assert listed["state"] == "interrupted"
    assert document_of(run, store)["totals"]["requests"] > 0
    assert is_intact(store)


@pytest.mark.row("disk full under the store")
def test_what_a_full_disk_refused_is_stored_once_there_is_room(swell: Start, target: Nginx, disk: Path) -> None:
    store = disk / "runs.db"
    run = swell(VISITOR, "-H", target.url, "-u", "2", "-t", "9s", "--store", str(store))
    run.wait_until(lambda: document_of(run, store)["run"]["duration_s"] > 1, "1 s of it in the store")
    ballast = fill(disk)
    run.wait_until(lambda: "cannot be stored" in run.said, "the disk to be full")
    ballast.unlink()
    ended = run.finish()
    assert ended.reasons["store_failed"].count("disk is full") == 1
    assert "the run is stored again, with all that was missing" in ended.stderr
    assert document_of(run, store) == ended.result
    assert is_intact(store)


def test_a_store_that_is_removed_is_written_anew(swell: Start, target: Nginx) -> None:
    run = swell(VISITOR, "-H", target.url, "-u", "2", "-t", "5s")
    run.wait_until(lambda: swell_in(run._folder, "show", "latest").returncode == 0, "the run in the store")
    for path in (run._folder / ".swell").iterdir():
        path.unlink()
    ended = run.finish()
    assert "store_failed" not in ended.reasons
    assert document_in(run._folder) == ended.result


def test_a_run_whose_controller_was_killed_is_there_up_to_its_last_second(
    swell: Start, target: Nginx, attempt: int
) -> None:
    run = swell(VISITOR, "-H", target.url, "-u", "2", "-w", "2")
    run.wait_until(target.log, "the first request")
    run.wait_until(lambda: swell_in(run._folder, "show", "latest").returncode == 0, "the run in the store")
    time.sleep(random.uniform(1, 3))
    began_s = document_in(run._folder)["run"]["duration_s"], time.monotonic()
    run.signal(signal.SIGKILL)
    killed_s = time.monotonic()
    run.process.wait()
    left = document_in(run._folder)
    lived_s = began_s[0] + killed_s - began_s[1]
    assert left["run"]["duration_s"] > lived_s - 3
    assert left["totals"]["requests"] == sum(point["requests"] for point in left["timeline"])
    assert runs_in(run._folder)[0]["state"] == "interrupted"
    assert is_intact(run._folder / ".swell" / "runs.db")
    again = swell(VISITOR, "-H", target.url, "-u", "2", "-t", "0.5s", "--store", str(run._folder / ".swell/runs.db"))
    assert again.finish().result["run"]["end"] == "completed"
    assert [path.name for path in (run._folder / ".swell").glob("*-run-*")] == []


def test_a_folder_that_cannot_be_written_costs_a_notice_and_the_store(
    swell: Start, target: Nginx, tmp_path: Path
) -> None:
    place = tmp_path / "read only"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(place)], check=True)
    try:
        script = tmp_path / "script.py"
        run = swell(VISITOR, "-H", target.url, "-u", "1", "-t", "1s")
        run.finish()
        script.write_bytes((run._folder / "script.py").read_bytes())
        words = ("run", str(script), "-H", target.url, "-u", "1", "-t", "1s", "-q")
        by_default = swell_in(place, *words)
        assert by_default.returncode in (0, 5)
        assert by_default.stderr.startswith("swell: notice: the run is not stored: .swell/runs.db: ")
        demanded = swell_in(place, *words, "--store", str(place / "runs.db"))
        assert demanded.returncode == 2
        assert demanded.stderr.startswith(f"swell: --store: '{place / 'runs.db'}' cannot be written: ")
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def document_of(run: SwellRun, store: Path) -> dict[str, object]:
    """Of a run that may not be there yet."""
    ended = swell_in(run._folder, "show", "latest", "--json", "--store", str(store))
    if ended.returncode:
        return {"run": {"duration_s": 0.0}}
    found: dict[str, object] = json.loads(ended.stdout)
    return found
