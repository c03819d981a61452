"""A link that loses packets, is slow, or is torn again and again: no lease is lost where none should be, no user is
there twice, and the account holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.lab.account import faults_of_account, incarnations
from tests.faults.lab.cluster import Cluster, cluster
from tests.faults.lab.network import Quality
from tests.faults.lab.scale import Scale
from tests.faults.lab.sightings import back_after_s, faults_of_load
from tests.faults.lab.visitors import VISITOR

Figures = Callable[..., None]

USERS = 10
RUN_S = 30
STORM_S = 20
BETWEEN_RESETS_S = 0.25
NEVER_AWAY_S = 1.5
"""Longer than a user of this script is ever unseen, with room for a machine that others use too."""


def begin(lab: Cluster, run_s: float) -> None:
    lab.run(VISITOR, "-u", str(USERS), "-t", f"{run_s:g}s", "--no-store", expect=2)
    for machine in (0, 1):
        lab.join(machine)
    lab.wait_for_load(USERS)


def check(lab: Cluster, run_s: float, *, no_lease_lost: bool) -> float:
    """What has to hold at the end; returns for how long users were away, at most."""
    began_s = time.time()
    result = lab.finish(run_s).result
    seen = lab.seen()
    assert faults_of_account(result, seen, lab.finished()) == []
    assert faults_of_load(seen, USERS) == []
    assert result["run"]["end"] == "completed"
    assert result["accounting"]["unaccounted"] == 0
    if no_lease_lost:
        assert set(incarnations(result)) == {"0.1", "1.1"}
        assert back_after_s(seen, USERS, began_s, seen[-1].at_s, NEVER_AWAY_S) == 0
    return back_after_s(seen, USERS, began_s, seen[-1].at_s)


@pytest.mark.parametrize(
    ("loss", "no_lease_lost"), [pytest.param(0.05, True, id="5 %"), pytest.param(0.2, False, id="20 %")]
)
@pytest.mark.row("packet loss")
def test_on_a_link_that_loses_packets_the_account_holds(
    tmp_path: Path, scale: Scale, loss: float, no_lease_lost: bool, figures: Figures
) -> None:
    with cluster(tmp_path, scale, 2, [Quality(delay_ms=1, loss=loss), Quality(delay_ms=1, loss=loss)]) as lab:
        begin(lab, scale.seconds(RUN_S))
        away_s = check(lab, scale.seconds(RUN_S), no_lease_lost=no_lease_lost)
        carried = lab.net.take_up_cables()
        assert all(0.5 * loss < one.lost / (one.lost + one.packets) < 2 * loss for one in carried)
        figures(packets_lost=sum(one.lost for one in carried), away_s=away_s)


@pytest.mark.parametrize("delay_ms", [50, 200])
@pytest.mark.row("delay and jitter")
def test_on_a_slow_link_no_lease_is_lost(tmp_path: Path, scale: Scale, delay_ms: float, figures: Figures) -> None:
    quality = Quality(scale.seconds(delay_ms), jitter_ms=scale.seconds(delay_ms / 4))
    with cluster(tmp_path, scale, 2, [quality, quality]) as lab:
        begin(lab, scale.seconds(RUN_S))
        away_s = check(lab, scale.seconds(RUN_S), no_lease_lost=True)
        figures(packets=sum(one.packets for one in lab.net.take_up_cables()), away_s=away_s)


@pytest.mark.row("reset storm")
def test_where_connections_are_reset_again_and_again_the_account_holds(
    tmp_path: Path, scale: Scale, figures: Figures
) -> None:
    with cluster(tmp_path, scale, 2) as lab:
        begin(lab, scale.seconds(RUN_S))
        resets, until_s = 0, time.monotonic() + scale.seconds(STORM_S)
        while time.monotonic() < until_s:
            lab.net.machines[resets % 2].reset_connections()
            resets += 1
            lab.pass_time(BETWEEN_RESETS_S)
        figures(resets=resets, away_s=check(lab, scale.seconds(RUN_S), no_lease_lost=False))
