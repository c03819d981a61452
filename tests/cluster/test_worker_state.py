from swell.clock import NS_PER_S
from swell.cluster.messages import (
    Acknowledge,
    Dismiss,
    Hello,
    Orders,
    Pulse,
    Welcome,
    WorkerPhase,
)
from swell.cluster.outbox_state import LEAST_PATIENCE_NS
from swell.cluster.user_steps import Arrive, LeaveUser, StartUser
from swell.cluster.worker_state import PARTING_NS, WorkerState
from swell.cluster.worker_steps import (
    Begin,
    Command,
    Exit,
    Forget,
    Heard,
    Loaded,
    Prepare,
    PulseDue,
    Sealed,
    SealFinal,
    Send,
    Stop,
    UserGone,
    UserReady,
    WarmedUp,
    WarmUp,
    Woke,
)
from swell.load.shares import everything
from swell.load_plan import Curve, Leg, Load, Open
from swell.plan import Revision
from swell.segment import Segment
from swell.user import Admission
from tests.cluster.simulated import RUN, plan_of, plan_of_loads

T0 = 50 * NS_PER_S
HELLO = Hello(RUN, 0, 1, "here", 1)
GO = Orders(1, begin_ns=T0, revisions=(Revision(0, 0.0, 2, 1.0),), share=everything())
STOP = Orders(2, begin_ns=T0, ends_ns=T0 + NS_PER_S, revisions=GO.revisions, share=GO.share)


def segment(sequence: int, *, final: bool = False) -> Segment:
    return Segment(RUN, 0, 1, sequence, 0, 0, 0.0, final=final)


def welcomed() -> WorkerState:
    state = WorkerState(HELLO)
    state.handle(Heard(Welcome(plan_of())), T0)
    return state


def running() -> WorkerState:
    state = welcomed()
    state.handle(Loaded(), T0)
    state.handle(Heard(GO), T0)
    return state


def done() -> WorkerState:
    state = running()
    state.handle(UserGone(0), T0)
    state.handle(Heard(STOP), T0 + NS_PER_S)
    state.handle(Sealed(segment(1, final=True)), T0 + NS_PER_S)
    return state


def kinds(commands: list[Command]) -> list[type]:
    return [type(command) for command in commands]


def pulses(commands: list[Command]) -> list[Pulse]:
    return [command.message for command in commands if isinstance(command, Send) and isinstance(command.message, Pulse)]


def test_a_worker_says_hello_until_it_is_welcomed() -> None:
    state = WorkerState(HELLO)
    assert state.handle(PulseDue(), T0) == [Send(HELLO)]
    assert state.handle(PulseDue(), T0 + NS_PER_S) == [Send(HELLO)]
    assert kinds(state.handle(Heard(Welcome(plan_of())), T0)) == [Prepare]
    assert state.handle(Heard(Welcome(plan_of())), T0) == []
    assert [pulse.phase for pulse in pulses(state.handle(PulseDue(), T0))] == [WorkerPhase.LOADING]
    state.check()


def test_it_is_ready_once_the_script_is_loaded_and_begins_when_told() -> None:
    state = welcomed()
    assert [pulse.phase for pulse in pulses(state.handle(Loaded(), T0))] == [WorkerPhase.READY]
    commands = state.handle(Heard(GO), T0)
    assert commands[:2] == [Begin(T0), StartUser(0, T0, "Contestant")]
    assert (state.phase, state.wake_ns) == (WorkerPhase.RUNNING, T0 + NS_PER_S)
    assert state.handle(Woke(), T0 + NS_PER_S) == [StartUser(1, T0 + NS_PER_S, "Contestant")]
    assert state.wake_ns is None
    state.check()


def test_orders_that_come_while_it_loads_are_followed_afterwards() -> None:
    state = welcomed()
    assert Begin(T0) not in state.handle(Heard(GO), T0)
    assert Begin(T0) in state.handle(Loaded(), T0)


def test_an_older_order_is_ignored() -> None:
    state = running()
    state.handle(Heard(STOP), T0)
    assert state.handle(Heard(GO), T0) == []
    assert state.orders == STOP


def test_at_its_end_it_lets_its_users_go_and_seals_the_last_segment_when_they_have() -> None:
    state = running()
    state.handle(Heard(STOP), T0)
    assert state.wake_ns == T0 + NS_PER_S
    commands = state.handle(Woke(), T0 + NS_PER_S)
    assert kinds(commands) == [Stop, LeaveUser, Send]
    assert state.handle(UserGone(0), T0 + 2 * NS_PER_S) == [SealFinal()]
    commands = state.handle(Sealed(segment(1, final=True)), T0 + 2 * NS_PER_S)
    assert commands[0] == Send(segment(1, final=True))
    assert pulses(commands)[0].phase is WorkerPhase.DONE
    assert state.handle(Heard(Acknowledge(1)), T0 + 2 * NS_PER_S) == [Forget(1), Exit()]
    state.check()


def test_without_users_the_last_segment_is_sealed_at_once() -> None:
    state = running()
    state.handle(UserGone(0), T0)
    assert SealFinal() in state.handle(Heard(STOP), T0 + NS_PER_S)


