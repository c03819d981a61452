"""A cluster without processes, sockets or time: the real state machines, a network that loses, repeats and reorders,
workers that die, users that come and go, calls that are counted. For the simulation test and for smaller ones."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from swell.clock import NS_PER_S
from swell.cluster import controller_steps as done_by_controller
from swell.cluster import worker_steps as done_by_worker
from swell.cluster.controller_state import ControllerState
from swell.cluster.course_state import Phase
from swell.cluster.member_state import identity_of
from swell.cluster.messages import FromController, FromWorker, Hello, Message, Welcome
from swell.cluster.user_steps import Arrive, Drop, LeaveUser, StartUser
from swell.cluster.worker_state import WorkerState
from swell.load.schedule import Schedule
from swell.load_plan import Closed, Load, Open, load_of
from swell.plan import Revision, RunPlan, Scenario
from swell.segment import FIRST_SEQUENCE, ScenarioCount, Segment
from swell.user import Admission
from tests.plans import plan_with

RUN = "run-1"


def plan_of(users: int = 4, workers: int = 2, run_time_s: float | None = 5.0, rate_per_s: float = 10.0) -> RunPlan:
    return plan_with(
        users,
        rate_per_s,
        script="contest.py",
        scenarios=(Scenario("Contestant"),),
        host="http://localhost",
        run_time_s=run_time_s,
        workers=workers,
        stop_timeout_s=1.0,
    )


def plan_of_loads(*loads: Load, workers: int = 2, run_time_s: float | None = None) -> RunPlan:
    """Loads side by side, with a scenario each, as they name it."""
    names = [name for load in loads for name in load.scenarios]
    return RunPlan(
        script="contest.py",
        scenarios=tuple(map(Scenario, names)),
        host="http://localhost",
        loads=loads,
        workers=workers,
        run_time_s=run_time_s,
        stop_timeout_s=1.0,
        seed=7,
    )


@dataclass
class SimulatedWorker:
    """A worker process: its state, its users, its calls and its spool."""

    worker: int
    incarnation: int
    state: WorkerState
    loading: bool = False
    measuring: bool = False
    calls: int = 0
    sealed_calls: int = 0
    sequence: int = FIRST_SEQUENCE
    spool: list[Segment] = field(default_factory=list)
    leaving: set[int] = field(default_factory=set)
    parked: set[int] = field(default_factory=set)
    begun: set[int] = field(default_factory=set)
    """Users in the middle of an iteration that they asked for, or were started for."""
    iterations: Counter[str] = field(default_factory=Counter)
    fenced: bool = False
    """Its users are ended at once."""
    gone: bool = False

    def seal(self, *, final: bool = False, recovered: bool = False) -> Segment:
        segment = Segment(
            RUN,
            self.worker,
            self.incarnation,
            self.sequence,
            self.sealed_calls,
            self.calls,
            0.0,
            scenarios=() if recovered else self.counts(),
            final=final,
            recovered=recovered,
        )
        self.sequence += 1
        self.sealed_calls = self.calls
        self.spool.append(segment)
        return segment

    def counts(self) -> tuple[ScenarioCount, ...]:
        return tuple(ScenarioCount(name, 0, iterations=count) for name, count in self.iterations.items())


class Cluster:
    """Everything at once. `wire` holds (to the controller or not, identity, message) in the order sent."""

    def __init__(self, plan: RunPlan, lease_s: float = 3_600.0) -> None:
        self.now_ns = 1_000 * NS_PER_S
        self.plan = plan
        self.lease_s = lease_s
        self.controller = self.controller_of(plan)
        self.workers: dict[bytes, SimulatedWorker] = {}
        self.wire: list[tuple[bool, bytes, Message]] = []
        self.applied: dict[bytes, list[Segment]] = defaultdict(list)
        self.over: done_by_controller.Over | None = None
        self.announced: list[str] = []
        self.revised: list[Revision] = []
        self.taken_up: Counter[int] = Counter()
        """How often each arrival was given to a user, by anybody."""
        self.dropped: Counter[int] = Counter()
        self.stood_still = False
        """Workers are behind the clock."""
        self.to_controller(done_by_controller.Started())
        self.to_controller(done_by_controller.Cleared())

    def controller_of(self, plan: RunPlan) -> ControllerState:
        return ControllerState(RUN, plan, Welcome(plan, lease_s=self.lease_s))

    # --- events in, commands out -------------------------------------------------------------------------------------

    def to_controller(self, event: done_by_controller.Event) -> None:
        for command in self.controller.handle(event, self.now_ns):
            match command:
                case done_by_controller.Send(to, message):
                    self.wire.append((False, to, message))
                case done_by_controller.Launch(worker, incarnation):
                    self.launch(worker, incarnation)
                case done_by_controller.Kill(worker, incarnation):
                    self.kill(identity_of(worker, incarnation))
                case done_by_controller.Apply(segment):
                    self.applied[identity_of(segment.worker, segment.incarnation)].append(segment)
                case done_by_controller.Recover(worker, incarnation):
                    self.recover(self.workers[identity_of(worker, incarnation)])
                case done_by_controller.Over():
                    self.over = command
                case done_by_controller.Revise(revision):
                    self.revised.append(revision)
                case _:
                    self.announced.append(type(command).__name__)

    def to_worker(self, one: SimulatedWorker, event: done_by_worker.Event) -> None:
        if one.gone:
            return
        for command in one.state.handle(event, self.now_ns):
            match command:
                case done_by_worker.Send(message):
                    self.wire.append((True, identity_of(one.worker, one.incarnation), message))
                case done_by_worker.SendSpooled(sequence):
                    spooled = one.spool[sequence - FIRST_SEQUENCE]
                    self.wire.append((True, identity_of(one.worker, one.incarnation), spooled))
                case done_by_worker.Prepare():
                    one.loading = True
                case done_by_worker.MeasureCapacity():
                    one.measuring = True
                case done_by_worker.SealFinal():
                    self.to_worker(one, done_by_worker.Sealed(one.seal(final=True)))
                case done_by_worker.Exit():
                    self.end(one, "ended with exit code 0")
                case done_by_worker.WarmUp():
                    self.to_worker(one, done_by_worker.WarmedUp())
                case _:
                    self.to_users(one, command)

    def to_users(self, one: SimulatedWorker, command: done_by_worker.Command) -> None:
        match command:
            case done_by_worker.Fence():
                one.fenced = True
            case LeaveUser(number) if one.fenced:
                self.user_goes(one, number)
            case LeaveUser(number):
                one.leaving.add(number)
            case StartUser() | Arrive():
                self.begin_iteration(one, command)
            case Drop(arrival):
                self.dropped[arrival] += 1
            case _:
                pass

    def begin_iteration(self, one: SimulatedWorker, command: StartUser | Arrive) -> None:
        number = command.number
        if isinstance(command, Arrive):
            assert number in one.parked, "an arrival went to somebody who is not idle"
            one.parked.discard(number)
        if command.arrival is not None:
            self.taken_up[command.arrival] += 1
        if isinstance(self.load_of(number).model, Open) and command.arrival is not None:
            one.begun.add(number)

    def load_of(self, user: int) -> Load:
        loads = self.plan.loads
        return loads[load_of(user, len(loads))[0]]

    def launch(self, worker: int, incarnation: int) -> None:
        hello = Hello(RUN, worker, incarnation, "here", 1)
        one = SimulatedWorker(worker, incarnation, WorkerState(hello))
        self.workers[identity_of(worker, incarnation)] = one
        self.wire.append((True, identity_of(worker, incarnation), hello))

    def kill(self, identity: bytes) -> None:
        one = self.workers[identity]
        if not one.gone:
            self.end(one, "was killed by signal 9")

    def end(self, one: SimulatedWorker, because: str) -> None:
        one.gone = True
        self.to_controller(done_by_controller.Died(one.worker, one.incarnation, because))

    def seal_the_rest(self, one: SimulatedWorker) -> None:
        """Whoever reads its ring makes a last segment of what it had not reported."""
        if self.controller.course.begin_ns is not None and not (one.spool and one.spool[-1].final):
            one.seal(final=True, recovered=True)

    def recover(self, one: SimulatedWorker) -> None:
        self.seal_the_rest(one)
        self.to_controller(done_by_controller.Recovered(one.worker, one.incarnation, tuple(one.spool)))

    # --- what a test may do ------------------------------------------------------------------------------------------

    def deliver(self, index: int = 0, *, keep: bool = False) -> None:
        """Let a message arrive; `keep`: and once more, later."""
        to_controller, identity, message = self.wire[index] if keep else self.wire.pop(index)
        if to_controller:
            assert isinstance(message, FromWorker)
            self.to_controller(done_by_controller.Heard(identity, message))
        else:
            assert isinstance(message, FromController)
            self.to_worker(self.workers[identity], done_by_worker.Heard(message))

    def deliver_all(self) -> None:
        while self.wire:
            self.deliver()

    def advance(self, seconds: float) -> None:
        """Let time pass: the starters wake when they want to, the controller ticks, everyone pulses at the end."""
        self.stood_still = False
        until_ns = self.now_ns + round(seconds * NS_PER_S)
        while (wake_ns := self.next_wake_ns()) is not None and wake_ns <= until_ns:
            self.now_ns = max(self.now_ns, wake_ns)
            for one in self.living():
                if (due_ns := one.state.wake_ns) is not None and due_ns <= self.now_ns:
                    self.to_worker(one, done_by_worker.Woke())
            self.check()
        self.now_ns = until_ns
        for one in self.living():
            self.to_worker(one, done_by_worker.PulseDue())
        self.to_controller(done_by_controller.Ticked())

    def stand_still(self, seconds: float) -> None:
        """Let time pass in which nobody does anything."""
        self.now_ns += round(seconds * NS_PER_S)
        self.stood_still = True

    def next_wake_ns(self) -> int | None:
        return min((one.state.wake_ns for one in self.living() if one.state.wake_ns is not None), default=None)

    def work(self, calls: int = 3) -> None:
        """Every user makes calls; those that are leaving have gone; every worker seals."""
        for one in self.living():
            one.calls += calls * len(one.state.crew)
            if one.loading:
                one.loading = False
                self.to_worker(one, done_by_worker.Loaded())
            if one.measuring:
                one.measuring = False
                self.to_worker(one, done_by_worker.Measured(1_000.0 * (1 + one.worker % 3)))
            if one.state.phase.value in ("running", "draining") and not one.gone:
                self.to_worker(one, done_by_worker.Sealed(one.seal()))
            self.iterate(one)
            for number in sorted(one.leaving):
                self.user_goes(one, number)

    def iterate(self, one: SimulatedWorker) -> None:
        """Whoever asks for iterations ends the one that it has, and asks for the next."""
        for number in sorted(one.state.crew.present - one.leaving - one.parked):
            load = self.load_of(number)
            if isinstance(load.model, Closed) or number not in one.state.crew.present:
                continue
            if number in one.begun:
                one.iterations[load.scenarios[0]] += 1
            one.begun.discard(number)
            match one.state.ready(number, self.now_ns):
                case Admission.GO:
                    one.begun.add(number)
                case Admission.WAIT:
                    one.parked.add(number)
                case Admission.LEAVE:
                    self.user_goes(one, number)
            self.to_worker(one, done_by_worker.UserReady())

    def user_goes(self, one: SimulatedWorker, number: int) -> None:
        """Told to, or of its own accord."""
        for numbers in (one.leaving, one.parked, one.begun):
            numbers.discard(number)
        self.to_worker(one, done_by_worker.UserGone(number))

    def begin(self) -> None:
        """Let all workers get ready and the run begin."""
        self.deliver_all()
        self.work()
        self.deliver_all()

    def living(self) -> list[SimulatedWorker]:
        return [one for one in self.workers.values() if not one.gone]

    def settle(self, rounds: int = 200) -> None:
        """Let the network heal and the run come to its end."""
        for _ in range(rounds):
            if self.over is not None:
                return
            self.deliver_all()
            self.work()
            self.deliver_all()
            self.advance(1.0)
        raise AssertionError(f"the run does not end: {self.controller}")

    def acting(self) -> list[SimulatedWorker]:
        """Those whose users may do something."""
        return self.living()

    def staying(self) -> list[int]:
        """The numbers of users that are there and not leaving, of all workers."""
        return [number for one in self.living() for number in one.state.crew.present - one.state.crew.leaving]

    def planned(self) -> int:
        """How many users of closed loads there are to be now."""
        course = self.controller.course
        at_ns = self.now_ns - (course.begin_ns or 0)
        closed = [(number, load) for number, load in enumerate(self.plan.loads) if isinstance(load.model, Closed)]
        revised = {number: [one for one in course.revisions if one.load == number] for number, _ in closed}
        schedules = [Schedule(revised[number], load.model.curve, load.start_s) for number, load in closed]
        return sum(schedule.users_at(at_ns) for schedule in schedules)

    def iterations(self, scenario: str) -> int:
        """How many iterations of a scenario have been reported."""
        last = [segments for segments in self.applied.values() if segments]
        counts = [[count for segment in segments for count in segment.scenarios] for segments in last]
        return sum(
            max((count.iterations for count in of_worker if count.name == scenario), default=0) for of_worker in counts
        )

    # --- what must hold ----------------------------------------------------------------------------------------------

    def check(self) -> None:
        self.controller.check()
        for one in self.living():
            one.state.check()
        self._check_segments()
        self._check_users()

    def _check_segments(self) -> None:
        for identity, segments in self.applied.items():
            assert [segment.sequence for segment in segments] == list(range(1, len(segments) + 1)), identity
            member = self.controller.members.called(identity)
            assert member is not None
            assert member.applied == len(segments)
            unacknowledged = {report.sequence for report in self.workers[identity].state.unacknowledged}
            assert all(segment.sequence <= len(segments) or segment.sequence in unacknowledged for segment in segments)

    def _check_users(self) -> None:
        numbers = [number for one in self.acting() for number in one.state.crew.present]
        assert len(numbers) == len(set(numbers)), "a user is in two places"
        assert not any(times > 1 for times in (self.taken_up + self.dropped).values()), "an arrival was seen to twice"
        course = self.controller.course
        if course.begin_ns is None:
            return
        for load, planned in enumerate(self.plan.loads):
            there = sum(load_of(number, len(self.plan.loads))[0] == load for number in numbers)
            asked_for = [revision.users for revision in self.revised if revision.load == load]
            assert there <= max(planned.most_users, *asked_for, 0)
        if (
            not self.stood_still
            and not self.revised
            and all(isinstance(load.model, Closed) for load in self.plan.loads)
        ):
            assert len(self.staying()) <= self.planned()

    def check_account(self) -> None:
        """At the end: every call of every worker that ever ran has been applied exactly once."""
        assert self.controller.phase is Phase.OVER
        for identity, one in self.workers.items():
            applied = self.applied[identity]
            assert [segment.from_position for segment in applied[1:]] == [one.to_position for one in applied[:-1]]
            covered = applied[-1].to_position if applied else 0
            assert covered == one.calls, identity
