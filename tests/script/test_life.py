"""From `__init__` to `on_stop`: what runs when, and what becomes of exceptions."""

import gevent
import greenlet
import pytest

from swell import RescheduleTask, StopUser, TaskSet, constant, events, task
from swell.script.environment import Environment
from tests.script.seats import Listed, Stage, notes_of


class Worker(Listed):
    abstract = True
    wait_time = constant(1)

    def on_start(self) -> None:
        self.note("start")

    def on_stop(self) -> None:
        self.notes.append("stop")


def test_a_user_starts_works_and_stops() -> None:
    class Steady(Worker):
        @task
        def work(self) -> None:
            self.note("work")

    assert notes_of(Stage(Steady).run(until_s=2.5)) == ["start", "work", "work", "work", "stop"]


def test_stop_user_ends_it_and_on_stop_runs() -> None:
    class Brief(Worker):
        @task
        def work(self) -> None:
            raise StopUser

    stage = Stage(Brief).run()
    assert (notes_of(stage), stage.seat.iterations, stage.recorder.exceptions) == (["start", "stop"], 0, {})


def test_stop_user_in_on_start_ends_it_before_its_first_task() -> None:
    class Refusing(Worker):
        def on_start(self) -> None:
            raise StopUser

        @task
        def work(self) -> None:
            self.note("work")

    assert notes_of(Stage(Refusing).run()) == ["stop"]


def test_on_start_is_tried_three_times_with_a_wait_and_then_tasks_begin() -> None:
    class Unlucky(Worker):
        def on_start(self) -> None:
            self.note(f"try at {self._seat.clock.now_ns() // 10**9 - 1000} s")
            raise ConnectionError("the database is away")

        @task
        def work(self) -> None:
            self.note("work")
            raise StopUser

    stage = Stage(Unlucky).run()
    assert notes_of(stage) == ["try at 0 s", "try at 1 s", "try at 2 s", "work", "stop"]
    assert stage.recorder.exceptions == {"ConnectionError: the database is away": 3}


def test_on_start_that_succeeds_the_second_time_is_not_run_again() -> None:
    class Lucky(Worker):
        wait_time = None

        def on_start(self) -> None:
            self.note("try")
            if len(self.notes) == 1:
                raise OSError("not yet")

        @task
        def work(self) -> None:
            raise StopUser

    stage = Stage(Lucky).run()
    assert (notes_of(stage), stage.now_s) == (["try", "try", "stop"], 1)


def test_a_user_told_to_leave_while_it_waits_to_start_again_does_not_try_again() -> None:
    class Unlucky(Worker):
        wait_time = constant(10)

        def on_start(self) -> None:
            self.note("try")
            raise OSError("away")

        @task
        def work(self) -> None: ...

    assert notes_of(Stage(Unlucky).run(until_s=5)) == ["try", "stop"]


def test_an_exception_in_a_task_is_counted_and_the_user_goes_on_after_its_wait() -> None:
    class Clumsy(Worker):
        @task
        def work(self) -> None:
            raise ValueError("no such problem")

    stage = Stage(Clumsy).run(until_s=2.5)
    assert stage.recorder.exceptions == {"ValueError: no such problem": 3}
    assert stage.seat.iterations == 3
    assert notes_of(stage) == ["start", "stop"]


def test_a_traceback_shows_the_frames_of_the_author_alone() -> None:
    class Clumsy(Worker):
        @task
        def work(self) -> None:
            try:
                self.parse("{")
            finally:
                self._seat.leaving = True

        def parse(self, text: str) -> None:
            import json

            json.loads(text)

    lines = Stage(Clumsy).run().recorder.tracebacks[0].splitlines()
    places = [line.partition(":")[0] for line in lines[:-1:2]]
    assert places == ["test_life.py", "test_life.py"]
    assert [line.strip() for line in lines[1::2]] == ['self.parse("{")', "json.loads(text)"]
    assert lines[-1].startswith("JSONDecodeError: Expecting property name")


