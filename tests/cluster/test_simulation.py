"""Any order of losses, repetitions, deaths and changes: what the protocol promises holds in every state on the way."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from swell.cluster.controller_steps import Garbled, Nudged, StopWanted
from swell.cluster.course_state import Phase
from swell.cluster.worker_steps import UserGone
from swell.result import End
from tests.cluster.simulated import Cluster, plan_of

SELDOM = st.integers(0, 7).map(lambda drawn: drawn == 7)


class AnyCluster(RuleBasedStateMachine):
    cluster_type: type[Cluster] = Cluster

    @initialize(
        users=st.integers(1, 12),
        workers=st.integers(1, 3),
        run_time_s=st.sampled_from([None, 3.0, 20.0]),
        rate_per_s=st.sampled_from([2.0, 100.0]),
        roughly=SELDOM,
    )
    def start(self, users: int, workers: int, run_time_s: float | None, rate_per_s: float, roughly: bool) -> None:
        self.stopped: set[int] = set()
        self.cluster = self.cluster_type(plan_of(users, workers, run_time_s, rate_per_s))
        if not roughly:
            self.cluster.begin()

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

    @rule(seconds=st.sampled_from([0.01, 0.3, 1.0, 3.0]))
    def time_passes(self, seconds: float) -> None:
        self.cluster.advance(seconds)

    @rule(calls=st.integers(0, 5))
    def users_work(self, calls: int) -> None:
        self.cluster.work(calls)

    @precondition(lambda self: self.cluster.living())
    @rule(data=st.data())
    def a_worker_dies(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.cluster.living()), "worker")
        self.cluster.kill(f"{one.worker}.{one.incarnation}".encode())

    @precondition(lambda self: self.cluster.staying())
    @rule(data=st.data())
    def a_user_stops(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.cluster.staying())), "user")
        for one in self.cluster.living():
            if number in one.state.crew.present:
                self.cluster.to_worker(one, UserGone(number))
                self.stopped.add(number)

    @rule(more=st.sampled_from([-10, -1, 1, 10]))
    def somebody_revises(self, more: int) -> None:
        self.cluster.to_controller(Nudged(more))

    @rule()
    def after_a_while_the_load_is_at_plan(self) -> None:
        for _ in range(10):
            self.cluster.deliver_all()
            self.cluster.work()
            self.cluster.deliver_all()
            self.cluster.advance(1.0)
        if self.cluster.controller.phase is Phase.RUNNING:
            there = set(self.cluster.staying()) | self.stopped
            assert set(range(self.cluster.planned())) <= there

    @rule()
    def a_stranger_sends_garbage(self) -> None:
        self.cluster.to_controller(Garbled(b"stranger"))

    @rule(really=SELDOM)
    def somebody_stops_it(self, really: bool) -> None:
        if really:
            self.cluster.to_controller(StopWanted(End.STOPPED))

    @invariant()
    def what_is_promised_holds(self) -> None:
        if hasattr(self, "cluster"):
            self.cluster.check()

    def teardown(self) -> None:
        if hasattr(self, "cluster"):
            endless = self.cluster.plan.run_time_s is None
            if endless or self.cluster.controller.phase is Phase.GATHERING:
                self.cluster.to_controller(StopWanted(End.STOPPED))
            self.cluster.settle()
            if not (self.cluster.over and self.cluster.over.failure):
                self.cluster.check_account()


TestAnyCluster = AnyCluster.TestCase
TestAnyCluster.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
