from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from swell.cluster.bequest_state import Bequest, Estate, divided, done_before
from swell.cluster.dealing_state import Dealing
from swell.cluster.member_state import Member, Membership
from swell.cluster.messages import Orders, Pulse, WorkerPhase
from swell.load.shares import Share
from swell.load_plan import Closed, Curve, Iterations, Leg, Load, Open
from swell.segment import ScenarioCount, Segment

CLOSED = Load(model=Closed(Curve((Leg(1.0, 0, 10),), endless=True)), scenarios=("Resident",))
OPEN = Load(model=Open(Curve((Leg(9.0, 10, 10),)), max_users=50), scenarios=("Visitor",))
SHARED = Load(model=Iterations(users=50, total=500), scenarios=("Sharer",))


class Table:
    """Workers that do as they are told, when a test says so."""

    def __init__(self, *loads: Load, workers: int = 2) -> None:
        self.members = Membership()
        self.dealing = Dealing(self.members, loads or (CLOSED,))
        self.loads = loads or (CLOSED,)
        self.number = 0
        for worker in range(workers):
            self.members.add(worker, 0).phase = WorkerPhase.READY
        self.dealing.begin(dict.fromkeys(range(workers), 1.0))
        for worker in range(workers):
            self.order(self.member(worker))
            self.follows(worker)

    def member(self, worker: int) -> Member:
        return self.members.present[worker]

    def residues(self, worker: int) -> set[int]:
        return set(self.member(worker).share.residues)

    def order(self, member: Member) -> None:
        self.number += 1
        done = done_before(member, self.loads)
        member.order(Orders(self.number, 0, share=member.share, share_from_ns=member.share_from_ns, done=done), 0)

    def move(self) -> list[int]:
        """Let everything move that can; who got orders."""
        changed = self.dealing.advance()
        for member in changed:
            self.order(member)
        self.dealing.check()
        return [member.worker for member in changed]

    def follows(self, worker: int, at_ns: int = 0, *, settled: bool = True, given: tuple[int, ...] = ()) -> bool:
        member = self.member(worker)
        pulse = Pulse(WorkerPhase.RUNNING, member.orders.number, at_ns, followed_ns=at_ns, settled=settled, given=given)
        member.felt(pulse)
        return self.dealing.felt(member, pulse, 0)

    def joins(self) -> int:
        member = self.members.recruit("", 0)
        member.phase = WorkerPhase.READY
        return member.worker

    def loses(self, worker: int, at_ns: int = 0) -> Member:
        member = self.member(worker)
        self.members.lose(member, at_ns)
        return member


def test_who_is_to_have_more_gets_it_when_the_others_have_given_it_up_and_not_before() -> None:
    table = Table()
    newcomer = table.joins()
    assert round(table.dealing.deal({0: 1.0, 1: 1.0, 2: 1.0}), 3) == 0.333
    assert table.move() == [0, 1]
    assert not table.residues(newcomer)
    assert not table.follows(0, 7, settled=False)
    assert table.move() == []
    assert table.follows(0, 9)
    assert table.move() == [newcomer]
    half = len(table.residues(newcomer))
    assert (half in (166, 167), table.member(newcomer).share_from_ns) == (True, 7)
    assert table.follows(1, 8)
    assert table.move() == []  # it has not said yet that it follows
    table.follows(newcomer)
    assert table.move() == [newcomer]
    table.follows(newcomer)
    assert (len(table.residues(newcomer)), table.move(), table.dealing.is_done) == (333, [], True)


def test_arrivals_of_two_that_followed_at_different_instants_are_given_one_after_the_other() -> None:
    table = Table(OPEN)
    newcomer = table.joins()
    table.dealing.deal({0: 1.0, 1: 1.0, 2: 1.0})
    table.move()
    table.follows(0, 9)
    table.follows(1, 5)
    table.move()
    first, first_ns = len(table.residues(newcomer)), table.member(newcomer).share_from_ns
    table.follows(newcomer)
    table.move()
    assert (first in (166, 167), first_ns) == (True, 5)
    assert (len(table.residues(newcomer)), table.member(newcomer).share_from_ns) == (333, 9)


def test_where_nothing_arrives_they_are_given_at_once() -> None:
    table = Table(CLOSED)
    newcomer = table.joins()
    table.dealing.deal({0: 1.0, 1: 1.0, 2: 1.0})
    table.move()
    table.follows(0, 9)
    table.follows(1, 5)
    table.move()
    assert (len(table.residues(newcomer)), table.member(newcomer).share_from_ns) == (333, 9)


def test_of_a_silent_worker_nothing_is_dealt_before_its_lease_was_over() -> None:
    table = Table(OPEN)
    table.dealing.release(table.loses(0, 40), 42)
    table.dealing.deal({1: 1.0})
    assert table.move() == [1]
    assert (len(table.residues(1)), table.member(1).share_from_ns) == (1_000, 42)


