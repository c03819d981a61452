"""Rows over a network that loses, repeats and reorders, to workers that die: who used what is what was promised."""

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from swell.clock import NS_PER_S
from swell.cluster.feed_state import FeedState
from swell.cluster.messages import Rows, RowsWanted
from swell.cluster.stock_state import RowStock
from swell.feed_plan import FeedPlan, FeedUse, Order, WhenOut


@dataclass
class SimulatedWorker:
    """The stock of a worker, what its users have taken, what it has sealed and what of it has been applied."""

    name: bytes
    stock: RowStock = field(default_factory=lambda: RowStock(0))
    used: list[int] = field(default_factory=list)
    ran_out: int = 0
    spool: list[FeedUse] = field(default_factory=list)
    applied: int = 0
    dead: bool = False

    def serve(self) -> None:
        """Users that wait take what is there."""
        while self.stock.waiting and (row := self.stock.take()) is not None:
            self.stock.waiting -= 1
            self.used.append(int(row))

    def seal(self) -> None:
        self.spool.append(FeedUse(0, self.stock.taken, self.ran_out))


class FeedCluster:
    """One feed, its controller and its workers. A row is the number of its position."""

    def __init__(self, plan: FeedPlan) -> None:
        self.plan = plan
        self.now_ns = NS_PER_S
        self.state = FeedState(plan)
        self.workers: dict[bytes, SimulatedWorker] = {}
        self.wire: list[tuple[bytes, RowsWanted | Rows]] = []
        self.gone: list[SimulatedWorker] = []

    def launch(self) -> SimulatedWorker:
        name = f"{len(self.workers) + len(self.gone)}".encode()
        self.workers[name] = SimulatedWorker(name)
        return self.workers[name]

    def ask(self, one: SimulatedWorker) -> None:
        if (wanted := one.stock.ask(self.now_ns)) is not None:
            self.wire.append((one.name, wanted))

    def want(self, one: SimulatedWorker, users: int = 1) -> None:
        one.stock.waiting += users
        one.serve()
        self.ask(one)

    def deliver(self, index: int = 0, *, keep: bool = False) -> None:
        name, message = self.wire[index] if keep else self.wire.pop(index)
        one = self.workers.get(name)
        if one is None:
            return  # the controller knows that it has gone
        if isinstance(message, RowsWanted):
            block = self.state.want(name, message, len(self.workers))
            rows = tuple(str(position).encode() for position in block.positions)
            self.wire.append((name, Rows(0, message.number, block.start, rows)))
        elif not one.dead:
            times_out = one.stock.times_out
            one.stock.arrived(message)
            one.serve()
            if one.stock.times_out > times_out:
                one.ran_out += one.stock.waiting
                one.stock.waiting = 0
            self.ask(one)

    def deliver_all(self) -> None:
        while self.wire:
            self.deliver()

    def apply(self, one: SimulatedWorker, segments: int = 1) -> None:
        for use in one.spool[one.applied : one.applied + segments]:
            self.state.report(one.name, use)
            one.applied += 1

    def pass_time(self, seconds: float) -> None:
        self.now_ns += round(seconds * NS_PER_S)
        for one in self.workers.values():
            wanted = None if one.dead else one.stock.ask_again(self.now_ns)
            if wanted is not None:
                self.wire.append((one.name, wanted))

    def settle(self, one: SimulatedWorker) -> None:
        """The controller takes notice of an end: first of what was spooled."""
        if not one.dead:
            one.seal()
        self.apply(one, len(one.spool))
        self.state.settle(one.name, known=not one.dead)
        self.gone.append(self.workers.pop(one.name))

    def heal(self) -> None:
        """Nothing is lost any more: every user that waits has its row, or is told that there is none."""
        for _ in range(20):
            self.deliver_all()
            self.pass_time(1.0)
        assert all(one.dead or not one.stock.waiting for one in self.workers.values())

    def everyone(self) -> list[SimulatedWorker]:
        return [*self.workers.values(), *self.gone]

    def use_up(self) -> None:
        """The run goes on until the last row of a feed that has an end."""
        self.heal()
        for one in list(self.workers.values()):
            self.settle(one)
        last = self.launch()
        while not last.ran_out:
            self.want(last)
            self.heal()
        self.settle(last)

    def check(self) -> None:
        self.state.check()
        for one in self.everyone():
            one.stock.check()
        used = Counter(position for one in self.everyone() for position in one.used)
        assert all(self.plan.positions is None or position < self.plan.positions for position in used)
        of_the_dead = Counter(position for one in self.everyone() if one.dead for position in one.used)
        for position, times in used.items():
            allowed = 1 if self.plan.unique else 1 + of_the_dead[position]
            assert times <= allowed, f"row {position} was used {times} times"

    def check_account(self) -> None:
        """At the end of a feed that has one."""
        used = {position for one in self.everyone() for position in one.used}
        count = self.state.count()
        rows = self.plan.rows
        assert count.handed_out == count.used + count.returned + count.unknown
        assert count.ran_out == sum(one.spool[-1].ran_out for one in self.everyone() if one.spool)
        if self.plan.unique:
            assert count.used + count.unknown == rows
            assert count.used <= len(used)
        else:
            assert (used, count.unknown) == (set(range(rows)), 0)
        if not any(one.dead for one in self.everyone()):
            assert (count.used, count.unknown) == (rows, 0)


