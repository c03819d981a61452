"""A worker's clock is an hour off, the wall's or even the monotonic one: the result is that of right clocks."""

from __future__ import annotations

import collections
import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from tests.faults.lab.account import codes, faults_of_account
from tests.faults.lab.clocks import AN_HOUR_AHEAD, OF_THE_DAY
from tests.faults.lab.cluster import cluster
from tests.faults.lab.scale import Scale
from tests.faults.lab.sightings import Sighting, faults_of_load
from tests.faults.lab.visitors import VISITOR

USERS = 20
RAMP = ("-u", str(USERS), "-r", "4/s")
"""Each second has more requests than the one before, so that it shows where they were put."""
RUN_S = 6
SHARE_OFF = 0.18
"""A second that is shifted by one is off by over 22 %."""
SAYS_THE_TIME = """
    import time

    @events.test_start.add_listener
    def say_the_time(environment, **_):
        print("clock", time.time(), flush=True)
    """


def most_off(counted: Mapping[int, int], seen: Sequence[Sighting], began_s: float) -> float:
    """How far the result is off the target's log in some second of the ramp, as a share of that."""
    logged = collections.Counter(math.floor(one.at_s - began_s) for one in seen)
    return max(abs(counted[second] / max(logged[second], 1) - 1) for second in range(1, RUN_S - 1))


@pytest.mark.parametrize(
    "clock",
    [
        pytest.param(OF_THE_DAY, id="the time of day"),
        pytest.param({}, id="the monotonic clock too"),
    ],
)
@pytest.mark.row("clock one hour off on a worker")
def test_seconds_of_a_worker_whose_clock_is_an_hour_off_lie_where_they_were(
    tmp_path: Path, scale: Scale, clock: dict[str, str], figures: Callable[..., None]
) -> None:
    with cluster(tmp_path, scale, machines=2) as lab:
        run = lab.run(VISITOR + SAYS_THE_TIME, *RAMP, "-t", f"{RUN_S}s", "--no-store", expect=2)
        lab.join(0)
        lab.join(1, environment=AN_HOUR_AHEAD | clock)
        lab.wait_for_load(USERS)
        ended = lab.finish(RUN_S)
        seen = lab.seen()
        assert faults_of_account(ended.result, seen, lab.finished()) == []
        assert faults_of_load(seen, USERS) == []
        said_s = sorted(float(line.split()[1]) for line in run.said.splitlines() if line.startswith("clock "))
        assert said_s[-1] - said_s[0] == pytest.approx(3_600, abs=60)  # it was faked indeed
        assert not codes(ended.result) & {"worker_lost", "unaccounted", "unstamped", "load_not_reached"}
        assert ended.result["generator"]["clock"] == "kernel"
        began_s = min(one.at_s for one in seen)
        assert datetime.datetime.fromisoformat(ended.result["run"]["started_at"]).timestamp() == pytest.approx(
            began_s, abs=10
        )
        counted = {point["t_s"]: point["requests"] for point in ended.result["timeline"]}
        share_off = most_off(counted, seen, began_s)
        assert share_off < SHARE_OFF
        assert most_off(counted, seen, began_s - 1) > SHARE_OFF
        assert most_off(counted, seen, began_s + 1) > SHARE_OFF
        figures(share_off=share_off)
