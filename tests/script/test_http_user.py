"""A user's client: made when first used, closed at the user's end."""

from typing import Any

import pytest

from swell import HttpUser, StopUser, TaskSet, task
from swell.script import http_user
from tests.script.seats import Stage


class FakeSession:
    made: list["FakeSession"] = []

    def __init__(self, seat: Any, base_url: str, environment: Any, context: Any) -> None:
        self.seen = (seat, base_url, environment)
        assert context() == {}
        self.is_open = True
        self.made.append(self)

    def close(self) -> None:
        self.is_open = False


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch) -> list[FakeSession]:
    monkeypatch.setattr(http_user, "HttpSession", FakeSession)
    FakeSession.made = []
    return FakeSession.made


def test_a_client_is_made_at_its_first_use_and_closed_at_the_end() -> None:
    class Visitor(HttpUser):
        host = "http://home"

        @task
        class Inside(TaskSet):
            @task
            def visit(self) -> None:
                assert self.client is self.user.client is self.client
                raise StopUser

    stage = Stage(Visitor).run()
    [session] = FakeSession.made
    assert (session.seen, session.is_open) == ((stage.seat, "http://home", None), True)
    stage.life.close()
    assert not session.is_open


def test_the_host_of_the_seat_comes_first() -> None:
    class Visitor(HttpUser):
        host = "http://home"

        @task
        def visit(self) -> None:
            assert self.client
            raise StopUser

    Stage(Visitor, host="http://target").run()
    assert FakeSession.made[0].seen[1] == "http://target"


def test_a_user_that_makes_no_call_has_no_client() -> None:
    class Visitor(HttpUser):
        @task
        def idle(self) -> None:
            raise StopUser

    stage = Stage(Visitor).run()
    stage.life.close()
    assert FakeSession.made == []


def test_a_client_opened_in_an_init_that_failed_is_closed() -> None:
    class Visitor(HttpUser):
        def __init__(self, environment: Any) -> None:
            super().__init__(environment)
            assert self.client
            raise ValueError("no account")

        @task
        def idle(self) -> None: ...

    stage = Stage(Visitor).run()
    stage.life.close()
    assert [session.is_open for session in FakeSession.made] == [False]


def test_a_user_may_bring_a_client_of_its_own() -> None:
    class Visitor(HttpUser):
        def on_start(self) -> None:
            self.client = "mine"  # type: ignore[assignment]

        @task
        def idle(self) -> None:
            raise StopUser

    stage = Stage(Visitor).run()
    assert stage.life.user is not None
    assert vars(stage.life.user)["client"] == "mine"
    stage.life.close()
    assert FakeSession.made == []
