"""With a journal, a worker keeps its reports until they are on disk; the end of a run does not wait for its turn."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.stateful import rule

from swell.cluster import controller_steps as done_by_controller
from swell.cluster.controller_state import ControllerState
from swell.cluster.controller_steps import Apply, Command, Commit, Heard, Over, Send, StopWanted, Stored
from swell.cluster.member_state import identity_of
from swell.cluster.messages import Acknowledge
from swell.plan import RunPlan
from swell.result import End
from tests.cluster.simulated import Cluster
from tests.cluster.test_controller_state import NAMES, ONE, T0, running, segment
from tests.cluster.test_simulation import AnyCluster


def journaled() -> ControllerState:
    state = running()
    state.members.journaled = True
    return state


def acknowledged(commands: list[Command]) -> dict[bytes, int]:
    return {
        command.to: command.message.sequence
        for command in commands
        if isinstance(command, Send) and isinstance(command.message, Acknowledge)
    }


def test_a_report_is_acknowledged_when_it_is_stored_and_each_time_it_is_repeated_after() -> None:
    state = journaled()
    assert state.handle(Heard(ONE, segment(1)), T0) == [Apply(segment(1))]
    assert state.handle(Heard(ONE, segment(1)), T0) == []
    assert state.handle(Stored({(0, 1): 1, (1, 1): 0}), T0) == [Send(ONE, Acknowledge(1))]
    assert state.handle(Stored({(0, 1): 1}), T0) == []
    assert state.handle(Heard(ONE, segment(1)), T0) == [Send(ONE, Acknowledge(1))]
    assert state.handle(Heard(ONE, segment(2)), T0) == [Apply(segment(2))]
    state.check()


def test_what_came_while_the_page_was_written_waits_for_the_next_one() -> None:
    state = journaled()
    state.handle(Heard(ONE, segment(1)), T0)
    state.handle(Heard(ONE, segment(2)), T0)
    assert acknowledged(state.handle(Stored({(0, 1): 1}), T0)) == {ONE: 1}
    assert acknowledged(state.handle(Stored({(0, 1): 7}), T0)) == {ONE: 2}
    state.check()


class JournaledCluster(Cluster):
    """A cluster whose controller keeps a journal; `store` writes a page of it."""

    def __init__(self, plan: RunPlan) -> None:
        self.stored: dict[bytes, int] = {}
        super().__init__(plan)
        self.controller.members.journaled = True

    def to_controller(self, event: done_by_controller.Event) -> None:
        super().to_controller(event)
        while "Commit" in self.announced:
            self.announced.remove("Commit")
            self.store()

    def store(self) -> None:
        members = list(self.controller.members)
        applied = {(member.worker, member.incarnation): member.applied for member in members}
        self.stored |= {identity_of(*worker): count for worker, count in applied.items()}
        self.to_controller(Stored(applied))

    def check(self) -> None:
        super().check()
        for identity, one in self.workers.items():
            kept = {report.sequence for report in one.state.unacknowledged}
            sent = {report.sequence for report in one.spool if not report.recovered}
            assert sent - kept <= set(range(1, self.stored.get(identity, 0) + 1)), "a report that is not stored is gone"

    def settle(self, rounds: int = 200) -> None:
        for _ in range(rounds):
            if self.over is not None:
                return
            self.store()
            super().deliver_all()
            self.work()
            super().deliver_all()
            self.advance(1.0)
        raise AssertionError(f"the run does not end: {self.controller}")


class AnyJournaledCluster(AnyCluster):
    """Whatever happens to a cluster, and the journal's turns."""

    cluster_type = JournaledCluster

    @rule()
    def a_page_is_stored(self) -> None:
        assert isinstance(self.cluster, JournaledCluster)
        self.cluster.store()


TestAnyJournaledCluster = AnyJournaledCluster.TestCase
TestAnyJournaledCluster.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_the_end_of_a_run_is_stored_at_once_and_nobody_is_let_go_before() -> None:
    state = journaled()
    for name in NAMES:
        assert state.handle(Heard(name, segment(1, worker=int(name[:1]))), T0)
    state.handle(StopWanted(End.STOPPED), T0)
    first = state.handle(Heard(NAMES[0], segment(2, worker=0, final=True)), T0)
    assert not any(isinstance(command, Commit | Over) for command in first)
    last = state.handle(Heard(NAMES[1], segment(2, worker=1, final=True)), T0)
    assert [type(command) for command in last] == [Apply, Commit]
    early = state.handle(Stored({(0, 1): 2, (1, 1): 1}), T0)
    assert acknowledged(early) == {NAMES[0]: 2, NAMES[1]: 1}
    assert early[-1] == Commit()
    assert state.handle(Stored({(0, 1): 2, (1, 1): 2}), T0) == [Send(NAMES[1], Acknowledge(2)), Over()]
