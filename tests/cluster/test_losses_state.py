"""A controller whose workers fall silent, leave, come late and are on other machines."""

import pytest

from swell.clock import NS_PER_S
from swell.cluster.controller_state import ControllerState
from swell.cluster.controller_steps import (
    Apply,
    Cleared,
    Command,
    Died,
    Ending,
    Heard,
    Kill,
    Launch,
    Left,
    Lost,
    Note,
    Over,
    Recover,
    Recovered,
    Redealt,
    Send,
    Started,
    StopWanted,
    TakenOver,
    Ticked,
)
from swell.cluster.course_state import BEGIN_DELAY_NS, Phase
from swell.cluster.gathering_state import MEASURED_WITHIN_NS
from swell.cluster.messages import (
    Acknowledge,
    Duty,
    Ended,
    Enlist,
    Hello,
    Lease,
    Measure,
    Muster,
    Orders,
    Pulse,
    Welcome,
    WorkerPhase,
)
from swell.plan import RunPlan
from swell.result import End, Redeal, Refusal
from swell.segment import Segment
from tests.cluster.simulated import RUN, plan_of
from tests.plans import plan_with

T0 = 50 * NS_PER_S
LEASE_NS = 15 * NS_PER_S


class Played:
    """A controller, and workers that say what a test has them say."""

    def __init__(self, plan: RunPlan | None = None, machines: tuple[int, ...] = ()) -> None:
        self.plan = plan or plan_of(users=8, run_time_s=None)
        outline = Muster(1, 1, RUN, "", 0, "", "1.2", ())
        self.state = ControllerState(RUN, self.plan, Welcome(self.plan), outline)
        self.now_ns = T0
        self.last = self.state.handle(Started(), T0)
        self.state.handle(Cleared(), T0)
        for number, processes in enumerate(machines):
            self.enlist(f"m{number}", processes)

    def enlist(self, machine: str, processes: int, *ended: Ended) -> list[Command]:
        enlist = Enlist(machine, "there", processes, 7, version="1.2", ended=ended)
        return self.tell(Heard(machine.encode(), enlist))

    def tell(self, event: object) -> list[Command]:
        self.last = self.state.handle(event, self.now_ns)  # type: ignore[arg-type]
        self.state.check()
        return self.last

    def comes(self, worker: int, incarnation: int = 1) -> list[Command]:
        """A worker introduces itself and is ready."""
        name = b"%d.%d" % (worker, incarnation)
        machine = self.state.members.present[worker].machine
        self.tell(Heard(name, Hello(RUN, worker, incarnation, "here", 1, machine=machine)))
        return self.pulse(worker, WorkerPhase.READY, orders=0, incarnation=incarnation)

    def pulse(
        self,
        worker: int,
        phase: WorkerPhase = WorkerPhase.RUNNING,
        *,
        orders: int | None = None,
        incarnation: int = 1,
        settled: bool = True,
        followed_ns: int = 0,
        leaving: bool = False,
        capacity: float = 0.0,
        term: int = 1,
    ) -> list[Command]:
        member = self.state.members.called(b"%d.%d" % (worker, incarnation))
        assert member is not None
        pulse = Pulse(
            phase,
            member.orders.number if orders is None else orders,
            self.now_ns,
            sent_ns=self.now_ns - T0 + 1,
            term=term,
            followed_ns=followed_ns,
            settled=settled,
            leaving=leaving,
            capacity=capacity,
        )
        return self.tell(Heard(member.identity + b"~", pulse))

    def passes(self, seconds: float, *heard: int) -> list[Command]:
        """Time passes, in which some workers are heard each second, and the controller ticks."""
        commands: list[Command] = []
        until_ns = self.now_ns + round(seconds * NS_PER_S)
        while self.now_ns < until_ns:
            self.now_ns = min(self.now_ns + NS_PER_S, until_ns)
            for worker in heard:
                commands += self.pulse(worker)
            commands += self.tell(Ticked())
        return commands

    def share(self, worker: int) -> int:
        return len(self.state.members.present[worker].share.residues)


def running(plan: RunPlan | None = None) -> Played:
    played = Played(plan)
    for worker in range(played.plan.workers):
        played.comes(worker)
    for worker in range(played.plan.workers):
        played.pulse(worker)
    assert played.state.phase is Phase.RUNNING
    return played


