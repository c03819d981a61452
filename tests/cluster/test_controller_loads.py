"""A controller whose plan is more than users that start and stay: preparation, revisions of a load of several, ends."""

from swell.clock import NS_PER_S
from swell.cluster.controller_state import ControllerState
from swell.cluster.controller_steps import (
    Begin,
    Cleared,
    Command,
    Died,
    Ending,
    Heard,
    Note,
    Nudged,
    Over,
    Revise,
    Revised,
    Send,
    Spawned,
    Started,
    StopWanted,
    Ticked,
)
from swell.cluster.course_state import BEGIN_DELAY_NS, Phase
from swell.cluster.messages import Hello, Orders, Pulse, Welcome, WorkerPhase
from swell.cluster.opening_state import PATIENCE_NS, PREPARED_WITHIN_NS
from swell.load_plan import Closed, Curve, Iterations, Leg, Load, Open, Sessions
from swell.plan import RunPlan
from swell.result import End
from tests.cluster.simulated import RUN, plan_of_loads
from tests.cluster.test_controller_state import beyond_leases

T0 = 50 * NS_PER_S
NAMES = (b"0.1", b"1.1")
RATES = Curve((Leg(10.0, 10, 10),))
VISITS = Load(model=Open(RATES, max_users=50, users=20), scenarios=("Visitor",))
STAYING = Load(model=Closed(Curve((Leg(1.0, 0, 10),), endless=True)), scenarios=("Resident",))
PASSING = Load(model=Closed(Curve((Leg(2.0, 0, 8), Leg(3.0, 8, 8)))), scenarios=("Commuter",))


def gathered(plan: RunPlan, lease_s: float = 15.0) -> ControllerState:
    """All workers have loaded the script."""
    state = ControllerState(RUN, plan, Welcome(plan, lease_s=lease_s))
    state.handle(Started(), T0)
    state.handle(Cleared(), T0)
    for worker, name in enumerate(NAMES):
        state.handle(Heard(name, Hello(RUN, worker, 1, "here", 1)), T0)
        state.handle(Heard(name, Pulse(WorkerPhase.READY, 0, T0)), T0)
    return state


def orders(commands: list[Command]) -> list[Orders]:
    return [
        command.message for command in commands if isinstance(command, Send) and isinstance(command.message, Orders)
    ]


def prepared(state: ControllerState, name: bytes, now_ns: int = T0) -> list[Command]:
    number = state.members.present[int(name[:1])].orders.number
    pulse = Pulse(WorkerPhase.PREPARING, number, now_ns, users=10, prepared=True)
    return beyond_leases(state.handle(Heard(name, pulse), now_ns))


def test_users_get_ready_before_the_run_begins() -> None:
    state = gathered(plan_of_loads(VISITS))
    assert state.phase is Phase.PREPARING
    given = [member.orders for member in state.members.present.values()]
    assert [order.begin_ns for order in given] == [None, None]
    assert sum(order.share.below(20) for order in given) == 20
    assert prepared(state, NAMES[0]) == []
    commands = prepared(state, NAMES[1], T0 + NS_PER_S)
    assert commands[0] == Begin(T0 + NS_PER_S + BEGIN_DELAY_NS)
    assert [order.begin_ns for order in orders(commands)] == [T0 + NS_PER_S + BEGIN_DELAY_NS] * 2
    state.check()


def test_nobody_waits_for_them_for_ever_and_it_is_said_what_for() -> None:
    state = gathered(plan_of_loads(VISITS))
    assert state.handle(Ticked(), T0 + PATIENCE_NS - 1) == []
    assert state.handle(Ticked(), T0 + PATIENCE_NS) == [Note("20 users get ready before the run begins")]
    assert state.handle(Ticked(), T0 + 2 * PATIENCE_NS) == []
    commands = state.handle(Ticked(), T0 + PREPARED_WITHIN_NS)
    assert commands[0] == Note("not all of 20 users were ready within 60 s: the run begins without them")
    assert isinstance(commands[1], Begin)
    assert state.phase is Phase.RUNNING


def test_that_somebody_was_ready_under_old_orders_does_not_count() -> None:
    state = gathered(plan_of_loads(VISITS))
    state.handle(Heard(NAMES[0], Pulse(WorkerPhase.READY, 0, T0, prepared=True)), T0)
    prepared(state, NAMES[1])
    assert state.phase is Phase.PREPARING


