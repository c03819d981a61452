"""The rows of a feed that a worker has in stock, and when it asks for more: pure.

Users take rows from the stock; what they have taken is used. Half a second's use is asked for ahead, as it was over the
last quarter of a second at least; until that much is known, the stock doubles when it has run dry. There is one request
at a time, said again until it is answered. Nothing is asked for before the first user wants a row, so that a worker
whose users need none takes none from the others.
"""

from __future__ import annotations

from collections import deque

from swell.clock import NS_PER_S
from swell.cluster.messages import Rows, RowsWanted

LEAST_AHEAD = 2
BURST_AHEAD = 64
MOST_AHEAD = 10_000
AHEAD_NS = NS_PER_S // 2
MEASURED_NS = NS_PER_S // 4
ASK_AGAIN_NS = NS_PER_S // 2


class RowStock:
    """One feed in one incarnation of a worker."""

    def __init__(self, feed: int) -> None:
        self.feed = feed
        self.taken = 0
        self.waiting = 0
        """Users that wait for a row."""
        self.times_out = 0
        """How often a request for users that wait was answered with no row."""
        self._rows: deque[bytes] = deque()
        self._ahead = LEAST_AHEAD
        self._request: RowsWanted | None = None
        self._number = 0
        self._asked_ns = 0
        self._dry = False
        """The last answer was that there are no more."""
        self._was_short = False
        """A user had to wait since the last request."""
        self._measured_from = (0, 0)
        """An instant, and how many rows were taken then."""

    def __repr__(self) -> str:
        return f"<RowStock of feed {self.feed}: {len(self._rows)} rows, {self.taken} taken, {self.waiting} waiting>"

    @property
    def received(self) -> int:
        """How far the worker has its stream."""
        return self.taken + len(self._rows)

    def take(self) -> bytes | None:
        """The next row; None if there is none in stock."""
        if not self._rows:
            self._was_short = True
            return None
        self.taken += 1
        return self._rows.popleft()

    def ask(self, now_ns: int) -> RowsWanted | None:
        """The request that is to be sent now, if one is."""
        if self._request is not None or (self.waiting <= len(self._rows) and not self._is_low):
            return None
        self._measure(now_ns)
        up_to = self.taken + self.waiting + self._ahead
        if up_to <= self.received:
            return None
        self._number += 1
        self._asked_ns = now_ns
        lacking = max(self.waiting - len(self._rows), 0)
        self._request = RowsWanted(self.feed, self._number, up_to, self.received, self.taken, lacking)
        return self._request

    def ask_again(self, now_ns: int) -> RowsWanted | None:
        """The last request, if it has not been answered for long."""
        if self._request is None or now_ns - self._asked_ns < ASK_AGAIN_NS:
            return None
        self._asked_ns = now_ns
        return self._request

    def arrived(self, rows: Rows) -> None:
        """The controller has answered; maybe not for the first time, maybe an earlier request."""
        lacking = self.received - rows.start
        if 0 <= lacking < len(rows.rows):
            self._rows.extend(rows.rows[lacking:])
        request = self._request
        if request is None or rows.request != request.number or self.received < rows.start:
            return
        self._request = None
        self._dry = not rows.rows
        self.times_out += self._dry and request.waiting > 0

    @property
    def _is_low(self) -> bool:
        return 2 * len(self._rows) <= self._ahead and not self._dry and self._number > 0

    def _measure(self, now_ns: int) -> None:
        from_ns, taken = self._measured_from
        elapsed_ns = now_ns - from_ns
        if not from_ns or elapsed_ns >= MEASURED_NS:
            if from_ns:
                self._ahead = (self.taken + self.waiting - taken) * AHEAD_NS // elapsed_ns
            self._measured_from = (now_ns, self.taken)
        elif self._was_short and self._ahead < BURST_AHEAD:
            self._ahead *= 2
        self._ahead = min(max(self._ahead, LEAST_AHEAD), MOST_AHEAD)
        self._was_short = False

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        assert self.waiting >= 0
        assert self._request is None or self._request.received <= self.received
        assert self._number or not self.received