def orders(commands: list[Command]) -> dict[bytes, Orders]:
    return {one.to: one.message for one in commands if isinstance(one, Send) and isinstance(one.message, Orders)}


def only(kind: type, commands: list[Command]) -> list[Command]:
    return [one for one in commands if isinstance(one, kind)]


def segment(worker: int, sequence: int, *, incarnation: int = 1, final: bool = False) -> Segment:
    return Segment(RUN, worker, incarnation, sequence, 0, 0, 0.0, final=final)


# --- leases ----------------------------------------------------------------------------------------------------------


def test_a_pulse_is_answered_where_it_came_from_with_what_it_said_and_a_lease() -> None:
    played = running()
    played.passes(1)
    lease = Lease(NS_PER_S + 1, played.now_ns, 1, 15.0)
    assert played.pulse(0) == [Send(b"0.1~", lease)]


def test_a_pulse_that_came_late_or_twice_makes_no_lease_longer() -> None:
    played = running()
    played.passes(2, 0, 1)
    late = Pulse(WorkerPhase.RUNNING, 0, T0, sent_ns=1, term=1)
    assert played.tell(Heard(b"0.1", late)) == []


def test_a_worker_that_is_not_heard_of_for_a_lease_is_lost_and_its_share_dealt_to_others() -> None:
    played = running()
    assert only(Lost, played.passes(14, 1)) == []
    commands = played.passes(1, 1)
    assert only(Lost, commands) == [Lost(0, 1, "has not been heard for 15 s")]
    (redealt,) = only(Redealt, commands)
    assert isinstance(redealt, Redealt)
    assert redealt.redeal == Redeal(1, 15.0 - BEGIN_DELAY_NS / NS_PER_S, 0.5, "worker 0 is gone")
    (given,) = orders(commands).values()
    assert (len(given.share.residues), given.share_from_ns) == (1_000, T0 + LEASE_NS)
    assert only(Launch, commands) == only(Recover, commands) == []


def test_what_a_silent_worker_measured_is_still_taken_and_acknowledged_but_it_gets_no_lease() -> None:
    played = running()
    played.passes(15, 1)
    assert not [one for one in played.pulse(0) if isinstance(one, Send) and isinstance(one.message, Lease)]
    assert played.tell(Heard(b"0.1", segment(0, 1))) == [Apply(segment(0, 1)), Send(b"0.1", Acknowledge(1))]
    played.tell(Heard(b"0.1", segment(0, 2, final=True)))
    assert played.state.members.present[0].finished


def test_a_silent_worker_comes_back_as_a_new_incarnation_with_a_share_of_its_own() -> None:
    played = running()
    played.passes(15, 1)
    played.pulse(1)
    played.tell(Heard(b"0.1", segment(0, 1, final=True)))
    assert Launch(0, 2) in played.tell(Died(0, 1, "ended with exit code 75"))
    commands = played.comes(0, 2)
    (redealt,) = only(Redealt, commands)
    assert isinstance(redealt, Redealt)
    assert (redealt.redeal.number, redealt.redeal.because) == (2, "worker 0 is in")
    assert len(orders(commands)[b"1.1"].share.residues) == 500
    given = orders(played.pulse(1, followed_ns=16 * NS_PER_S))[b"0.2"]
    assert (len(given.share.residues), given.share_from_ns) == (500, T0 + BEGIN_DELAY_NS + 16 * NS_PER_S)


def test_a_silent_worker_that_dies_is_read() -> None:
    played = running()
    played.passes(15, 1)
    assert played.tell(Died(0, 1, "was killed by signal 9"))[:2] == [Recover(0, 1), Launch(0, 2)]
    assert played.tell(Recovered(0, 1, (segment(0, 1),)))[0] == Apply(segment(0, 1))


def test_a_fenced_worker_has_no_users_any_more_whatever_is_left_of_its_lease_here() -> None:
    played = running()
    commands = played.pulse(0, WorkerPhase.FENCED)
    assert commands[0] == Lost(0, 1, "has not heard from the controller for 15 s")
    assert len(orders(commands)[b"1.1"].share.residues) == 1_000