def test_a_dead_workers_share_waits_until_it_is_known_what_it_has_done() -> None:
    table = Table(SHARED)
    lost = table.loses(0)
    table.dealing.release(lost, 42, waits=True)
    table.dealing.deal({1: 1.0})
    assert table.move() == []
    lost.takes(Segment("run", 0, 1, 1, 0, 9, 0.0, scenarios=(ScenarioCount("Sharer", 0, iterations=9),)))
    table.members.settle(lost)
    assert table.move() == [1]
    assert table.member(1).orders.done == (9,)


def test_a_successor_has_what_the_dead_worker_was_to_keep_and_others_the_rest() -> None:
    table = Table(OPEN)
    newcomer = table.joins()
    table.dealing.deal({0: 1.0, 1: 1.0, 2: 1.0})
    table.move()
    lost = table.loses(0)
    heir = table.members.add(0, 50)
    table.dealing.pass_on(lost, heir, 50)
    assert table.residues(0) == table.dealing.goals[0]
    assert table.move() == [newcomer]
    assert table.member(newcomer).share_from_ns == 50
    table.dealing.check()


def test_iterations_begun_before_a_move_go_along_with_it() -> None:
    table = Table(SHARED)
    table.dealing.deal({0: 1.0, 1: 9.0})
    table.move()
    table.follows(0, 5, given=(30,))
    table.move()
    assert (table.member(0).orders.done, table.member(1).orders.done) == ((0,), (30,))
    table.follows(1)
    table.dealing.deal({0: 9.0, 1: 1.0})
    table.move()
    table.follows(1, 6, given=(45,))
    table.move()
    assert (table.member(0).orders.done, table.member(1).orders.done) == ((45,), (30,))


@given(st.lists(st.integers(0, 60), min_size=1, max_size=6, unique=True), st.integers(0, 200))
def test_the_parts_of_an_estate_add_up(cuts: list[int], done: int) -> None:
    bounds = [0, *sorted(cuts), 1_000]
    parts = [Share(1_000, tuple(range(begin, end))) for begin, end in pairwise(bounds)]
    estate = Estate(more=(0, done))
    loads = (CLOSED, SHARED)
    bequests = divided(estate, parts, loads)
    assert sum(bequest.done(1, SHARED) for bequest in bequests) == done
    again = [inner for bequest in bequests for inner in divided(Estate([bequest]), parts, loads)]
    assert sum(bequest.done(1, SHARED) for bequest in again) == done
    assert Estate([Bequest(estate)]).is_settled


class AnyTable(RuleBasedStateMachine):
    """Whoever comes, goes, follows or is lost: each residue is with exactly one."""

    @initialize(load=st.sampled_from([CLOSED, OPEN, SHARED]), workers=st.integers(1, 3))
    def start(self, load: Load, workers: int) -> None:
        self.table = Table(load, workers=workers)
        self.at_ns = 0

    def anybody(self, data: st.DataObject) -> int:
        self.at_ns += 10
        return data.draw(st.sampled_from(self.there()), "worker")

    def there(self) -> list[int]:
        return [member.worker for member in self.table.members.live]

    @precondition(lambda self: self.there())
    @rule(data=st.data())
    def it_is_dealt_again(self, data: st.DataObject) -> None:
        self.table.dealing.deal({worker: data.draw(st.sampled_from([1.0, 2.0, 7.0])) for worker in self.there()})

    @precondition(lambda self: len(self.table.members.present) < 6)
    @rule()
    def somebody_joins(self) -> None:
        self.table.joins()
        self.table.dealing.deal(dict.fromkeys(self.there(), 1.0))

    @precondition(lambda self: self.there())
    @rule(data=st.data())
    def somebody_is_lost(self, data: st.DataObject) -> None:
        self.table.dealing.release(self.table.loses(self.anybody(data), self.at_ns), self.at_ns)

    @precondition(lambda self: self.there())
    @rule(data=st.data())
    def somebody_dies_and_has_a_successor(self, data: st.DataObject) -> None:
        lost = self.table.loses(self.anybody(data), self.at_ns)
        heir = self.table.members.add(lost.worker, self.at_ns)
        heir.phase = WorkerPhase.READY
        self.table.dealing.pass_on(lost, heir, self.at_ns)
        self.table.order(heir)

    @precondition(lambda self: self.there())
    @rule(data=st.data(), settled=st.booleans())
    def somebody_follows(self, data: st.DataObject, settled: bool) -> None:
        self.table.follows(self.anybody(data), self.at_ns, settled=settled)

    @rule()
    def what_can_move_moves(self) -> None:
        self.table.move()

    @invariant()
    def each_residue_is_with_exactly_one(self) -> None:
        self.table.dealing.check()

    def teardown(self) -> None:
        if not hasattr(self, "table") or not self.there():
            return
        self.table.dealing.deal(dict.fromkeys(self.there(), 1.0))
        for _ in range(40):
            for worker in self.there():
                self.table.follows(worker, self.at_ns)
            self.table.move()
        assert self.table.dealing.is_done
        assert {worker: self.table.residues(worker) for worker in self.there()} == self.table.dealing.goals


TestAnyTable = AnyTable.TestCase
TestAnyTable.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
