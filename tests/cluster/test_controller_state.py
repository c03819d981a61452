import pytest

from swell.clock import NS_PER_S
from swell.cluster.controller_state import ControllerState
from swell.cluster.controller_steps import (
    Apply,
    Begin,
    Cleared,
    Command,
    Deliver,
    Died,
    Ending,
    Garbled,
    Heard,
    Joined,
    Kill,
    Launch,
    Lost,
    Nudged,
    Over,
    Recover,
    Recovered,
    Revise,
    Send,
    Show,
    Spawned,
    Started,
    StopWanted,
    Ticked,
)
from swell.cluster.course_state import BEGIN_DELAY_NS, Phase
from swell.cluster.gathering_state import READY_WITHIN_NS
from swell.cluster.messages import (
    PROTOCOL,
    Acknowledge,
    Dismiss,
    Failed,
    Hello,
    Lease,
    Orders,
    Output,
    Pulse,
    Quit,
    Report,
    Welcome,
    WorkerPhase,
)
from swell.plan import RunPlan, Scenario
from swell.result import End
from swell.segment import Segment
from tests.cluster.simulated import RUN, plan_of
from tests.plans import plan_with

T0 = 50 * NS_PER_S
ONE = b"0.1"
NAMES = (b"0.1", b"1.1")


def state_of(plan: RunPlan | None = None) -> ControllerState:
    plan = plan or plan_of()
    state = ControllerState(RUN, plan, Welcome(plan))
    state.handle(Started(), T0)
    state.handle(Cleared(), T0)
    return state


def hello(worker: int = 0, incarnation: int = 1, run: str = RUN, protocol: int = PROTOCOL) -> Hello:
    return Hello(run, worker, incarnation, "here", 1, protocol=protocol)


def running(plan: RunPlan | None = None) -> ControllerState:
    state = state_of(plan)
    for worker in range(state.plan.workers):
        identity = b"%d.1" % worker
        state.handle(Heard(identity, hello(worker)), T0)
        state.handle(Heard(identity, Pulse(WorkerPhase.READY, 0, T0)), T0)
    assert state.phase is Phase.RUNNING
    return state


def segment(sequence: int, *, worker: int = 0, incarnation: int = 1, final: bool = False, run: str = RUN) -> Segment:
    return Segment(run, worker, incarnation, sequence, 0, 0, 0.0, final=final)


def beyond_leases(commands: list[Command]) -> list[Command]:
    """What else is done when a pulse has come."""
    return [one for one in commands if not (isinstance(one, Send) and isinstance(one.message, Lease))]


def follows(state: ControllerState, worker: int, incarnation: int = 1, now_ns: int = T0) -> list[Command]:
    """A worker says that it follows its orders."""
    member = state.members.present[worker]
    pulse = Pulse(WorkerPhase.RUNNING, member.orders.number, now_ns, sent_ns=now_ns)
    return beyond_leases(state.handle(Heard(b"%d.%d" % (worker, incarnation), pulse), now_ns))


def orders(commands: list[Command]) -> dict[bytes, Orders]:
    return {
        command.to: command.message
        for command in commands
        if isinstance(command, Send) and isinstance(command.message, Orders)
    }


def kinds(commands: list[Command]) -> list[type]:
    return [type(command) for command in commands]


def test_it_launches_its_workers_and_welcomes_them() -> None:
    state = ControllerState(RUN, plan_of(), Welcome(plan_of()))
    assert state.handle(Started(), T0) == [Launch(0, 1), Launch(1, 1)]
    assert state.handle(Heard(ONE, hello()), T0) == [Joined(hello()), Send(ONE, Welcome(plan_of()))]
    assert state.handle(Heard(ONE, hello()), T0) == [Send(ONE, Welcome(plan_of()))]
    state.check()


def test_it_begins_when_all_are_ready_and_its_own_hooks_have_run() -> None:
    state = ControllerState(RUN, plan_of(), Welcome(plan_of()))
    state.handle(Started(), T0)
    for worker, name in enumerate(NAMES):
        state.handle(Heard(name, hello(worker)), T0)
        assert beyond_leases(state.handle(Heard(name, Pulse(WorkerPhase.READY, 0, T0)), T0)) == []
    commands = state.handle(Cleared(), T0)
    assert commands[0] == Begin(T0 + BEGIN_DELAY_NS)
    given = orders(commands)
    assert set(given) == set(NAMES)
    assert {order.begin_ns for order in given.values()} == {T0 + BEGIN_DELAY_NS}
    assert {order.ends_ns for order in given.values()} == {T0 + BEGIN_DELAY_NS + 5 * NS_PER_S}
    assert all(sum(order.share.mine(user) for order in given.values()) == 1 for user in range(100))
    state.check()


