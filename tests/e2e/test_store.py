"""A run outlives its process: stored while it goes on, shown again, byte for byte."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.e2e.command import SwellRun
from tests.e2e.stored import document_in, runs_in, swell_in
from tests.targets.nginx import Nginx, nginx

Start = Callable[..., SwellRun]

VISITOR = """
    from swell import HttpUser, constant, task

    class Visitor(HttpUser):
        wait_time = constant(0.005)

        @task
        def page(self):
            self.client.get("/124.html")

        @task
        def missing(self):
            self.client.get("/missing")
    """

EVERYTHING = """
    from swell import HttpUser, check, constant, counter, feed, gauge, rate, tag, task, transaction, trend

    orders, queue, cached, waited = counter("orders"), gauge("queue"), rate("cached"), trend("waited")
    rows = feed(["ann", "bob"], name="people", order="circular")
    thresholds = ["p95 < 10s", "check ok > 99%", "transaction buy: p90 < 5s"]

    class Buyer(HttpUser):
        wait_time = constant(0.005)

        @task
        def buy(self):
            with transaction("buy"):
                page = self.client.get("/124.html", params={"who": rows.next()}, name="/buy", tags={"step": "one"})
                check(page, "ok", page.status_code == 200)
            orders.add(0.5)
            queue.set(self.random.random())
            cached.add(self.random.random() < 0.5)
            waited.add(page.elapsed.total_seconds())

        @task
        def fail(self):
            self.client.get("/missing")
            raise ValueError("on purpose")
    """


@pytest.fixture(scope="module")
def target() -> Iterator[Nginx]:
    with nginx() as server:
        yield server


def test_the_stored_run_is_the_document_that_the_run_wrote_byte_for_byte(swell: Start, target: Nginx) -> None:
    run = swell(VISITOR, "-H", target.url, "-u", "4", "-t", "3s", "--run-name", "nightly", "--run-tag", "main,ci")
    ended = run.finish()
    written = (run._folder / "result.json").read_text()
    reported = swell_in(run._folder, "report", "nightly", "--json", "-")
    assert (reported.returncode, reported.stderr) == (0, "")
    assert reported.stdout == written
    assert swell_in(run._folder, "show", "latest", "--json").stdout == written
    (listed,) = runs_in(run._folder)
    assert listed | {"duration_s": 3.0, "rps": 0.0, "p95_ms": 0.0} == {
        "id": ended.result["run"]["id"],
        "name": "nightly",
        "tags": ["ci", "main"],
        "state": "completed",
        "started_at": ended.result["run"]["started_at"],
        "script": "script.py",
        "target": target.url,
        "duration_s": 3.0,
        "requests": ended.result["totals"]["requests"],
        "failures": ended.result["totals"]["failures"],
        "rps": 0.0,
        "p95_ms": 0.0,
        "verdict": ended.result["verdict"]["state"],
    }
    assert listed["p95_ms"] == ended.result["totals"]["response_ms"]["p95"]
    assert f"swell show {listed['id']}" in ended.stdout


def test_whatever_a_script_measures_is_stored_byte_for_byte(swell: Start, target: Nginx) -> None:
    run = swell(EVERYTHING, "-H", target.url, "-u", "4", "-t", "3s", "--trace", "50%")
    ended = run.finish()
    for part in ("checks", "transactions", "measures", "feeds", "traces", "errors", "exceptions", "thresholds"):
        assert ended.result[part], part
    assert swell_in(run._folder, "report", "latest", "--json", "-").stdout == (run._folder / "result.json").read_text()
    stretch = document_in(run._folder, "latest", "--from", "1s", "--to", "2s")
    assert [check["name"] for check in stretch["checks"]] == ["ok"]
    assert 0 < stretch["checks"][0]["passed"] < ended.result["checks"][0]["passed"]


def test_a_stretch_of_it_counts_what_its_seconds_count(swell: Start, target: Nginx) -> None:
    run = swell(VISITOR, "-H", target.url, "-u", "4", "-t", "4s")
    points = run.finish().result["timeline"]
    stretch = document_in(run._folder, "latest", "--from", "1s", "--to", "3s")
    assert (stretch["schema"], stretch["from_s"], stretch["to_s"]) == ("swell.window/1", 1, 3)
    assert stretch["totals"]["requests"] == sum(point["requests"] for point in points[1:3])
    shown = swell_in(run._folder, "show", "latest", "--from", "1s", "--to", "3s").stdout
    assert "from 1 s to 3 s" in shown
    assert "GET /missing" in shown


def test_it_is_seen_while_it_runs_and_after_its_controller_was_killed(swell: Start, target: Nginx) -> None:
    run = swell(VISITOR, "-H", target.url, "-u", "4", "--run-name", "doomed")
    run.wait_until(lambda: swell_in(run._folder, "show", "doomed").returncode == 0, "the run in the store")
    (listed,) = runs_in(run._folder)
    assert (listed["state"], listed["verdict"]) == ("running", None)
    refused = swell_in(run._folder, "runs", "delete", "doomed")
    assert (refused.returncode, "is running" in refused.stderr) == (2, True)
    run.wait_until(lambda: document_in(run._folder)["run"]["duration_s"] > 4, "4 s of it")
    seen = document_in(run._folder)
    run.signal(signal.SIGKILL)
    run.process.wait()
    (listed,) = runs_in(run._folder)
    left = document_in(run._folder)
    assert listed["state"] == "interrupted"
    assert left["run"]["end"] is None
    assert left["totals"]["requests"] >= seen["totals"]["requests"] > 0
    assert sum(point["requests"] for point in left["timeline"]) == left["totals"]["requests"]
    assert all(point["requests"] for point in left["timeline"][1:4])
    assert "interrupted after" in swell_in(run._folder, "show", "latest").stdout
    with closing(sqlite3.connect(run._folder / ".swell" / "runs.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert swell_in(run._folder, "runs", "delete", "doomed").returncode == 0
    assert runs_in(run._folder) == []
    assert sorted(path.name for path in (run._folder / ".swell").iterdir()) == [".gitignore", "runs.db"]


def test_two_runs_share_a_store(swell: Start, target: Nginx, tmp_path_factory: pytest.TempPathFactory) -> None:
    store = tmp_path_factory.mktemp("shared") / "all runs.db"
    both = [swell(VISITOR, "-H", target.url, "-u", "1", "-t", "2s", "--store", str(store)) for _ in range(2)]
    ended = [run.finish() for run in both]
    assert [one.result["run"]["end"] for one in ended] == ["completed", "completed"]
    listed = {run["id"]: run for run in runs_in(both[0]._folder, "--store", str(store))}
    assert set(listed) == {one.result["run"]["id"] for one in ended}
    for one in ended:
        shown = document_in(both[1]._folder, one.result["run"]["id"], "--store", str(store))
        assert shown == one.result
    assert not (both[0]._folder / ".swell").exists()


def test_without_a_store_nothing_is_left_behind(swell: Start, target: Nginx) -> None:
    run = swell(VISITOR, "-H", target.url, "-u", "1", "-t", "1s", "--no-store")
    ended = run.finish()
    assert "store_failed" not in ended.reasons
    assert "swell show" not in ended.stdout
    assert sorted(path.name for path in run._folder.iterdir()) == ["result.json", "script.py", "stderr", "stdout"]


def test_a_run_that_is_stopped_or_interrupted_twice_is_stored_as_such(swell: Start, target: Nginx) -> None:
    slow = VISITOR.replace("/missing", "/slow").replace('slow"', 'slow", headers={"Accept-Encoding": "identity"}')
    run = swell(slow, "-H", target.url, "-u", "4", "--stop-timeout", "20s")
    run.wait_until(lambda: swell_in(run._folder, "show", "latest").returncode == 0, "the run in the store")
    run.signal(signal.SIGINT)
    run.wait_until(lambda: document_in(run._folder)["run"]["end"] == "stopped", "the end of the plan")
    assert runs_in(run._folder)[0]["state"] == "running"
    run.signal(signal.SIGINT)
    assert run.process.wait(20) == 130
    assert runs_in(run._folder)[0]["state"] == "interrupted"


def test_the_list_is_filtered_and_pruned(swell: Start, target: Nginx) -> None:
    run = swell(VISITOR, "-H", target.url, "-u", "1", "-t", "0.5s", "--run-tag", "ci")
    run.finish()
    folder = run._folder
    (listed,) = runs_in(folder)
    assert swell_in(folder, "runs", "tag", "latest", "release", "v1").stdout == f"{listed['id']}: ci, release, v1\n"
    assert swell_in(folder, "runs", "tag", "latest", "v1", "--remove").stdout == f"{listed['id']}: ci, release\n"
    assert swell_in(folder, "runs", "name", listed["id"][:5], "base").stdout == f"{listed['id']} is called base\n"
    assert [run["name"] for run in runs_in(folder, "--tag", "ci,release", "--state", "completed")] == ["base"]
    assert runs_in(folder, "--tag", "nightly") == runs_in(folder, "--state", "failed") == []
    assert swell_in(folder, "runs", "prune", "--keep", "0", "--dry-run").stdout.splitlines()[-1] == (
        "1 of 1 runs would be deleted"
    )
    assert swell_in(folder, "runs", "prune", "--older-than", "1d").stdout.startswith("0 runs deleted")
    assert swell_in(folder, "runs", "prune", "--keep", "0").stdout.startswith("1 run deleted, ")
    assert json.loads(swell_in(folder, "runs", "--json").stdout) == []
