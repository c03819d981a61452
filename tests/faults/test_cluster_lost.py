"""A machine or a worker is gone, for a while or for good: its load is back, never above the plan, and is counted."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.faults.lab.account import codes, faults_of_account, incarnations, lost_incarnations
from tests.faults.lab.clocks import AT_HALF_SPEED
from tests.faults.lab.cluster import Cluster, cluster
from tests.faults.lab.network import Way
from tests.faults.lab.scale import Scale
from tests.faults.lab.sightings import Sighting, back_after_s, faults_of_load
from tests.faults.lab.visitors import VISITOR, arriving

Figures = Callable[..., None]

USERS = 10
CLOSED = ("-u", str(USERS))
LOAD_IS_BACK_S = 5.0
SETTLED_S = 2.0
"""After what was waited for: by then it shows whether all is as it was."""
AT_ONCE_S = 0.1
UNACKNOWLEDGED_S = 1.0
ON_THE_WAY_S = 0.5
"""That an acknowledgement, and so what it covers, may take here."""


@pytest.fixture
def lab(tmp_path: Path, scale: Scale) -> Iterator[Cluster]:
    with cluster(tmp_path, scale, machines=2) as made:
        yield made


def begin(lab: Cluster, *options: str, script: str = VISITOR) -> None:
    """A run on two machines, with one worker each, once all users are there."""
    lab.run(script, *options, "--no-store", expect=2)
    for machine in (0, 1):
        lab.join(machine)
    lab.wait_for_load(USERS)


def check(lab: Cluster, result: dict[str, Any], seen: Sequence[Sighting]) -> None:
    """The account holds, and there was never more load than planned."""
    assert faults_of_account(result, seen, lab.finished()) == []
    assert faults_of_load(seen, USERS) == []
    assert result["run"]["end"] == "stopped"


def worker_on(lab: Cluster, machine: int) -> psutil.Process:
    (worker,) = lab.supervisors[machine].workers()
    return worker


def name_of(worker: psutil.Process) -> str:
    """Number and incarnation, as in request ids."""
    words = worker.cmdline()
    return ".".join(words[words.index(word) + 1] for word in ("--worker", "--incarnation"))


def successor_of(name: str) -> str:
    """The next incarnation of a worker."""
    number, _, incarnation = name.partition(".")
    return f"{number}.{int(incarnation) + 1}"


@pytest.mark.row("SIGKILL of a worker process")
def test_a_worker_of_another_machine_that_is_killed_is_replaced_and_nothing_is_lost(
    lab: Cluster, figures: Figures
) -> None:
    begin(lab, *CLOSED)
    lab.pass_time(random.uniform(0, 1.2))
    victim = worker_on(lab, 1)
    name, killed_s = name_of(victim), time.time()
    victim.kill()
    lab.wait_for_incarnation(successor_of(name))
    lab.pass_time(SETTLED_S)
    ended = lab.stop()
    seen = lab.seen()
    check(lab, ended.result, seen)
    assert lost_incarnations(ended.result) == {name}
    assert ended.result["accounting"]["unaccounted"] == 0
    back_s = back_after_s(seen, USERS, killed_s, seen[-1].at_s)
    assert back_s <= LOAD_IS_BACK_S
    figures(back_s=back_s, unaccounted=0)


@pytest.mark.row("SIGKILL of supervisor and workers")
def test_of_a_lost_machine_only_the_last_second_is_unaccounted_for_and_others_take_its_load(
    lab: Cluster, scale: Scale, figures: Figures
) -> None:
    begin(lab, *CLOSED)
    lab.pass_time(2 + random.random())
    victim = name_of(worker_on(lab, 1))
    lost_s = time.time()
    lab.supervisors[1].lose()
    lab.pass_time(scale.lease_s + SETTLED_S)
    ended = lab.stop()
    seen = lab.seen()
    check(lab, ended.result, seen)
    assert lost_incarnations(ended.result) == {victim}
    assert {"worker_lost", "unaccounted"} <= codes(ended.result)
    assert ended.exit_code == 5
    mine = [one.at_s for one in seen if one.incarnation == victim]
    missing = len(mine) - incarnations(ended.result)[victim]["sent"]
    last_second = sum(at_s > mine[-1] - UNACKNOWLEDGED_S - ON_THE_WAY_S for at_s in mine)
    assert missing <= last_second
    back_s = back_after_s(seen, USERS, lost_s, seen[-1].at_s)
    assert back_s <= scale.lease_s + LOAD_IS_BACK_S
    figures(back_s=back_s, missing=missing, said_to_be_missing=ended.result["accounting"]["unaccounted"])
    unsaid = [dict(worker, unaccounted=0) for worker in ended.result["workers"]]
    assert not missing or faults_of_account(ended.result | {"workers": unsaid}, seen, lab.finished())


@pytest.mark.parametrize("stall_s", [1, 4, 10, 30])
@pytest.mark.row("SIGSTOP of a worker")
def test_a_worker_that_stands_still_goes_on_within_its_lease_and_is_fenced_beyond(
    lab: Cluster, scale: Scale, stall_s: int, figures: Figures
) -> None:
    stall_s, fenced = scale.seconds(stall_s), scale.seconds(stall_s) > scale.lease_s
    begin(lab, *CLOSED)
    lab.pass_time(1)
    worker = worker_on(lab, 1)
    name, stopped_s = name_of(worker), time.time()
    worker.suspend()
    lab.pass_time(stall_s)
    worker.resume()
    resumed_s = time.time()
    if fenced:
        lab.wait_for_incarnation(successor_of(name))
    lab.pass_time(SETTLED_S)
    ended = lab.stop()
    seen = lab.seen()
    check(lab, ended.result, seen)
    assert ended.result["accounting"]["unaccounted"] == 0
    back_s = back_after_s(seen, USERS, stopped_s, seen[-1].at_s)
    figures(back_s=back_s, fenced=int(fenced))
    if fenced:
        assert lost_incarnations(ended.result) == {name}
        assert "worker_lost" in codes(ended.result)
        assert not [one for one in seen if one.incarnation == name and one.at_s > resumed_s + AT_ONCE_S]
        assert back_s <= scale.lease_s + LOAD_IS_BACK_S
    else:
        assert set(incarnations(ended.result)) == {"0.1", "1.1"}
        assert "loop_stalled" in codes(ended.result)
        assert back_s <= stall_s + SETTLED_S


def cut_off(lab: Cluster, scale: Scale, way: Way, cut_s: float) -> tuple[str, float]:
    """The link of machine 1, for a while, until the load is as it was; returns who was cut off, and when."""
    lab.pass_time(1)
    name, cut_at_s = name_of(worker_on(lab, 1)), time.time()
    lab.net.machines[1].cut(way)
    lab.pass_time(cut_s)
    lab.net.machines[1].heal()
    if cut_s > scale.lease_s:
        lab.wait_for_incarnation(successor_of(name))
    lab.pass_time(SETTLED_S)
    return name, cut_at_s


@pytest.mark.parametrize("cut_s", [1, 4, 30])
@pytest.mark.parametrize("way", Way, ids=lambda way: way.name.lower())
@pytest.mark.row("partition")
def test_a_machine_that_is_cut_off_puts_no_load_twice(
    lab: Cluster, scale: Scale, way: Way, cut_s: int, figures: Figures
) -> None:
    begin(lab, *CLOSED)
    name, cut_at_s = cut_off(lab, scale, way, scale.seconds(cut_s))
    ended = lab.stop()
    seen = lab.seen()
    check(lab, ended.result, seen)
    assert ended.result["accounting"]["unaccounted"] == 0
    back_s = back_after_s(seen, USERS, cut_at_s, seen[-1].at_s)
    figures(back_s=back_s)
    if scale.seconds(cut_s) > scale.lease_s:
        assert lost_incarnations(ended.result) == {name}
        assert "worker_lost" in codes(ended.result)
        assert back_s <= scale.lease_s + LOAD_IS_BACK_S
    else:
        assert set(incarnations(ended.result)) == {"0.1", "1.1"}
        assert back_s <= SETTLED_S


@pytest.mark.row("partition")
def test_what_arrives_while_a_machine_is_cut_off_is_started_once_or_counted(
    lab: Cluster, scale: Scale, figures: Figures
) -> None:
    begin(lab, script=arriving(100))
    cut_off(lab, scale, Way.BOTH, scale.seconds(30))
    ended = lab.stop()
    seen = lab.seen()
    check(lab, ended.result, seen)
    (account,) = ended.result["arrivals"]
    assert account["planned"] == account["started"] + account["dropped"] + account["not_started"]
    assert len(seen) <= account["started"]
    figures(started=account["started"], not_started=account["not_started"])


def test_the_check_sees_users_who_are_there_twice_where_a_lease_does_not_end(lab: Cluster, scale: Scale) -> None:
    """A worker whose clock runs at half the speed goes on for twice its lease: nothing else keeps load from being put
    twice, and the check sees that it is."""
    lab.run(VISITOR, *CLOSED, "--no-store", expect=2)
    lab.join(0)
    lab.join(1, environment=AT_HALF_SPEED)
    lab.wait_for_load(USERS)
    lab.net.machines[1].cut()
    lab.pass_time(2 * scale.lease_s)
    lab.net.machines[1].heal()
    lab.stop()
    assert [fault for fault in faults_of_load(lab.seen(), USERS) if "is active as" in fault]
