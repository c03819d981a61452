from swell.clock import NS_PER_S
from swell.cluster import controller_steps as done
from swell.cluster.controller_state import ControllerState
from swell.cluster.controller_steps import Cleared, Died, Heard, Recovered, Serve, Started
from swell.cluster.course_state import Phase
from swell.cluster.feed_state import BLOCK_BYTES, BLOCK_ROWS, LAST_ROWS, Feeds
from swell.cluster.messages import Hello, Pulse, RowsWanted, Welcome, WorkerPhase
from swell.feed_plan import FeedCount, FeedPlan, FeedUse, Order, WhenOut
from swell.plan import RunPlan
from swell.result import End
from swell.segment import Segment
from tests.cluster.simulated import RUN
from tests.plans import plan_with

ONCE = FeedPlan(name="users.csv", order=Order.ONCE, when_out=WhenOut.STOP, rows=100)
UNIQUE = FeedPlan(name="codes.csv", order=Order.ONCE, when_out=WhenOut.STOP, unique=True, rows=100)
CIRCULAR = FeedPlan(name="words.csv", order=Order.CIRCULAR, when_out=WhenOut.REPEAT, rows=3)
STRICT = FeedPlan(name="all.csv", order=Order.ONCE, when_out=WhenOut.ERROR, rows=2)


def positions(feeds: Feeds, holder: bytes, up_to: int, received: int = 0, *, feed: int = 0) -> tuple[int, ...]:
    """What a worker gets with users that wait for all that it wants."""
    return feeds.want(holder, RowsWanted(feed, 1, up_to, received, waiting=max(up_to - received, 0)), 1).positions


def test_what_a_worker_was_sent_and_did_not_get_is_sent_again_and_no_more() -> None:
    feeds = Feeds([ONCE])
    assert positions(feeds, b"a", 10) == tuple(range(10))
    assert positions(feeds, b"a", 10) == tuple(range(10))
    assert positions(feeds, b"a", 12, received=4) == tuple(range(4, 10))
    assert positions(feeds, b"a", 12, received=10) == (10, 11)
    assert positions(feeds, b"b", 1) == (12,)
    feeds.check()


def test_rows_whose_use_is_acknowledged_are_not_kept() -> None:
    feeds = Feeds([ONCE])
    positions(feeds, b"a", 10)
    feeds.report(b"a", [FeedUse(0, 6)])
    feeds.report(b"a", [FeedUse(0, 4)])
    assert positions(feeds, b"a", 10, received=2) == (6, 7, 8, 9)
    assert feeds.counts() == (FeedCount(name="users.csv", rows=100, handed_out=10, used=6),)


def test_a_worker_that_has_ended_gives_back_what_it_has_not_used() -> None:
    for plan in (ONCE, UNIQUE):
        feeds = Feeds([plan])
        positions(feeds, b"a", 10)
        feeds.report(b"a", [FeedUse(0, 6, 1)])
        feeds.settle(b"a", known=True)
        assert positions(feeds, b"b", 5) == (6, 7, 8, 9, 10)
        assert feeds.counts() == (FeedCount(name=plan.name, rows=100, handed_out=15, used=6, returned=4, ran_out=1),)
        feeds.check()


def test_rows_of_a_dead_worker_come_back_unless_they_may_have_been_used_and_must_not_be_again() -> None:
    feeds = Feeds([ONCE, UNIQUE])
    for feed in (0, 1):
        positions(feeds, b"a", 10, feed=feed)
        feeds.report(b"a", [FeedUse(feed, 6)])
    feeds.settle(b"a", known=False)
    assert positions(feeds, b"b", 2, feed=0) == (6, 7)
    assert positions(feeds, b"b", 2, feed=1) == (10, 11)
    count = feeds.counts()[1]
    assert (count.used, count.unknown, count.returned) == (6, 4, 0)
    feeds.check()


def test_the_last_rows_go_to_users_that_wait_and_into_no_stock() -> None:
    many = FeedPlan(name="many.csv", order=Order.ONCE, when_out=WhenOut.STOP, rows=LAST_ROWS + 10)
    feeds = Feeds([many, CIRCULAR])

    def got(holder: bytes, wanted: RowsWanted) -> int:
        return len(feeds.want(holder, wanted, 2).positions)

    assert got(b"a", RowsWanted(0, 1, 9, 0, taken=0, waiting=1)) == 9
    assert got(b"b", RowsWanted(0, 1, 9, 0, taken=0, waiting=2)) == 9
    assert got(b"b", RowsWanted(0, 2, 18, 9, taken=9, waiting=2)) == 2
    assert got(b"a", RowsWanted(0, 2, 17, 9, taken=5, waiting=0)) == 0
    assert got(b"a", RowsWanted(1, 1, 17, 0)) == 17
    feeds.check()


