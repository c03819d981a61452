"""The crew: users start, live, leave and are killed; whatever they do, they are closed once and counted."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest

from swell.runtime.crew import Crew
from swell.runtime.gates import Gate
from swell.runtime.real_clock import RealClock
from swell.segment import ErrorSample, ScenarioCount, Sort
from swell.user import Admission, Recorder, Seat, SimulatedUser, UserFactory

HOUR_NS = 3_600_000_000_000
LIVES = 10


class Notes:
    """A recorder that keeps the exceptions it is told of."""

    def __init__(self) -> None:
        self.exceptions: list[str] = []
        self.tracebacks: list[str] = []

    def exception(self, message: str, traceback: str) -> None:
        self.exceptions.append(message)
        self.tracebacks.append(traceback)

    def series(self, scenario: str, method: str, name: str, tags: str = "") -> int:
        raise NotImplementedError

    def error(self, text: str) -> int:
        raise NotImplementedError

    def record(self, *numbers: int) -> None:
        raise NotImplementedError

    def traced(
        self, done_ns: int, trace_id: str, response_ns: int, series: int, error: int, status: int, outcome: int
    ) -> None:
        raise NotImplementedError

    def measure(self, sort: Sort, scenario: str, name: str) -> int:
        raise NotImplementedError

    def measured(self, at_ns: int, number: int, sort: Sort, value: float, outcome: int) -> bool:
        raise NotImplementedError

    def wants_sample(self, series: int, error: int) -> bool:
        raise NotImplementedError

    def sample(self, series: int, error: int, sample: ErrorSample) -> None:
        raise NotImplementedError


class Player:
    """A user whose life is a function of its seat."""

    def __init__(self, seat: Seat, life: Callable[[Seat], object], closed: list[int]) -> None:
        self.seat = seat
        self.life = life
        self.closed = closed

    def live(self) -> None:
        self.life(self.seat)

    def close(self) -> None:
        self.closed.append(self.seat.number)


class Stage:
    """A crew with everything around it that a test wants to look at."""

    def __init__(self, grace_s: float = 5.0) -> None:
        self.grace_s = grace_s
        self.gone: list[int] = []
        self.clock = RealClock()
        self.notes = Notes()
        self.closed: list[int] = []
        self.lives: dict[str, Callable[[Seat], object]] = {}
        self.seats: dict[int, Seat] = {}
        factory: UserFactory = self
        recorder: Recorder = self.notes
        self.recorder = recorder
        self.crew = Crew(factory, self.seat, self.clock, recorder, self.gone.append)

    def make(self, seat: Seat) -> SimulatedUser:
        return Player(seat, self.lives[seat.scenario], self.closed)

    def seat(self, number: int, scenario: str) -> Seat:
        self.seats[number] = Seat(
            number=number, scenario=scenario, seed=1, host="", clock=self.clock, recorder=self.recorder, shared={}
        )
        return self.seats[number]

    def leave_all(self) -> None:
        self.crew.leave_all(self.grace_s)

    def start(self, count: int, life: Callable[[Seat], object], name: str = "A") -> None:
        self.lives[name] = life
        first = len(self.seats)
        for number in range(first, first + count):
            self.crew.start(number, name)
        gevent.sleep(0)


@pytest.fixture
def stage() -> Iterator[Stage]:
    yield from staged(5.0)


@pytest.fixture
def hasty() -> Iterator[Stage]:
    """A stage where whoever is to leave is killed after 20 ms."""
    yield from staged(0.02)


def staged(grace_s: float) -> Iterator[Stage]:
    stage = Stage(grace_s)
    yield stage
    stage.crew.check()
    stage.leave_all()
    assert stage.crew.wait_gone(10)
    gevent.sleep(0)
    stage.crew.check()
    stage.clock.check()
    assert (repr(stage.clock), sorted(stage.closed)) == ("<RealClock, 0 asleep, 0 entries dead>", sorted(stage.seats))
    stage.clock.close()


def think(seat: Seat) -> None:
    """Iterate, an hour of wait after each."""
    while not seat.leaving:
        seat.iterations += 1
        seat.clock.sleep_until_ns(seat.clock.now_ns() + HOUR_NS)


def work(seat: Seat) -> None:
    """One task that takes an hour."""
    gevent.sleep(3_600)


def finish(seat: Seat) -> None:
    """One task of 30 ms, begun before it is told to leave."""
    gevent.sleep(0.03)
    seat.iterations += 1


def test_users_live_until_they_are_to_leave_and_are_counted(stage: Stage) -> None:
    stage.start(3, think, "A")
    stage.start(2, think, "B")
    assert stage.crew.counts() == (
        ScenarioCount("A", users=3, started=3, iterations=3),
        ScenarioCount("B", users=2, started=2, iterations=2),
    )
    assert (repr(stage.crew), len(stage.crew), 4 in stage.crew) == ("<Crew: 5 living>", 5, True)
    stage.seats[4].missed = 7
    stage.crew.leave(4, 5.0)
    gevent.sleep(0.01)
    assert stage.crew.counts()[1] == ScenarioCount("B", users=1, started=2, iterations=2, missed=7)
    assert (stage.closed, 4 in stage.crew) == ([4], False)


def test_a_wait_ends_early_when_its_user_is_to_leave(stage: Stage) -> None:
    stage.start(500, think)
    stage.leave_all()
    assert stage.crew.wait_gone(4)
    assert stage.crew.counts() == (ScenarioCount("A", users=0, started=500, iterations=500),)


def test_a_running_task_may_finish(stage: Stage) -> None:
    stage.start(20, finish)
    stage.leave_all()
    assert stage.crew.wait_gone(4)
    assert stage.crew.counts()[0].iterations == 20


def test_what_does_not_finish_in_time_is_killed(hasty: Stage) -> None:
    hasty.start(3, work)
    hasty.crew.leave(1, 0.02)
    gevent.sleep(0.2)
    assert (hasty.closed, repr(hasty.crew), hasty.notes.exceptions) == ([1], "<Crew: 2 living>", [])


def test_thousands_are_killed_at_once(hasty: Stage) -> None:
    hasty.start(5_000, work)
    hasty.leave_all()
    assert hasty.crew.wait_gone(8)
    assert len(hasty.closed) == 5_000


def test_whoever_asked_hears_when_a_user_has_gone_told_to_or_not(stage: Stage) -> None:
    stage.start(3, think)
    stage.crew.leave(1, 5.0)
    stage.crew.leave(77, 5.0)
    gevent.sleep(0.01)
    assert stage.gone == [1]
    stage.start(1, lambda seat: None)
    assert stage.gone == [1, 3]


def test_each_user_has_a_time_of_its_own_to_finish(stage: Stage) -> None:
    stage.start(4, work)
    for number, grace_s in ((0, 5.0), (1, 0.02), (2, 5.0), (3, 0.04)):
        stage.crew.leave(number, grace_s)
    gevent.sleep(0.2)
    assert stage.gone == [1, 3]


def test_a_user_may_end_by_itself(stage: Stage) -> None:
    stage.start(2, lambda seat: None)
    assert stage.crew.wait_gone(1)
    assert stage.closed == [0, 1]


def test_a_number_may_be_used_again_once_its_user_has_gone(stage: Stage) -> None:
    stage.start(1, lambda seat: None)
    assert stage.crew.wait_gone(1)
    stage.closed.clear()
    stage.crew.start(0, "A")
    assert stage.crew.wait_gone(1)
    assert stage.crew.counts()[0].started == 2


def test_what_escapes_a_user_is_recorded_with_its_own_frames_and_ends_only_that_user(stage: Stage) -> None:
    def fail(seat: Seat) -> None:
        raise LookupError("no such page")

    stage.start(1, fail, "Bad")
    stage.start(1, think, "Good")
    assert stage.notes.exceptions == ["LookupError: no such page"]
    assert [line for line in stage.notes.tracebacks[0].splitlines() if "swell/runtime/" in line] == []
    assert 'raise LookupError("no such page")' in stage.notes.tracebacks[0]
    assert [count.users for count in stage.crew.counts()] == [0, 1]


@pytest.mark.parametrize(
    "error", [SystemExit(3), AssertionError("x"), gevent.Timeout(1), BaseExceptionGroup("g", [KeyError()])]
)
def test_not_even_a_system_exit_of_a_user_ends_the_process(stage: Stage, error: BaseException) -> None:
    def leave(seat: Seat) -> None:
        raise error

    stage.start(1, leave)
    assert stage.notes.exceptions == [f"{type(error).__name__}: {error}"]


def test_an_error_while_a_user_is_made_is_recorded_too(stage: Stage) -> None:
    class Unmakeable:
        def make(self, seat: Seat) -> SimulatedUser:
            raise ValueError("bad __init__")

    stage.crew.factory = Unmakeable()
    stage.start(1, think)
    assert (stage.notes.exceptions, len(stage.crew)) == (["ValueError: bad __init__"], 0)
    stage.closed.append(0)


def test_an_error_in_close_or_in_on_gone_is_recorded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def close(player: Player) -> None:
        player.closed.append(player.seat.number)
        raise OSError("bad descriptor")

    monkeypatch.setattr(Player, "close", close)
    stage.start(1, think)
    monkeypatch.setattr(stage.crew, "_on_gone", lambda number: stage.closed.remove(99))
    stage.crew.leave(0, 5.0)
    assert stage.crew.wait_gone(1)
    gevent.sleep(0)
    assert stage.notes.exceptions == ["OSError: bad descriptor", "ValueError: list.remove(x): x not in list"]


def test_a_user_told_to_leave_before_its_first_turn_never_begins(hasty: Stage) -> None:
    hasty.lives["A"] = work
    hasty.crew.start(0, "A")
    hasty.leave_all()
    assert hasty.crew.wait_gone(1)
    assert hasty.closed == []
    hasty.closed.append(0)


def test_a_user_that_swallows_its_kill_is_given_up_and_reported(hasty: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swell.runtime.crew.KILL_AGAIN_NS", 10_000_000)
    kills: list[BaseException] = []
    free = gevent.event.Event()

    def swallow(seat: Seat) -> None:
        seat.task_name = "Stubborn.task"
        while not free.is_set():
            try:
                free.wait()
            except BaseException as error:
                kills.append(error)

    hasty.start(1, swallow)
    hasty.leave_all()
    assert hasty.crew.wait_gone(5)
    assert (len(kills), hasty.closed) == (3, [0])
    assert hasty.notes.exceptions == ["UserNotStopped: a user swallows GreenletExit"]
    assert hasty.notes.tracebacks == ["A: Stubborn.task"]
    free.set()
    gevent.sleep(0.01)
    assert hasty.closed == [0], "and it is not closed again when it ends after all"


def test_a_clean_up_that_waits_after_the_kill_may_end(hasty: Stage) -> None:
    cleaned: list[int] = []

    def clean_up(seat: Seat) -> None:
        try:
            gevent.sleep(3_600)
        finally:
            gevent.sleep(0.02)
            cleaned.append(seat.number)

    hasty.start(3, clean_up)
    hasty.leave_all()
    assert hasty.crew.wait_gone(5)
    assert sorted(cleaned) == [0, 1, 2]


def test_the_first_call_of_a_planned_start_knows_when_it_was_due_and_how_late_it_is(stage: Stage) -> None:
    seen: list[tuple[int, bool]] = []
    stage.lives["A"] = lambda seat: seen.append((seat.intended_ns - due_ns, 0 <= seat.lag_ns - 2_000_000 < 10**9))
    due_ns = stage.clock.now_ns() - 2_000_000
    stage.crew.start(0, "A", Gate(lambda number: Admission.GO), due_ns)
    assert stage.crew.wait_gone(1)
    assert seen == [(0, True)]


def test_waiting_for_those_who_stay_gives_up(stage: Stage) -> None:
    stage.start(1, think)
    assert not stage.crew.wait_gone(0.01)


def test_ten_lives_of_users_that_come_and_go_leave_nothing_behind(stage: Stage) -> None:
    lives: list[Any] = [think, finish, lambda seat: None]
    for turn in range(LIVES):
        stage.start(30, lives[turn % 3])
        if turn % 3 == 2:
            stage.leave_all()
            assert stage.crew.wait_gone(5)
    stage.leave_all()
    assert stage.crew.wait_gone(5)
    gevent.sleep(0.01)
    assert (stage.crew._reaper, len(stage.crew._deadlines)) == (None, 0)


def in_hub(action: Callable[[], object]) -> None:
    """As the alarm does."""
    gevent.get_hub().loop.run_callback(action)


def test_when_all_end_at_once_nobody_goes_on_before(stage: Stage) -> None:
    """Whoever is woken in the same turn of the loop is ended first."""
    went_on: list[int] = []

    def next_task(seat: Seat) -> None:
        seat.clock.sleep_until_ns(seat.clock.now_ns() + 1_000_000)
        went_on.append(seat.number)

    stage.start(50, next_task)
    stage.start(50, think, "B")
    in_hub(lambda: time.sleep(0.01))  # a freeze: all are due when it is over
    in_hub(stage.crew.end_all)
    assert stage.crew.wait_gone(5)
    assert (went_on, len(stage.closed), stage.notes.exceptions) == ([], 100, [])


def test_all_are_ended_from_anywhere_those_who_are_leaving_included(stage: Stage) -> None:
    stage.start(3, work)
    stage.crew.leave(1, 60.0)
    stage.crew.start(3, "A")
    stage.crew.end_all()
    assert stage.crew.wait_gone(5)
    assert sorted(stage.closed) == [0, 1, 2, 3]


def test_one_that_swallows_its_end_keeps_nobody_else(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swell.runtime.crew.KILL_AGAIN_NS", 10_000_000)

    def swallow(seat: Seat) -> None:
        for _ in range(5):
            with contextlib.suppress(BaseException):
                gevent.sleep(3_600)

    stage.start(1, swallow)
    stage.start(5, work, "B")
    in_hub(stage.crew.end_all)
    assert stage.crew.wait_gone(5)
    assert stage.notes.exceptions == ["UserNotStopped: a user swallows GreenletExit"]