class AnyFeed(RuleBasedStateMachine):
    @initialize(
        rows=st.integers(1, 60), unique=st.booleans(), ends=st.booleans(), row_bytes=st.sampled_from([10, 2**20])
    )
    def start(self, rows: int, unique: bool, ends: bool, row_bytes: int) -> None:
        when_out = WhenOut.STOP if unique or ends else WhenOut.REPEAT
        self.feeds = FeedCluster(
            FeedPlan(name="f", order=Order.ONCE, when_out=when_out, unique=unique, rows=rows, row_bytes=row_bytes)
        )
        self.feeds.launch()

    @precondition(lambda self: len(self.feeds.workers) < 4)
    @rule()
    def a_worker_comes(self) -> None:
        self.feeds.launch()

    def living(self) -> list[SimulatedWorker]:
        return [one for one in self.feeds.workers.values() if not one.dead]

    @precondition(lambda self: self.living())
    @rule(data=st.data(), users=st.integers(1, 9))
    def users_want_rows(self, data: st.DataObject, users: int) -> None:
        self.feeds.want(data.draw(st.sampled_from(self.living())), users)

    @precondition(lambda self: self.feeds.wire)
    @rule(data=st.data(), keep=st.booleans())
    def a_message_arrives(self, data: st.DataObject, keep: bool) -> None:
        self.feeds.deliver(data.draw(st.integers(0, len(self.feeds.wire) - 1)), keep=keep)

    @precondition(lambda self: self.feeds.wire)
    @rule(data=st.data())
    def a_message_is_lost(self, data: st.DataObject) -> None:
        self.feeds.wire.pop(data.draw(st.integers(0, len(self.feeds.wire) - 1)))

    @rule()
    def all_messages_arrive(self) -> None:
        self.feeds.deliver_all()

    @rule(seconds=st.sampled_from([0.001, 0.3, 2.0]))
    def time_passes(self, seconds: float) -> None:
        self.feeds.pass_time(seconds)

    @rule()
    def everyone_seals(self) -> None:
        for one in self.living():
            one.seal()

    @rule(data=st.data())
    def segments_are_applied(self, data: st.DataObject) -> None:
        for one in self.feeds.workers.values():
            self.feeds.apply(one, data.draw(st.integers(0, 2)))

    @precondition(lambda self: self.living())
    @rule(data=st.data())
    def a_worker_dies(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.living())).dead = True

    @rule()
    def the_dead_are_noticed(self) -> None:
        for one in [one for one in self.feeds.workers.values() if one.dead]:
            self.feeds.settle(one)

    @rule()
    def after_a_while_nobody_waits(self) -> None:
        self.feeds.heal()

    @invariant()
    def nothing_contradicts_the_promise(self) -> None:
        if hasattr(self, "feeds"):
            self.feeds.check()

    def teardown(self) -> None:
        if hasattr(self, "feeds") and self.feeds.plan.positions is not None:
            self.feeds.use_up()
            self.feeds.check()
            self.feeds.check_account()


TestAnyFeed = AnyFeed.TestCase
TestAnyFeed.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_one_worker_gets_a_circular_feed_in_its_order_again_and_again() -> None:
    feeds = FeedCluster(FeedPlan(name="f", order=Order.CIRCULAR, when_out=WhenOut.REPEAT, rows=7))
    one = feeds.launch()
    for _ in range(50):
        feeds.want(one)
        feeds.heal()
    assert one.used == list(range(50))


def test_a_worker_that_uses_many_rows_a_second_seldom_waits() -> None:
    feeds = FeedCluster(FeedPlan(name="f", order=Order.CIRCULAR, when_out=WhenOut.REPEAT, rows=7))
    one = feeds.launch()
    waits = 0
    for _ in range(20_000):  # 10,000 a second, with an answer after 2 ms
        feeds.now_ns += 100_000
        feeds.want(one)
        waits += one.stock.waiting > 0
        if feeds.now_ns % 2_000_000 == 0:
            feeds.deliver_all()
    assert waits < 200


def test_a_worker_that_uses_few_rows_leaves_the_others_to_those_who_use_many() -> None:
    feeds = FeedCluster(FeedPlan(name="f", order=Order.ONCE, when_out=WhenOut.STOP, unique=True, rows=10_000))
    busy, idle = feeds.launch(), feeds.launch()
    for turn in range(2_000):
        feeds.now_ns += NS_PER_S // 1_000
        feeds.want(busy)
        if turn % 500 == 0:
            feeds.want(idle)
        feeds.deliver_all()
    held = {one.name: one.stock.received - one.stock.taken for one in (busy, idle)}
    assert held[idle.name] <= 2
    assert held[busy.name] >= 100


def test_at_the_end_no_worker_holds_what_another_one_waits_for() -> None:
    feeds = FeedCluster(FeedPlan(name="f", order=Order.ONCE, when_out=WhenOut.STOP, unique=True, rows=1_000))
    first, second = feeds.launch(), feeds.launch()
    while not first.ran_out:
        feeds.now_ns += NS_PER_S // 1_000
        feeds.want(first)
        feeds.deliver_all()
    assert second.stock.received == 0
    assert len(first.used) == 1_000