@pytest.mark.parametrize(
    ("stranger", "because"),
    [
        (hello(run="run-0"), "this is run run-1, not run-0"),
        (hello(protocol=99), "the worker speaks version 99, the controller version 2"),
        (hello(worker=7), "worker 7.1 is not part of the run"),
        (hello(incarnation=2), "worker 0.2 is not part of the run"),
    ],
)
def test_who_does_not_belong_here_is_dismissed_and_counted(stranger: Hello, because: str) -> None:
    state = state_of()
    assert state.handle(Heard(ONE, stranger), T0) == [Send(ONE, Dismiss(because))]
    assert state.reception.refused.by_sender == {ONE: 1}


def test_frames_of_strangers_and_garbage_are_counted_and_change_nothing() -> None:
    state = running()
    before = repr(state)
    assert state.handle(Garbled(b"x"), T0) == []
    assert state.handle(Heard(b"x", Pulse(WorkerPhase.READY, 0, T0)), T0) == []
    assert state.handle(Heard(b"x", segment(1)), T0) == []
    assert state.handle(Heard(ONE, segment(1, worker=1)), T0) == []
    assert state.handle(Heard(ONE, segment(1, run="run-0")), T0) == []
    assert state.reception.refused.by_sender == {b"x": 3, ONE: 2}
    assert repr(state) == before


def test_segments_are_applied_once_and_in_order_and_acknowledged_up_to_where_they_are() -> None:
    state = running()
    acknowledge = [Send(ONE, Acknowledge(number)) for number in range(4)]
    assert state.handle(Heard(ONE, segment(2)), T0) == [acknowledge[0]]
    assert state.handle(Heard(ONE, segment(1)), T0) == [Apply(segment(1)), acknowledge[1]]
    assert state.handle(Heard(ONE, segment(1)), T0) == [acknowledge[1]]
    assert state.handle(Heard(ONE, segment(2)), T0) == [Apply(segment(2)), acknowledge[2]]


def test_a_worker_with_old_orders_gets_them_again_but_not_at_once() -> None:
    state = running()
    behind = Heard(ONE, Pulse(WorkerPhase.READY, 0, T0))
    assert orders(state.handle(behind, T0 + 1)) == {}
    assert orders(state.handle(behind, T0 + NS_PER_S))[ONE].begin_ns == T0 + BEGIN_DELAY_NS


def test_more_users_are_a_numbered_revision_for_everyone() -> None:
    state = running()
    commands = state.handle(Nudged(+10), T0 + NS_PER_S)
    assert isinstance(commands[0], Revise)
    assert (commands[0].revision.number, commands[0].revision.users) == (1, 14)
    assert {order.revisions for order in orders(commands).values()} == {state.course.revisions}
    assert kinds(state.handle(Nudged(-100), T0 + NS_PER_S)) == [Revise, Send, Send]
    assert state.course.users == 0
    assert state.handle(Nudged(-1), T0 + NS_PER_S) == []


def test_fixed_counts_limit_the_users() -> None:
    plan = plan_with(3, scenarios=(Scenario("A", fixed_count=3),), workers=1)
    state = running(plan)
    assert state.course.users == 3
    assert state.handle(Nudged(+1), T0 + NS_PER_S) == []


