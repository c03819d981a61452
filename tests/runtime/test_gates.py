"""Gates in a crew: parked users, arrivals that come from the hub or from anywhere, and how late they were."""

from collections.abc import Callable, Iterator

import gevent
import pytest

from swell.runtime.crew import Crew
from swell.runtime.gates import ArrivalGate, Gate, UserGate
from swell.runtime.real_clock import RealClock
from swell.user import Admission, Seat, SimulatedUser
from tests.script.seats import MemoryRecorder

MS = 1_000_000


class Guest:
    """A user that notes each iteration that it is admitted to, and then does what the test says."""

    def __init__(self, seat: Seat, hall: "Hall") -> None:
        self.seat = seat
        self.hall = hall

    def live(self) -> None:
        self.hall.on_start(self.seat)
        gate = self.seat.gate
        assert gate is not None
        while gate.admit(self.seat):
            self.hall.admitted.append(self.seat.number)
            self.hall.starts.append((self.seat.intended_ns, self.seat.held_ns, self.seat.lag_ns))
            self.hall.work(self.seat)

    def close(self) -> None:
        self.hall.closed.append(self.seat.number)


class Hall:
    """A crew of guests, and whoever answers their gates."""

    def __init__(self) -> None:
        self.clock = RealClock()
        self.admitted: list[int] = []
        self.starts: list[tuple[int, int, int]] = []
        self.closed: list[int] = []
        self.asked: list[int] = []
        self.answer = Admission.WAIT
        self.on_start: Callable[[Seat], None] = lambda seat: None
        self.work: Callable[[Seat], None] = lambda seat: None
        self.seats: dict[int, Seat] = {}
        self.crew = Crew(self, self.seat, self.clock, MemoryRecorder())

    def make(self, seat: Seat) -> SimulatedUser:
        return Guest(seat, self)

    def seat(self, number: int, scenario: str) -> Seat:
        self.seats[number] = Seat(number=number, scenario=scenario, seed=1, host="", clock=self.clock,
                                  recorder=MemoryRecorder(), shared=None)  # fmt: skip
        return self.seats[number]

    def ask(self, number: int) -> Admission:
        self.asked.append(number)
        return self.answer

    def start(self, number: int, gate: UserGate | None = None, due_ns: int = 0) -> None:
        self.crew.start(number, "Guest", gate or ArrivalGate(self.ask), due_ns)
        gevent.sleep(0)


@pytest.fixture
def hall() -> Iterator[Hall]:
    made = Hall()
    yield made
    made.crew.leave_all(5.0)
    assert made.crew.wait_gone(5)
    made.crew.check()
    assert sorted(made.closed) == sorted(made.seats)
    made.clock.close()


def test_an_idle_user_waits_until_an_arrival_comes_and_is_asked_for_again_after_it(hall: Hall) -> None:
    hall.start(0)
    assert (hall.asked, hall.admitted) == ([0], [])
    due_ns = hall.clock.now_ns() - 3 * MS
    hall.crew.arrive(0, due_ns, choices=7)
    gevent.sleep(0.01)
    assert (hall.asked, hall.admitted, hall.seats[0].choices) == ([0, 0], [0], 7)
    ((intended_ns, held_ns, lag_ns),) = hall.starts
    assert (intended_ns, held_ns) == (due_ns, 0)
    assert 3 * MS <= lag_ns < 10**9
    assert hall.crew.counts()[0].arrived == 1


def test_from_the_alarm_an_arrival_goes_straight_to_its_user(hall: Hall) -> None:
    for number in range(3):
        hall.start(number)
    seen: list[int] = []

    def arrive() -> None:
        for number in range(3):
            hall.crew.arrive(number, hall.clock.now_ns(), choices=0)
            seen.append(len(hall.admitted))

    hall.clock.call_at_ns(hall.clock.now_ns() + MS, arrive)
    gevent.sleep(0.02)
    assert seen == [1, 2, 3]


def test_one_that_was_started_for_an_arrival_was_held_up_by_its_start(hall: Hall) -> None:
    hall.on_start = lambda seat: gevent.sleep(0.02)
    due_ns = hall.clock.now_ns() - 5 * MS
    hall.start(0, ArrivalGate(hall.ask, due_ns, choices=9))
    gevent.sleep(0.1)
    ((intended_ns, held_ns, lag_ns),) = hall.starts
    assert intended_ns == due_ns
    assert 5 * MS <= lag_ns < 10**9
    assert 20 * MS <= held_ns < 10**9
    assert (hall.admitted, hall.asked, hall.seats[0].choices) == ([0], [0], 9)


def test_a_parked_user_leaves_when_it_is_told_to(hall: Hall) -> None:
    hall.start(0)
    hall.start(1)
    hall.crew.leave(0, 5.0)
    gevent.sleep(0.01)
    assert (hall.closed, hall.admitted) == ([0], [])


def test_an_arrival_that_a_user_has_is_served_before_it_leaves(hall: Hall) -> None:
    hall.start(0)
    hall.crew.arrive(0, hall.clock.now_ns(), choices=0)
    hall.crew.leave(0, 5.0)
    gevent.sleep(0.01)
    assert (hall.admitted, hall.closed) == ([0], [0])


def test_one_that_is_to_leave_before_it_was_ready_does_not_count_as_an_arrival(hall: Hall) -> None:
    hall.on_start = lambda seat: gevent.sleep(0.02)
    hall.start(0, ArrivalGate(hall.ask, hall.clock.now_ns()))
    hall.crew.leave(0, 5.0)
    gevent.sleep(0.05)
    assert (hall.admitted, hall.crew.counts()[0].arrived) == ([], 0)


def test_a_parked_user_that_is_killed_is_gone(hall: Hall) -> None:
    hall.start(0)
    gevent.get_hub().loop.run_callback(hall.crew._kill, hall.crew._places[0])
    gevent.sleep(0.01)
    assert hall.closed == [0]
    hall.crew.arrive(0, 1, choices=0)


def test_an_arrival_for_someone_who_is_gone_is_nobodys(hall: Hall) -> None:
    hall.crew.arrive(77, 1, choices=0)
    assert hall.admitted == []


def test_a_user_who_is_told_at_once_goes_on_until_there_is_nothing_left(hall: Hall) -> None:
    answers = iter([Admission.GO, Admission.GO, Admission.LEAVE])
    hall.start(0, Gate(lambda number: next(answers)))
    gevent.sleep(0.01)
    assert (hall.admitted, hall.closed) == ([0, 0], [0])


def test_the_first_call_of_a_session_is_timed_from_its_arrival(hall: Hall) -> None:
    seen: list[tuple[int, int]] = []
    hall.on_start = lambda seat: seen.append((seat.intended_ns, seat.held_ns))
    hall.answer = Admission.LEAVE
    due_ns = hall.clock.now_ns() - MS
    hall.start(0, Gate(hall.ask), due_ns)
    gevent.sleep(0.01)
    assert seen == [(due_ns, 0)]
    assert hall.crew.counts()[0].arrived == 1


def test_what_is_dropped_is_counted(hall: Hall) -> None:
    for _ in range(3):
        hall.crew.drop("Guest")
    assert [(count.name, count.dropped, count.started) for count in hall.crew.counts()] == [("Guest", 3, 0)]
