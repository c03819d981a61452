"""The generator runs out of disk under its spool, or of file descriptors: it goes on, and says whose fault it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.command import Ended, SwellRun
from tests.faults.lab.account import codes, faults_of_account
from tests.faults.lab.disks import fill
from tests.faults.lab.sightings import faults_of_load, sightings
from tests.faults.lab.visitors import VISITOR, finished_calls
from tests.targets.nginx import Nginx

Start = Callable[..., SwellRun]

OPTIONS = ("-r", "1000", "--request-id-header", "X-Request-Id", "--no-store", "-w", "2")
SHARED_MEMORY = "dev/shm"
OWN_SHARED_MEMORY = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=64m tmpfs /dev/shm && exec "$@"', "sh"]
"""The command that follows has a small `/dev/shm` of its own: two workers' files and 16 MB."""
DESCRIPTORS = 100


def check_account(ended: Ended, target: Nginx, ledgers: Path, users: int) -> None:
    target.stop()
    seen = sightings(target.log())
    assert faults_of_account(ended.result, seen, finished_calls(ledgers)) == []
    assert faults_of_load(seen, users) == []
    assert ended.result["accounting"]["unaccounted"] == 0


@pytest.mark.row("disk full under the spool")
def test_a_run_goes_on_while_there_is_no_room_for_the_spool_and_says_so(
    swell: Start, target: Nginx, ledgers: Path, figures: Callable[..., None]
) -> None:
    run = swell(VISITOR, "-H", target.url, "-u", "10", "-t", "5s", *OPTIONS, prefix=OWN_SHARED_MEMORY)
    run.wait_until(lambda: len(target.log()) > 100, "some requests")
    fill(Path(f"/proc/{run.pid}/root") / SHARED_MEMORY)
    ended = run.finish()
    check_account(ended, target, ledgers, 10)
    assert ended.result["verdict"]["state"] == "degraded"
    assert "reports of 2 workers found no room on the disk" in ended.reasons["spool_failed"]
    assert ended.result["run"]["end"] == "completed"
    figures(requests=ended.result["totals"]["requests"])


def test_with_room_for_the_spool_nothing_is_said_of_it(swell: Start, target: Nginx, ledgers: Path) -> None:
    run = swell(VISITOR, "-H", target.url, "-u", "10", "-t", "2s", *OPTIONS, prefix=OWN_SHARED_MEMORY)
    ended = run.finish()
    check_account(ended, target, ledgers, 10)
    assert "spool_failed" not in codes(ended.result)


def with_descriptors(swell: Start, target: Nginx, descriptors: int) -> Ended:
    prefix = ["prlimit", f"--nofile={descriptors}:{descriptors}"]
    return swell(VISITOR, "-H", target.url, "-u", "200", "-t", "3s", *OPTIONS, prefix=prefix).finish()


@pytest.mark.row("file descriptors exhausted")
def test_connections_that_find_no_descriptor_are_the_generators_fault(
    swell: Start, target: Nginx, ledgers: Path, figures: Callable[..., None]
) -> None:
    ended = with_descriptors(swell, target, DESCRIPTORS)
    check_account(ended, target, ledgers, 200)
    assert f"(limit {DESCRIPTORS} a worker)" in ended.reasons["fd_exhausted"]
    assert ended.result["verdict"]["state"] != "valid"
    not_sent = ended.result["accounting"]["not_sent"]
    (error,) = ended.result["errors"]
    assert "file descriptor" in error["error"]
    assert error["count"] == ended.result["totals"]["failures"] == not_sent > 0
    figures(not_sent=not_sent)


def test_with_enough_descriptors_there_is_no_such_fault(swell: Start, target: Nginx, ledgers: Path) -> None:
    ended = with_descriptors(swell, target, 1_000)
    check_account(ended, target, ledgers, 200)
    assert "fd_exhausted" not in codes(ended.result)
    assert ended.result["accounting"]["not_sent"] == 0
