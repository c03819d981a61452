"""Machines that come and are lost, workers that stand still, die and leave, in any order: what leases and moved shares
promise holds in every state on the way."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from swell.cluster.controller_steps import Nudged, StopWanted
from swell.cluster.member_state import identity_of
from swell.cluster.opening_state import BEFORE
from swell.load_plan import Load
from swell.result import End
from tests.cluster.simulated import plan_of, plan_of_loads
from tests.cluster.simulated_machines import LEASE_S, WideCluster
from tests.cluster.test_load_simulation import LOADS, check_totals

SELDOM = st.integers(0, 7).map(lambda drawn: drawn == 7)


class AnyMachines(RuleBasedStateMachine):
    def begin(self, cluster: WideCluster, machines: list[int]) -> None:
        self.cluster = cluster
        for processes in machines:
            cluster.join(processes)
        cluster.go_on(3)

    @precondition(lambda self: self.cluster.wire)
    @rule(data=st.data(), keep=st.booleans())
    def a_message_arrives(self, data: st.DataObject, keep: bool) -> None:
        self.cluster.deliver(data.draw(st.integers(0, len(self.cluster.wire) - 1)), keep=keep)

    @precondition(lambda self: self.cluster.wire)
    @rule(data=st.data())
    def a_message_is_lost(self, data: st.DataObject) -> None:
        self.cluster.wire.pop(data.draw(st.integers(0, len(self.cluster.wire) - 1)))

    @rule()
    def all_messages_arrive(self) -> None:
        self.cluster.deliver_all()

    @rule(seconds=st.sampled_from([0.01, 0.3, 1.0]))
    def time_passes(self, seconds: float) -> None:
        self.cluster.advance(seconds)

    @rule()
    def users_work(self) -> None:
        self.cluster.work()

    @rule(seconds=st.integers(1, 6))
    def all_goes_well_for_a_while(self, seconds: int) -> None:
        self.cluster.go_on(seconds)

    @rule(processes=st.integers(1, 2))
    def a_machine_joins(self, processes: int) -> None:
        if len(self.cluster.machines) < 4:
            self.cluster.join(processes)

    @precondition(lambda self: any(not one.gone for one in self.cluster.machines.values()))
    @rule(data=st.data())
    def a_machine_is_lost(self, data: st.DataObject) -> None:
        there = [one for one in self.cluster.machines.values() if not one.gone]
        self.cluster.lose(data.draw(st.sampled_from(there), "machine"))

    @precondition(lambda self: self.cluster.living() and self.cluster.controller.phase not in BEFORE)
    @rule(data=st.data())
    def a_worker_dies(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.cluster.living()), "worker")
        self.cluster.kill(identity_of(one.worker, one.incarnation))

    @precondition(lambda self: self.cluster.living() and self.cluster.controller.phase not in BEFORE)
    @rule(data=st.data(), seconds=st.sampled_from([0, 1, 6]))
    def a_worker_stands_still(self, data: st.DataObject, seconds: int) -> None:
        self.cluster.freeze(data.draw(st.sampled_from(self.cluster.living()), "worker"))
        self.cluster.go_on(seconds)

    @precondition(lambda self: self.cluster.frozen)
    @rule(data=st.data())
    def a_worker_goes_on(self, data: st.DataObject) -> None:
        self.cluster.thaw(data.draw(st.sampled_from(sorted(self.cluster.frozen)), "worker"))

    @precondition(lambda self: self.cluster.living())
    @rule(data=st.data())
    def a_worker_is_asked_to_leave(self, data: st.DataObject) -> None:
        self.cluster.leave(data.draw(st.sampled_from(self.cluster.living()), "worker"))

    @rule()
    def after_a_lease_and_some_seconds_everything_is_held(self) -> None:
        self.cluster.go_on(round(2 * LEASE_S) + 6)
        self.cluster.check_held()

    @rule(really=SELDOM)
    def somebody_stops_it(self, really: bool) -> None:
        if really:
            self.cluster.to_controller(StopWanted(End.STOPPED))

    @invariant()
    def what_is_promised_holds(self) -> None:
        if hasattr(self, "cluster"):
            self.cluster.check()
            if not self.cluster.fell_silent:  # what a silent worker had not reported is done again, and reported twice
                check_totals(self.cluster, exact=False)

    def teardown(self) -> None:
        if not hasattr(self, "cluster"):
            return
        for identity in sorted(self.cluster.frozen):
            self.cluster.thaw(identity)
        self.cluster.to_controller(StopWanted(End.STOPPED))
        self.cluster.settle()
        self.cluster.check()
        if not (self.cluster.over and self.cluster.over.failure):
            self.cluster.check_account()


class AnyUsers(AnyMachines):
    @initialize(users=st.integers(1, 12), workers=st.integers(0, 2), machines=st.lists(st.integers(1, 2), max_size=2))
    def start(self, users: int, workers: int, machines: list[int]) -> None:
        self.begin(WideCluster(plan_of(users, workers, None, 10.0)), machines)

    @rule(more=st.sampled_from([-10, -1, 1, 10]))
    def somebody_revises(self, more: int) -> None:
        self.cluster.to_controller(Nudged(more))


class AnyLoads(AnyMachines):
    @initialize(loads=LOADS, workers=st.integers(0, 2), machines=st.lists(st.integers(1, 2), max_size=2))
    def start(self, loads: tuple[Load, ...], workers: int, machines: list[int]) -> None:
        self.begin(WideCluster(plan_of_loads(*loads, workers=workers, run_time_s=60.0)), machines)


SETTINGS = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)
TestAnyUsers = AnyUsers.TestCase
TestAnyUsers.settings = SETTINGS
TestAnyLoads = AnyLoads.TestCase
TestAnyLoads.settings = SETTINGS
