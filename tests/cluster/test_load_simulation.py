"""Loads of every model side by side, through losses, repetitions and deaths: what a schedule promises of arrivals and
iterations holds in every state on the way, and without faults to the last one."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from swell.cluster.controller_steps import StopWanted
from swell.cluster.course_state import Phase
from swell.cluster.member_state import identity_of
from swell.cluster.opening_state import BEFORE
from swell.cluster.worker_steps import Sealed
from swell.load.starts import starts_of
from swell.load_plan import Closed, Curve, Iterations, Leg, Load, Open, Sessions, Spread, load_of
from swell.result import End
from tests.cluster.simulated import Cluster, plan_of_loads

SELDOM = st.integers(0, 7).map(lambda drawn: drawn == 7)
RATES = st.builds(
    lambda to, held_s: Curve((Leg(1.0, 0, to), Leg(held_s, to, to))), st.integers(1, 30), st.sampled_from([1.0, 3.0])
)
SPREADS = st.sampled_from(Spread)
MODELS = {
    "Steady": st.builds(
        lambda users, held_s: Closed(Curve((Leg(1.0, 0, users), Leg(held_s, users, users)))),
        st.integers(1, 6),
        st.sampled_from([1.0, 3.0]),
    ),
    "Visitor": st.builds(
        lambda curve, users, more, spread: Open(curve, users + more, users, spread),
        *(RATES, st.integers(0, 6), st.integers(1, 20), SPREADS),
    ),
    "Guest": st.builds(
        lambda curve, most, iterations, spread: Sessions(curve, most, iterations=iterations, spread=spread),
        *(RATES, st.integers(1, 30), st.integers(1, 3), SPREADS),
    ),
    "Lodger": st.builds(
        lambda curve, most, lives_s: Sessions(curve, most, lives_s=lives_s),
        *(RATES, st.integers(1, 30), st.sampled_from([0.5, 2.0])),
    ),
    "Sharer": st.builds(lambda users, total: Iterations(users, total=total), st.integers(1, 6), st.integers(1, 40)),
    "Each": st.builds(lambda users, each: Iterations(users, each=each), st.integers(1, 6), st.integers(1, 6)),
}
LOADS = st.lists(st.sampled_from(sorted(MODELS)), min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.tuples(
        *(
            st.builds(
                lambda model, start_s, name=name: Load(model=model, scenarios=(name,), start_s=start_s),
                *(MODELS[name], st.sampled_from([0.0, 0.5])),
            )
            for name in names
        )
    )
)


def planned(load: Load) -> int:
    """How many iterations a load of them has in all."""
    model = load.model
    assert isinstance(model, Iterations)
    return model.total if model.total is not None else model.users * (model.each or 0)


def check_totals(cluster: Cluster, *, exact: bool) -> None:
    """What was reported of iterations, and what was seen to of arrivals, is what was planned, or not more."""
    loads = cluster.plan.loads
    seen_to = cluster.taken_up + cluster.dropped
    for number, load in enumerate(loads):
        starts = starts_of(load, number, cluster.plan.seed)
        if isinstance(load.model, Iterations):
            done = cluster.iterations(load.scenarios[0])
            assert done == planned(load) if exact else done <= planned(load), load
        elif starts is not None and starts.total is not None:
            arrived = [arrival for arrival in seen_to if load_of(arrival, len(loads))[0] == number]
            assert len(arrived) == starts.total if exact else len(arrived) <= starts.total, load


def go_on(cluster: Cluster, rounds: int) -> None:
    """Let all go well for some quarters of a second."""
    for _ in range(rounds):
        if cluster.over is not None:
            break
        cluster.deliver_all()
        cluster.work()
        cluster.deliver_all()
        cluster.advance(0.25)
        cluster.check()


@given(LOADS, st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_without_faults_every_total_is_exact(loads: tuple[Load, ...], workers: int) -> None:
    cluster = Cluster(plan_of_loads(*loads, workers=workers))
    go_on(cluster, rounds=160)
    cluster.settle()
    check_totals(cluster, exact=True)
    cluster.check_account()


@given(
    st.builds(Iterations, st.integers(1, 12), total=st.integers(1, 60))
    | st.builds(Iterations, st.integers(1, 12), each=st.integers(1, 6)),
    st.integers(2, 4),
    st.integers(1, 12),
    st.integers(1, 3),
    st.data(),
)
@settings(max_examples=100, deadline=None)
def test_what_a_dead_worker_had_reported_is_not_done_again_and_the_rest_is(
    model: Iterations, workers: int, rounds: int, deaths: int, data: st.DataObject
) -> None:
    load = Load(model=model, scenarios=("Sharer",))
    cluster = Cluster(plan_of_loads(load, workers=workers))
    go_on(cluster, rounds)
    number = data.draw(st.integers(0, workers - 1), "worker")
    for _ in range(deaths):
        for one in cluster.living():
            if one.worker == number and cluster.controller.phase is Phase.RUNNING:
                cluster.to_worker(one, Sealed(one.seal()))
                cluster.deliver_all()
                cluster.kill(identity_of(one.worker, one.incarnation))
        go_on(cluster, 1)
    cluster.settle()
    assert cluster.iterations("Sharer") == planned(load)


class AnyLoads(RuleBasedStateMachine):
    @initialize(
        loads=LOADS, workers=st.integers(1, 4), run_time_s=st.sampled_from([None, None, 2.0, 20.0]), roughly=SELDOM
    )
    def start(self, loads: tuple[Load, ...], workers: int, run_time_s: float | None, roughly: bool) -> None:
        self.cluster = Cluster(plan_of_loads(*loads, workers=workers, run_time_s=run_time_s))
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

    @rule(seconds=st.sampled_from([0.5, 2.0]))
    def the_workers_stand_still(self, seconds: float) -> None:
        self.cluster.stand_still(seconds)

    @rule()
    def users_work(self) -> None:
        self.cluster.work()

    @precondition(lambda self: self.cluster.living())
    @rule(data=st.data(), early=SELDOM)
    def a_worker_dies(self, data: st.DataObject, early: bool) -> None:
        one = data.draw(st.sampled_from(self.cluster.living()), "worker")
        if early or self.cluster.controller.phase not in BEFORE:
            self.cluster.kill(f"{one.worker}.{one.incarnation}".encode())

    @rule(rounds=st.integers(1, 6))
    def all_goes_well_for_a_while(self, rounds: int) -> None:
        go_on(self.cluster, rounds)

    @precondition(lambda self: self.cluster.living() and self.cluster.controller.phase not in BEFORE)
    @rule(data=st.data(), rounds=st.integers(0, 3))
    def a_worker_dies_again_and_again(self, data: st.DataObject, rounds: int) -> None:
        number = data.draw(st.sampled_from(self.cluster.living()), "worker").worker
        for _ in range(3):
            for one in self.cluster.living():
                if one.worker == number:
                    self.cluster.kill(f"{one.worker}.{one.incarnation}".encode())
            go_on(self.cluster, rounds)

    @precondition(lambda self: self.cluster.staying())
    @rule(data=st.data())
    def a_user_stops(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.cluster.staying())), "user")
        for one in self.cluster.living():
            if number in one.state.crew.present:
                self.cluster.user_goes(one, number)

    @rule(really=SELDOM)
    def somebody_stops_it(self, really: bool) -> None:
        if really:
            self.cluster.to_controller(StopWanted(End.STOPPED))

    @invariant()
    def what_is_promised_holds(self) -> None:
        if hasattr(self, "cluster"):
            self.cluster.check()
            check_totals(self.cluster, exact=False)

    def teardown(self) -> None:
        if not hasattr(self, "cluster"):
            return
        if self.cluster.controller.phase is Phase.GATHERING:
            self.cluster.to_controller(StopWanted(End.STOPPED))
        self.cluster.settle()
        check_totals(self.cluster, exact=False)
        if not (self.cluster.over and self.cluster.over.failure):
            self.cluster.check_account()


TestAnyLoads = AnyLoads.TestCase
TestAnyLoads.settings = settings(
    max_examples=80, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
