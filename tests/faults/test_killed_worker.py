"""A worker is killed in the middle of a run: what it had finished is in the result, and the loss is named."""

from __future__ import annotations

import collections
import contextlib
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.command import Ended, SwellRun
from tests.targets.nginx import Nginx, nginx

Start = Callable[..., SwellRun]

VISITOR = """
    import os
    from swell import HttpUser, constant, events, task

    @events.init.add_listener
    def open_ledger(environment, runner, **_):
        global ledger
        ledger = os.open(f"ledger.{getattr(runner, 'client_id', 'controller')}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    class Visitor(HttpUser):
        wait_time = constant(0.001)

        @task
        def page(self):
            if self.client.get("/124.html").status_code == 200:
                os.write(ledger, b".")  # a call that has been finished, whatever happens next
    """
OPTIONS = ("-u", "10", "-r", "1000", "--request-id-header", "X-Request-Id", "--stop-timeout", "2")


@pytest.fixture
def target() -> Iterator[Nginx]:
    with nginx() as server:
        yield server


def finished_calls(folder: Path) -> dict[str, int]:
    """How many calls each incarnation's users know that they have finished."""
    return {path.name.removeprefix("ledger."): path.stat().st_size for path in folder.glob("ledger.*")}


def check_nothing_is_lost(run: SwellRun, ended: Ended, target: Nginx) -> None:
    """Per incarnation `answered <= the target's log <= sent`; and every call that a user has finished is counted."""
    target.stop()
    lines = collections.Counter(line.request_id.split("/")[1] for line in target.log())
    finished = finished_calls(run._folder)
    workers = {f"{worker['id']}.{worker['incarnation']}": worker for worker in ended.result["workers"]}
    for name, worker in workers.items():
        assert finished.get(name, 0) <= worker["answered"] <= lines[name] <= worker["sent"], name
        assert worker["sent"] - worker["answered"] <= 10
    requests, lost = ended.result["totals"]["requests"], len(workers) - 2
    assert sum(finished.values()) <= requests <= sum(finished.values()) + 10 * lost
    assert ended.result["accounting"]["unaccounted"] == 0
    assert set(lines) <= set(workers)


def check_loss_is_named(ended: Ended, lost: dict[str, str]) -> None:
    """`lost`: incarnation and how it ended."""
    assert ended.exit_code == 5, ended.said
    assert ended.result["verdict"]["state"] in ("degraded", "invalid")
    for name, because in lost.items():
        assert f"worker {name} {because} at " in ended.reasons["worker_lost"]
    found = [worker for worker in ended.result["workers"] if worker["lost_at_s"] is not None]
    assert sorted(f"{worker['id']}.{worker['incarnation']}" for worker in found) == sorted(lost)


def worker_of(run: SwellRun, name: str) -> psutil.Process:
    number, _, incarnation = name.partition(".")
    words = ["--worker", number, "--incarnation", incarnation]
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in run.workers():
            if " ".join(words) in " ".join(process.cmdline()):
                return process
    raise AssertionError(f"there is no worker {name}")


@pytest.mark.parametrize("attempt", range(20))
def test_every_call_that_a_killed_worker_had_finished_is_in_the_result(
    swell: Start, target: Nginx, attempt: int
) -> None:
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "-t", "1.5s", "-w", "2")
    run.wait_until(target.log, "the first request")
    time.sleep(random.uniform(0, 1.2))
    victim = attempt % 2
    worker_of(run, f"{victim}.1").kill()
    ended = run.finish()
    check_nothing_is_lost(run, ended, target)
    check_loss_is_named(ended, {f"{victim}.1": "was killed by signal 9"})
    assert ended.result["run"]["end"] == "completed"


def test_the_check_sees_a_call_that_is_missing(swell: Start, target: Nginx) -> None:
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "-t", "1s", "-w", "2")
    ended = run.finish()
    check_nothing_is_lost(run, ended, target)
    with (run._folder / "ledger.0.1").open("ab") as ledger:
        ledger.write(b".")
    with pytest.raises(AssertionError):
        check_nothing_is_lost(run, ended, target)


def test_the_only_worker_is_replaced_and_the_load_is_back(swell: Start, target: Nginx) -> None:
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "-t", "8s", "-w", "1")
    run.wait_until(lambda: len(target.log()) > 100, "some requests")
    worker_of(run, "0.1").kill()
    ended = run.finish()
    check_loss_is_named(ended, {"0.1": "was killed by signal 9"})
    users = [point["users"] for point in ended.result["timeline"]]
    assert users[7] == 10, users
    assert [worker["incarnation"] for worker in ended.result["workers"]] == [1, 2]


def test_a_worker_that_is_killed_while_it_drains_is_lost_too(swell: Start, target: Nginx) -> None:
    slow = VISITOR.replace("/124.html", "/slow").replace('slow"', 'slow", headers={"Accept-Encoding": "identity"}')
    run = swell(slow, "-H", target.url, *OPTIONS, "--stop-timeout", "30", "-t", "0.5s", "-w", "2")
    run.wait_until(lambda: len(finished_calls(run._folder)) == 3, "the workers")
    time.sleep(1)
    worker_of(run, "1.1").kill()
    ended = run.finish(20)
    check_loss_is_named(ended, {"1.1": "was killed by signal 9"})
    check_nothing_is_lost(run, ended, target)
    assert ended.result["run"]["end"] == "completed"
    assert ended.result["workers"][1]["lost_at_s"] > 0.5


def test_all_workers_killed_at_once_come_back(swell: Start, target: Nginx) -> None:
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "-t", "5s", "-w", "2")
    run.wait_until(lambda: len(target.log()) > 100, "some requests")
    for worker in run.workers():
        worker.kill()
    ended = run.finish()
    check_nothing_is_lost(run, ended, target)
    check_loss_is_named(ended, dict.fromkeys(("0.1", "1.1"), "was killed by signal 9"))
    assert [point["users"] for point in ended.result["timeline"]][4] == 10


def test_workers_that_keep_dying_end_the_run_as_failed(swell: Start, target: Nginx) -> None:
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


def test_workers_die_with_their_controller(swell: Start, target: Nginx) -> None:
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "-w", "2")
    run.wait_until(lambda: len(target.log()) > 100, "some requests")
    workers = run.workers()
    run.process.kill()
    run.process.wait()
    gone, alive = psutil.wait_procs(workers, timeout=5)
    assert (len(gone), alive) == (2, [])


def test_a_worker_that_is_frozen_for_a_while_goes_on(swell: Start, target: Nginx) -> None:
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "-t", "4s", "-w", "2")
    run.wait_until(lambda: len(target.log()) > 100, "some requests")
    frozen = worker_of(run, "1.1")
    frozen.suspend()
    time.sleep(1.5)
    frozen.resume()
    ended = run.finish()
    check_nothing_is_lost(run, ended, target)
    assert "worker_lost" not in ended.reasons
    assert "loop_stalled" in ended.reasons
    assert len(ended.result["workers"]) == 2


def test_a_worker_that_is_frozen_to_the_end_is_killed_and_read(swell: Start, target: Nginx) -> None:
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "--stop-timeout", "0.5", "-t", "2s", "-w", "2")
    run.wait_until(lambda: len(target.log()) > 100, "some requests")
    worker_of(run, "1.1").suspend()
    ended = run.finish(30)
    check_nothing_is_lost(run, ended, target)
    check_loss_is_named(ended, {"1.1": "was killed by signal 9"})
    assert 12 < ended.took_s < 25
