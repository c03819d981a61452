"""Users of scripts, run by the crew on the real clock: the two sides of `swell.user` meet."""

from collections.abc import Iterator

import gevent
import pytest

from swell import TaskSet, User, constant, task
from swell.runtime.crew import Crew
from swell.runtime.real_clock import RealClock
from swell.script.environment import Environment
from swell.script.factory import ClassFactory
from swell.user import Seat
from tests.script.seats import MemoryRecorder

NOTES: list[str] = []


class Patient(User):
    wait_time = constant(1_000)

    def on_stop(self) -> None:
        NOTES.append(f"{self._seat.number} stops")

    @task
    def turn(self) -> None:
        NOTES.append(f"{self._seat.number} turns")


class Stubborn(Patient):
    @task(0)
    def turn(self) -> None: ...

    @task
    class Inside(TaskSet):
        def on_stop(self) -> None:
            NOTES.append("comes out")

        @task
        def never_ends(self) -> None:
            gevent.sleep(1_000)


class Failing(Patient):
    def on_start(self) -> None:
        raise OSError("away")


@pytest.fixture
def crew() -> Iterator[Crew]:
    NOTES.clear()
    clock, recorder = RealClock(), MemoryRecorder()

    def seat(number: int, scenario: str) -> Seat:
        return Seat(number=number, scenario=scenario, seed=1, host="", clock=clock, recorder=recorder, shared=None)

    made = Crew(ClassFactory([Patient, Stubborn, Failing], Environment()), seat, clock, recorder)
    yield made
    made.check()
    clock.close()


def test_leaving_ends_a_wait_at_once(crew: Crew) -> None:
    for number in range(3):
        crew.start(number, "Patient")
    gevent.sleep(0.01)
    assert NOTES == ["0 turns", "1 turns", "2 turns"]
    crew.leave(1, 0.05)
    gevent.sleep(0.01)
    assert NOTES[3:] == ["1 stops"]
    crew.leave_all(0.05)
    assert crew.wait_gone(5)
    assert NOTES[4:] == ["0 stops", "2 stops"]


def test_leaving_ends_the_wait_before_another_attempt_to_start(crew: Crew) -> None:
    crew.start(0, "Failing")
    gevent.sleep(0.01)
    crew.leave_all(0.05)
    assert crew.wait_gone(5)
    assert NOTES == ["0 stops"]


def test_a_user_killed_in_a_task_still_runs_each_on_stop(crew: Crew) -> None:
    crew.start(7, "Stubborn")
    gevent.sleep(0.01)
    crew.leave_all(0.05)
    assert crew.wait_gone(5)
    assert NOTES == ["comes out", "7 stops"]
    assert crew.counts()[0].iterations == 0