def test_a_stop_meanwhile_ends_a_run_of_no_length() -> None:
    state = gathered(plan_of_loads(VISITS))
    commands = state.handle(StopWanted(End.STOPPED), T0 + NS_PER_S)
    now_ns = T0 + NS_PER_S
    assert commands[:2] == [Begin(now_ns), Ending(End.STOPPED, "", now_ns)]
    assert [(order.begin_ns, order.ends_ns) for order in orders(commands)] == [(now_ns, now_ns)] * 2
    state.check()


def test_a_worker_that_dies_meanwhile_ends_it_all() -> None:
    commands = gathered(plan_of_loads(VISITS)).handle(Died(1, 1, "was killed by signal 9"), T0)
    assert commands[-1] == Over("worker 1 was killed by signal 9")


def test_sessions_get_the_workers_ready_though_no_user() -> None:
    load = Load(model=Sessions(RATES, max_users=5, iterations=1), scenarios=("Guest",))
    state = gathered(plan_of_loads(load))
    assert state.phase is Phase.PREPARING
    assert state.handle(Ticked(), T0 + 2 * PATIENCE_NS) == []


def running(*loads: Load, run_time_s: float | None = None, lease_s: float = 15.0) -> ControllerState:
    state = gathered(plan_of_loads(*loads, run_time_s=run_time_s), lease_s)
    for name in NAMES:
        prepared(state, name)
    assert state.phase is Phase.RUNNING
    return state


def revision_of(commands: list[Command]) -> tuple[int, int, float]:
    (revised,) = (command.revision for command in commands if isinstance(command, Revise))
    return revised.load, revised.users, revised.rate_per_s


def test_a_closed_load_is_revised_by_its_number() -> None:
    state = running(VISITS, STAYING, PASSING)
    assert revision_of(state.handle(Revised(2, 30, 5.0), T0 + NS_PER_S)) == (2, 30, 5.0)
    assert revision_of(state.handle(Revised(1, 12, 7.0), T0 + NS_PER_S)) == (1, 12, 7.0)
    assert state.handle(Revised(0, 30, 5.0), T0 + NS_PER_S) == []
    assert [revision.number for revision in state.course.revisions] == [1, 2]
    state.check()


def test_keys_change_the_only_closed_load_without_an_end() -> None:
    state = running(VISITS, PASSING, STAYING)
    assert revision_of(state.handle(Nudged(+5), T0 + NS_PER_S))[:2] == (2, 15)


def test_where_there_is_none_or_are_several_they_say_so() -> None:
    for state in (running(VISITS, PASSING), running(STAYING, STAYING)):
        note = state.handle(Nudged(+1), T0 + NS_PER_S)[0]
        assert isinstance(note, Note)
        assert note.text.startswith("keys change the users of a plan")


def test_all_have_been_started_when_the_last_that_is_to_start_has() -> None:
    state = running(PASSING)
    begin_ns = T0 + BEGIN_DELAY_NS
    assert Spawned(8) not in state.handle(Ticked(), begin_ns + 17 * NS_PER_S // 10)
    assert Spawned(8) in state.handle(Ticked(), begin_ns + 18 * NS_PER_S // 10)


def test_a_plan_ends_when_its_last_load_does_or_is_cut_off_before() -> None:
    for run_time_s, ends_s in ((None, 10), (4.0, 4), (20.0, 10)):
        state = running(VISITS, PASSING, run_time_s=run_time_s)
        assert state.course.ends_ns == T0 + BEGIN_DELAY_NS + ends_s * NS_PER_S


def test_when_all_iterations_are_done_the_run_is_completed_without_further_words() -> None:
    state = running(Load(model=Iterations(users=5, total=10), scenarios=("Sharer",)))
    assert state.course.ends_ns is None
    for name in NAMES:
        number = state.members.present[int(name[:1])].orders.number
        commands = state.handle(Heard(name, Pulse(WorkerPhase.RUNNING, number, T0, idle=True)), T0 + NS_PER_S)
    assert beyond_leases(commands)[0] == Ending(End.COMPLETED, "", T0 + NS_PER_S)


def test_the_longest_grace_is_waited_for_before_a_worker_is_killed() -> None:
    slow = Load(model=STAYING.model, scenarios=("Resident",), graceful_stop_s=2.0, graceful_ramp_down_s=30.0)
    state = running(slow, lease_s=60.0)
    assert state.plan.longest_stop_s == 30.0
    state.handle(StopWanted(End.STOPPED), T0)
    assert state.handle(Ticked(), T0 + 39 * NS_PER_S) == []
    assert len(state.handle(Ticked(), T0 + 40 * NS_PER_S)) == 2
