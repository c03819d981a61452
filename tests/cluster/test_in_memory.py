"""Controller and workers in this process, over the link in memory: all acting code, with scripted users."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from swell.cluster.controller import Controller
from swell.cluster.controller_state import ControllerState
from swell.cluster.controller_steps import Cleared, Died, Nudged, Over, StopWanted
from swell.cluster.member_state import identity_of, pulse_identity_of
from swell.cluster.memory_link import MemoryLink
from swell.cluster.messages import Hello, Output, Welcome, encode, pack_value
from swell.cluster.remains import recover_segments
from swell.cluster.spool import Spool
from swell.cluster.worker import Worker
from swell.cluster.worker_state import WorkerState
from swell.cluster.workshop import RingWorkshop
from swell.errors import Problem, ScriptError
from swell.http.environment import HttpEnvironment
from swell.plan import RunPlan
from swell.result import End, RunResult
from swell.runtime.real_clock import RealClock
from swell.runtime.ring import Ring
from swell.segment import Segment
from swell.stats.summary import summarise
from swell.user import Seat, SimulatedUser, UserFactory
from tests.cluster.simulated import RUN, plan_of

MS = 1_000_000


class Caller:
    """A user that records a call every 5 ms, and stops after `calls` of them."""

    def __init__(self, seat: Seat, made: Counter[int], calls: int) -> None:
        self._seat = seat
        self._made = made
        self._calls = calls

    def live(self) -> None:
        seat, recorder = self._seat, self._seat.recorder
        series = recorder.series(seat.scenario, "GET", "/")
        while not seat.leaving and self._made[seat.number] < self._calls:
            now_ns = seat.clock.now_ns()
            recorder.record(now_ns, MS, MS, 0, 0, -1, 10, 100, series, 0, 200, 0)
            self._made[seat.number] += 1
            seat.iterations += 1
            seat.clock.sleep_until_ns(now_ns + 5 * MS)

    def close(self) -> None: ...


class ScriptedCast:
    """A script without a file."""

    def __init__(
        self, made: Counter[int], calls: int, fault: ScriptError | None, factory: UserFactory | None = None
    ) -> None:
        self._factory = factory
        self._made = made
        self._calls = calls
        self._fault = fault
        self.heard: list[str] = []

    def open(self, plan: RunPlan, http: HttpEnvironment, ring: Ring, clock: RealClock) -> UserFactory:
        if self._fault is not None:
            raise self._fault
        return self._factory or self

    def make(self, seat: Seat) -> SimulatedUser:
        return Caller(seat, self._made, self._calls)

    def stopping(self) -> None:
        self.heard.append("stopping")

    def stopped(self) -> None:
        self.heard.append("stopped")

    def report(self) -> bytes | None:
        return pack_value({"users": len(self._made)})


class MemoryCluster:
    """The `Launches` and the `Audience` of a run whose workers are greenlets."""

    def __init__(
        self,
        plan: RunPlan,
        directory: Path,
        calls: int = 1_000_000,
        fault: ScriptError | None = None,
        factory: UserFactory | None = None,
    ) -> None:
        self.made: Counter[int] = Counter()
        self.heard: list[str] = []
        self.delivered: list[bytes] = []
        self.casts: list[ScriptedCast] = []
        self._directory = directory
        self._script = calls, fault
        self._factory = factory
        self.link = MemoryLink()
        self._clock = RealClock()
        self._greenlets: dict[bytes, gevent.Greenlet] = {}
        self._workshops: dict[bytes, RingWorkshop] = {}
        state = ControllerState(RUN, plan, Welcome(plan, report_interval_s=0.1, pulse_interval_s=0.05))
        self.controller = Controller(state, self.link, self, self._clock, self, self._recover)
        self.controller.tell(Cleared())

    def run(self) -> tuple[Over, RunResult]:
        over = self.controller.run()
        self.controller.state.check()
        return over, self.controller.merge.snapshot()

    # --- Launches ----------------------------------------------------------------------------------------------------

    def launch(self, worker: int, incarnation: int) -> None:
        identity = identity_of(worker, incarnation)
        directory = self._place(worker, incarnation)
        directory.mkdir()
        cast = ScriptedCast(self.made, *self._script, self._factory)
        self.casts.append(cast)
        hello = Hello(RUN, worker, incarnation, "here", 1)
        workshop = self._workshops[identity] = RingWorkshop(directory, hello, self._clock, cast)
        links = [self.link.connect(name) for name in (identity, pulse_identity_of(identity))]
        one = Worker(WorkerState(hello), *links, self._clock, workshop, Spool(directory))
        self._greenlets[identity] = gevent.spawn(self._take_part, one)

    def _take_part(self, one: Worker) -> str:
        try:
            return one.run()
        except ScriptError as error:
            return str(error)

    def kill(self, worker: int, incarnation: int) -> None:
        identity = identity_of(worker, incarnation)
        self._greenlets[identity].kill()
        crew = self._workshops[identity]._crew
        if crew is not None:
            crew.leave_all(0)
            crew.wait_gone()
        self.controller.tell(Died(worker, incarnation, "was killed"))

    def _recover(self, worker: int, incarnation: int, begin_ns: int, applied: Segment | None) -> tuple[Segment, ...]:
        place = self._place(worker, incarnation)
        return recover_segments(place, run=RUN, worker=worker, incarnation=incarnation, begin_ns=begin_ns,
                                died_ns=self._clock.now_ns(), applied=applied)  # fmt: skip

    def _place(self, worker: int, incarnation: int) -> Path:
        return self._directory / f"{worker}.{incarnation}"

    # --- Audience ----------------------------------------------------------------------------------------------------

    def begun(self, begin_ns: int) -> None:
        self.heard.append("begun")

    def spawned(self, users: int) -> None:
        self.heard.append(f"{users} spawned")

    def joined(self, worker: int, incarnation: int) -> None:
        self.heard.append(f"{worker}.{incarnation} joined")

    def lost(self, worker: int, incarnation: int, because: str) -> None:
        self.heard.append(f"{worker}.{incarnation} {because}")

    def ending(self) -> None:
        self.heard.append("ending")

    def note(self, text: str) -> None:
        self.heard.append(text)

    def show(self, worker: int, lines: tuple[str, ...], error: bool) -> None: ...

    def deliver(self, worker: int, data: bytes) -> None:
        self.delivered.append(data)

    def close(self) -> None:
        gevent.killall(list(self._greenlets.values()))
        for workshop in self._workshops.values():
            workshop.close()


@pytest.fixture
def clusters() -> Iterator[list[MemoryCluster]]:
    opened: list[MemoryCluster] = []
    yield opened
    for cluster in opened:
        cluster.close()


def requests(result: RunResult) -> int:
    return summarise(result).totals.requests


def test_a_run_by_time_counts_every_call_of_every_user(clusters: list[MemoryCluster], tmp_path: Path) -> None:
    cluster = MemoryCluster(plan_of(users=6, workers=2, run_time_s=0.6, rate_per_s=100.0), tmp_path)
    clusters.append(cluster)
    over, result = cluster.run()
    assert over == Over()
    assert (result.end, result.duration_s) == (End.COMPLETED, 0.6)
    assert sorted(cluster.made) == list(range(6))
    assert requests(result) == sum(cluster.made.values()) == result.scenarios[0].iterations > 100
    assert cluster.heard == ["0.1 joined", "1.1 joined", "begun", "6 spawned", "ending"]
    assert [cast.heard for cast in cluster.casts] == [["stopping", "stopped"]] * 2
    assert cluster.delivered


def test_it_ends_when_all_users_have_stopped(clusters: list[MemoryCluster], tmp_path: Path) -> None:
    cluster = MemoryCluster(plan_of(users=5, workers=2, run_time_s=None, rate_per_s=100.0), tmp_path, calls=7)
    clusters.append(cluster)
    _, result = cluster.run()
    assert (result.end, result.end_text) == (End.COMPLETED, "all users have stopped")
    assert requests(result) == 35
    assert dict(cluster.made) == dict.fromkeys(range(5), 7)


def test_a_stop_and_changes_while_it_runs(clusters: list[MemoryCluster], tmp_path: Path) -> None:
    cluster = MemoryCluster(plan_of(users=2, workers=2, run_time_s=None, rate_per_s=1_000.0), tmp_path)
    clusters.append(cluster)
    for at_s, event in ((0.2, Nudged(+10)), (0.4, Nudged(-1)), (0.6, StopWanted(End.STOPPED))):
        gevent.spawn_later(at_s, cluster.controller.tell, event)
    _, result = cluster.run()
    assert result.end is End.STOPPED
    assert [(revision.number, revision.users) for revision in result.revisions] == [(1, 12), (2, 11)]
    assert sorted(cluster.made) == list(range(12))
    assert requests(result) == sum(cluster.made.values())


def test_a_worker_that_dies_leaves_every_call_and_is_replaced(clusters: list[MemoryCluster], tmp_path: Path) -> None:
    cluster = MemoryCluster(plan_of(users=4, workers=2, run_time_s=1.2, rate_per_s=100.0), tmp_path)
    clusters.append(cluster)
    gevent.spawn_later(0.55, cluster.kill, 0, 1)
    _, result = cluster.run()
    assert "0.1 was killed" in cluster.heard
    assert [(one.worker, one.incarnation, one.lost_because) for one in result.workers] == [
        (0, 1, "was killed"),
        (0, 2, ""),
        (1, 1, ""),
    ]
    assert requests(result) == sum(cluster.made.values())
    assert result.scenarios[0].started == 6


def test_strangers_and_garbage_change_nothing(clusters: list[MemoryCluster], tmp_path: Path) -> None:
    cluster = MemoryCluster(plan_of(users=2, workers=1, run_time_s=0.5, rate_per_s=100.0), tmp_path)
    clusters.append(cluster)
    stranger = cluster.link.connect(b"stranger")
    frames = [b"", b"\xc1" * 100, b"\x91" * 10_000, encode(Hello("run-0", 0, 1, "there", 1)), encode(Output(("hi",)))]
    for frame in frames * 3:
        stranger.send(frame)
    cluster.link.connect(b"0.1").send(b"not yet")
    _, result = cluster.run()
    assert result.end is End.COMPLETED
    assert requests(result) == sum(cluster.made.values())
    assert cluster.controller.state.reception.refused.by_sender == {b"stranger": 15, b"0.1": 1}


def test_a_script_that_fails_in_a_worker_ends_it_with_its_words(clusters: list[MemoryCluster], tmp_path: Path) -> None:
    fault = ScriptError(Problem("NameError: x", "contest.py:3"), "Traceback of the author")
    cluster = MemoryCluster(plan_of(workers=1), tmp_path, fault=fault)
    clusters.append(cluster)
    over, _ = cluster.run()
    assert over == Over("worker 0: contest.py:3: NameError: x", 2, "Traceback of the author")
