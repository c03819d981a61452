"""Runs whose workers are on other machines: supervisors with a folder of their own, over TCP."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.account import VISITOR, check_against
from tests.e2e.command import SWELL, Ended, SwellRun
from tests.e2e.lender import SwellWorker, address_of
from tests.targets.nginx import Nginx, nginx

Start = Callable[..., SwellRun]
Lend = Callable[..., SwellWorker]

HERE = ("--listen", "127.0.0.1:0")
NUMBERED = ("--request-id-header", "X-Request-ID")
PAGE = """
    from swell import HttpUser, constant, task

    class Reader(HttpUser):
        wait_time = constant(0.01)

        @task
        def read(self):
            self.client.get("/ok")
    """


@pytest.fixture
def target() -> Iterator[Nginx]:
    with nginx() as server:
        yield server


@pytest.fixture
def lend(tmp_path: Path) -> Iterator[Lend]:
    started: list[SwellWorker] = []

    def start(run: SwellRun, processes: int, *options: str, **more: dict[str, str]) -> SwellWorker:
        words = ("--processes", str(processes), *options)
        worker = SwellWorker(tmp_path / f"machine-{len(started)}", address_of(run), *words, **more)
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.kill()


def under_load(run: SwellRun, target: Nginx, requests: int = 50) -> None:
    """Wait until the target has seen so many requests more."""
    already = len(target.log())
    run.wait_until(lambda: len(target.log()) >= already + requests, "requests")


def stopped(run: SwellRun) -> Ended:
    """Have a run end now, in its own time."""
    run.signal(signal.SIGTERM)
    return run.finish()


def check_account(ended: Ended, target: Nginx) -> None:
    """Nothing is unaccounted for, and the target's own log lies between what was answered and what was sent."""
    target.stop()
    accounting = ended.result["accounting"]
    assert accounting["unaccounted"] == 0
    assert accounting["answered"] <= len(target.log()) <= accounting["sent"] + accounting["not_sent"]


def test_what_workers_of_two_machines_did_is_what_the_targets_log_says(swell: Start, lend: Lend, target: Nginx) -> None:
    run = swell(VISITOR, "-H", target.url, "-u", "8", "-t", "3s", *HERE, "--expect-workers", "3")
    machines = [lend(run, 2), lend(run, 1)]
    ended = run.finish()
    target.stop()
    check_against(target, ended)
    assert len({worker["id"] for worker in ended.result["workers"]}) == 3
    assert "joins with 2 workers" in ended.stderr
    for machine in machines:
        gone = machine.finish()
        assert gone.exit_code == 0, gone.said
        assert "is over: " in gone.said


def test_workers_of_this_machine_and_of_others_make_one_run(swell: Start, lend: Lend, target: Nginx) -> None:
    run = swell(VISITOR, "-H", target.url, "-u", "6", "-t", "2s", *HERE, "--workers", "1")
    lend(run, 1)
    ended = run.finish()
    target.stop()
    check_against(target, ended)
    assert ended.result["run"]["workers"] == 2


def test_with_a_key_they_find_each_other_and_without_it_nobody_gets_in(
    swell: Start, lend: Lend, target: Nginx, tmp_path: Path
) -> None:
    key = tmp_path / "cluster.key"
    subprocess.run([str(SWELL), "keygen", str(key)], check=True, capture_output=True)
    run = swell(PAGE, "-H", target.url, "-u", "2", "-t", "2s", *HERE, "--key", str(key))
    stranger = lend(run, 1, "--connect-timeout", "2s")
    assert stranger.finish().exit_code == 4
    assert "no controller at" in stranger.said
    lend(run, 1, "--key", str(key))
    ended = run.finish()
    assert ended.exit_code == ended.documented_exit_code, ended.said
    check_account(ended, target)