def test_a_last_report_that_nobody_asked_for_says_so_too() -> None:
    played = running()
    commands = played.tell(Heard(b"0.1", segment(0, 1, final=True)))
    assert Lost(0, 1, "has not heard from the controller for 15 s") in commands
    assert len(orders(commands)[b"1.1"].share.residues) == 1_000


def test_when_all_are_silent_somebody_is_waited_for() -> None:
    played = running()
    played.passes(15)
    assert only(Ending, played.passes(59)) == []
    assert only(Ending, played.passes(1)) == [Ending(End.FAILED, "no worker is left", played.now_ns)]


def test_a_share_is_not_kept_for_longer_than_a_lease_for_a_successor_that_does_not_come() -> None:
    played = running()
    played.tell(Died(0, 1, "was killed by signal 9"))
    played.tell(Recovered(0, 1, ()))
    assert played.share(0) == 500
    played.passes(14, 1)
    assert (played.share(0), played.share(1)) == (500, 500)
    played.passes(1, 1)
    assert (played.share(0), played.share(1)) == (0, 1_000)


def test_pulses_of_a_higher_term_are_none_of_ours() -> None:
    played = running()
    assert played.pulse(0, term=2) == []
    assert played.state.reception.refused.by_kind == {Refusal.OTHER_TERM: 1}


# --- leaving ---------------------------------------------------------------------------------------------------------


def test_a_worker_that_leaves_hands_over_what_it_has_and_ends_as_planned() -> None:
    played = running()
    commands = played.pulse(0, leaving=True)
    assert {name: len(given.share.residues) for name, given in orders(commands).items()} == {b"0.1": 0}
    assert orders(played.pulse(0, settled=False, followed_ns=3)) == {}
    commands = played.pulse(0, followed_ns=3)
    assert len(orders(commands)[b"1.1"].share.residues) == 1_000
    assert orders(commands)[b"0.1"].ends_ns == played.now_ns
    played.tell(Heard(b"0.1", segment(0, 1, final=True)))
    assert only(Lost, played.tell(Died(0, 1, "ended with exit code 0"))) == []
    assert only(Launch, played.last) == []
    assert played.state.phase is Phase.RUNNING


def test_the_only_worker_waits_for_somebody_to_hand_over_to_but_not_for_ever() -> None:
    played = running(plan_of(workers=1, run_time_s=None))
    played.pulse(0, leaving=True)
    assert orders(played.passes(14, 0)) == {}
    assert orders(played.passes(1, 0))[b"0.1"].share.residues == ()


# --- other machines --------------------------------------------------------------------------------------------------


def wide_plan(expected: int, *, workers: int = 0) -> RunPlan:
    return plan_with(8, workers=workers, expected_workers=expected)


