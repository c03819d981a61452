"""What a turn of a user's task list costs beyond the task itself: an empty task, no wait, ns a turn.

.venv/bin/python bench/task_loop.py
"""

from __future__ import annotations

import time

from swell import SequentialTaskSet, StopUser, TaskSet, User, constant_throughput, task
from swell.script.environment import Environment
from swell.script.factory import ClassFactory
from swell.segment import ErrorSample, Sort
from swell.user import Seat

TURNS = 300_000


class SystemClock:
    """The monotonic clock; nobody here sleeps on it for long."""

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def sleep_until_ns(self, due_ns: int) -> None:
        while time.monotonic_ns() < due_ns:
            pass


class Nowhere:
    """A recorder that keeps nothing."""

    def series(self, scenario: str, method: str, name: str, tags: str = "") -> int:
        return 0

    def error(self, text: str) -> int:
        return 0

    def record(self, *record: int) -> None: ...

    def traced(
        self, done_ns: int, trace_id: str, response_ns: int, series: int, error: int, status: int, outcome: int
    ) -> None:
        raise NotImplementedError

    def measure(self, sort: Sort, scenario: str, name: str) -> int:
        raise NotImplementedError

    def measured(self, at_ns: int, number: int, sort: Sort, value: float, outcome: int) -> bool:
        raise NotImplementedError

    def wants_sample(self, series: int, error: int) -> bool:
        return False

    def sample(self, series: int, error: int, sample: ErrorSample) -> None: ...

    def exception(self, message: str, traceback: str) -> None:
        raise AssertionError(traceback)


class Counted(User):
    abstract = True
    turns = 0

    def turn(self) -> None:
        self.turns += 1
        if self.turns == TURNS:
            raise StopUser


class OneTask(Counted):
    @task
    def only(self) -> None:
        self.turn()


class ThreeTasks(Counted):
    @task(5)
    def often(self) -> None:
        self.turn()

    @task(2)
    def at_times(self) -> None:
        self.turn()

    @task
    def seldom(self) -> None:
        self.turn()


class Nested(Counted):
    @task
    class Inside(TaskSet):
        @task
        def only(self) -> None:
            self.user.turn()


class InOrder(Counted):
    @task
    class Inside(SequentialTaskSet):
        @task
        def first(self) -> None:
            self.user.turn()

        @task
        def second(self) -> None:
            self.user.turn()


class Paced(OneTask):
    wait_time = constant_throughput(1e9)


def task_itself_ns() -> float:
    """What the loop's tasks cost when they are called in a plain loop."""
    user = object.__new__(OneTask)
    only = OneTask.only
    begun_ns = time.perf_counter_ns()
    for _ in range(TURNS - 1):
        only(user)
    return (time.perf_counter_ns() - begun_ns) / TURNS


def turn_ns(cls: type[Counted]) -> float:
    """Nanoseconds a turn of a user of `cls`, with the task."""
    seat = Seat(number=1, scenario=cls.__name__, seed=1, host="", clock=SystemClock(), recorder=Nowhere(), shared=None)
    user = ClassFactory([cls], Environment()).make(seat)
    begun_ns = time.perf_counter_ns()
    user.live()
    return (time.perf_counter_ns() - begun_ns) / TURNS


def main() -> None:
    own_ns = task_itself_ns()
    print(f"the task itself {own_ns:6.0f} ns")
    for cls in (OneTask, ThreeTasks, Nested, InOrder, Paced):
        best_ns = min(turn_ns(cls) for _ in range(5))
        print(f"{cls.__name__:15} {best_ns - own_ns:6.0f} ns a turn beyond it")


if __name__ == "__main__":
    main()
