from swell.clock import NS_PER_S
from swell.cluster.messages import (
    Acknowledge,
    Dismiss,
    Hello,
    Lease,
    Measure,
    Orders,
    Pulse,
    Standing,
    Welcome,
    WorkerPhase,
)
from swell.cluster.outbox_state import KEPT, LEAST_PATIENCE_NS, WINDOW
from swell.cluster.user_steps import Arrive, LeaveUser, StartUser
from swell.cluster.worker_state import FENCED_PARTING_LEASES, PARTING_NS, WorkerState
from swell.cluster.worker_steps import (
    Begin,
    Command,
    Exit,
    Fence,
    Forget,
    Garbled,
    Heard,
    Hold,
    LeaveWanted,
    Loaded,
    MeasureCapacity,
    Measured,
    Prepare,
    PulseDue,
    Sealed,
    SealFinal,
    Send,
    SendSpooled,
    Stop,
    UserGone,
    UserReady,
    WarmedUp,
    WarmUp,
    Woke,
)
from swell.load.shares import Share, everything
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


def lease(sent_ns: int, lease_s: float = 3_600.0, term: int = 1, now_ns: int = T0) -> Lease:
    return Lease(sent_ns, now_ns, term, lease_s)


def welcomed(lease_s: float = 3_600.0, hello: Hello = HELLO) -> WorkerState:
    state = WorkerState(hello)
    state.handle(Heard(Welcome(plan_of())), T0)
    state.handle(Heard(lease(T0, lease_s)), T0)
    return state


def running(lease_s: float = 3_600.0) -> WorkerState:
    state = welcomed(lease_s)
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
    assert commands[:3] == [Hold(T0 + 3_600 * NS_PER_S), Begin(T0), StartUser(0, T0, "Contestant")]
    assert (state.phase, state.wake_ns) == (WorkerPhase.RUNNING, T0 + NS_PER_S)
    assert state.handle(Woke(), T0 + NS_PER_S) == [StartUser(1, T0 + NS_PER_S, "Contestant")]
    assert state.wake_ns == state.bond.tenure.ends_ns
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
    assert state.handle(UserGone(0), T0 + 2 * NS_PER_S) == [Hold(None), SealFinal()]
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


def preparing(lease_s: float = 3_600.0) -> WorkerState:
    state = WorkerState(HELLO)
    state.handle(Heard(Welcome(plan_of_loads(VISITS))), T0)
    state.handle(Heard(lease(T0, lease_s)), T0)
    state.handle(Loaded(), T0)
    commands = state.handle(Heard(GET_READY), T0)
    assert commands[1:4] == [WarmUp(), StartUser(0, 0, "Visitor"), StartUser(1, 0, "Visitor")]
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
    assert state.handle(UserGone(1), T0 + 2) == [Hold(None), SealFinal()]
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


# --- leases ----------------------------------------------------------------------------------------------------------


def test_no_user_is_started_before_there_is_a_lease() -> None:
    state = WorkerState(HELLO)
    state.handle(Heard(Welcome(plan_of())), T0)
    state.handle(Loaded(), T0)
    assert kinds(state.handle(Heard(GO), T0)) == [Send]
    assert kinds(state.handle(Heard(lease(T0 - 1, 15.0)), T0)) == [Hold, Begin, StartUser]
    state.check()


def test_a_worker_without_users_outlives_its_lease_and_begins_with_the_next() -> None:
    state = welcomed(lease_s=3.0)
    late_ns = T0 + 40 * NS_PER_S
    assert [pulse.phase for pulse in pulses(state.handle(Loaded(), late_ns))] == [WorkerPhase.READY]
    assert kinds(state.handle(Heard(GO), late_ns)) == [Send]
    assert Begin(T0) in state.handle(Heard(lease(late_ns, 3.0)), late_ns + 1)


def test_a_pulse_says_when_it_was_said_and_a_lease_counts_from_there() -> None:
    state = running(lease_s=15.0)
    sent_ns = T0 + NS_PER_S
    assert [pulse.sent_ns for pulse in pulses(state.handle(PulseDue(), sent_ns))] == [sent_ns]
    until_ns = sent_ns + 15 * NS_PER_S
    assert state.handle(Heard(lease(sent_ns, 15.0)), T0 + 4 * NS_PER_S) == [Hold(until_ns)]
    state.handle(Woke(), T0 + 4 * NS_PER_S)
    assert state.wake_ns == until_ns


