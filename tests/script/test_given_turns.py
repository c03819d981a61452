"""A user whose iterations are given out asks for each of them, wherever it begins, and never within one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from swell import SequentialTaskSet, StopUser, TaskSet, constant, constant_pacing, task
from swell.script.user import User
from swell.user import Seat
from tests.script.seats import Listed, Stage, notes_of


class ScriptedGate:
    """Admits so many times, then sends the user away; each time it does what the test says."""

    def __init__(self, times: int, *, waits: bool = True, on_admit: Callable[[Seat, int], None] | None = None) -> None:
        self.asked = 0
        self.waits = waits
        self._times = times
        self._on_admit = on_admit

    def admit(self, seat: Seat) -> bool:
        self.asked += 1
        if self.asked > self._times:
            seat.leaving = True
            return False
        if self._on_admit is not None:
            self._on_admit(seat, self.asked)
        return True


def given(cls: type[User], times: int, *, waits: bool = True, **more: Callable[[Seat, int], None]) -> Stage:
    """What a user of the class does that is admitted so many times."""
    stage = Stage(cls)
    stage.seat.gate = ScriptedGate(times, waits=waits, **more)
    return stage.run()


class Waiting(Listed):
    abstract = True
    wait_time = constant(1)

    def at(self, what: str) -> None:
        self.note(f"{what} {self._seat.clock.now_ns() // 10**9 - 1000}")


def test_it_does_as_many_iterations_as_it_is_given_and_waits_between_them() -> None:
    class Steady(Waiting):
        @task
        def work(self) -> None:
            self.at("work")

        def on_stop(self) -> None:
            self.at("stop")

    stage = given(Steady, 3)
    assert notes_of(stage) == ["work 0", "work 1", "work 2", "stop 2"]
    assert stage.seat.iterations == 3


def test_where_the_gate_does_the_waiting_the_wait_time_counts_for_nothing() -> None:
    class Steady(Waiting):
        @task
        def work(self) -> None:
            self.at("work")

    assert notes_of(given(Steady, 3, waits=False)) == ["work 0"] * 3


def test_a_pass_through_a_sequence_is_one_iteration_with_waits_between_its_steps() -> None:
    class Tour(Waiting):
        @task
        class Steps(SequentialTaskSet):
            @task
            def first(self) -> None:
                self.user.at("first")

            @task
            def second(self) -> None:
                self.user.at("second")

    stage = given(Tour, 3, waits=False)
    assert notes_of(stage) == ["first 0", "second 1", "first 1", "second 2", "first 2", "second 3"]
    assert stage.seat.iterations == 3
    assert notes_of(given(Tour, 2)) == ["first 0", "second 1", "first 2", "second 3"]


def test_a_nested_set_is_never_asked_for_within() -> None:
    class Guest(Waiting):
        @task
        class Inside(TaskSet):
            turns = 0

            @task
            def step(self) -> None:
                self.turns += 1
                self.user.note("step")
                if self.turns == 3:
                    self.interrupt()

    stage = given(Guest, 2)
    assert notes_of(stage) == ["step"] * 6
    assert (stage.seat.iterations, stage.seat.gate.asked) == (2, 3)  # type: ignore[union-attr]


def test_a_sequence_that_is_left_early_is_one_iteration_too() -> None:
    class Tour(Waiting):
        @task
        class Steps(SequentialTaskSet):
            @task
            def first(self) -> None:
                self.user.note("first")
                self.interrupt()

            @task
            def never(self) -> None:
                self.user.note("never")

    stage = given(Tour, 4)
    assert notes_of(stage) == ["first"] * 4
    assert stage.seat.iterations == 4


@pytest.mark.parametrize("waits", [True, False])
def test_a_task_that_fails_has_been_an_iteration(waits: bool) -> None:
    class Unlucky(Waiting):
        @task
        def work(self) -> None:
            self.note("work")
            raise ValueError("no")

    stage = given(Unlucky, 3, waits=waits)
    assert (notes_of(stage), stage.seat.iterations) == (["work"] * 3, 3)
    assert stage.recorder.exceptions == {"ValueError: no": 3}


def test_a_user_that_stops_itself_asks_no_more() -> None:
    class Brief(Waiting):
        @task
        def work(self) -> None:
            raise StopUser

    stage = given(Brief, 5)
    assert (stage.seat.gate.asked, stage.seat.iterations) == (1, 0)  # type: ignore[union-attr]


def test_what_is_admitted_is_done_even_if_the_user_is_to_leave_meanwhile() -> None:
    class Steady(Waiting):
        @task
        def work(self) -> None:
            self.note("work")

    def leave(seat: Seat, _: int) -> None:
        seat.leaving = True

    assert notes_of(given(Steady, 1, waits=False, on_admit=leave)) == ["work"]


def test_a_wait_that_ends_because_the_user_is_to_leave_is_not_followed_by_an_iteration() -> None:
    class Steady(Waiting):
        wait_time = constant(10)

        @task
        def work(self) -> None:
            self.at("work")

    stage = Stage(Steady)
    stage.seat.gate = ScriptedGate(5)
    stage.run(until_s=5)
    assert notes_of(stage) == ["work 0"]


def test_choices_follow_from_the_arrival_not_from_the_user() -> None:

    class Choosing(Listed):
        @task(3)
        def a(self) -> None:
            self.note("a")

        @task(2)
        def b(self) -> None:
            self.note("b")

        @task(4)
        def c(self) -> None:
            self.note("c")

    def choose(seat: Seat, time: int) -> None:
        seat.choices = 0x9E3779B97F4A7C15 * (time + offset) % 2**64

    offset = 0
    first = notes_of(given(Choosing, 20, waits=False, on_admit=choose))
    offset = 5
    other = Stage(Choosing, number=77, seed=5)
    other.seat.gate = ScriptedGate(15, waits=False, on_admit=choose)
    assert notes_of(other.run()) == first[5:]
    assert len(set(first)) == 3


def test_a_paced_user_keeps_its_pace() -> None:
    class Paced(Waiting):
        wait_time = constant_pacing(2)

        @task
        def work(self) -> None:
            self.at("work")

    assert notes_of(given(Paced, 3)) == ["work 0", "work 2", "work 4"]
