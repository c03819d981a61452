"""How long users wait, and what is known of a planned start."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell import TaskSet, between, constant, constant_pacing, constant_throughput, task
from swell.clock import NS_PER_S
from swell.script.wait_times import WaitTime, is_nothing
from tests.script.seats import Listed, Stage, notes_of


class Timed(Listed):
    """Notes when each turn begins, then takes `takes_s` over it; `plans` holds what the seat says of its start."""

    abstract = True
    turns_most = 5
    takes_s = 0.0

    def on_start(self) -> None:
        self.begun_s: list[float] = []
        self.plans: list[tuple[float, float, int]] = []

    @task
    def turn(self) -> None:
        seat = self._seat
        now_ns = seat.clock.now_ns()
        self.begun_s.append(now_ns / NS_PER_S - 1_000)
        intended_s = seat.intended_ns / NS_PER_S - 1_000 if seat.intended_ns else math.nan
        self.plans.append((intended_s, seat.held_ns / NS_PER_S, seat.lag_ns))
        seat.clock.sleep_until_ns(now_ns + round(self.takes_s * NS_PER_S))
        self.note("turn")


def timed(wait_time: object, takes_s: float = 0.0, turns: int = 5) -> Timed:
    cls = type("T", (Timed,), {"wait_time": wait_time, "takes_s": takes_s, "turns_most": turns})
    user = Stage(cls).run().life.user
    assert isinstance(user, Timed)
    return user


def test_without_a_wait_time_there_is_no_wait_and_no_planned_start() -> None:
    user = timed(None, takes_s=1)
    assert user.begun_s == [0, 1, 2, 3, 4]
    assert all(math.isnan(intended) and lag == -1 for intended, _, lag in user.plans)


def test_a_constant_wait_begins_when_the_task_has_ended() -> None:
    assert timed(constant(2), takes_s=1).begun_s == [0, 3, 6, 9, 12]


def test_a_start_after_a_wait_is_planned_for_the_end_of_the_wait() -> None:
    user = timed(constant(2), takes_s=1, turns=3)
    assert math.isnan(user.plans[0][0])
    assert user.plans[0][2] == -1
    assert user.plans[1:] == [(3, 0, 0), (6, 0, 0)]


@given(st.floats(0, 5), st.floats(0, 5), st.integers(0, 2**32))
def test_between_stays_within_its_bounds(a: float, b: float, seed: int) -> None:
    least, most = sorted((a, b))
    cls = type("T", (Timed,), {"wait_time": between(least, most), "turns_most": 20})
    user = Stage(cls, seed=seed).run().life.user
    assert isinstance(user, Timed)
    waits = [after - before for before, after in pairwise(user.begun_s)]
    assert all(least - 1e-6 <= wait <= most + 1e-6 for wait in waits)


def test_between_is_evenly_distributed() -> None:
    begun = timed(between(2, 4), turns=4_000).begun_s
    waits = sorted(after - before for before, after in pairwise(begun))
    assert [waits[len(waits) * share // 4] for share in (1, 2, 3)] == pytest.approx([2.5, 3.0, 3.5], abs=0.1)


@given(st.integers(1, 2_000), st.lists(st.floats(0, 0.9), min_size=2, max_size=50))
def test_pacing_never_drifts_however_long_the_tasks_take(period_ms: int, takes: list[float]) -> None:
    period_s = period_ms / 1000

    class Varied(Timed):
        wait_time = constant_pacing(period_s)
        turns_most = len(takes)

        @property
        def takes_s(self) -> float:  # type: ignore[override]
            return takes[len(self.begun_s) - 1] * period_s

    user = Stage(Varied).run().life.user
    assert isinstance(user, Timed)
    assert user.begun_s == pytest.approx([index * period_s for index in range(len(takes))], abs=1e-6)


def test_throughput_is_pacing_by_the_inverse() -> None:
    assert timed(constant_throughput(4), takes_s=0.1).begun_s == pytest.approx([0, 0.25, 0.5, 0.75, 1])


def test_a_paced_user_held_up_starts_late_iterations_at_once_each_timed_from_its_due_moment() -> None:
    class HeldUp(Timed):
        wait_time = constant_pacing(1)
        turns_most = 6

        @property
        def takes_s(self) -> float:  # type: ignore[override]
            return 3.5 if len(self.begun_s) == 1 else 0.25

    user = Stage(HeldUp).run().life.user
    assert isinstance(user, Timed)
    assert user.begun_s == [0, 3.5, 3.75, 4, 4.25, 5]
    assert user.plans[1:] == [(1, 2.5, 0), (2, 1.75, 0), (3, 1, 0), (4, 0.25, 0), (5, 0, 0)]


def test_starts_over_ten_seconds_late_are_missed_and_counted() -> None:
    class Stuck(Timed):
        wait_time = constant_pacing(1)
        turns_most = 13

        @property
        def takes_s(self) -> float:  # type: ignore[override]
            return 60.5 if len(self.begun_s) == 1 else 0.0

    stage = Stage(Stuck).run()
    user = stage.life.user
    assert isinstance(user, Timed)
    assert [intended for intended, _, _ in user.plans[1:]] == list(range(51, 63))
    assert (user.begun_s[1], user.begun_s[10], user.begun_s[11]) == (60.5, 60.5, 61)
    assert stage.seat.missed == 50


def test_a_generator_that_wakes_late_counts_it_as_lag() -> None:
    class Late(Timed):
        wait_time = constant(1)
        turns_most = 3

    stage = Stage(Late)
    sleep = stage.clock.sleep_until_ns
    stage.clock.sleep_until_ns = lambda due_ns: sleep(due_ns + 7_000)  # type: ignore[method-assign]
    user = stage.run().life.user
    assert isinstance(user, Timed)
    assert [lag for _, _, lag in user.plans] == [-1, 7_000, 7_000]


def test_wait_time_may_be_any_method_or_function_of_the_user() -> None:
    class Method(Timed):
        turns_most = 3

        def wait_time(self) -> float:
            return len(self.notes)

    user = Stage(Method).run().life.user
    assert isinstance(user, Timed)
    assert user.begun_s == [0, 1, 3]
    assert timed(lambda user: 0.5, turns=3).begun_s == [0, 0.5, 1]


def test_wait_time_reads_as_a_method_of_the_user() -> None:
    class Asking(Listed):
        wait_time = constant(2.5)
        turns_most = 1

        @task
        def ask(self) -> None:
            self.note(f"{self.wait_time()}")

    assert notes_of(Stage(Asking).run()) == ["2.5"]


def test_a_pacing_may_be_asked_for_its_wait() -> None:
    class Asking(Listed):
        turns_most = 3

        def wait_time(self) -> float:
            return max(0.5, constant_pacing(2)(self))

        @task
        def ask(self) -> None:
            self.note(f"{self._seat.clock.now_ns() / NS_PER_S - 1_000}")

    assert notes_of(Stage(Asking).run()) == ["0.0", "2.0", "4.0"]


@pytest.mark.parametrize("nonsense", [-1, math.nan, math.inf, "soon", None, True])
def test_a_wait_time_that_gives_nonsense_is_counted_and_the_user_waits_a_second(nonsense: object) -> None:
    cls = type("T", (Timed,), {"wait_time": lambda user: nonsense, "turns_most": 3})
    stage = Stage(cls).run()
    assert stage.now_s == 2
    expected = f"ValueError: wait_time gave {nonsense!r}, which is not a time of 0 s or more"
    assert stage.recorder.exceptions == {expected: 2}


def test_a_wait_time_that_raises_is_counted_and_the_user_waits_a_second() -> None:
    stage = Stage(type("T", (Timed,), {"wait_time": lambda user: 1 // 0, "turns_most": 3})).run()
    assert stage.recorder.exceptions == {"ZeroDivisionError: integer division or modulo by zero": 2}


def test_wait_waits_and_what_follows_it_is_not_a_planned_start() -> None:
    class Pausing(Timed):
        wait_time = constant(1)
        turns_most = 2

        @task
        def turn(self) -> None:
            self.wait()
            self.begun_s.append(self._seat.clock.now_ns() / NS_PER_S - 1_000)
            self.plans.append((self._seat.intended_ns, self._seat.held_ns, self._seat.lag_ns))
            self.note("turn")

    user = Stage(Pausing).run().life.user
    assert isinstance(user, Timed)
    assert (user.begun_s, user.plans) == ([1, 3], [(0, 0, -1), (0, 0, -1)])


def test_wait_ends_the_task_if_the_user_is_to_leave() -> None:
    class Pausing(Listed):
        wait_time = constant(10)

        @task
        class Inside(TaskSet):
            @task
            def turn(self) -> None:
                self.user.note("before")
                self.wait()
                self.user.note("after")

    assert notes_of(Stage(Pausing).run(until_s=5)) == ["before"]


def test_a_start_right_after_a_set_or_a_failure_is_not_planned() -> None:
    class Hopping(Timed):
        turns_most = 3

        @task
        class Inside(TaskSet):
            wait_time = constant(1)

            @task
            def look(self) -> None:
                if self.user._seat.intended_ns:
                    self.interrupt()

        @task
        def turn(self) -> None:
            self.plans.append((self._seat.intended_ns, self._seat.held_ns, self._seat.lag_ns))
            self.note("turn")

    user = Stage(Hopping).run().life.user
    assert isinstance(user, Timed)
    assert user.plans == [(0, 0, -1)] * 3


def test_an_instance_may_change_its_wait_time_before_its_first_task() -> None:
    class Settled(Timed):
        wait_time = constant(1)
        turns_most = 3

        def on_start(self) -> None:
            super().on_start()
            self.wait_time = constant(5)

    user = Stage(Settled).run().life.user
    assert isinstance(user, Timed)
    assert user.begun_s == [0, 5, 10]


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (between(1, 5), ""),
        (between(5, 1), "between(5, 1) has its bounds the wrong way round"),
        (between(-1, 5), "between(-1, 5) has a bound that is not a time of 0 s or more"),
        (constant(math.nan), "constant(nan) is not a time of 0 s or more"),
        (constant("2"), "constant('2') is not a time of 0 s or more"),  # type: ignore[arg-type]
        (constant_pacing(-2), "constant_pacing(-2) gives no period of 0 s or more"),
        (constant_pacing(0), ""),
        (constant_throughput(0), "constant_throughput(0) gives no period of 0 s or more"),
        (constant_throughput(0.1), ""),
    ],
)
def test_a_rule_says_what_is_wrong_with_its_numbers(rule: WaitTime, fault: str) -> None:
    assert rule.fault() == fault


def test_a_wait_of_nothing_is_no_wait() -> None:
    assert is_nothing(constant(0))
    assert is_nothing(between(0, 0))
    assert not is_nothing(constant(0.001))
    assert not is_nothing(between(0, 1))
    assert not is_nothing(constant_pacing(1))
