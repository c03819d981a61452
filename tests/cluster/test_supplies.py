from collections.abc import Callable

import gevent
import pytest

from swell.clock import NS_PER_S, ManualClock
from swell.cluster.messages import Rows, RowsWanted
from swell.cluster.supplies import StockedSupply, Supplies
from swell.feed_plan import FeedPlan, FeedUse, Order, WhenOut

FEED = FeedPlan(name="f", order=Order.ONCE, when_out=WhenOut.STOP, rows=10)


class Desk:
    """The controller, as a supply sees it: what was asked, and an answer to it when told to."""

    def __init__(self) -> None:
        self.clock = ManualClock(now_ns=NS_PER_S)
        self.asked: list[RowsWanted] = []
        self.supplies = Supplies(self.clock, self.asked.append)
        (self.supply,) = self.supplies.open([FEED])
        self.taken: list[bytes | None] = []

    def users(self, count: int) -> list[gevent.Greenlet]:
        users = [gevent.spawn(lambda: self.taken.append(self.supply.take())) for _ in range(count)]
        gevent.idle()
        return users

    def answer(self, *rows: bytes) -> None:
        asked = self.asked[-1]
        self.supplies.arrived(Rows(asked.feed, asked.number, asked.received, rows))
        gevent.idle()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_nothing_is_asked_for_before_a_user_wants_a_row(desk: Desk) -> None:
    desk.supplies.ask_again()
    assert (desk.asked, desk.supplies.uses()) == ([], ())


def test_users_wait_and_get_a_row_each_in_their_order(desk: Desk) -> None:
    desk.users(3)
    assert desk.asked == [RowsWanted(0, 1, 3, 0, waiting=1)]
    desk.answer(b"a", b"b")
    assert desk.taken == [b"a", b"b"]
    assert desk.asked[-1].waiting == 1  # the two have theirs in stock
    desk.answer(b"c", b"d", b"e")
    assert desk.taken == [b"a", b"b", b"c"]
    assert desk.supplies.uses() == (FeedUse(0, 3, 0),)


def test_when_there_are_no_more_all_who_wait_are_told_so(desk: Desk) -> None:
    users = desk.users(3)
    desk.answer()
    gevent.joinall(users)
    assert desk.taken == [None] * 3
    assert len(desk.asked) == 1
    assert desk.supplies.uses() == (FeedUse(0, 0, 3),)


def test_that_there_was_nothing_to_prefetch_is_told_to_no_user(desk: Desk) -> None:
    desk.users(1)
    desk.answer(b"a", b"b", b"c")
    desk.users(2)
    assert (desk.asked[-1].waiting, desk.asked[-1].received) == (0, 3)
    desk.users(1)
    desk.answer()
    assert desk.taken == [b"a", b"b", b"c"]
    assert (desk.asked[-1].number, desk.asked[-1].waiting) == (3, 1)
    desk.answer(b"d")
    assert desk.taken[-1] == b"d"


def test_a_user_that_is_killed_while_it_waits_takes_no_row(desk: Desk) -> None:
    first, _second = desk.users(2)
    first.kill()
    desk.answer(b"a")
    assert desk.taken == [b"a"]
    assert desk.supply.stock.waiting == 0


def test_a_request_that_is_not_answered_is_said_again(desk: Desk) -> None:
    desk.users(1)
    desk.supplies.ask_again()
    assert len(desk.asked) == 1
    desk.clock.advance_s(1.0)
    desk.supplies.ask_again()
    assert desk.asked == [desk.asked[0]] * 2


def test_an_answer_for_a_feed_that_is_not_there_changes_nothing(desk: Desk) -> None:
    for feed in (-1, 1):
        desk.supplies.arrived(Rows(feed, 1, 0, (b"a",)))
    assert desk.supply.stock.received == 0


@pytest.mark.parametrize("late", [lambda desk: desk.users(1), lambda desk: None])
def test_a_late_repetition_gives_nobody_a_row_twice(desk: Desk, late: Callable[[Desk], object]) -> None:
    desk.users(1)
    answer = Rows(0, 1, 0, (b"a", b"b", b"c"))
    desk.supplies.arrived(answer)
    gevent.idle()
    late(desk)
    desk.supplies.arrived(answer)
    desk.users(2)
    assert desk.taken[:3] == [b"a", b"b", b"c"][: len(desk.taken)]
    assert isinstance(desk.supply, StockedSupply)


def test_how_long_users_wait_is_counted(desk: Desk) -> None:
    desk.users(2)
    desk.clock.advance_s(0.5)
    desk.answer(b"a", b"b", b"c")
    desk.users(1)
    assert desk.supplies.uses() == (FeedUse(0, 3, 0, waited_ns=NS_PER_S),)
