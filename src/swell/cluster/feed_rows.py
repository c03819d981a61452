"""The rows that positions of feeds stand for, read from their sources: in the process that hands them out."""

from __future__ import annotations

from collections.abc import Sequence

from swell.feed_plan import RowSource
from swell.load.rows import RowOrder
from swell.plan import RunPlan


class FeedRows:
    """The rows of all feeds of a run; `sources` are in the order of `RunPlan.feeds`."""

    def __init__(self, plan: RunPlan, sources: Sequence[RowSource]) -> None:
        orders = (RowOrder(feed, plan.seed, number) for number, feed in enumerate(plan.feeds))
        self._feeds = tuple(zip(sources, orders, strict=True))

    def __repr__(self) -> str:
        return f"<FeedRows of {[source for source, _ in self._feeds]}>"

    def read(self, feed: int, positions: Sequence[int]) -> tuple[bytes, ...]:
        """The rows at these positions of a feed. Raises RunFailed if they cannot be read any more."""
        source, order = self._feeds[feed]
        return tuple(source.read([order.row_at(position) for position in positions]))

    def close(self) -> None:
        """Close the sources."""
        for source, _ in self._feeds:
            source.close()
