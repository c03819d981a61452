"""The controller is killed: another takes the run up, and the account is exact; or nobody does, and the load ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.lab.account import codes, faults_of_account, incarnations
from tests.faults.lab.cluster import Cluster, cluster
from tests.faults.lab.scale import Scale
from tests.faults.lab.sightings import away_s, faults_of_load
from tests.faults.lab.visitors import VISITOR

Figures = Callable[..., None]

USERS = 10
STORED_S = 2.0
"""By then there is a run in the store that can be taken up."""
TAKEN_UP_S = 8.0
"""A controller that starts on a busy machine, and finds its workers, needs no longer."""
LEAST_LEASE_S = 10.0
"""It does not start the faster for a shorter lease."""
NEVER_AWAY_S = 1.5
LATE_S = 1.0


@pytest.fixture
def lab(tmp_path: Path, scale: Scale) -> Iterator[Cluster]:
    with cluster(tmp_path, scale, machines=2) as made:
        yield made


def begin(lab: Cluster, *options: str, lease_s: float | None = None) -> None:
    lab.run(VISITOR, "-u", str(USERS), *options, expect=2, lease_s=lease_s)
    for machine in (0, 1):
        lab.join(machine)
    lab.wait_for_load(USERS)
    lab.pass_time(STORED_S)


@pytest.mark.parametrize("pause_s", [1, 10])
@pytest.mark.row("SIGKILL of the controller, resumed")
def test_a_run_that_is_taken_up_again_has_lost_nothing_and_its_users_never_paused(
    lab: Cluster, scale: Scale, pause_s: int, figures: Figures
) -> None:
    pause_s = scale.seconds(pause_s)
    begin(lab, "-t", f"{STORED_S + pause_s + TAKEN_UP_S:g}s", lease_s=max(scale.lease_s, LEAST_LEASE_S))
    lab.kill_controller()
    lab.rest(pause_s)
    ended = lab.resume(2 * TAKEN_UP_S + pause_s)
    seen = lab.seen()
    assert faults_of_account(ended.result, seen, lab.finished()) == [], ended.said
    assert faults_of_load(seen, USERS) == []
    assert ended.result["accounting"]["unaccounted"] == 0
    assert ended.result["accounting"]["answered"] == len(seen)
    assert set(incarnations(ended.result)) == {"0.1", "1.1"}
    assert "controller_restarted" in codes(ended.result)
    longest_s = away_s(seen, USERS)
    assert longest_s < NEVER_AWAY_S
    figures(requests=ended.result["totals"]["requests"], away_s=longest_s)


@pytest.mark.row("SIGKILL of the controller, never resumed")
def test_without_a_controller_the_load_ends_with_the_lease(lab: Cluster, scale: Scale, figures: Figures) -> None:
    begin(lab, "--no-store")
    killed_s = lab.kill_controller()
    lab.rest(scale.lease_s + 2 * LATE_S)
    seen = lab.seen()
    went_on_s = seen[-1].at_s - killed_s
    assert 0.5 * scale.lease_s < went_on_s < scale.lease_s + LATE_S
    assert faults_of_load(seen, USERS) == []
    figures(went_on_s=went_on_s)
