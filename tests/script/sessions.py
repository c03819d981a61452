"""A user's HTTP session with a recorder that keeps everything, and a server that answers by path."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from swell.clock import ManualClock
from swell.http.environment import HttpEnvironment
from swell.script.http_session import HttpSession
from swell.script.tracing_session import TracingSession
from swell.segment import MEASURES_FROM, ErrorSample, Outcome, Sort
from swell.user import Seat
from tests.http.loopback import Server, Visit
from tests.http.scripted import OK, CountedTraffic, ScriptedClock

BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\nX-A: 1\r\n\r\nbusy\n"


class Record(NamedTuple):
    """One recorded call. The durations are in ns."""

    method: str
    name: str
    status: int
    error: str
    done_ns: int
    service_ns: int
    response_ns: int
    first_byte_ns: int
    connect_ns: int
    lag_ns: int
    bytes_out: int
    bytes_in: int
    outcome: Outcome

    @property
    def short(self) -> tuple[str, str, int, str]:
        return self.method, self.name, self.status, self.error


class Book:
    """A recorder that keeps everything."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.samples: list[tuple[str, ErrorSample]] = []
        self.wanted = 3
        self.traces: list[tuple[str, int, int, Outcome]] = []
        self._series: dict[tuple[str, str, str, str], int] = {}
        self.measured_values: list[tuple[Sort, float, Outcome]] = []
        self._errors: dict[str, int] = {}

    def series(self, scenario: str, method: str, name: str, tags: str = "") -> int:
        return self._series.setdefault((scenario, method, name, tags), len(self._series) + 1)

    def error(self, text: str) -> int:
        return self._errors.setdefault(text, len(self._errors) + 1)

    def record(self, done_ns: int, service_ns: int, response_ns: int, first_byte_ns: int, connect_ns: int, lag_ns: int,
               bytes_out: int, bytes_in: int, series: int, error: int, status: int, outcome: int) -> None:  # fmt: skip
        _, method, name, tags = next(key for key, number in self._series.items() if number == series)
        shown = f"{name} [{tags}]" if tags else name
        text = next((text for text, number in self._errors.items() if number == error), "")
        assert all(isinstance(value, int) for value in (done_ns, service_ns, response_ns, first_byte_ns, connect_ns))
        self.records.append(
            Record(method, shown, status, text, done_ns, service_ns, response_ns, first_byte_ns, connect_ns, lag_ns,
                   bytes_out, bytes_in, Outcome(outcome))
        )  # fmt: skip

    def traced(
        self, done_ns: int, trace_id: str, response_ns: int, series: int, error: int, status: int, outcome: int
    ) -> None:
        self.traces.append((trace_id, response_ns, status, Outcome(outcome)))

    def measure(self, sort: Sort, scenario: str, name: str) -> int:
        return MEASURES_FROM + 1

    def measured(self, at_ns: int, number: int, sort: Sort, value: float, outcome: int) -> bool:
        self.measured_values.append((sort, value, Outcome(outcome)))
        return True

    def wants_sample(self, series: int, error: int) -> bool:
        self.wanted -= 1
        return self.wanted >= 0

    def sample(self, series: int, error: int, sample: ErrorSample) -> None:
        text = next(text for text, number in self._errors.items() if number == error)
        self.samples.append((text, sample))

    def exception(self, message: str, traceback: str) -> None:
        raise AssertionError(message)

    @property
    def short(self) -> list[tuple[str, str, int, str]]:
        return [record.short for record in self.records]

    @property
    def last(self) -> Record:
        return self.records[-1]


class HttpStage:
    """A user's seat, and the sessions that are opened for it."""

    def __init__(self) -> None:
        self.traffic = CountedTraffic()
        self.environment = HttpEnvironment(self.traffic, ScriptedClock())
        self.book = Book()
        self.seat = Seat(
            number=7, scenario="Shopper", seed=1, host="", clock=ManualClock(), recorder=self.book, shared=None
        )
        self._sessions: list[HttpSession] = []

    def open(self, base_url: str) -> HttpSession:
        """A session, closed at the end."""
        self._sessions.append(HttpSession(self.seat, base_url, self.environment, lambda: {"user": 7}))
        return self._sessions[-1]

    def open_traced(self, base_url: str) -> HttpSession:
        """A session that marks calls as the environment says, closed at the end."""
        tracing = self.environment.tracing
        assert tracing is not None
        self._sessions.append(TracingSession(self.seat, base_url, self.environment, tracing=tracing))
        return self._sessions[-1]

    def close(self) -> None:
        for session in self._sessions:
            session.close()
        self.environment.close()
        assert self.environment.connections == set()
        self.traffic.check()


@contextlib.contextmanager
def http_stage() -> Iterator[HttpStage]:
    """A stage at whose end nothing is open and the accounting holds."""
    made = HttpStage()
    yield made
    made.close()


def by_path(**answers: bytes) -> Callable[[Visit], None]:
    """Answers by the last word of the path, with OK what is not listed."""

    def handle(visit: Visit) -> None:
        while (request := visit.request()) is not None:
            word = request.split(b" ", 2)[1].rpartition(b"/")[2].partition(b"?")[0].decode()
            visit.send(answers.get(word, OK))

    return handle


def head_of(server: Server) -> str:
    """The head of the last request, each line with its end."""
    return server.heads[-1].decode("latin-1") + "\r\n"
