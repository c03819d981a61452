"""Workers come and go while a run goes on: its users are those of the plan, each once, in its mix; nothing is lost."""

from __future__ import annotations

import collections
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.lab.account import faults_of_account, lost_incarnations
from tests.faults.lab.cluster import cluster
from tests.faults.lab.scale import Scale
from tests.faults.lab.sightings import away_s, faults_of_load
from tests.faults.lab.visitors import KINDS, TWO_KINDS

USERS = 20
WORKERS = 30
PROCESSES = 2
"""Of each machine: they come and go together."""
LEASE_S = 15
"""In either scale: so many processes that start at the same time may be silent for long."""
COMING_S = 60
LEAST_STAY_S, MOST_STAY_S = 15, 45
MOVED_S = 5.0
"""By then a user who is moved is there again: it has finished what it had begun, a pulse has told so, and the other
worker has worked off its arrears, spread over 2 s."""


@pytest.mark.row("30 workers joining and leaving")
def test_while_workers_come_and_go_users_are_at_plan_and_their_mix_is_exact(
    tmp_path: Path, scale: Scale, figures: Callable[..., None]
) -> None:
    machines = round(WORKERS / PROCESSES / scale.divisor)
    draws = random.Random()
    comings = [draws.uniform(0, scale.seconds(COMING_S)) for _ in range(machines)]
    changes = sorted(
        [(at_s, "join", number) for number, at_s in enumerate(comings)]
        + [
            (at_s + draws.uniform(scale.seconds(LEAST_STAY_S), scale.seconds(MOST_STAY_S)), "leave", number)
            for number, at_s in enumerate(comings)
        ]
    )
    with cluster(tmp_path, scale, machines + 1) as lab:
        lab.run(TWO_KINDS, "-u", str(USERS), "--no-store", expect=1, lease_s=LEASE_S)
        lab.join(machines)
        lab.wait_for_load(USERS)
        began_s = time.monotonic()
        coming = {}
        for at_s, change, number in changes:
            lab.pass_time(max(at_s - (time.monotonic() - began_s), 0))
            if change == "join":
                coming[number] = lab.join(number, PROCESSES)
            else:
                coming[number].leave()
        exit_codes = {supervisor.wait() for supervisor in coming.values()}
        lab.pass_time(1)
        ended = lab.stop()
        seen = lab.seen()
        assert faults_of_account(ended.result, seen, lab.finished()) == []
        assert faults_of_load(seen, USERS) == []
        assert lost_incarnations(ended.result) == set(), ended.reasons
        assert ended.result["accounting"]["unaccounted"] == 0
        assert exit_codes == {0}
        longest_s = away_s(seen, USERS)
        assert longest_s < MOVED_S
        kinds = {user: {one.kind for one in seen if one.user == user} for user in range(USERS)}
        share = USERS // sum(KINDS.values())
        mix = collections.Counter(kind for names in kinds.values() for kind in names)
        assert mix == {kind: share * weight for kind, weight in KINDS.items()}
        figures(workers=len(ended.result["workers"]), away_s=longest_s)