def test_a_run_begins_when_as_many_are_ready_as_are_expected() -> None:
    played = Played(wide_plan(2), machines=(1, 1))
    played.comes(0)
    assert played.state.phase is Phase.GATHERING
    assert only(Send, played.comes(1))[1:] == [
        Send(b"0.1", Measure(NS_PER_S // 2)),
        Send(b"1.1", Measure(NS_PER_S // 2)),
    ]
    played.pulse(0, WorkerPhase.MEASURING, orders=0)
    played.pulse(0, WorkerPhase.READY, orders=0, capacity=1_000.0)
    assert played.state.phase is Phase.MEASURING
    given = orders(played.pulse(1, WorkerPhase.READY, orders=0, capacity=3_000.0))
    assert {name: len(one.share.residues) for name, one in given.items()} == {b"0.1": 250, b"1.1": 750}


def test_who_does_not_say_what_it_can_carry_is_not_waited_for_for_ever() -> None:
    played = Played(wide_plan(2), machines=(1, 1))
    played.comes(0)
    played.comes(1)
    played.pulse(0, WorkerPhase.READY, orders=0, capacity=1_000.0)
    played.passes(MEASURED_WITHIN_NS / NS_PER_S)
    assert [played.share(worker) for worker in (0, 1)] == [500, 500]


def test_fewer_than_expected_are_named_by_their_number() -> None:
    played = Played(wide_plan(5), machines=(3,))
    for worker in range(3):
        played.comes(worker)
    commands = played.passes(60, 0, 1, 2)
    assert only(Over, commands) == [Over("only 3 of 5 workers came within 60 s")]


def test_a_worker_of_another_machine_that_dies_before_the_beginning_is_started_again() -> None:
    played = Played(wide_plan(2), machines=(2,))
    played.comes(0)
    commands = played.enlist("m0", 2, Ended(0, 1, "was killed by signal 9"))
    assert Note("worker 0 was killed by signal 9") in commands
    (muster,) = [one.message for one in commands if isinstance(one, Send) and isinstance(one.message, Muster)]
    assert (0, 2, Duty.RUN) in [(post.worker, post.incarnation, post.duty) for post in muster.posts]
    assert played.state.phase is Phase.GATHERING


def test_a_late_joiner_is_measured_and_gets_a_share_of_a_run_that_goes_on() -> None:
    played = running()
    played.enlist("m0", 1)
    assert [one.message for one in played.comes(2) if isinstance(one, Send)][1:] == [Measure(NS_PER_S // 2)]
    commands = played.pulse(2, WorkerPhase.READY, orders=0, capacity=1_000.0)
    (redealt,) = only(Redealt, commands)
    assert isinstance(redealt, Redealt)
    assert redealt.redeal.because == "worker 2 is in"
    assert set(orders(commands)) == {b"0.1", b"1.1"}
    played.pulse(0)
    played.pulse(1)
    played.pulse(2)
    played.passes(1, 0, 1, 2)
    assert [played.share(worker) for worker in (0, 1, 2)] == [334, 333, 333]


def test_at_the_end_a_lost_machine_is_not_waited_for_for_ever_and_what_is_missing_is_said() -> None:
    played = Played(wide_plan(1, workers=1), machines=(1,))
    for worker in (0, 1):
        played.comes(worker)
    for worker in (0, 1):
        played.pulse(worker, WorkerPhase.READY, orders=0, capacity=1.0)
    assert played.state.phase is Phase.RUNNING
    played.passes(15, 0)
    played.tell(StopWanted(End.STOPPED))
    played.tell(Heard(b"0.1", segment(0, 1, final=True)))
    grace_s = played.plan.longest_stop_s + 10
    assert only(Over, played.passes(grace_s - 1)) == []
    commands = played.passes(1)
    note = "worker 1.1 has not sent its last report: what it did after the one before is unaccounted"
    assert (only(Note, commands), only(Over, commands)) == ([Note(note)], [Over()])


@pytest.mark.parametrize("phase", [WorkerPhase.LOADING, WorkerPhase.MEASURING])
def test_who_has_not_come_up_when_the_run_ends_is_ended(phase: WorkerPhase) -> None:
    played = running()
    played.tell(Died(0, 1, "was killed by signal 9"))
    played.tell(Recovered(0, 1, ()))
    played.tell(Heard(b"0.2", Hello(RUN, 0, 2, "here", 1)))
    played.pulse(0, phase, incarnation=2)
    assert Kill(0, 2) in played.tell(StopWanted(End.STOPPED))


def test_a_lost_share_counts_as_taken_over_once_others_say_that_they_follow_orders_with_all_of_it() -> None:
    played = running(plan_of(users=8, workers=3, run_time_s=None))
    commands = played.passes(15, 1, 2)
    assert only(Lost, commands) == [Lost(0, 1, "has not been heard for 15 s")]
    assert only(TakenOver, commands) == []
    assert only(TakenOver, played.pulse(1)) == []
    assert only(TakenOver, played.pulse(2)) == [TakenOver(0, 1)]
    assert only(TakenOver, played.passes(5, 1, 2)) == []


def test_the_share_of_a_killed_worker_is_taken_over_when_its_successor_has_it() -> None:
    played = running(plan_of(users=8, workers=2, run_time_s=None))
    played.tell(Died(0, 1, "was killed by signal 9"))
    assert only(TakenOver, played.passes(2, 1)) == []
    played.comes(0, incarnation=2)
    assert only(TakenOver, played.pulse(0, incarnation=2)) == [TakenOver(0, 1)]


def test_who_leaves_is_not_lost_and_leaves_no_vacancy() -> None:
    played = running(plan_of(users=8, workers=2, run_time_s=None))
    commands = played.pulse(0, leaving=True)
    for worker in (0, 1, 0, 1):
        commands += played.pulse(worker, leaving=worker == 0)
    assert only(Left, commands) == [Left(0, 1)]
    assert only(Lost, commands) == only(TakenOver, commands) == []