def test_a_traceback_names_the_cause() -> None:
    class Clumsy(Worker):
        @task
        def work(self) -> None:
            self._seat.leaving = True
            raise RuntimeError("cannot read") from KeyError("name")

    assert Stage(Clumsy).run().recorder.tracebacks[0].splitlines()[-1] == "caused by KeyError: 'name'"


def test_a_task_that_fails_at_once_without_a_wait_does_not_spin() -> None:
    class Hopeless(Worker):
        wait_time = None

        @task
        def work(self) -> None:
            raise ValueError("typo")

    stage = Stage(Hopeless).run(until_s=1)
    assert stage.recorder.exceptions["ValueError: typo"] <= 102


def test_a_gevent_timeout_in_a_task_is_an_exception_like_any_other() -> None:
    class Timed(Worker):
        @task
        def work(self) -> None:
            raise gevent.Timeout(3)

    assert Stage(Timed).run(until_s=1.5).recorder.exceptions == {"Timeout: 3 seconds": 2}


def test_user_error_is_fired_with_the_user_the_exception_and_its_traceback() -> None:
    seen = []

    @events.user_error.add_listener
    def note(user_instance, exception, tb, **_):  # type: ignore[no-untyped-def]
        seen.append((type(user_instance).__name__, str(exception), tb is exception.__traceback__))

    class Clumsy(Worker):
        @task
        def work(self) -> None:
            self._seat.leaving = True
            raise ValueError("oh")

    Stage(Clumsy).run()
    assert seen == [("Clumsy", "oh", True)]


def test_an_exception_in_on_stop_is_counted() -> None:
    class Messy(Worker):
        def on_stop(self) -> None:
            raise ValueError("mess")

        @task
        def work(self) -> None:
            raise StopUser

    assert Stage(Messy).run().recorder.exceptions == {"ValueError: mess": 1}


def test_a_reschedule_in_on_start_or_on_stop_is_no_failure() -> None:
    class Odd(Worker):
        def on_start(self) -> None:
            raise RescheduleTask

        def on_stop(self) -> None:
            raise StopUser

        @task
        def work(self) -> None:
            raise StopUser

    assert Stage(Odd).run().recorder.exceptions == {}


def test_a_kill_passes_through_and_every_on_stop_runs() -> None:
    class Killed(Worker):
        @task
        class Inside(TaskSet):
            def on_stop(self) -> None:
                self.user.notes.append("inner stop")

            @task
            def work(self) -> None:
                raise greenlet.GreenletExit

    stage = Stage(Killed)
    with pytest.raises(greenlet.GreenletExit):
        stage.run()
    assert notes_of(stage) == ["start", "inner stop", "stop"]
    assert stage.recorder.exceptions == {}


def test_an_exception_in_init_is_counted_and_the_user_does_nothing() -> None:
    class Stillborn(Worker):
        def __init__(self, environment: Environment) -> None:
            super().__init__(environment)
            self.note("init")
            raise ValueError("no account left")

        @task
        def work(self) -> None: ...

    stage = Stage(Stillborn).run()
    assert (notes_of(stage), stage.recorder.exceptions) == (["init"], {"ValueError: no account left": 1})


def test_a_user_has_its_seat_in_init() -> None:
    class Early(Worker):
        def __init__(self, environment: Environment) -> None:
            super().__init__(environment)
            self.note(f"{self.host} {self.shared} {self.random is self.random} {self.environment is environment}")

        @task
        def work(self) -> None:
            raise StopUser

    notes = notes_of(Stage(Early, host="http://target", shared={"contest": 4}).run())
    assert notes[0] == "http://target {'contest': 4} True True"


def test_the_host_of_the_class_holds_where_the_seat_has_none() -> None:
    class Homely(Worker):
        host = "http://home"

        @task
        def work(self) -> None:
            self.note(str(self.host))
            raise StopUser

    assert "http://home" in notes_of(Stage(Homely).run())


def test_a_closed_life_lets_go_of_its_user() -> None:
    class Steady(Worker):
        @task
        def work(self) -> None:
            raise StopUser

    stage = Stage(Steady).run()
    assert repr(stage.life) == "<Life of <Steady 0> in <Seat of user 0 (Steady), staying, 0 iterations>>"
    stage.life.close()
    stage.life.close()
    assert stage.life.user is None
