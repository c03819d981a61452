"""`self.measure`: any block of code, timed and recorded."""

import greenlet
import pytest

from swell import StopUser, User, constant, events, task
from swell.clock import NS_PER_S
from swell.segment import Outcome
from tests.script.seats import Record, Stage

OWN = Outcome.OWN | Outcome.USER_CLOCK


class Database(User):
    abstract = True

    def takes_s(self, seconds: float) -> None:
        clock = self._seat.clock
        clock.sleep_until_ns(clock.now_ns() + round(seconds * NS_PER_S))


def test_a_block_is_recorded_with_how_long_it_took() -> None:
    class Reading(Database):
        @task
        def read(self) -> None:
            with self.measure("SQL", "find problem") as found:
                self.takes_s(0.25)
                found.response_length = 321
            raise StopUser

    assert Stage(Reading).run().recorder.records == [
        Record("SQL", "find problem", "", 1_000.25, 0.25, 0.25, -1, 321, OWN)
    ]


def test_an_exception_in_it_fails_the_sample_and_goes_on_upwards() -> None:
    class Failing(Database):
        wait_time = constant(1)

        @task
        def read(self) -> None:
            with self.measure("SQL", "find problem"):
                raise LookupError("no row\n  at all")

    recorder = Stage(Failing).run(until_s=0.5).recorder
    assert [(record.error, record.outcome) for record in recorder.records] == [
        ("LookupError: no row at all", OWN | Outcome.FAILED)
    ]
    assert list(recorder.exceptions) == ["LookupError: no row at all"]


def test_a_block_may_say_that_it_failed() -> None:
    class Wrong(Database):
        @task
        def read(self) -> None:
            with self.measure("SQL", "find") as found:
                found.failure("two rows")
            raise StopUser

    assert [record.error for record in Stage(Wrong).run().recorder.records] == ["two rows"]


def test_stopping_the_user_in_a_block_is_no_failure() -> None:
    class Stopping(Database):
        @task
        def read(self) -> None:
            with self.measure("SQL", "find"):
                raise StopUser

    assert [record.error for record in Stage(Stopping).run().recorder.records] == [""]


def test_a_block_in_which_the_user_is_killed_is_no_sample() -> None:
    class Killed(Database):
        @task
        def read(self) -> None:
            with self.measure("SQL", "find"):
                raise greenlet.GreenletExit

    stage = Stage(Killed)
    with pytest.raises(greenlet.GreenletExit):
        stage.run()
    assert stage.recorder.records == []


def test_the_first_block_of_a_planned_iteration_is_timed_from_its_planned_start() -> None:
    class Paced(Database):
        def wait_time(self) -> float:
            return 1

        @task
        def read(self) -> None:
            with self.measure("SQL", "first"):
                self.takes_s(0.25)
            with self.measure("SQL", "second"):
                self.takes_s(0.25)

    stage = Stage(Paced)
    sleep = stage.clock.sleep_until_ns
    late_ns = iter([0, 0, 3_000_000, 0, 0])
    stage.clock.sleep_until_ns = lambda due_ns: sleep(due_ns + next(late_ns))  # type: ignore[method-assign]
    stage.run(until_s=1.6)
    assert [(record.name, record.response_s, record.lag_ns) for record in stage.recorder.records] == [
        ("first", 0.25, -1),
        ("second", 0.25, -1),
        ("first", 0.25, 3_000_000),
        ("second", 0.25, -1),
    ]


def test_waiting_for_a_slow_target_counts_to_the_response_but_not_to_the_service() -> None:
    from swell import constant_pacing

    class Paced(Database):
        wait_time = constant_pacing(1)

        @task
        def read(self) -> None:
            self.takes_s(0.125)
            with self.measure("SQL", "slow"):
                self.takes_s(1.25)

    records = Stage(Paced).run(until_s=3).recorder.records
    assert [(record.service_s, record.response_s) for record in records] == [(1.25, 1.25), (1.25, 1.625), (1.25, 2)]


def test_listeners_of_request_are_told_with_the_users_context() -> None:
    class Known(Database):
        def context(self) -> dict[str, object]:
            return {"account": 7}

        @task
        def read(self) -> None:
            with self.measure("SQL", "find"):
                self.takes_s(0.5)
            raise StopUser

    heard = []
    events.request.add_listener(lambda **arguments: heard.append(arguments))
    stage = Stage(Known).run()
    assert heard == [
        {"request_type": "SQL", "name": "find", "response_time": 500, "response_length": 0, "response": None,
         "context": {"account": 7}, "exception": None}
    ]  # fmt: skip
    assert len(stage.recorder.records) == 1
