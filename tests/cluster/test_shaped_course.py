"""A run whose users a shape asks for: what becomes of its answers, in the controller and in simulated workers."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.cluster.controller_steps import Command, Heard, Note, Nudged, Reshaped, Revise, Send, Spawned, Ticked
from swell.cluster.course_state import BEGIN_DELAY_NS, REVISIONS_TOLD, Phase
from swell.cluster.member_state import identity_of
from swell.cluster.messages import Orders, Pulse, WorkerPhase, encode
from swell.load.schedule import Schedule
from swell.load.shape import Wanted
from swell.load_plan import Closed, Curve, Load
from swell.plan import Revision, RunPlan, Scenario
from tests.cluster.simulated import Cluster, plan_of_loads
from tests.cluster.test_controller_state import T0, running

HOUR_S = 3_600
BEGIN_NS = T0 + BEGIN_DELAY_NS
NAMES = ("Reader", "Writer", "Judge")


def shaped_plan(*scenarios: Scenario, workers: int = 2) -> RunPlan:
    """One load without users for each class, as a shape has it."""
    scenarios = scenarios or (Scenario("Reader", weight=3), Scenario("Writer"))
    loads = tuple(Load(model=Closed(Curve(endless=True)), scenarios=(one.name,)) for one in scenarios)
    return msgspec.structs.replace(plan_of_loads(*loads, workers=workers), scenarios=scenarios, shape="Evening")


def revisions(commands: list[Command]) -> list[Revision]:
    return [command.revision for command in commands if isinstance(command, Revise)]


def orders(commands: list[Command]) -> list[Orders]:
    return [one.message for one in commands if isinstance(one, Send) and isinstance(one.message, Orders)]


def test_an_answer_becomes_revisions_of_one_moment_that_are_sent_once() -> None:
    state = running(shaped_plan())
    commands = state.handle(Reshaped(Wanted(8, 4.0)), BEGIN_NS)
    at_s = BEGIN_DELAY_NS / NS_PER_S
    assert revisions(commands) == [
        Revision(1, at_s, 6, 3.0, 0, 0.0, from_users=0),
        Revision(2, at_s, 2, 1.0, 1, 0.25, from_users=0),
    ]
    assert [order.revisions for order in orders(commands)] == [state.course.revisions] * 2
    state.check()


def test_a_class_that_stays_as_it_is_gets_no_revision() -> None:
    state = running(shaped_plan())
    state.handle(Reshaped(Wanted(8, 100.0)), BEGIN_NS)
    only_readers = state.handle(Reshaped(Wanted(6, 4.0, ("Reader",))), BEGIN_NS + 10 * NS_PER_S)
    assert [(one.load, one.users, one.rate_per_s) for one in revisions(only_readers)] == [(1, 0, 4.0)]
    assert revisions(state.handle(Reshaped(Wanted(6, 50.0, ("Reader",))), BEGIN_NS + 20 * NS_PER_S)) == []


def test_another_pace_for_the_same_users_counts_while_they_are_still_coming() -> None:
    state = running(shaped_plan(Scenario("Reader")))
    state.handle(Reshaped(Wanted(100, 1.0)), BEGIN_NS)
    (faster,) = revisions(state.handle(Reshaped(Wanted(100, 50.0)), BEGIN_NS + 9_600_000_000))
    assert (faster.users, faster.rate_per_s, faster.from_users) == (100, 50.0, 10)


def test_it_goes_on_from_where_the_ramp_had_got_to() -> None:
    state = running(shaped_plan(Scenario("Reader")))
    state.handle(Reshaped(Wanted(100, 10.0)), BEGIN_NS - BEGIN_DELAY_NS)
    state.handle(Reshaped(Wanted(20, 40.0)), BEGIN_NS - BEGIN_DELAY_NS + 5 * NS_PER_S)
    schedule = Schedule(state.course.revisions)
    seconds = [0, 1, 4.999, 5, 5.5, 10]
    assert [schedule.users_at(round(second * NS_PER_S)) for second in seconds] == [1, 11, 50, 49, 29, 20]


def test_each_answer_is_said_to_be_reached_once_and_nothing_before_the_first() -> None:
    state = running(shaped_plan(workers=1))
    said = []
    answers = {0: Wanted(8, 4.0), 5: Wanted(16, 1.0), 6: Wanted(4, 100.0)}
    for second in range(10):
        now_ns = BEGIN_NS + second * NS_PER_S
        commands = state.handle(Ticked(), now_ns)
        commands += state.handle(Reshaped(answers[second]), now_ns) if second in answers else []
        commands += state.handle(Ticked(), now_ns + NS_PER_S // 2)
        said += [(second, command.users) for command in commands if isinstance(command, Spawned)]
    assert said == [(2, 8), (6, 4)]


def test_a_run_goes_on_when_its_users_have_left_and_a_shape_may_want_others() -> None:
    state = running(shaped_plan(Scenario("Reader"), workers=1))
    state.handle(Reshaped(Wanted(3, 100.0)), BEGIN_NS)
    number = state.members.present[0].orders.number
    state.handle(Heard(b"0.1", Pulse(WorkerPhase.RUNNING, number, T0, idle=True)), BEGIN_NS + NS_PER_S)
    assert state.phase is Phase.RUNNING


def test_keys_do_not_change_what_a_shape_plans() -> None:
    state = running(shaped_plan(Scenario("Reader")))
    assert state.handle(Nudged(+1), BEGIN_NS + NS_PER_S) == [Note("Evening says how many users there are: keys do not")]


def test_orders_do_not_grow_however_often_a_shape_changes_its_mind() -> None:
    state = running(shaped_plan(*(Scenario(name) for name in NAMES), workers=1))
    sizes = {}
    for second in range(HOUR_S):
        commands = state.course.reshape(Wanted(300 + second * 37 % 200, 20.0), BEGIN_NS + second * NS_PER_S)
        assert commands
        if second in (REVISIONS_TOLD, 100, HOUR_S - 1):
            (order,) = orders(state.handle(Reshaped(Wanted(second % 7, 20.0)), BEGIN_NS + second * NS_PER_S + 1))
            sizes[second] = len(encode(order))
            assert len(order.revisions) == REVISIONS_TOLD * len(NAMES)
    assert sizes[HOUR_S - 1] < 1.1 * sizes[100] < 10_000
    state.check()


# --- with workers ---


def shaped_cluster(workers: int, *scenarios: Scenario) -> Cluster:
    cluster = Cluster(shaped_plan(*scenarios, workers=workers))
    cluster.begin()
    cluster.deliver_all()
    return cluster


def scenarios_there(cluster: Cluster) -> dict[str, int]:
    loads = cluster.plan.loads
    there = [loads[number % len(loads)].scenarios[0] for number in cluster.staying()]
    return {name: there.count(name) for name in sorted(set(there))}


def test_weights_and_fixed_counts_are_dealt_once_and_not_again_by_the_workers() -> None:
    heavy, judge = Scenario("Heavy", weight=100.0), Scenario("Judge", fixed_count=2)
    cluster = shaped_cluster(2, heavy, Scenario("Light"), judge)
    cluster.to_controller(Reshaped(Wanted(204, 500.0)))
    cluster.deliver_all()
    cluster.advance(1.0)
    assert scenarios_there(cluster) == {"Heavy": 200, "Judge": 2, "Light": 2}
    cluster.to_controller(Reshaped(Wanted(10, 500.0, ("Light",))))
    cluster.deliver_all()
    cluster.advance(2.0)
    assert scenarios_there(cluster) == {"Light": 10}


answers = st.lists(
    st.tuples(
        st.sampled_from([0.2, 1.0, 3.0]),
        st.builds(
            Wanted,
            st.integers(0, 40),
            st.sampled_from([0.7, 5.0, 200.0]),
            st.sampled_from([(), ("Reader",), ("Writer", "Judge")]),
        ),
    ),
    min_size=1,
    max_size=25,
)


@given(st.integers(1, 3), answers, st.none() | st.integers(0, 24))
@settings(max_examples=60, deadline=None)
def test_workers_together_have_the_users_of_the_exact_schedule_at_any_time(
    workers: int, answers: list[tuple[float, Wanted]], death: int | None
) -> None:
    """Also while former ramps are under way, beyond the revisions that are told, and after a worker was replaced."""
    scenarios = Scenario("Reader", weight=3), Scenario("Writer"), Scenario("Judge", fixed_count=2)
    cluster = shaped_cluster(workers, *scenarios)
    every: dict[int, list[Revision]] = {number: [] for number in range(len(scenarios))}
    for place, (wait_s, wanted) in enumerate(answers):
        cluster.to_controller(Reshaped(wanted))
        for revision in cluster.controller.course.revisions:
            if revision not in every[revision.load]:
                every[revision.load].append(revision)
        cluster.deliver_all()
        if place == death:
            cluster.kill(identity_of(0, 1))
        for _ in range(3):
            cluster.advance(wait_s / 3)
            cluster.work()
            cluster.deliver_all()
            bare = {load: [_unanchored(one) for one in own] for load, own in every.items()}
            at_ns = cluster.now_ns - (cluster.controller.course.begin_ns or 0)
            exact = sum(Schedule(own).users_at(at_ns) for own in bare.values())
            assert cluster.planned() == exact
            if death is None or place < death:
                assert len(cluster.staying()) == exact
    cluster.advance(60.0)
    cluster.work()
    cluster.deliver_all()
    cluster.advance(5.0)
    assert len(cluster.staying()) == cluster.planned() == cluster.controller.course.users


def _unanchored(revision: Revision) -> Revision:
    """Without what it found: then all before it are needed."""
    return msgspec.structs.replace(revision, from_users=None, latest_ns=None)