def test_a_killed_worker_is_started_again_and_nothing_that_it_had_done_is_lost(
    swell: Start, lend: Lend, target: Nginx
) -> None:
    run = swell(PAGE, "-H", target.url, "-u", "4", "-t", "60s", *HERE, "--expect-workers", "2", *NUMBERED)
    machine = lend(run, 2)
    under_load(run, target)
    first, _ = machine.workers()
    first.kill()
    machine.wait_until(lambda: len(machine.workers()) == 2 and first not in machine.workers(), "another worker")
    run.wait_until(lambda: any("/0.2/" in (line.request_id or "") for line in target.log()), "its load")
    under_load(run, target)
    ended = stopped(run)
    assert ended.exit_code == 5
    assert "worker_lost" in ended.reasons
    check_account(ended, target)
    (gone,) = [worker for worker in ended.result["workers"] if worker["lost_at_s"] is not None]
    (stretch,) = gone["affected"]
    assert stretch["from_s"] <= gone["lost_at_s"] <= gone["taken_over_s"] <= stretch["to_s"]
    affected = {point["t_s"] for point in ended.result["timeline"] if point["affected"]}
    assert affected == set(range(stretch["from_s"], stretch["to_s"]))
    assert ended.result["cluster"]["restarts"] == 1
    gone = machine.finish()
    assert (gone.exit_code, "1 died" in gone.said) == (0, True), gone.said


def test_a_machine_that_is_asked_to_leave_hands_its_users_over(swell: Start, lend: Lend, target: Nginx) -> None:
    run = swell(PAGE, "-H", target.url, "-u", "4", "-t", "60s", *HERE, "--expect-workers", "2")
    leaving, staying = lend(run, 1), lend(run, 1)
    under_load(run, target)
    leaving.signal(signal.SIGTERM)
    gone = leaving.finish(15)
    assert gone.exit_code == 0, gone.said
    assert "left run" in gone.said
    under_load(run, target)
    ended = stopped(run)
    assert "worker_lost" not in ended.reasons
    check_account(ended, target)
    left, stayed = sorted(ended.result["workers"], key=lambda worker: worker["left_s"] is None)
    assert left["left_s"] > 0
    assert (left["lost_at_s"], left["affected"], stayed["left_s"]) == (None, [], None)
    assert left["requests"] > 0
    assert sum(worker["requests"] for worker in (left, stayed)) == ended.result["totals"]["requests"]
    assert staying.finish().exit_code == 0


def test_the_load_of_a_lost_machine_goes_to_another_when_its_lease_is_over(
    swell: Start, lend: Lend, target: Nginx
) -> None:
    run = swell(PAGE, "-H", target.url, "-u", "4", "-t", "30s", *HERE, "--expect-workers", "2", "--lease", "2s")
    lost, _ = lend(run, 1), lend(run, 1)
    under_load(run, target)
    (worker,) = lost.workers()
    lost.kill()
    worker.wait(5)
    run.wait_until(lambda: "has not been heard for 2 s" in run.said, "the loss")
    under_load(run, target, requests=1_000)


def test_a_machine_that_comes_late_joins_the_run(swell: Start, lend: Lend, target: Nginx) -> None:
    run = swell(PAGE, "-H", target.url, "-u", "4", "-t", "60s", *HERE, *NUMBERED)
    lend(run, 1)
    under_load(run, target)
    late = lend(run, 1)
    late.wait_until(late.workers, "a late worker")
    run.wait_until(
        lambda: len({line.request_id.split("/")[1] for line in target.log() if line.request_id}) == 2, "load"
    )
    ended = stopped(run)
    check_account(ended, target)
    by_id = {worker["id"]: worker["sent"] for worker in ended.result["workers"]}
    assert len(by_id) == 2
    assert all(by_id.values()), by_id
    assert late.finish().exit_code == 0


def test_without_a_controller_a_machine_waits_and_then_says_so(tmp_path: Path) -> None:
    worker = SwellWorker(tmp_path / "alone", "127.0.0.1:9", "--connect-timeout", "1s", "--processes", "1")
    gone = worker.finish()
    assert gone.exit_code == 4
    assert "no controller at 127.0.0.1:9 within 1 s" in gone.said


def test_asked_twice_a_machine_goes_at_once_and_the_controller_knows(swell: Start, lend: Lend, target: Nginx) -> None:
    run = swell(PAGE, "-H", target.url, "-u", "2", "-t", "30s", *HERE)
    machine = lend(run, 1)
    under_load(run, target)
    machine.signal(signal.SIGTERM)
    machine.wait_until(lambda: "leaving" in machine.said, "leaving")
    machine.signal(signal.SIGTERM)
    assert machine.finish(10).exit_code == 130
    assert not machine.workers()
    run.wait_until(lambda: "worker 0.1" in run.said, "the loss")
    ended = stopped(run)
    assert ended.exit_code == 5
    check_account(ended, target)
