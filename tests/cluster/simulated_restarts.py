"""A simulated cluster whose controller is killed now and then, and taken up again from its last page by another one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from swell.cluster import controller_steps as done_by_controller
from swell.cluster.controller_state import ControllerState
from swell.cluster.member_state import identity_of
from swell.cluster.messages import Muster, Welcome
from swell.cluster.record import ClusterRecord
from swell.cluster.resuming_state import Reported, Resuming
from swell.plan import Revision, RunPlan
from swell.segment import Segment
from tests.cluster.simulated import RUN, SimulatedWorker
from tests.cluster.simulated_machines import LEASE_S, VERSION, WideCluster


@dataclass
class Page:
    """What is on disk."""

    record: ClusterRecord | None = None
    applied: dict[bytes, list[Segment]] = field(default_factory=dict)
    numbers: Mapping[tuple[int, int], int] = field(default_factory=dict)
    revisions: tuple[Revision, ...] = ()


class DurableCluster(WideCluster):
    """Reports are acknowledged once they are on a page; one is written each time that the controller ticks."""

    def __init__(self, plan: RunPlan) -> None:
        self.term = 1
        self.is_down = False
        self.page = Page()
        self.left_behind: list[SimulatedWorker] = []
        super().__init__(plan)

    def controller_of(self, plan: RunPlan) -> ControllerState:
        outline = Muster(1, self.term, RUN, "", 0, "", VERSION, ())
        controller = ControllerState(RUN, plan, Welcome(plan, lease_s=LEASE_S, term=self.term), outline)
        controller.members.journaled = True
        return controller

    def to_controller(self, event: done_by_controller.Event) -> None:
        if self.is_down:
            return
        commits = len([name for name in self.announced if name == "Commit"])
        super().to_controller(event)
        if len([name for name in self.announced if name == "Commit"]) > commits:
            self.write()
        while self.left_behind:
            super().recover(self.left_behind.pop(0))

    def recover(self, one: SimulatedWorker) -> None:
        """What it left behind is read after all else that follows from the same event."""
        self.left_behind.append(one)

    def write(self) -> None:
        """Another page."""
        state = self.controller
        numbers = {(member.worker, member.incarnation): member.applied for member in state.members}
        applied = {identity: list(segments) for identity, segments in self.applied.items()}
        self.page = Page(state.record(), applied, numbers, state.course.revisions)
        self.to_controller(done_by_controller.Stored(numbers))

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        if not self.is_down and self.over is None:
            self.write()

    def crash(self) -> bool:
        """The controller is killed, and with it the workers of its machine; whether there is a page to go on from."""
        if self.page.record is None or self.is_down or self.over is not None:
            return False
        self.is_down = True
        self.wire = [found for found in self.wire if not found[0]]
        for identity, one in self.workers.items():
            if not one.state.hello.machine:
                one.gone = True
                self.frozen.pop(identity, None)
        return True

    def restart(self) -> None:
        """Another controller takes the run up."""
        page = self.page
        assert page.record is not None
        self.term = page.record.term + 1
        self.is_down = False
        self.applied.clear()
        self.applied.update({identity: list(segments) for identity, segments in page.applied.items()})
        reported = {
            name: _reported(number, page.applied.get(identity_of(*name), [])) for name, number in page.numbers.items()
        }
        self.wire = [found for found in self.wire if not found[0]]
        self.controller = self.controller_of(self.plan)
        self.controller.resume(Resuming(page.record, reported, page.revisions))
        self.to_controller(done_by_controller.Started())
        self.to_controller(done_by_controller.Cleared())


def _reported(applied: int, segments: list[Segment]) -> Reported:
    scenarios = next((segment.scenarios for segment in reversed(segments) if segment.scenarios), ())
    is_final = bool(segments) and segments[-1].final
    return Reported(applied, is_final, segments[-1].to_position if segments else 0, scenarios)