def test_a_worker_that_stood_still_within_its_lease_goes_on() -> None:
    state = running(lease_s=15.0)
    assert kinds(state.handle(Woke(), T0 + 14 * NS_PER_S)) == [StartUser]
    assert state.phase is WorkerPhase.RUNNING


def test_whatever_happens_first_when_the_lease_is_over_the_users_are_ended_before_it() -> None:
    over_ns = T0 + 15 * NS_PER_S
    for event in (
        Woke(),
        PulseDue(),
        Sealed(segment(1)),
        UserReady(),
        Heard(STOP),
        Heard(lease(T0 + NS_PER_S - 1, 14.0)),
        Heard(lease(over_ns - 1, 15.0)),
    ):
        state = running(lease_s=15.0)
        commands = state.handle(event, over_ns)
        assert commands[:2] == [Fence(), LeaveUser(0, 0.0)], event
        assert StartUser not in kinds(commands)
        assert pulses(commands)[0].phase is WorkerPhase.FENCED
        state.check()


def test_a_user_that_asks_for_an_iteration_when_the_lease_is_over_is_sent_away() -> None:
    state = preparing(lease_s=15.0)
    assert state.ready(0, T0 + 15 * NS_PER_S - 1) is Admission.WAIT
    assert state.ready(1, T0 + 15 * NS_PER_S) is Admission.LEAVE


def fenced() -> WorkerState:
    state = running(lease_s=15.0)
    state.handle(Sealed(segment(1)), T0 + NS_PER_S)
    state.handle(Woke(), T0 + 15 * NS_PER_S)
    return state


def test_a_fenced_worker_never_has_users_again() -> None:
    state, now_ns = fenced(), T0 + 16 * NS_PER_S
    assert state.handle(UserGone(0), now_ns) == [SealFinal()]
    again = Orders(9, begin_ns=T0, revisions=GO.revisions, share=everything())
    for event in (Heard(lease(now_ns - 1, 15.0)), Heard(again), Woke(), PulseDue(), UserReady()):
        assert set(kinds(state.handle(event, now_ns))) <= {Send}, event
    assert (state.phase, state.wake_ns) == (WorkerPhase.FENCED, None)
    state.check()


def test_a_fenced_worker_ends_when_its_last_segment_is_acknowledged() -> None:
    state, now_ns = fenced(), T0 + 15 * NS_PER_S
    assert state.handle(Heard(Acknowledge(1)), now_ns) == [Forget(1)]
    state.handle(UserGone(0), now_ns)
    commands = state.handle(Sealed(segment(2, final=True)), now_ns)
    assert commands[0] == Send(segment(2, final=True))
    assert pulses(commands)[0].phase is WorkerPhase.FENCED
    assert state.handle(Heard(Acknowledge(2)), now_ns) == [Forget(2), Exit()]
    assert state.phase is WorkerPhase.FENCED


def test_a_fenced_worker_that_nobody_acknowledges_sends_again_for_some_minutes() -> None:
    state, over_ns = fenced(), T0 + 15 * NS_PER_S
    state.handle(UserGone(0), over_ns)
    state.handle(Sealed(segment(2, final=True)), over_ns)
    again = [state.handle(PulseDue(), over_ns + second * NS_PER_S) for second in range(1, 300)]
    assert Exit not in [kind for commands in again for kind in kinds(commands)]
    assert sum(Send(segment(2, final=True)) in commands for commands in again) > 10
    assert kinds(state.handle(PulseDue(), over_ns + FENCED_PARTING_LEASES * 15 * NS_PER_S)) == [Exit]


def test_users_that_get_ready_are_ended_with_the_lease_and_leave_nothing_to_report() -> None:
    state = preparing(lease_s=15.0)
    assert state.handle(Woke(), T0 + 15 * NS_PER_S)[:3] == [Fence(), LeaveUser(0, 0.0), LeaveUser(1, 0.0)]
    assert state.handle(UserGone(0), T0 + 15 * NS_PER_S) == []
    assert kinds(state.handle(UserGone(1), T0 + 15 * NS_PER_S)) == [Exit]