def test_it_says_once_when_all_have_started() -> None:
    state = running(plan_of(users=4, rate_per_s=10.0))
    assert Spawned(4) not in state.handle(Ticked(), T0 + BEGIN_DELAY_NS + NS_PER_S // 4)
    assert Spawned(4) in state.handle(Ticked(), T0 + BEGIN_DELAY_NS + 3 * NS_PER_S // 10)
    assert Spawned(4) not in state.handle(Ticked(), T0 + BEGIN_DELAY_NS + NS_PER_S)


def test_it_ends_by_time_and_is_over_when_all_have_sent_their_last() -> None:
    state = running()
    end_ns = T0 + BEGIN_DELAY_NS + 5 * NS_PER_S
    commands = state.handle(Ticked(), end_ns + 1)
    assert commands[:2] == [Spawned(4), Ending(End.COMPLETED, "", end_ns)]
    state.handle(Heard(NAMES[0], segment(1, final=True)), end_ns + 2)
    assert state.phase is Phase.ENDING
    assert state.handle(Heard(NAMES[1], segment(1, worker=1, final=True)), end_ns + 2)[-1] == Over()
    assert state.handle(Ticked(), end_ns + 3) == []


def test_a_stop_ends_it_now_for_everyone() -> None:
    state = running()
    commands = state.handle(StopWanted(End.STOPPED), T0 + NS_PER_S)
    assert commands[0] == Ending(End.STOPPED, "", T0 + NS_PER_S)
    assert {order.ends_ns for order in orders(commands).values()} == {T0 + NS_PER_S}
    assert state.handle(StopWanted(End.STOPPED), T0 + 2 * NS_PER_S) == []


def test_user_code_in_a_worker_can_stop_it() -> None:
    commands = running().handle(Heard(ONE, Quit()), T0 + NS_PER_S // 100)
    assert commands[0] == Ending(End.STOPPED, "the script asked for it", T0 + NS_PER_S // 100)


def test_it_ends_when_all_users_have_stopped() -> None:
    state = running()
    for name in NAMES:
        number = state.members.present[int(name[:1])].orders.number
        commands = state.handle(Heard(name, Pulse(WorkerPhase.RUNNING, number, T0, idle=True)), T0 + NS_PER_S)
    assert beyond_leases(commands)[0] == Ending(End.COMPLETED, "all users have stopped", T0 + NS_PER_S)


def test_a_worker_idle_under_old_orders_does_not_count() -> None:
    state = running(plan_of(workers=1))
    number = state.members.present[0].orders.number
    state.handle(Nudged(+1), T0 + NS_PER_S)
    state.handle(Heard(ONE, Pulse(WorkerPhase.RUNNING, number, T0, idle=True)), T0 + NS_PER_S)
    assert state.phase is Phase.RUNNING


def test_a_worker_that_dies_is_read_and_replaced_with_the_same_share() -> None:
    state, soon_ns = running(), T0 + NS_PER_S // 100
    share = state.members.present[0].share
    commands = state.handle(Died(0, 1, "was killed by signal 9"), soon_ns)
    assert commands == [Lost(0, 1, "was killed by signal 9"), Recover(0, 1), Launch(0, 2)]
    assert state.handle(Heard(ONE, segment(1)), soon_ns)[0] == Apply(segment(1))
    assert state.handle(Recovered(0, 1, (segment(1), segment(2))), soon_ns) == [Apply(segment(2))]
    state.handle(Heard(b"0.2", hello(incarnation=2)), soon_ns)
    given = orders(state.handle(Heard(b"0.2", Pulse(WorkerPhase.READY, 0, T0)), soon_ns))[b"0.2"]
    assert (given.share, given.share_from_ns) == (share, soon_ns)
    state.check()


def test_the_dead_are_not_welcomed_again() -> None:
    state = running()
    state.handle(Died(0, 1, "fell over"), T0 + NS_PER_S)
    assert isinstance(state.handle(Heard(ONE, hello()), T0 + NS_PER_S)[0].message, Dismiss)  # type: ignore[union-attr]


def test_a_worker_that_keeps_dying_is_given_up_and_the_others_take_over() -> None:
    state = running()
    follows(state, 1)
    for incarnation in (1, 2):
        assert Launch(0, incarnation + 1) in state.handle(Died(0, incarnation, "died"), T0 + NS_PER_S)
    commands = state.handle(Died(0, 3, "died"), T0 + NS_PER_S)
    assert not {Launch, Send} & set(kinds(commands))
    commands = state.handle(Recovered(0, 3, ()), T0 + NS_PER_S)
    assert all(orders(commands)[b"1.1"].share.mine(user) for user in range(1_000))
    for incarnation in (1, 2, 3):
        commands = state.handle(Died(1, incarnation, "died"), T0 + NS_PER_S)
    assert Ending(End.FAILED, "no worker is left", T0 + NS_PER_S) in commands


def test_before_the_beginning_one_that_cannot_take_part_ends_it_all() -> None:
    died = state_of().handle(Died(1, 1, "ended with exit code 1", "ImportError: no"), T0)
    assert died == [Kill(0, 1), Kill(1, 1), Over("worker 1 ended with exit code 1\nImportError: no")]
    state = state_of()
    state.handle(Heard(ONE, hello()), T0)
    failed = state.handle(Heard(ONE, Failed("contest.py:3: it is broken", 2, "Traceback")), T0)
    assert failed[-1] == Over("worker 0: contest.py:3: it is broken", 2, "Traceback")


def test_a_worker_that_does_not_get_ready_ends_it_and_is_named() -> None:
    state = state_of()
    state.handle(Heard(ONE, hello()), T0)
    state.handle(Heard(ONE, Pulse(WorkerPhase.READY, 0, T0)), T0)
    assert state.handle(Ticked(), T0 + READY_WITHIN_NS)[-1] == Over("not ready within 60 s: worker 1")


def test_one_that_does_not_send_its_last_is_killed_and_read() -> None:
    state = running()
    state.handle(StopWanted(End.STOPPED), T0)
    state.handle(Heard(ONE, segment(1, final=True)), T0)
    late_ns = T0 + round((state.plan.stop_timeout_s + 10) * NS_PER_S)
    assert state.handle(Ticked(), late_ns - 1) == []
    assert state.handle(Ticked(), late_ns) == [Kill(1, 1)]
    assert state.handle(Died(1, 1, "was killed by signal 9"), late_ns) == [
        Lost(1, 1, "was killed by signal 9"),
        Recover(1, 1),
    ]
    assert state.handle(Recovered(1, 1, ()), late_ns) == [Over()]


def test_a_worker_that_has_sent_its_last_may_end() -> None:
    state = running()
    state.handle(StopWanted(End.STOPPED), T0)
    state.handle(Heard(ONE, segment(1, final=True)), T0)
    assert state.handle(Died(0, 1, "ended with exit code 0"), T0) == []


def test_what_workers_print_and_report_is_passed_on() -> None:
    state = running()
    assert state.handle(Heard(ONE, Output(("hello",), error=True)), T0) == [Show(0, ("hello",), True)]
    assert state.handle(Heard(ONE, Report(b"\x80")), T0) == [Deliver(0, b"\x80")]
