"""`with transaction("checkout"):` how long the user waited for its calls together, and whether one of them failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import greenlet
import pytest

from swell import HttpUser, StopUser, User, constant_pacing, task, transaction
from swell.clock import NS_PER_S
from swell.script.current import current_seat
from swell.segment import Outcome, Sort
from tests.http.loopback import serving
from tests.script.seats import Stage, Value
from tests.script.sessions import BUSY, HttpStage, by_path, http_stage

BY_USER_CLOCK = Outcome.USER_CLOCK


class Database(User):
    abstract = True

    def query(self, seconds: float, failed: bool = False) -> None:
        with self.measure("SQL", "query") as found:
            self.pause(seconds)
            if failed:
                found.failure("no row")

    def pause(self, seconds: float) -> None:
        clock = self._seat.clock
        clock.sleep_until_ns(clock.now_ns() + round(seconds * NS_PER_S))


def transactions_of(turn: Callable[[Any], None], **more: Any) -> list[Value]:
    """The transactions of a user whose only turn this is."""

    def once(user: Database) -> None:
        try:
            turn(user)
        finally:
            user._seat.leaving = True

    cls = type("Buyer", (Database,), {"abstract": False, "tasks": [once], **more})
    return Stage(cls).run().recorder.values


def short(values: list[Value]) -> list[tuple[str, float, Outcome]]:
    assert all(value.sort is Sort.TRANSACTION for value in values)
    return [(value.name, value.value / NS_PER_S, value.outcome) for value in values]


def test_its_duration_is_what_its_calls_took_without_the_pauses_between_them() -> None:
    def turn(user: Database) -> None:
        with transaction("checkout"):
            user.pause(1)
            user.query(0.25)
            user.pause(3)
            user.query(0.5)
            user.pause(1)

    [value] = transactions_of(turn)
    assert value == Value(Sort.TRANSACTION, "Buyer", "checkout", 0.75 * NS_PER_S, 1_004.75, BY_USER_CLOCK)


def test_it_fails_if_one_of_its_calls_fails() -> None:
    def turn(user: Database) -> None:
        with transaction("checkout"):
            user.query(0.25, failed=True)
            user.query(0.25)
        with transaction("the next"):
            user.query(0.25)

    assert short(transactions_of(turn)) == [
        ("checkout", 0.5, BY_USER_CLOCK | Outcome.FAILED),
        ("the next", 0.25, BY_USER_CLOCK),
    ]


def test_it_fails_if_an_exception_leaves_it_or_if_it_says_so() -> None:
    def turn(_: Database) -> None:
        with transaction("said") as said:
            said.failure()
        with transaction("raised"):
            raise LookupError("no row")

    assert short(transactions_of(turn)) == [("said", 0.0, Outcome.FAILED), ("raised", 0.0, Outcome.FAILED)]


def test_what_changes_a_users_course_is_no_failure() -> None:
    def turn(_: Database) -> None:
        with transaction("left"):
            raise StopUser

    assert short(transactions_of(turn)) == [("left", 0.0, Outcome(0))]


def test_one_whose_user_is_killed_in_it_is_not_recorded() -> None:
    def turn(_: Database) -> None:
        with transaction("cut off"):
            raise greenlet.GreenletExit

    def watched(user: Database) -> None:
        try:
            turn(user)
        except greenlet.GreenletExit:
            assert user._seat.listeners == ()

    assert transactions_of(watched) == []


def test_they_nest_and_each_holds_the_calls_that_it_encloses() -> None:
    def turn(user: Database) -> None:
        with transaction("all"):
            user.query(1)
            with transaction("pay"):
                user.query(2)
            with transaction("fails"):
                user.query(4, failed=True)

    assert short(transactions_of(turn)) == [
        ("pay", 2.0, BY_USER_CLOCK),
        ("fails", 4.0, BY_USER_CLOCK | Outcome.FAILED),
        ("all", 7.0, BY_USER_CLOCK | Outcome.FAILED),
    ]


def test_they_may_overlap_in_any_way() -> None:
    def turn(user: Database) -> None:
        one, other = transaction("one"), transaction("other")
        one.__enter__()
        user.query(1)
        other.__enter__()
        user.query(2)
        one.__exit__(None, None, None)
        user.query(4)
        other.__exit__(None, None, None)
        assert user._seat.record == user._seat.recorder.record

    assert [(name, value) for name, value, _ in short(transactions_of(turn))] == [("one", 3.0), ("other", 6.0)]


def test_a_planned_start_that_the_target_held_up_counts_from_its_moment() -> None:
    def turn(user: Database) -> None:
        with transaction("turn"):
            user.query(3)
        if user._seat.iterations == 1:
            raise StopUser

    cls = type("Paced", (Database,), {"tasks": [turn], "wait_time": constant_pacing(2)})
    recorder = Stage(cls).run().recorder
    assert [value / NS_PER_S for _, _, _, value, _, _ in recorder.values] == [3.0, 4.0]
    assert [record.response_s for record in recorder.records] == [3.0, 4.0]


def test_one_that_is_open_cannot_be_entered_again() -> None:
    def turn(_: Database) -> None:
        same = transaction("same")
        with same, pytest.raises(RuntimeError, match="'same' is open already: make a new one"):
            same.__enter__()
        with same:
            assert repr(same) == "<Transaction same, open>"

    assert len(transactions_of(turn)) == 2


def test_outside_of_a_user_it_does_nothing() -> None:
    with transaction("nobody's") as nobodys:
        nobodys.failure()
    assert repr(nobodys) == "<Transaction nobody's>"


@pytest.mark.parametrize(("name", "error"), [("", ValueError), ("  ", ValueError), (7, TypeError)])
def test_it_needs_a_name(name: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="transaction"):
        transaction(name)


@pytest.fixture
def stage() -> Iterator[HttpStage]:
    token = None
    with http_stage() as made:
        token = current_seat.set(made.seat)
        yield made
        current_seat.reset(token)


def transaction_ns(stage: HttpStage) -> tuple[float, Outcome]:
    [(sort, value, outcome)] = stage.book.measured_values
    assert sort is Sort.TRANSACTION
    return value, outcome & ~Outcome.USER_CLOCK


def test_calls_of_a_client_add_up_to_their_response_times(stage: HttpStage) -> None:
    with serving(by_path(busy=BUSY)) as server:
        session = stage.open(server.url)
        session.get("/before")
        with transaction("checkout"):
            session.get("/basket")
            session.post("/pay", json={})
            with session.get("/done", catch_response=True) as done:
                done.success()
        session.get("/after")
        inside = stage.book.records[1:4]
        assert transaction_ns(stage) == (sum(record.response_ns for record in inside), Outcome(0))
        assert len(stage.book.records) == 5


def test_calls_side_by_side_count_once(stage: HttpStage) -> None:
    with serving(by_path(busy=BUSY)) as server:
        session = stage.open(server.url)
        with transaction("page"):
            gevent.joinall([gevent.spawn(session.get, f"/{number}") for number in range(5)])
        begins = [record.done_ns - record.response_ns for record in stage.book.records]
        ends = [record.done_ns for record in stage.book.records]
        waited_ns, outcome = transaction_ns(stage)
        assert max(record.response_ns for record in stage.book.records) <= waited_ns <= max(ends) - min(begins)
        assert outcome == Outcome(0)


def test_a_call_that_failed_fails_it(stage: HttpStage) -> None:
    with serving(by_path(busy=BUSY)) as server:
        session = stage.open(server.url)
        with transaction("checkout"):
            session.get("/busy")
        assert transaction_ns(stage)[1] == Outcome.FAILED


def test_a_user_of_a_site_may_group_calls_in_its_tasks() -> None:
    """The names of the page on scripts."""

    class Shopper(HttpUser):
        @task
        def checkout(self) -> None:
            with transaction("checkout"):
                raise StopUser

    assert [value.name for value in Stage(Shopper, host="http://127.0.0.1:1").run().recorder.values] == ["checkout"]
