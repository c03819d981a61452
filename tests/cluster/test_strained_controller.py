"""A controller deals by what workers have measured, and again when one cannot carry its share."""

from __future__ import annotations

import pytest

from swell.clock import NS_PER_S
from swell.cluster.controller_state import ControllerState
from swell.cluster.controller_steps import Carries, Cleared, Command, Heard, Redealt, Send, Started, Ticked, TooFew
from swell.cluster.course_state import Phase
from swell.cluster.messages import Hello, Measure, Orders, Pulse, Strain, Welcome, WorkerPhase
from swell.plan import RunPlan, Scenario
from tests.cluster.simulated import RUN
from tests.plans import plan_with

PLAN = plan_with(scenarios=(Scenario("Visitor"),), users=100, spawn_rate_per_s=100.0, run_time_s=600.0, workers=2)
WELL = Strain(cpu=0.4, calls_per_s=400)
BUSY = Strain(cpu=1.0, lag_p99_ms=500, calls_per_s=100)


class Scene:
    """A controller and two workers that do what they are told at once."""

    def __init__(
        self, plan: RunPlan = PLAN, *, measures: bool = True, capacities: tuple[float, float] = (1, 1)
    ) -> None:
        self.state = ControllerState(RUN, plan, Welcome(plan), measures=measures)
        self.capacities = capacities
        self.now_ns = NS_PER_S
        self.orders = [Orders(number=0), Orders(number=0)]
        self.commands: list[Command] = []
        self._tell(Started(), Cleared())
        for worker in range(2):
            self._tell(Heard(b"%d.1" % worker, Hello(RUN, worker, 1, "here", 1)))
            self.pulse(worker, WorkerPhase.READY)

    def _tell(self, *events: Started | Cleared | Heard | Ticked) -> None:
        for event in events:
            commands = self.state.handle(event, self.now_ns)
            self.commands += commands
            for command in commands:
                if isinstance(command, Send) and isinstance(command.message, Orders):
                    self.orders[int(command.to[:1])] = command.message
        self.state.check()

    def pulse(self, worker: int, phase: WorkerPhase, strain: Strain = WELL) -> None:
        self.now_ns += 1
        pulse = Pulse(
            phase,
            self.orders[worker].number,
            self.now_ns,
            sent_ns=self.now_ns,
            capacity=self.capacities[worker] if self.asked_to_measure and phase is not WorkerPhase.MEASURING else 0.0,
            load=strain,
        )
        self._tell(Heard(b"%d.1" % worker, pulse))

    def live(self, seconds: int, *strains: Strain) -> None:
        for _ in range(seconds):
            self.now_ns += NS_PER_S
            for worker, strain in enumerate(strains):
                self.pulse(worker, WorkerPhase.RUNNING, strain)
            self._tell(Ticked())

    @property
    def asked_to_measure(self) -> bool:
        return any(isinstance(command, Send) and isinstance(command.message, Measure) for command in self.commands)

    @property
    def residues(self) -> list[int]:
        return [len(orders.share.residues) for orders in self.orders]

    @property
    def redeals(self) -> list[str]:
        return [command.redeal.because for command in self.commands if isinstance(command, Redealt)]

    @property
    def said(self) -> list[str]:
        return [command.shortfall.text for command in self.commands if isinstance(command, TooFew)]


def is_carries(command: Command) -> bool:
    return isinstance(command, Carries)


def begun(**options: object) -> Scene:
    scene = Scene(**options)  # type: ignore[arg-type]
    for phase in (WorkerPhase.MEASURING, WorkerPhase.READY):
        for worker in range(2):
            if scene.state.phase is not Phase.RUNNING:
                scene.pulse(worker, phase)
    assert scene.state.phase is Phase.RUNNING
    return scene


def test_the_first_deal_is_by_what_has_been_measured() -> None:
    scene = begun(capacities=(5_000, 45_000))
    assert scene.residues == [100, 900]
    assert {Carries(0, 1, 5_000), Carries(1, 1, 45_000)} <= set(filter(is_carries, scene.commands))


@pytest.mark.parametrize("capacity", [-1.0, float("nan"), float("inf")])
def test_a_capacity_that_is_no_number_is_none(capacity: float) -> None:
    scene = Scene(capacities=(capacity, 10.0))
    for phase in (WorkerPhase.MEASURING, WorkerPhase.READY):
        for worker in range(2):
            scene.pulse(worker, phase)
    scene.now_ns += 6 * NS_PER_S
    for worker in range(2):
        scene.pulse(worker, WorkerPhase.READY)
    assert scene.state.members.present[0].capacity == 0


def test_workers_of_one_machine_are_not_asked_and_share_alike() -> None:
    scene = begun(measures=False, capacities=(5_000, 45_000))
    assert (scene.asked_to_measure, scene.residues) == (False, [500, 500])


def test_a_worker_that_cannot_carry_its_share_hands_some_over_to_one_that_can() -> None:
    scene = begun()
    scene.live(30, WELL, WELL)
    assert scene.redeals == []
    scene.live(10, BUSY, WELL)
    assert scene.redeals == ["worker 0 cannot carry its share"]
    assert scene.residues[0] == pytest.approx(125, abs=1)  # a quarter of what it had, at the least
    assert sum(len(orders.share.residues) for orders in scene.orders) == 1_000


def test_a_deal_is_left_alone_for_ten_seconds() -> None:
    scene = begun()
    scene.live(40, BUSY, WELL)
    assert 2 <= len(scene.redeals) <= 4


def test_workers_of_one_machine_are_not_dealt_again_but_it_is_said_that_they_are_too_few() -> None:
    scene = begun(measures=False)
    for second in range(10):
        lag_ms = 500.0 * second
        scene.live(1, *[Strain(cpu=1.0, lag_p99_ms=lag_ms, calls_per_s=100)] * 2)
    assert scene.redeals == []
    assert scene.said == ["2 workers are too few for this plan: it takes at least 5 like them"]
