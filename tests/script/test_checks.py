"""`check(response, name, condition)`: counted, and what of the call and its transactions fails with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from swell import StopUser, User, check, task, transaction
from swell.script.current import bind_recorder, current_seat
from swell.segment import Outcome, Sort
from tests.http.loopback import serving
from tests.script.seats import MemoryRecorder, Stage
from tests.script.sessions import BUSY, HttpStage, by_path, http_stage

PASSED, FAILED = (Sort.CHECK, 0, Outcome(0)), (Sort.CHECK, 0, Outcome.FAILED)


@pytest.fixture
def stage() -> Iterator[HttpStage]:
    with http_stage() as made:
        token = current_seat.set(made.seat)
        yield made
        current_seat.reset(token)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (lambda r: r.status_code == 200, True),
        (lambda r: r.text, True),
        (lambda r: "no such text" in r.text, False),
        (lambda r: None, False),
        (True, True),
        (0, False),
    ],
)
def test_a_condition_is_counted_and_given_back_and_the_call_is_as_it_was(
    stage: HttpStage, condition: Any, holds: bool
) -> None:
    with serving(by_path(busy=BUSY)) as server:
        response = stage.open(server.url).get("/")
        assert check(response, "is as it should be", condition) is holds
    assert stage.book.measured_values == [PASSED if holds else FAILED]
    assert stage.book.short == [("GET", "/", 200, "")]


def test_a_condition_that_raises_does_not_hold_and_is_among_the_exceptions() -> None:
    class Careless(User):
        @task
        def look(self) -> None:
            for number in range(2):
                assert not check({}, "has a title", lambda r: r["title"])
                check(number, "is odd", lambda n: n % 2)
            raise StopUser

    recorder = Stage(Careless).run().recorder
    assert dict(recorder.exceptions) == {"KeyError: 'title'": 2}
    assert [(value.name, value.scenario, value.outcome) for value in recorder.values] == [
        ("has a title", "Careless", Outcome.FAILED),
        ("is odd", "Careless", Outcome.FAILED),
        ("has a title", "Careless", Outcome.FAILED),
        ("is odd", "Careless", Outcome(0)),
    ]


def test_what_changes_a_users_course_passes_through_a_condition() -> None:
    def leaves(_: object) -> bool:
        raise StopUser

    class Leaving(User):
        @task
        def look(self) -> None:
            check(1, "is there", leaves)

    recorder = Stage(Leaving).run().recorder
    assert (recorder.values, recorder.exceptions) == ([], {})


@pytest.mark.parametrize(
    ("path", "error"), [("/fine", "check: has a title"), ("/busy", "check: has a title"), ("/said", "said before")]
)
def test_with_fail_the_caught_call_fails_for_the_checks_name(stage: HttpStage, path: str, error: str) -> None:
    with serving(by_path(busy=BUSY)) as server, stage.open(server.url).get(path, catch_response=True) as response:
        if path == "/said":
            response.failure("said before")
        assert not check(response, "has a title", lambda r: False, fail=True)
        assert check(response, "is there", lambda r: True, fail=True)
    assert [record.error for record in stage.book.records] == [error]


def test_with_fail_every_open_transaction_fails(stage: HttpStage) -> None:
    with serving(by_path(busy=BUSY)) as server:
        session = stage.open(server.url)
        with transaction("all"):
            with transaction("well"):
                check(session.get("/"), "is there", lambda r: True, fail=True)
            check(session.get("/"), "has a title", lambda r: False, fail=True)
    transactions = [outcome for sort, _, outcome in stage.book.measured_values if sort is Sort.TRANSACTION]
    assert [Outcome.FAILED in outcome for outcome in transactions] == [False, True]
    assert [record.error for record in stage.book.records] == ["", ""]


@pytest.mark.parametrize("holds", [True, False])
def test_with_fail_a_call_that_is_recorded_already_is_the_authors_fault(stage: HttpStage, holds: bool) -> None:
    with serving(by_path(busy=BUSY)) as server:
        session = stage.open(server.url)
        with session.get("/", catch_response=True) as ended:
            pass
        for response in (session.get("/"), ended):
            with pytest.raises(ValueError, match=r"'is there' with fail=True comes too late.*catch_response=True"):
                check(response, "is there", holds, fail=True)
    assert stage.book.measured_values == []


def test_outside_of_a_user_it_goes_to_the_process_and_outside_of_a_run_nowhere() -> None:
    assert check(3, "is three", lambda n: n == 3)
    recorder = MemoryRecorder()
    bind_recorder(recorder, Stage(User).clock)
    assert not check(3, "is four", lambda n: n == 4)
    assert [(value.name, value.scenario) for value in recorder.values] == [("is four", "")]