def test_a_segment_is_sent_again_until_it_is_acknowledged() -> None:
    state = running()
    for sequence in (1, 2, 3):
        assert state.handle(Sealed(segment(sequence)), T0) == [Send(segment(sequence))]
    assert kinds(state.handle(PulseDue(), T0 + NS_PER_S)) == [Send]
    assert state.handle(Heard(Acknowledge(1)), T0 + NS_PER_S) == [Forget(1)]
    again = state.handle(PulseDue(), T0 + NS_PER_S + LEAST_PATIENCE_NS)
    assert again[1:] == [Send(segment(2)), Send(segment(3))]
    assert state.handle(Heard(Acknowledge(1)), T0 + 9 * NS_PER_S) == []
    assert state.handle(Heard(Acknowledge(3)), T0 + 9 * NS_PER_S) == [Forget(3)]
    assert state.unacknowledged == ()
    state.check()


def test_it_says_so_when_all_its_users_have_stopped() -> None:
    state = running()
    state.handle(Woke(), T0 + NS_PER_S)
    assert pulses(state.handle(UserGone(0), T0 + NS_PER_S)) == []
    assert [pulse.idle for pulse in pulses(state.handle(UserGone(1), T0 + NS_PER_S))] == [True]


def test_a_worker_that_is_dismissed_ends() -> None:
    assert running().handle(Heard(Dismiss("of another run")), T0) == [Exit("of another run")]


def test_a_worker_that_nobody_acknowledges_does_not_wait_for_ever() -> None:
    state = done()
    assert Exit not in kinds(state.handle(PulseDue(), T0 + NS_PER_S + PARTING_NS - 1))
    assert kinds(state.handle(PulseDue(), T0 + NS_PER_S + PARTING_NS)) == [Exit]


# --- users that get ready before the run begins ----------------------------------------------------------------------

VISITS = Load(model=Open(Curve((Leg(1.0, 10, 10),)), max_users=5, users=2), scenarios=("Visitor",))
GET_READY = Orders(1, share=everything())
BEGIN = Orders(2, begin_ns=T0 + NS_PER_S, share=everything(), share_from_ns=T0 + NS_PER_S)


def preparing() -> WorkerState:
    state = WorkerState(HELLO)
    state.handle(Heard(Welcome(plan_of_loads(VISITS))), T0)
    state.handle(Loaded(), T0)
    commands = state.handle(Heard(GET_READY), T0)
    assert commands[:3] == [WarmUp(), StartUser(0, 0, "Visitor"), StartUser(1, 0, "Visitor")]
    assert [pulse.phase for pulse in pulses(commands)] == [WorkerPhase.PREPARING]
    return state


def test_it_says_so_once_all_that_are_to_be_ready_are_and_it_is_warm() -> None:
    state = preparing()
    assert pulses(state.handle(WarmedUp(), T0)) == []
    assert state.ready(0, T0) is Admission.WAIT
    assert pulses(state.handle(UserReady(), T0)) == []
    assert state.ready(1, T0) is Admission.WAIT
    assert [pulse.prepared for pulse in pulses(state.handle(UserReady(), T0))] == [True]
    assert [pulse.prepared for pulse in pulses(state.handle(PulseDue(), T0))] == [True]
    state.check()


def test_one_that_goes_away_before_it_is_ready_keeps_nobody_waiting() -> None:
    state = preparing()
    state.handle(WarmedUp(), T0)
    state.ready(0, T0)
    assert [pulse.prepared for pulse in pulses(state.handle(UserGone(1), T0))] == [True]


def test_the_first_arrival_goes_to_one_that_is_ready_when_the_run_begins() -> None:
    state = preparing()
    state.ready(1, T0)
    assert kinds(state.handle(Heard(BEGIN), T0)) == [Begin, Send]
    assert state.wake_ns == T0 + NS_PER_S
    assert state.handle(Woke(), T0 + NS_PER_S) == [Arrive(1, 0, T0 + NS_PER_S)]
    assert not pulses(state.handle(PulseDue(), T0 + NS_PER_S))[0].prepared
    state.check()


def test_a_stop_while_users_get_ready_lets_them_go() -> None:
    state = preparing()
    state.ready(0, T0)
    over = Orders(2, begin_ns=T0, ends_ns=T0, share=everything(), share_from_ns=T0)
    assert kinds(state.handle(Heard(over), T0 + 1)) == [Begin, Stop, LeaveUser, LeaveUser, Send]
    state.handle(UserGone(0), T0 + 2)
    assert state.handle(UserGone(1), T0 + 2) == [SealFinal()]
    state.check()


def test_arrivals_that_were_due_before_an_end_noticed_late_are_still_taken_up() -> None:
    state = preparing()
    state.ready(0, T0)
    state.ready(1, T0)
    state.handle(Heard(BEGIN), T0)
    ends = Orders(3, BEGIN.begin_ns, T0 + NS_PER_S + 150_000_000, share=everything(), share_from_ns=BEGIN.share_from_ns)
    state.handle(Heard(ends), T0 + NS_PER_S - 1)
    commands = state.handle(Woke(), T0 + 2 * NS_PER_S)
    assert kinds(commands) == [Stop, Arrive, Arrive, LeaveUser, LeaveUser, Send]
    state.check()
