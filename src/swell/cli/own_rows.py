"""Rows of feeds for users that live in the process that reads them: without workers, nothing has to be leased."""

from __future__ import annotations

from swell.cluster.feed_rows import FeedRows
from swell.plan import RunPlan
from swell.script.loader import LoadedScript


class OwnSupply:
    """One feed, read row by row."""

    def __init__(self, rows: FeedRows, feed: int, positions: int | None) -> None:
        self._rows = rows
        self._feed = feed
        self._positions = positions
        self._next = 0

    def __repr__(self) -> str:
        return f"<OwnSupply of feed {self._feed}, {self._next} taken>"

    def take(self) -> bytes | None:
        """The next row; None if there are no more. Raises RunFailed if it cannot be read any more."""
        if self._next == self._positions:
            return None
        (row,) = self._rows.read(self._feed, (self._next,))
        self._next += 1
        return row


def bind_own_rows(script: LoadedScript, plan: RunPlan) -> None:
    """Have users in this process get their rows from the script's open sources."""
    rows = FeedRows(plan, script.row_sources)
    script.bind_feeds(plan.feeds, [OwnSupply(rows, number, feed.positions) for number, feed in enumerate(plan.feeds)])
