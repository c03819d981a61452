"""The controller is killed and taken up again, while machines come and go, workers stand still, die and leave: what
leases and moved shares promise holds in every state on the way, and nothing is lost or applied twice."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from swell.cluster.controller_steps import Nudged, StopWanted
from swell.cluster.course_state import Phase
from swell.load_plan import Load
from swell.result import End
from tests.cluster.simulated import plan_of, plan_of_loads
from tests.cluster.simulated_machines import LEASE_S
from tests.cluster.simulated_restarts import DurableCluster
from tests.cluster.test_load_simulation import LOADS
from tests.cluster.test_machines_simulation import AnyMachines

pytestmark = pytest.mark.timeout(60)


def running(users: int = 10, workers: int = 0, machines: tuple[int, ...] = (2, 1)) -> DurableCluster:
    cluster = DurableCluster(plan_of(users, workers, None, 100.0))
    for processes in machines:
        cluster.join(processes)
    cluster.go_on(5)
    assert cluster.controller.phase is Phase.RUNNING
    return cluster


def ended(cluster: DurableCluster) -> None:
    cluster.to_controller(StopWanted(End.STOPPED))
    cluster.settle()
    cluster.check_account()


@pytest.mark.parametrize("gone_s", [0, 1])
def test_workers_of_other_machines_go_on_and_keep_what_they_hold(gone_s: int) -> None:
    cluster = running()
    before = {identity: one.state.orders.share for identity, one in cluster.workers.items()}
    assert cluster.crash()
    cluster.go_on(gone_s)
    assert len(cluster.staying()) == 10
    cluster.restart()
    cluster.go_on(4)
    assert cluster.controller.phase is Phase.RUNNING
    assert {identity: one.state.orders.share for identity, one in cluster.workers.items()} == before
    assert all(one.state.orders.term == 2 for one in cluster.workers.values())
    assert len(cluster.staying()) == 10
    ended(cluster)


def test_after_a_lease_without_a_controller_nobody_is_left_and_all_is_known_when_it_comes_back() -> None:
    cluster = running()
    assert cluster.crash()
    cluster.go_on(round(LEASE_S) + 2)
    assert not cluster.staying()
    cluster.restart()
    cluster.go_on(round(LEASE_S) + 8)
    assert len(cluster.staying()) == 10
    cluster.check_held()
    ended(cluster)


def test_workers_of_the_controllers_own_machine_are_recovered_and_replaced() -> None:
    cluster = running(workers=2, machines=(1,))
    assert cluster.crash()
    cluster.restart()
    cluster.go_on(round(LEASE_S) + 6)
    assert len(cluster.staying()) == 10
    cluster.check_held()
    ended(cluster)


def test_a_machine_that_is_lost_meanwhile_is_missed() -> None:
    cluster = running()
    cluster.crash()
    cluster.lose(next(iter(cluster.machines.values())))
    cluster.go_on(1)
    cluster.restart()
    cluster.go_on(round(LEASE_S) + 8)
    assert len(cluster.staying()) == 10
    cluster.check_held()
    ended(cluster)


def test_who_wants_it_to_end_while_it_is_taken_up_is_heard() -> None:
    cluster = running()
    cluster.crash()
    cluster.restart()
    ended(cluster)


class AnyRestarts(AnyMachines):
    cluster: DurableCluster

    @rule(gone_s=st.integers(0, 6))
    def the_controller_is_killed_and_its_run_taken_up(self, gone_s: int) -> None:
        if self.cluster.crash():
            self.cluster.fell_silent = True
            self.cluster.go_on(gone_s)
            self.cluster.restart()

    @precondition(lambda self: self.cluster.page.record is not None)
    @rule()
    def a_page_is_written(self) -> None:
        if self.cluster.over is None:
            self.cluster.write()


class AnyUsers(AnyRestarts):
    @initialize(users=st.integers(1, 12), workers=st.integers(0, 2), machines=st.lists(st.integers(1, 2), max_size=2))
    def start(self, users: int, workers: int, machines: list[int]) -> None:
        self.begin(DurableCluster(plan_of(users, workers, None, 10.0)), machines)

    @rule(more=st.sampled_from([-10, -1, 1, 10]))
    def somebody_revises(self, more: int) -> None:
        self.cluster.to_controller(Nudged(more))


class AnyLoads(AnyRestarts):
    @initialize(loads=LOADS, workers=st.integers(0, 2), machines=st.lists(st.integers(1, 2), max_size=2))
    def start(self, loads: tuple[Load, ...], workers: int, machines: list[int]) -> None:
        self.begin(DurableCluster(plan_of_loads(*loads, workers=workers, run_time_s=60.0)), machines)


SETTINGS = settings(
    max_examples=15,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)
TestAnyUsers = AnyUsers.TestCase
TestAnyUsers.settings = SETTINGS
TestAnyLoads = AnyLoads.TestCase
TestAnyLoads.settings = SETTINGS
