"""The controller is killed, and another one takes its run up: nothing is lost, counted twice or done twice."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.command import SWELL, Ended, SwellRun
from tests.e2e.lender import SwellWorker, address_of
from tests.targets.nginx import Nginx, nginx

Start = Callable[..., SwellRun]
PAGE = """
    from swell import HttpUser, constant, task

    class Reader(HttpUser):
        wait_time = constant(0.02)

        @task
        def read(self):
            self.client.get("/ok")
    """
ARRIVALS = """
    from swell import HttpUser, arrivals, hold, jump, task

    class Visitor(HttpUser):
        load = arrivals(jump(100), hold("8s"), users=10, max_users=50)

        @task
        def look(self):
            self.client.get("/ok")
    """


@pytest.fixture
def target() -> Iterator[Nginx]:
    with nginx() as server:
        yield server


@pytest.fixture
def lend(tmp_path: Path) -> Iterator[Callable[[SwellRun, int], SwellWorker]]:
    started: list[SwellWorker] = []

    def start(run: SwellRun, processes: int) -> SwellWorker:
        folder = tmp_path / f"machine-{len(started)}"
        started.append(SwellWorker(folder, address_of(run), "--processes", str(processes)))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()


def resume(folder: Path, *options: str) -> Ended:
    """Take up the run of a folder, and carry it out to its end."""
    began_s = time.monotonic()
    report = folder / "resumed.json"
    ended = subprocess.run(
        [SWELL, "run", "--resume", "latest", "--json", str(report), *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    result = json.loads(report.read_text()) if report.exists() else {}
    return Ended(ended.returncode, ended.stdout, ended.stderr, result, time.monotonic() - began_s)


def killed_under_load(run: SwellRun, target: Nginx, requests: int) -> None:
    """The controller alone is killed, once the target has seen so many requests and a page is stored."""
    run.wait_until(lambda: len(target.log()) >= requests, "requests")
    time.sleep(1.3)
    run.signal(signal.SIGKILL)
    run.process.wait()


@pytest.mark.timeout(90)
@pytest.mark.parametrize("script", [PAGE, ARRIVALS], ids=["users", "arrivals"])
def test_workers_of_other_machines_go_on_and_all_they_did_is_in_the_result(
    swell: Start, lend: Callable[[SwellRun, int], SwellWorker], target: Nginx, script: str
) -> None:
    closed = ("-u", "10", "-r", "100", "-t", "8s") if script is PAGE else ()
    run = swell(script, "-H", target.url, *closed, "--listen", "127.0.0.1:0", "--expect-workers", "2", "--lease", "10s")
    machine = lend(run, 2)
    address = address_of(run)
    killed_under_load(run, target, 40)
    time.sleep(0.7)
    ended = resume(run._folder, "--listen", address)
    assert machine.finish().exit_code == 0
    target.stop()
    accounting = ended.result["accounting"]
    assert accounting["answered"] == accounting["sent"] == len(target.log()), ended.said
    assert (accounting["unanswered"], accounting["unaccounted"]) == (0, 0)
    assert ended.result["totals"]["requests"] == len(target.log())
    assert "controller_restarted" in ended.reasons
    assert "worker_lost" not in ended.reasons
    per_second = [0] * 10
    began_s = min(line.time_s for line in target.log())
    for line in target.log():
        per_second[int(line.time_s - began_s)] += 1
    assert min(per_second[1:7]) > 0.3 * max(per_second)  # users went on while nobody was there to tell them to
    if script is ARRIVALS:
        (account,) = ended.result["arrivals"]
        assert account["planned"] == 800 == account["started"] + account["dropped"] + account["not_started"]
        assert account["started"] == len(target.log())


@pytest.mark.timeout(90)
def test_what_the_controllers_own_workers_left_behind_is_read_and_others_take_their_place(
    swell: Start, target: Nginx
) -> None:
    run = swell(PAGE, "-H", target.url, "-u", "10", "-r", "100", "-t", "12s", "-w", "2")
    killed_under_load(run, target, 40)
    ended = resume(run._folder)
    target.stop()
    accounting = ended.result["accounting"]
    assert accounting["answered"] <= len(target.log()) <= accounting["sent"], ended.said
    assert accounting["sent"] - accounting["answered"] <= 10  # what each user of the dead had on the wire
    assert {"controller_restarted", "worker_lost"} <= ended.reasons.keys()
    assert [worker["incarnation"] for worker in ended.result["workers"]] == [1, 2, 1, 2]
    assert ended.result["run"]["end"] == "completed"


def test_what_cannot_be_taken_up_is_refused(swell: Start, target: Nginx, tmp_path: Path) -> None:
    run = swell(PAGE, "-H", target.url, "-u", "1", "-t", "1s", "-w", "1")
    run.finish()
    ended = resume(run._folder)
    assert (ended.exit_code, "is over: completed" in ended.stderr) == (2, True)
    ended = resume(run._folder, "--store", str(tmp_path / "none.db"))
    assert ended.exit_code == 2


@pytest.mark.timeout(60)
def test_a_run_is_only_taken_up_with_the_script_and_the_plan_that_it_began_with(swell: Start, target: Nginx) -> None:
    run = swell(PAGE, "-H", target.url, "-u", "2", "-t", "30s", "-w", "1")
    killed_under_load(run, target, 5)
    ended = resume(run._folder, "--users", "5")
    assert (ended.exit_code, "--users: cannot be given with --resume" in ended.stderr) == (2, True)
    script = run._folder / "script.py"
    script.write_text(script.read_text() + "# changed\n")
    ended = resume(run._folder)
    assert (ended.exit_code, "is not the script that the run began with" in ended.stderr) == (2, True)