def test_what_is_the_end_follows_from_how_much_is_wanted_in_stock() -> None:
    feeds = Feeds([FeedPlan(name="many.csv", order=Order.ONCE, when_out=WhenOut.STOP, rows=5 * LAST_ROWS)])
    assert len(feeds.want(b"a", RowsWanted(0, 1, LAST_ROWS, 0, taken=0, waiting=3), 2).positions) == 3
    assert len(feeds.want(b"b", RowsWanted(0, 1, LAST_ROWS // 2, 0, taken=0, waiting=3), 2).positions) == LAST_ROWS // 2


def test_a_circular_feed_has_no_end() -> None:
    feeds = Feeds([CIRCULAR])
    assert positions(feeds, b"a", 8) == tuple(range(8))


def test_a_block_is_bounded_in_rows_and_in_bytes() -> None:
    huge = FeedPlan(name="x", order=Order.CIRCULAR, when_out=WhenOut.REPEAT, rows=10, row_bytes=BLOCK_BYTES // 3)
    feeds = Feeds([CIRCULAR, huge])
    assert len(positions(feeds, b"a", 10**9)) == BLOCK_ROWS
    assert len(positions(feeds, b"a", 10**9, feed=1)) == 3


def test_what_makes_no_sense_hands_out_nothing_more() -> None:
    feeds = Feeds([ONCE])
    assert positions(feeds, b"a", -5) == ()
    assert positions(feeds, b"a", 5, received=-7) == ()
    assert positions(feeds, b"a", 5) == (0, 1, 2, 3, 4)
    assert positions(feeds, b"a", 10**9, received=2) == (2, 3, 4)
    assert positions(feeds, b"a", 7, received=10**9) == ()
    feeds.report(b"a", [FeedUse(0, 10**9), FeedUse(7, 1), FeedUse(-1, 1), FeedUse(0, -4)])
    feeds.settle(b"stranger", known=False)
    assert feeds.counts()[0].used == 5
    feeds.check()


# --- in the controller -----------------------------------------------------------------------------------------------


def plan_of(*feeds: FeedPlan) -> RunPlan:
    return plan_with(2, 10.0, workers=2, host="http://localhost", feeds=feeds)


class Controller:
    """A controller's state with two workers: ready and running, or else still loading."""

    def __init__(self, *feeds: FeedPlan, ready: bool = True) -> None:
        plan = plan_of(*feeds)
        self.state = ControllerState(RUN, plan, Welcome(plan))
        self.now_ns = NS_PER_S
        self.tell(Started())
        self.tell(Cleared())
        for worker in (0, 1):
            self.greet(worker, ready)
        assert self.state.phase is (Phase.RUNNING if ready else Phase.GATHERING)

    def tell(self, event: done.Event) -> list[done.Command]:
        commands = self.state.handle(event, self.now_ns)
        self.state.check()
        return commands

    def greet(self, worker: int, ready: bool) -> None:
        sender = f"{worker}.1".encode()
        self.tell(Heard(sender, Hello(RUN, worker, 1, "here", 1)))
        if ready:
            self.tell(Heard(sender, Pulse(WorkerPhase.READY, 0, self.now_ns)))

    def served(self, sender: bytes, wanted: RowsWanted) -> list[int]:
        blocks = [command.block for command in self.tell(Heard(sender, wanted)) if isinstance(command, Serve)]
        return [position for block in blocks for position in block.positions]


def segment(sequence: int, used: int, *, worker: int = 0, final: bool = False) -> Segment:
    return Segment(RUN, worker, 1, sequence, 0, 0, 1.0, feeds=(FeedUse(0, used),), final=final)


def test_the_spool_of_a_dead_worker_says_what_it_has_used() -> None:
    controller = Controller(UNIQUE)
    assert controller.served(b"0.1", RowsWanted(0, 1, 10, 0, waiting=10)) == list(range(10))
    controller.tell(Heard(b"0.1", segment(1, 3)))
    controller.tell(Died(0, 1, "was killed"))
    assert controller.served(b"0.1", RowsWanted(0, 2, 20, 10)) == []
    controller.tell(Recovered(0, 1, (segment(1, 3), segment(2, 7))))
    assert controller.served(b"1.1", RowsWanted(0, 1, 2, 0, waiting=2)) == [10, 11]
    counts = controller.state.reception.feeds.counts()
    assert counts == (FeedCount(name="codes.csv", rows=100, handed_out=12, used=7, unknown=3),)


def test_a_last_segment_gives_back_the_rest() -> None:
    controller = Controller(UNIQUE)
    controller.served(b"0.1", RowsWanted(0, 1, 10, 0, waiting=10))
    controller.tell(Heard(b"0.1", segment(1, 8, final=True)))
    assert controller.served(b"1.1", RowsWanted(0, 1, 2, 0, waiting=2)) == [8, 9]


def test_a_feed_that_must_not_run_out_ends_the_run_when_a_user_asks_in_vain() -> None:
    controller = Controller(STRICT)
    assert controller.served(b"0.1", RowsWanted(0, 1, 1, 0, waiting=1)) == [0]
    assert controller.served(b"1.1", RowsWanted(0, 1, 1, 0, waiting=1)) == [1]
    controller.tell(Heard(b"0.1", RowsWanted(0, 2, 3, 1)))
    assert controller.state.phase is Phase.RUNNING
    commands = controller.tell(Heard(b"0.1", RowsWanted(0, 3, 3, 1, waiting=1)))
    assert [(command.end, command.text) for command in commands if isinstance(command, done.Ending)] == [
        (End.FAILED, "all.csv has run out: all 2 rows are handed out")
    ]


def test_rows_are_there_before_the_run_begins_and_their_end_is_named() -> None:
    controller = Controller(STRICT, ready=False)
    assert controller.served(b"0.1", RowsWanted(0, 1, 2, 0, waiting=1)) == [0]
    assert controller.served(b"0.1", RowsWanted(0, 2, 2, 1, waiting=1)) == [1]
    commands = controller.tell(Heard(b"0.1", RowsWanted(0, 3, 3, 2, waiting=1)))
    assert commands[-1] == done.Over("all.csv has run out: all 2 rows are handed out")


def test_a_feed_that_nobody_has_declared_is_refused() -> None:
    controller = Controller(ONCE)
    for feed in (-1, 1, 10**6):
        assert controller.tell(Heard(b"0.1", RowsWanted(feed, 1, 10, 0))) == []
    assert controller.state.reception.refused.by_sender == {b"0.1": 3}
