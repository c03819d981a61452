"""Connections of the link on bad cables: one that only loses packets, or is only slow, is never given up; one on which
nothing comes any more is, and made anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.lab.cluster import Cluster, cluster
from tests.faults.lab.network import Quality, Way
from tests.faults.lab.scale import Scale
from tests.faults.lab.visitors import VISITOR

Figures = Callable[..., None]

USERS = 4
BAD_S = 12
LEASE_S = 15.0
CONNECTIONS = 3
"""Of a machine with one worker: its supervisor's, its reports' and its pulse's."""


def run(lab: Cluster, run_s: float, lease_s: float) -> None:
    lab.run(VISITOR, "-u", str(USERS), "-t", f"{run_s:g}s", "--no-store", expect=1, lease_s=lease_s)
    lab.join(0)
    lab.wait_for_load(USERS)


@pytest.mark.parametrize(
    "quality", [Quality(delay_ms=200), Quality(delay_ms=5, loss=0.2)], ids=["200 ms each way", "20 % lost"]
)
@pytest.mark.row("bad links")
def test_no_connection_is_given_up_that_is_only_bad(
    tmp_path: Path, scale: Scale, quality: Quality, figures: Figures
) -> None:
    """With the lease as it is usually: a fifth of it would be shorter than what TCP takes to send again twice."""
    with cluster(tmp_path, scale, 1, [quality]) as lab:
        run(lab, BAD_S, LEASE_S)
        found = lab.finish(BAD_S).result["cluster"]
    assert (found["connections"], found["strangers"]) == (CONNECTIONS, [])
    figures(connections=found["connections"])


@pytest.mark.parametrize("way", [Way.OUT, Way.IN, Way.BOTH], ids=["out", "in", "both"])
@pytest.mark.row("partition")
def test_a_connection_on_which_nothing_comes_is_made_anew(
    tmp_path: Path, scale: Scale, way: Way, figures: Figures
) -> None:
    """Whichever way nothing comes: both ends would go on waiting for each other, for as long as TCP sends again."""
    cut_s = scale.seconds(30)
    with cluster(tmp_path, scale, 1) as lab:
        run(lab, 2.5 * cut_s, scale.lease_s)
        lab.net.machines[0].cut(way)
        lab.pass_time(cut_s)
        lab.net.machines[0].heal()
        found = lab.finish(2.5 * cut_s).result["cluster"]
    assert found["connections"] > CONNECTIONS
    figures(connections=found["connections"])
