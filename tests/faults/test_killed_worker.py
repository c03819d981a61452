"""A worker is killed in the middle of a run: what it had finished is in the result, and the loss is named."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.e2e.command import Ended, SwellRun
from tests.faults.lab.account import faults_of_account, lost_incarnations
from tests.faults.lab.sightings import Sighting, back_after_s, faults_of_load, sightings
from tests.faults.lab.visitors import VISITOR, finished_calls
from tests.targets.nginx import Nginx

Start = Callable[..., SwellRun]

USERS = 10
OPTIONS = ("-u", f"{USERS}", "-r", "1000", "--request-id-header", "X-Request-Id", "--stop-timeout", "2", "--no-store")
LOAD_IS_BACK_S = 5.0
SETTLED_S = 2.5
"""By then all users of a worker that has come back are there again."""


def check_nothing_is_lost(ended: Ended, target: Nginx, ledgers: Path) -> list[Sighting]:
    """The account holds, all of it is known, and there was no more load than planned; returns what the target saw."""
    target.stop()
    seen = sightings(target.log())
    finished = finished_calls(ledgers)
    assert faults_of_account(ended.result, seen, finished) == []
    assert faults_of_load(seen, USERS) == []
    requests, lost = ended.result["totals"]["requests"], len(lost_incarnations(ended.result))
    assert sum(finished.values()) <= requests <= sum(finished.values()) + USERS * lost
    assert ended.result["accounting"]["unaccounted"] == 0
    assert ended.result["accounting"]["unanswered"] <= USERS * lost
    return seen


def check_loss_is_named(ended: Ended, lost: dict[str, str]) -> None:
    """`lost`: incarnation and how it ended."""
    assert ended.exit_code == 5, ended.said
    assert ended.result["verdict"]["state"] in ("degraded", "invalid")
    for name, because in lost.items():
        assert f"worker {name} {because} at " in ended.reasons["worker_lost"]
    assert lost_incarnations(ended.result) == set(lost)


def worker_of(run: SwellRun, name: str) -> psutil.Process:
    number, _, incarnation = name.partition(".")
    words = ["--worker", number, "--incarnation", incarnation]
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in run.workers():
            if " ".join(words) in " ".join(process.cmdline()):
                return process
    raise AssertionError(f"there is no worker {name}")


@pytest.mark.row("SIGKILL of a worker process")
def test_nothing_that_a_killed_worker_had_finished_is_lost_and_the_load_is_back(
    swell: Start, target: Nginx, ledgers: Path, attempt: int, figures: Callable[..., None]
) -> None:
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "-w", "2")
    run.wait_until(target.log, "the first request")
    time.sleep(random.uniform(0, 1.2))
    victim, successor = f"{attempt % 2}.1", f"/{attempt % 2}.2/"
    worker_of(run, victim).kill()
    killed_s = time.time()
    run.wait_until(lambda: any(successor in line.request_id for line in target.log()), "requests of its successor")
    time.sleep(SETTLED_S)
    run.signal(signal.SIGTERM)
    ended = run.finish()
    seen = check_nothing_is_lost(ended, target, ledgers)
    check_loss_is_named(ended, {victim: "was killed by signal 9"})
    assert ended.result["run"]["end"] == "stopped"
    back_s = back_after_s(seen, USERS, killed_s, until_s=seen[-1].at_s)
    assert back_s <= LOAD_IS_BACK_S
    figures(back_s=back_s, unaccounted=ended.result["accounting"]["unaccounted"])


def test_the_check_sees_a_call_that_is_missing(swell: Start, target: Nginx, ledgers: Path) -> None:
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "-t", "1s", "-w", "2")
    ended = run.finish()
    check_nothing_is_lost(ended, target, ledgers)
    with (ledgers / "0.1").open("ab") as ledger:
        ledger.write(b".")
    with pytest.raises(AssertionError, match=r"0\.1: \d+ finished, \d+ answered"):
        check_nothing_is_lost(ended, target, ledgers)


def test_what_the_ring_of_a_killed_worker_held_is_missed_where_it_is_gone(
    swell: Start, target: Nginx, ledgers: Path, tmp_path: Path
) -> None:
    """With the files that it leaves behind goes what it had not reported; that it is missed shows that they matter."""
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "-t", "4s", "-w", "2")
    run.wait_until(lambda: finished_calls(ledgers).get("0.1", 0) > 50, "some calls")
    worker = worker_of(run, "0.1")
    folder = Path(worker.cmdline()[worker.cmdline().index("--directory") + 1])
    worker.suspend()
    for path in folder.iterdir():
        path.unlink()
    worker.kill()
    ended = run.finish()
    with pytest.raises(AssertionError):
        check_nothing_is_lost(ended, target, ledgers)
    assert ended.result["accounting"]["unaccounted"] > 0
    assert "unaccounted" in ended.reasons


def test_the_only_worker_is_replaced_and_the_load_is_back(swell: Start, target: Nginx, ledgers: Path) -> None:
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "-t", "8s", "-w", "1")
    run.wait_until(lambda: len(target.log()) > 100, "some requests")
    worker_of(run, "0.1").kill()
    ended = run.finish()
    check_loss_is_named(ended, {"0.1": "was killed by signal 9"})
    users = [point["users"] for point in ended.result["timeline"]]
    assert users[7] == 10, users
    assert [worker["incarnation"] for worker in ended.result["workers"]] == [1, 2]


def test_a_worker_that_is_killed_while_it_drains_is_lost_too(swell: Start, target: Nginx, ledgers: Path) -> None:
    slow = VISITOR.replace("/ok?", "/slow?").replace('"/ok")', '"/slow", headers={"Accept-Encoding": "identity"})')
    run = swell(slow, "-H", target.url, *OPTIONS, "--stop-timeout", "30", "-t", "0.5s", "-w", "2")
    run.wait_until(lambda: len(finished_calls(ledgers)) == 3, "the workers")
    time.sleep(1)
    worker_of(run, "1.1").kill()
    ended = run.finish(20)
    check_loss_is_named(ended, {"1.1": "was killed by signal 9"})
    check_nothing_is_lost(ended, target, ledgers)
    assert ended.result["run"]["end"] == "completed"
    assert ended.result["workers"][1]["lost_at_s"] > 0.5


def test_all_workers_killed_at_once_come_back(swell: Start, target: Nginx, ledgers: Path) -> None:
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "-t", "5s", "-w", "2")
    run.wait_until(lambda: len(target.log()) > 100, "some requests")
    for worker in run.workers():
        worker.kill()
    ended = run.finish()
    check_nothing_is_lost(ended, target, ledgers)
    check_loss_is_named(ended, dict.fromkeys(("0.1", "1.1"), "was killed by signal 9"))
    assert [point["users"] for point in ended.result["timeline"]][4] == 10


def test_workers_that_keep_dying_end_the_run_as_failed(swell: Start, target: Nginx, ledgers: Path) -> None:
    suicide = (
        VISITOR
        + """
            os._exit(3)
    """
    )
    ended = swell(suicide, "-H", target.url, *OPTIONS, "-t", "60s", "-w", "1").finish(40)
    assert ended.exit_code == 4
    assert (ended.result["run"]["end"], ended.result["run"]["end_text"]) == ("failed", "no worker is left")
    assert ended.reasons["worker_lost"].count("ended with exit code 3") == 3


@pytest.mark.row("SIGKILL of the controller, never resumed")
def test_the_load_of_a_local_run_ends_with_its_controller(
    swell: Start, target: Nginx, ledgers: Path, figures: Callable[..., None]
) -> None:
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "-w", "2")
    run.wait_until(lambda: len(target.log()) > 100, "some requests")
    workers = run.workers()
    run.process.kill()
    killed_s = time.time()
    run.process.wait()
    gone, alive = psutil.wait_procs(workers, timeout=5)
    assert (len(gone), alive) == (2, [])
    target.stop()
    went_on_s = target.log()[-1].time_s - killed_s
    assert went_on_s < 1
    figures(went_on_s=went_on_s)


def test_a_worker_that_is_frozen_for_a_while_goes_on(swell: Start, target: Nginx, ledgers: Path) -> None:
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "-t", "4s", "-w", "2")
    run.wait_until(lambda: len(target.log()) > 100, "some requests")
    frozen = worker_of(run, "1.1")
    frozen.suspend()
    time.sleep(1.5)
    frozen.resume()
    ended = run.finish()
    check_nothing_is_lost(ended, target, ledgers)
    assert "worker_lost" not in ended.reasons
    assert "loop_stalled" in ended.reasons
    assert len(ended.result["workers"]) == 2


def test_a_worker_that_is_frozen_to_the_end_is_killed_and_read(swell: Start, target: Nginx, ledgers: Path) -> None:
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "--stop-timeout", "0.5", "-t", "2s", "-w", "2")
    run.wait_until(lambda: len(target.log()) > 100, "some requests")
    worker_of(run, "1.1").suspend()
    ended = run.finish(30)
    check_nothing_is_lost(ended, target, ledgers)
    check_loss_is_named(ended, {"1.1": "was killed by signal 9"})
    assert 12 < ended.took_s < 25
