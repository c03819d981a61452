"""Shares that move from worker to worker in two steps, over and over: nothing is started twice, nothing by nobody."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.cluster.crew_state import CrewState, Dealt
from swell.cluster.user_steps import Arrive, Change, Drop, LeaveUser, StartUser
from swell.load.shares import Share, deal
from swell.load.starts import starts_of
from swell.load_plan import Closed, Curve, Iterations, Leg, Load, Open, Sessions, Spread, load_of, user_number
from swell.plan import RunPlan, Scenario
from swell.user import Admission

MS = NS_PER_S // 1_000
CURVE = Curve((Leg(4.0, 40, 40),), endless=True)
OPEN = Load(model=Open(CURVE, max_users=20, users=3), scenarios=("Visitor",))
POISSON = Load(model=Open(CURVE, max_users=2_000, users=0, spread=Spread.POISSON), scenarios=("Passer",))
VISITS = Load(model=Sessions(CURVE, max_users=50, iterations=2), scenarios=("Guest",))
TOTAL = Load(model=Iterations(users=7, total=60), scenarios=("Worker",))
EACH = Load(model=Iterations(users=5, each=9), scenarios=("Toiler",))
CLOSED = Load(model=Closed(Curve((Leg(2.0, 0, 30),), endless=True)), scenarios=("Resident",))
LOADS = (OPEN, POISSON, VISITS, TOTAL, EACH, CLOSED)
PLAN = RunPlan(
    script="contest.py",
    scenarios=tuple(Scenario(load.scenarios[0]) for load in LOADS),
    host="http://localhost",
    loads=LOADS,
    workers=3,
    stop_timeout_s=1.0,
    seed=7,
)


class Workers:
    """Some crews of one plan, whose clocks are wrong by a little."""

    def __init__(self, errors_ns: list[int]) -> None:
        self.errors_ns = errors_ns
        self.now_ns = 0
        self.crews = [CrewState(PLAN) for _ in errors_ns]
        self.shares = deal(len(errors_ns))
        self.done = [[0] * len(LOADS) for _ in errors_ns]
        self.heard_given = [(0,) * len(LOADS) for _ in errors_ns]
        self.seen: Counter[int] = Counter()
        """How often each arrival was started or dropped."""
        self.begun: Counter[int] = Counter()
        """Iterations of each load."""
        self.parked: set[int] = set()
        for worker in range(len(errors_ns)):
            self.order(worker, 0)

    def clock_ns(self, worker: int) -> int:
        return max(self.now_ns + self.errors_ns[worker], 0)

    def order(self, worker: int, from_ns: int) -> None:
        dealt = Dealt(self.shares[worker], from_ns, done=tuple(self.done[worker]))
        self.act(worker, self.crews[worker].follow(dealt, self.clock_ns(worker)))

    def act(self, worker: int, changes: list[Change]) -> None:
        for change in changes:
            if isinstance(change, Arrive | StartUser | Drop) and change.arrival is not None:
                self.seen[change.arrival] += 1
            if isinstance(change, Arrive | LeaveUser):
                self.parked.discard(change.number)
            if isinstance(change, LeaveUser):
                self.act(worker, self.crews[worker].gone(change.number))

    def pass_time(self, ms: int) -> None:
        self.now_ns += ms * MS
        for worker, crew in enumerate(self.crews):
            self.act(worker, crew.advance(self.clock_ns(worker)))
            self.act(worker, crew.more())

    def work(self) -> None:
        """Everybody asks for an iteration."""
        for worker, crew in enumerate(self.crews):
            for number in sorted(crew.present - crew.leaving - self.parked):
                load = load_of(number, len(LOADS))[0]
                if load == LOADS.index(CLOSED) or number not in crew.present:
                    continue
                admission = crew.ready(number)
                self.begun[load] += admission is Admission.GO
                if admission is Admission.WAIT:
                    self.parked.add(number)
                if admission is Admission.LEAVE:
                    self.act(worker, crew.gone(number))

    def move(self, giver: int, taker: int, part: float) -> None:
        residues = self.shares[giver].residues
        moved = Share(self.shares[giver].modulus, residues[: round(part * len(residues))])
        self.shares[giver] = self.shares[giver].without(moved)
        self.order(giver, 0)
        crew = self.crews[giver]
        assert crew.settled
        self.pass_time(7)
        given = crew.given
        for load in range(len(LOADS)):
            self.done[taker][load] += given[load] - self.heard_given[giver][load]
        self.heard_given[giver] = given
        both = sorted((*self.shares[taker].residues, *moved.residues))
        self.shares[taker] = Share(moved.modulus, tuple(both))
        self.order(taker, crew.followed_ns)

    def check(self) -> None:
        for crew in self.crews:
            crew.check()
        present = [number for crew in self.crews for number in crew.present]
        assert len(present) == len(set(present)), "a user is in two places"
        assert max(self.seen.values(), default=0) <= 1, "an arrival was seen to twice"


steps = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([0.0, 0.1, 0.5, 1.0]), st.integers(0, 300)),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(errors_ms=st.lists(st.integers(-20, 20), min_size=3, max_size=3), moves=steps)
def test_over_any_chain_of_moves_each_arrival_is_seen_to_once_and_each_iteration_is_done_once(
    errors_ms: list[int], moves: list[tuple[int, int, float, int]]
) -> None:
    workers = Workers([error_ms * MS for error_ms in errors_ms])
    for giver, taker, part, ms in moves:
        workers.pass_time(ms)
        workers.work()
        if giver != taker:
            workers.move(giver, taker, part)
        workers.check()
    workers.pass_time(200)
    for _ in range(70):
        workers.work()
    workers.check()
    clocks_ns = [workers.clock_ns(worker) for worker in range(3)]
    for number, load in enumerate(LOADS):
        if (starts := starts_of(load, number, PLAN.seed)) is not None:
            arrivals = {load_of(arrival, len(LOADS))[1] for arrival in workers.seen if arrival % len(LOADS) == number}
            due_by_all, due_by_one = starts.due_by(min(clocks_ns)), starts.due_by(max(clocks_ns))
            assert set(range(due_by_all)) <= arrivals <= set(range(due_by_one)), load.scenarios
    assert workers.begun[LOADS.index(TOTAL)] == 60
    assert workers.begun[LOADS.index(EACH)] == 45
    workers.pass_time(2_100)
    residents = {number for crew in workers.crews for number in crew.present if load_of(number, len(LOADS))[0] == 5}
    assert residents == {user_number(5, number, len(LOADS)) for number in range(30)}
