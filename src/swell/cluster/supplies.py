"""Rows for the users of a worker: they take them from its stock, and wait while the controller sends more."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gevent.event import Event as Flag

from swell.clock import Clock
from swell.cluster.messages import Rows, RowsWanted
from swell.cluster.stock_state import RowStock
from swell.feed_plan import FeedPlan, FeedUse

Send = Callable[[RowsWanted], object]


class StockedSupply:
    """One feed in this worker."""

    def __init__(self, feed: int, clock: Clock, send: Send) -> None:
        self.stock = RowStock(feed)
        self.ran_out = 0
        self.waited_ns = 0
        self._clock = clock
        self._send = send
        self._news = Flag()

    def __repr__(self) -> str:
        return f"<StockedSupply {self.stock!r}>"

    def take(self) -> bytes | None:
        """The next row, once it is there; None if there are no more."""
        row = self.stock.take()
        if row is None:
            row = self._wait_for_one()
        if row is not None:
            self.ask()
        return row

    def ask(self) -> None:
        """Ask for more rows, if it is time to."""
        wanted = self.stock.ask(self._clock.now_ns())
        if wanted is not None:
            self._send(wanted)

    def ask_again(self) -> None:
        """Say the last request again, if it seems to be lost."""
        wanted = self.stock.ask_again(self._clock.now_ns())
        if wanted is not None:
            self._send(wanted)

    def arrived(self, rows: Rows) -> None:
        """The controller has answered."""
        times_out = self.stock.times_out
        self.stock.arrived(rows)
        news, self._news = self._news, Flag()
        news.set()
        if self.stock.times_out == times_out:  # those who wait in vain are leaving
            self.ask()

    def _wait_for_one(self) -> bytes | None:
        stock = self.stock
        times_out, from_ns = stock.times_out, self._clock.now_ns()
        stock.waiting += 1
        try:
            self.ask()
            while (row := stock.take()) is None:
                if stock.times_out > times_out:
                    self.ran_out += 1
                    return None
                self._news.wait()
        finally:
            stock.waiting -= 1
            self.waited_ns += self._clock.now_ns() - from_ns
        return row


class Supplies:
    """All feeds in this worker."""

    def __init__(self, clock: Clock, send: Send) -> None:
        self._clock = clock
        self._send = send
        self._supplies: tuple[StockedSupply, ...] = ()

    def __repr__(self) -> str:
        return f"<Supplies {list(self._supplies)}>"

    def open(self, feeds: Sequence[FeedPlan]) -> tuple[StockedSupply, ...]:
        """A supply for each feed of the plan."""
        self._supplies = tuple(StockedSupply(number, self._clock, self._send) for number in range(len(feeds)))
        return self._supplies

    def arrived(self, rows: Rows) -> None:
        """The controller has answered a request."""
        if 0 <= rows.feed < len(self._supplies):
            self._supplies[rows.feed].arrived(rows)

    def ask_again(self) -> None:
        """Say requests again that seem to be lost; called once in a while."""
        for supply in self._supplies:
            supply.ask_again()

    def uses(self) -> tuple[FeedUse, ...]:
        """What this worker has used so far."""
        return tuple(
            FeedUse(supply.stock.feed, supply.stock.taken, supply.ran_out, supply.waited_ns)
            for supply in self._supplies
            if supply.stock.taken or supply.ran_out
        )