def test_a_lease_that_ends_while_hooks_of_the_end_run_takes_nothing_away() -> None:
    state = running(lease_s=15.0)
    state.handle(Heard(STOP), T0 + NS_PER_S)
    state.handle(UserGone(0), T0 + 2 * NS_PER_S)
    assert Fence not in kinds(state.handle(PulseDue(), T0 + 60 * NS_PER_S))
    assert pulses(state.handle(Sealed(segment(1, final=True)), T0 + 60 * NS_PER_S))[0].phase is WorkerPhase.DONE


def test_a_lease_that_ends_while_users_finish_ends_them() -> None:
    state = running(lease_s=15.0)
    state.handle(Heard(STOP), T0 + NS_PER_S)
    assert state.phase is WorkerPhase.DRAINING
    assert state.wake_ns == T0 + 15 * NS_PER_S
    assert state.handle(Woke(), T0 + 15 * NS_PER_S)[:2] == [Fence(), LeaveUser(0, 0.0)]


# --- terms -----------------------------------------------------------------------------------------------------------


def standings(commands: list[Command]) -> list[Standing]:
    return [one.message for one in commands if isinstance(one, Send) and isinstance(one.message, Standing)]


def test_what_is_of_a_lower_term_is_refused_and_counted() -> None:
    state = running()
    state.handle(Heard(lease(T0, 15.0, term=2)), T0)
    assert state.handle(Heard(Orders(99, begin_ns=T0, term=1)), T0) == []
    assert state.handle(Heard(lease(T0, 9_000.0, term=1)), T0) == []
    assert (state.orders, state.bond.tenure.ends_ns) == (GO, T0 + 3_600 * NS_PER_S)
    assert pulses(state.handle(PulseDue(), T0))[0].refused == 2
    state.check()


def test_a_controller_of_a_higher_term_is_told_what_the_worker_does_until_it_has_given_orders() -> None:
    state = running()
    assert standings(state.handle(PulseDue(), T0)) == []
    state.handle(Heard(lease(T0, term=2)), T0)
    for _ in range(2):
        commands = state.handle(PulseDue(), T0 + NS_PER_S)
        assert standings(commands) == [Standing(2, GO, 0.0, HELLO.host, HELLO.pid, HELLO.machine)]
        assert pulses(commands)[0].term == 2
    first_of_the_new = Orders(1, begin_ns=T0, revisions=GO.revisions, share=GO.share, term=2)
    assert StartUser not in kinds(state.handle(Heard(first_of_the_new), T0))
    assert state.orders == first_of_the_new
    assert standings(state.handle(PulseDue(), T0 + 2 * NS_PER_S)) == []


def test_a_worker_that_joins_a_resumed_run_has_nothing_to_tell() -> None:
    state = WorkerState(HELLO)
    state.handle(Heard(Welcome(plan_of(), term=3)), T0)
    state.handle(Heard(lease(T0, term=3)), T0)
    assert standings(state.handle(PulseDue(), T0)) == []


def test_frames_that_were_no_message_are_counted() -> None:
    state = running()
    assert state.handle(Garbled(), T0) == []
    assert pulses(state.handle(PulseDue(), T0))[0].refused == 1


# --- leaving, measuring, moving --------------------------------------------------------------------------------------


def test_who_is_asked_to_leave_says_so_and_goes_on() -> None:
    state = running()
    for commands in (state.handle(LeaveWanted(), T0), state.handle(PulseDue(), T0 + 1)):
        assert [(pulse.leaving, pulse.users) for pulse in pulses(commands)] == [(True, 1)]
    assert state.handle(Woke(), T0 + NS_PER_S) == [StartUser(1, T0 + NS_PER_S, "Contestant")]
    assert WorkerState(HELLO).handle(LeaveWanted(), T0) == []


