"""A seat in a run that stands still: a manual clock, and a recorder that keeps all it is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from swell.clock import NS_PER_S, ManualClock
from swell.runtime.measures import columns_of
from swell.script.environment import Environment
from swell.script.life import Life
from swell.script.user import User
from swell.segment import ErrorSample, Outcome, Sort
from swell.user import Seat


class Record(NamedTuple):
    """One recorded call, with names for the numbers that matter here."""

    method: str
    name: str
    error: str
    done_s: float
    service_s: float
    response_s: float
    lag_ns: int
    bytes_in: int
    outcome: Outcome


class Value(NamedTuple):
    """One recorded value of a measure."""

    sort: Sort
    scenario: str
    name: str
    value: float
    at_s: float
    outcome: Outcome


class MemoryRecorder:
    """A recorder in memory."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.exceptions: Counter[str] = Counter()
        self.tracebacks: list[str] = []
        self.scenarios: list[str] = []
        self._series: list[tuple[str, str, str]] = [("", "", "")]
        self._errors = [""]
        self.values: list[Value] = []
        self._measures: list[tuple[str, str]] = []

    def series(self, scenario: str, method: str, name: str, tags: str = "") -> int:
        self.scenarios.append(scenario)
        self._series.append((scenario, method, name))
        assert not tags
        return len(self._series) - 1

    def error(self, text: str) -> int:
        self._errors.append(text)
        return len(self._errors) - 1

    def record(self, done_ns: int, service_ns: int, response_ns: int, first_byte_ns: int, connect_ns: int, lag_ns: int,
               bytes_out: int, bytes_in: int, series: int, error: int, status: int, outcome: int) -> None:  # fmt: skip
        assert (first_byte_ns, connect_ns, bytes_out, status) == (0, 0, 0, 0)
        _, method, name = self._series[series]
        self.records.append(
            Record(method, name, self._errors[error], done_ns / NS_PER_S, service_ns / NS_PER_S,
                   response_ns / NS_PER_S, lag_ns, bytes_in, Outcome(outcome))
        )  # fmt: skip

    def traced(
        self, done_ns: int, trace_id: str, response_ns: int, series: int, error: int, status: int, outcome: int
    ) -> None:
        raise NotImplementedError

    def measure(self, sort: Sort, scenario: str, name: str) -> int:
        self._measures.append((scenario, name))
        return len(self._measures) - 1

    def measured(self, at_ns: int, number: int, sort: Sort, value: float, outcome: int) -> bool:
        scenario, name = self._measures[number]
        if columns_of(sort, value) is None:
            return False
        self.values.append(Value(sort, scenario, name, value, at_ns / NS_PER_S, Outcome(outcome)))
        return True

    def wants_sample(self, series: int, error: int) -> bool:
        return False

    def sample(self, series: int, error: int, sample: ErrorSample) -> None: ...

    def exception(self, message: str, traceback: str) -> None:
        self.exceptions[message] += 1
        self.tracebacks.append(traceback)


class Stage:
    """A user of `cls` alone with a clock that stands still. `run` lets it live until told to leave."""

    def __init__(self, cls: type[User], *, number: int = 0, seed: int = 0, host: str = "", shared: Any = None) -> None:
        self.clock = ManualClock(now_ns=1_000 * NS_PER_S)
        self.recorder = MemoryRecorder()
        self.seat = Seat(
            number=number,
            scenario=cls.__name__,
            seed=seed,
            host=host,
            clock=self.clock,
            recorder=self.recorder,
            shared=shared,
        )
        self.life = Life(cls, self.seat, Environment(user_classes=[cls]))

    @property
    def now_s(self) -> float:
        """Seconds since the stage was set."""
        return self.clock.now_ns() / NS_PER_S - 1_000

    def at_s(self, seconds: float, action: Callable[[], None]) -> None:
        self.clock.call_at_ns(round((1_000 + seconds) * NS_PER_S), action)

    def leave(self) -> None:
        self.seat.leaving = True

    def run(self, until_s: float | None = None) -> Stage:
        """Let the user live, and have it leave after `until_s`."""
        if until_s is not None:
            self.at_s(until_s, self.leave)
        self.life.live()
        return self


class Listed(User):
    """A user that notes what it does, and stops itself after `turns_most` notes."""

    abstract = True
    turns_most = 50

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.notes: list[str] = []

    def note(self, what: str) -> None:
        from swell import StopUser

        self.notes.append(what)
        if len(self.notes) >= self.turns_most:
            raise StopUser


def notes_of(stage: Stage) -> list[str]:
    """What the user of a stage has noted."""
    user = stage.life.user
    assert isinstance(user, Listed)
    return user.notes
