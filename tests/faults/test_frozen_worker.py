"""A worker stands still (SIGSTOP): within its lease it goes on; beyond it another has taken its place, and it stops."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.e2e.command import SwellRun
from tests.faults.lab.account import lost_incarnations
from tests.faults.lab.scale import Scale
from tests.faults.lab.sightings import Sighting, back_after_s
from tests.faults.lab.visitors import VISITOR
from tests.faults.test_killed_worker import (
    LOAD_IS_BACK_S,
    OPTIONS,
    USERS,
    check_loss_is_named,
    check_nothing_is_lost,
    worker_of,
)
from tests.targets.nginx import Nginx

Start = Callable[..., SwellRun]

BUSY = VISITOR.replace("    wait_time = constant(0.02)\n", "")
"""Users that never wait: wherever their worker stops, some of them are about to send something."""


def freeze(worker: psutil.Process, seconds: float) -> tuple[float, float]:
    """From when to when it stood still."""
    worker.suspend()
    from_s = time.time()
    time.sleep(seconds)
    to_s = time.time()
    worker.resume()
    return from_s, to_s


def seen_of(seen: list[Sighting], incarnation: str, from_s: float) -> list[Sighting]:
    return [one for one in seen if one.incarnation == incarnation and one.at_s >= from_s]


@pytest.mark.row("SIGSTOP of a worker, within its lease")
@pytest.mark.parametrize("as_written_s", [1.0, 4.0, 10.0])
def test_a_worker_that_stood_still_for_less_than_its_lease_goes_on(
    swell: Start, target: Nginx, ledgers: Path, scale: Scale, as_written_s: float, figures: Callable[..., None]
) -> None:
    frozen_s = scale.seconds(as_written_s)
    lease = f"{scale.lease_s:g}s"
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "-t", f"{frozen_s + 3:g}s", "-w", "2", "--lease", lease)
    run.wait_until(lambda: len(target.log()) > 100, "some requests")
    _, woken_s = freeze(worker_of(run, "1.1"), frozen_s)
    ended = run.finish(30)
    seen = check_nothing_is_lost(ended, target, ledgers)
    assert lost_incarnations(ended.result) == set()
    assert seen_of(seen, "1.1", woken_s)
    if frozen_s >= 0.5:
        assert "loop_stalled" in ended.reasons
    figures(frozen_s=frozen_s, back_s=back_after_s(seen, USERS, woken_s, until_s=seen[-1].at_s))


@pytest.mark.row("SIGSTOP of a worker, beyond its lease")
@pytest.mark.parametrize("script", [VISITOR, BUSY], ids=["patient", "busy"])
def test_a_worker_that_wakes_after_its_lease_sends_nothing_more_and_has_been_replaced(
    swell: Start, target: Nginx, ledgers: Path, scale: Scale, script: str, figures: Callable[..., None]
) -> None:
    frozen_s, lease_s = scale.seconds(30), scale.lease_s
    options = ("-t", f"{frozen_s + LOAD_IS_BACK_S:g}s", "-w", "2", "--lease", f"{lease_s:g}s")
    run = swell(script, "-H", target.url, *OPTIONS, *options)
    run.wait_until(lambda: len(target.log()) > 100, "some requests")
    frozen_at_s, woken_s = freeze(worker_of(run, "1.1"), frozen_s)
    ended = run.finish(60)
    seen = check_nothing_is_lost(ended, target, ledgers)
    check_loss_is_named(ended, {"1.1": f"has not been heard for {lease_s:g} s"})
    assert seen_of(seen, "1.1", woken_s) == []
    assert seen_of(seen, "1.2", frozen_at_s)
    back_s = back_after_s(seen, USERS, frozen_at_s, until_s=seen[-1].at_s)
    assert back_s <= lease_s + LOAD_IS_BACK_S
    figures(frozen_s=frozen_s, back_s=back_s, unaccounted=ended.result["accounting"]["unaccounted"])


def test_without_a_lease_that_ends_the_worker_would_go_on(swell: Start, target: Nginx, ledgers: Path) -> None:
    """The same freeze under a lease that is longer: what the target saw of it afterwards is seen."""
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "-t", "6s", "-w", "2", "--lease", "30s")
    run.wait_until(lambda: len(target.log()) > 100, "some requests")
    _, woken_s = freeze(worker_of(run, "1.1"), 3.5)
    ended = run.finish(30)
    seen = check_nothing_is_lost(ended, target, ledgers)
    assert seen_of(seen, "1.1", woken_s)
    assert back_after_s(seen, USERS, woken_s - 3.5, until_s=seen[-1].at_s) > 3