def test_it_measures_once_when_asked_and_says_what_it_has_found() -> None:
    state = welcomed()
    assert state.handle(Heard(Measure(10)), T0) == []
    state.handle(Loaded(), T0)
    commands = state.handle(Heard(Measure(10)), T0)
    assert commands[0] == MeasureCapacity(10)
    assert pulses(commands)[0].phase is WorkerPhase.MEASURING
    assert state.handle(Heard(Measure(10)), T0) == []
    assert kinds(state.handle(Heard(GO), T0)) == [Send]
    commands = state.handle(Measured(20_000.0), T0)
    assert Begin(T0) in commands
    assert [(pulse.phase, pulse.capacity) for pulse in pulses(commands)] == [(WorkerPhase.RUNNING, 20_000.0)]


def test_when_the_last_user_has_gone_that_was_taken_away_it_says_so_at_once() -> None:
    state = running()
    state.handle(Woke(), T0 + NS_PER_S)
    less = Orders(2, begin_ns=T0, revisions=GO.revisions, share=everything().without(Share(1_000, (1,))))
    commands = state.handle(Heard(less), T0 + 2 * NS_PER_S)
    assert kinds(commands) == [LeaveUser, Send]
    assert [(pulse.settled, pulse.followed_ns) for pulse in pulses(commands)] == [(False, 2 * NS_PER_S + 1)]
    commands = state.handle(UserGone(1), T0 + 3 * NS_PER_S)
    assert [(pulse.settled, pulse.followed_ns) for pulse in pulses(commands)] == [(True, 2 * NS_PER_S + 1)]


# --- another machine's clock -----------------------------------------------------------------------------------------

AHEAD_NS = 1_000 * NS_PER_S
FAR = Hello(RUN, 0, 1, "there", 1, machine="m")


def far_away() -> WorkerState:
    """One whose clock is `AHEAD_NS` behind the controller's, after some exchanges of 2 ms."""
    state = WorkerState(FAR)
    state.handle(Heard(Welcome(plan_of())), T0)
    state.handle(Loaded(), T0)
    for number in range(8):
        sent_ns = T0 + number * 2_000_000
        state.handle(Heard(lease(sent_ns, now_ns=sent_ns + 1_000_000 + AHEAD_NS)), sent_ns + 2_000_000)
    return state


def test_the_clocks_are_compared_a_few_times_at_once_before_the_run_begins() -> None:
    state = WorkerState(FAR)
    state.handle(Heard(Welcome(plan_of())), T0)
    state.handle(Loaded(), T0)
    sent_ns, exchanges = T0, 0
    while said := pulses(state.handle(Heard(lease(sent_ns, now_ns=sent_ns + AHEAD_NS)), sent_ns + 1_000)):
        exchanges, sent_ns = exchanges + 1, said[0].sent_ns
    assert exchanges == 7


def test_instants_of_the_controllers_are_told_by_the_own_clock() -> None:
    state, now_ns = far_away(), T0 + NS_PER_S
    begin_ns = now_ns + AHEAD_NS
    orders = Orders(1, begin_ns=begin_ns, ends_ns=begin_ns + 9 * NS_PER_S, revisions=GO.revisions, share=everything())
    commands = state.handle(Heard(orders), now_ns)
    assert commands[1:3] == [Begin(now_ns), StartUser(0, now_ns, "Contestant")]
    assert pulses(commands)[0].at_ns == begin_ns
    assert state.wake_ns == now_ns + NS_PER_S
    assert state.handle(Woke(), now_ns + NS_PER_S) == [StartUser(1, now_ns + NS_PER_S, "Contestant")]
    assert state.wake_ns == now_ns + 9 * NS_PER_S
    assert Stop in kinds(state.handle(Woke(), now_ns + 9 * NS_PER_S))
    state.check()


def test_what_is_no_longer_in_memory_is_sent_from_the_spool() -> None:
    state = running()
    for sequence in range(1, KEPT + 2):
        state.handle(Sealed(segment(sequence)), T0)
    state.handle(Heard(Acknowledge(WINDOW)), T0)
    commands = state.handle(Heard(Acknowledge(KEPT)), T0)
    assert commands == [Forget(KEPT), SendSpooled(KEPT + 1)]
    state.check()
