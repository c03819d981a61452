"""A worker is asked to go (SIGTERM): it hands its users over, reports to the end and leaves; the run stays valid."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.e2e.command import SwellRun
from tests.faults.lab.account import faults_of_account, lost_incarnations
from tests.faults.lab.sightings import back_after_s, faults_of_load, sightings
from tests.faults.lab.visitors import TWO_KINDS, VISITOR, arriving, finished_calls
from tests.faults.test_killed_worker import LOAD_IS_BACK_S, OPTIONS, USERS, check_loss_is_named, worker_of
from tests.targets.nginx import Nginx

Start = Callable[..., SwellRun]

ENDS_S = 5.0


@pytest.mark.row("SIGTERM of a worker")
@pytest.mark.parametrize("script", [VISITOR, TWO_KINDS], ids=["one class", "two classes"])
def test_a_worker_that_is_asked_to_go_hands_its_users_over_and_leaves(
    swell: Start, target: Nginx, ledgers: Path, script: str, figures: Callable[..., None]
) -> None:
    run = swell(script, "-H", target.url, *OPTIONS, "-t", "6s", "-w", "2")
    run.wait_until(lambda: len(target.log()) > 100, "some requests")
    worker = worker_of(run, "1.1")
    worker.terminate()
    asked_s = target.log()[-1].time_s
    worker.wait(ENDS_S)
    ended = run.finish()
    target.stop()
    seen = sightings(target.log())
    assert faults_of_account(ended.result, seen, finished_calls(ledgers)) == []
    assert faults_of_load(seen, USERS) == []
    assert lost_incarnations(ended.result) == set()
    assert "worker_lost" not in ended.reasons
    assert ended.exit_code == ended.documented_exit_code, ended.said
    assert ended.result["accounting"]["unanswered"] == 0
    back_s = back_after_s(seen, USERS, asked_s, until_s=seen[-1].at_s)
    assert back_s <= LOAD_IS_BACK_S
    figures(back_s=back_s)


def test_a_worker_that_is_asked_to_go_while_it_starts_has_not_died(swell: Start, target: Nginx, ledgers: Path) -> None:
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "-t", "3s", "-w", "2")
    run.wait_until(lambda: len(run.workers()) == 2, "the workers")
    worker_of(run, "1.1").terminate()
    ended = run.finish()
    target.stop()
    seen = sightings(target.log())
    assert faults_of_account(ended.result, seen, finished_calls(ledgers)) == []
    assert faults_of_load(seen, USERS) == []
    assert "worker_lost" not in ended.reasons, ended.said
    assert {one.user for one in seen} == set(range(USERS))


def test_of_arrivals_none_is_started_twice_or_by_nobody_when_a_worker_leaves(
    swell: Start, target: Nginx, ledgers: Path
) -> None:
    options = ("--request-id-header", "X-Request-Id", "--no-store", "-w", "2", "-t", "6s")
    run = swell(arriving(200), "-H", target.url, *options)
    run.wait_until(lambda: len(target.log()) > 100, "some requests")
    worker_of(run, "1.1").terminate()
    ended = run.finish(30)
    target.stop()
    seen = sightings(target.log())
    assert faults_of_account(ended.result, seen, finished_calls(ledgers)) == []
    assert faults_of_load(seen, USERS) == []
    (scenario,) = ended.result["scenarios"]
    assert len({one.arrival for one in seen}) == scenario["iterations"] == 1_200 - scenario["dropped"]


def test_asked_twice_a_worker_ends_at_once(swell: Start, target: Nginx, ledgers: Path) -> None:
    slow = VISITOR.replace("/ok?", "/slow?").replace('"/ok")', '"/slow", headers={"Accept-Encoding": "identity"})')
    run = swell(slow, "-H", target.url, *OPTIONS, "--stop-timeout", "30", "-t", "8s", "-w", "2")
    run.wait_until(lambda: sum(finished_calls(ledgers).values()) > 0, "the first calls")
    time.sleep(0.6)  # and in the middle of the next ones, which take 2 s
    worker: psutil.Process = worker_of(run, "1.1")
    worker.terminate()
    with pytest.raises(psutil.TimeoutExpired):
        worker.wait(0.7)
    worker.terminate()
    worker.wait(ENDS_S)
    run.signal_group(signal.SIGINT)
    ended = run.finish(60)
    check_loss_is_named(ended, {"1.1": "was killed by signal 15"})
