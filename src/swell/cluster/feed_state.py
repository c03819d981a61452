"""Which worker has which rows of a feed: the controller's side, pure.

Each incarnation of a worker gets a *stream* of rows, numbered from 0, that only grows: `RowsWanted` says how far the
worker wants it to reach and how far it has it, `Rows` brings what it lacks. Both say the whole state of the stream, so
that it does not matter which of them are lost, repeated or late; a row in a stream is never in another one.

How far the rows have been used comes with each request, and with the segments, which are exact, in order, and survive
their worker in its spool. A worker that has ended gives back what it has not used. What one that died may have used
since it said so last is not known: those rows come back too, but not those of a unique feed, which are counted.

While a feed has an end, a block is at most an equal part of half of what is left; and its last rows go only to users
that wait for them, none into a stock. So as many rows as users, or as iterations, are enough.

The store keeps a record of it (`record`), for a controller that resumes the run. Of a unique feed no row is handed out
beyond what a record that is on disk has reserved: so whoever resumes knows which rows nobody can have had.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from swell.clock import NS_PER_S
from swell.cluster.messages import RowsWanted
from swell.feed_plan import FeedCount, FeedPlan, FeedUse

BLOCK_ROWS = 1_000
BLOCK_BYTES = 4 << 20
"""What one message may carry at most."""
LAST_ROWS = 1_000
LEAST_RESERVE, MOST_RESERVE = 1_000, 100_000
RESERVES = 8
"""A record reserves so many times the rows that were handed out since the one before, but a tenth of all at least."""
MOST_UNRECORDED = 100_000
"""No stream can have grown by more between two records."""
LAST_STOCKS = 4
"""The last rows of a feed are so many, or so many times what all workers want in stock, if that is more."""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of a worker's stream, from number `start` on. None: there are no more."""

    start: int
    positions: tuple[int, ...]


class LeaseRecord(msgspec.Struct, frozen=True):
    """The stream of one incarnation."""

    holder: bytes
    used: int
    kept: tuple[int, ...]
    ran_out: int
    waited_ns: int


class FeedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A feed as it stood, for a controller that takes the run up later."""

    fresh: int
    reserved: int
    """Up to here rows may have been handed out since."""
    back: tuple[int, ...]
    leases: tuple[LeaseRecord, ...]
    handed_out: int
    used: int
    returned: int
    unknown: int
    ran_out: int
    waited_ns: int


class Lease:
    """The stream of one incarnation. Positions are kept until their use is acknowledged."""

    def __init__(self) -> None:
        self.used = 0
        self.ran_out = 0
        self.waited_ns = 0
        self.kept: deque[int] = deque()
        """The positions from `used` on."""

    def __repr__(self) -> str:
        return f"<Lease of {self.leased} rows, {self.used} used>"

    @property
    def leased(self) -> int:
        """How far the stream reaches."""
        return self.used + len(self.kept)

    def acknowledge(self, used: int) -> None:
        """The worker has used so many of its rows, the first ones."""
        for _ in range(min(used, self.leased) - self.used):
            self.kept.popleft()
            self.used += 1

    def from_number(self, number: int) -> Block:
        """The rows of the stream that a worker lacks which has it up to `number`."""
        start = min(max(number, self.used), self.leased)
        return Block(start, tuple(self.kept)[start - self.used :])


class FeedState:
    """One feed of a run."""

    def __init__(self, plan: FeedPlan) -> None:
        self.plan = plan
        self._block_rows = max(1, min(BLOCK_ROWS, BLOCK_BYTES // max(plan.row_bytes, 1)))
        self._leases: dict[bytes, Lease] = {}
        self._fresh = 0
        """The first position that nobody has had."""
        self._back: deque[int] = deque()
        """Positions that came back."""
        self._handed_out = self._used = self._returned = self._unknown = self._ran_out = self._waited_ns = 0
        """Of leases that are settled; but `_handed_out` of all."""
        self._reserved: int | None = None
        """No unique row from here on is handed out; None: there is no record."""
        self._recorded = 0
        """How many rows had been handed out when the last record was made."""
        self._to_be_reserved = 0
        self._strays: set[bytes] = set()
        """Whose streams another controller has made longer than its last record says, maybe."""

    def __repr__(self) -> str:
        return f"<FeedState of {self.plan.name}, {self._fresh} handed out, {len(self._back)} came back, {self._leases}>"

    def want(self, holder: bytes, wanted: RowsWanted, workers: int) -> Block | None:
        """Let a stream grow as far as is wanted and there are rows, and say which rows of it the worker lacks. None:
        there are some, but none that a stored record has reserved; whoever wants them asks again."""
        lease = self._leases.setdefault(holder, Lease())
        if holder in self._strays:
            self._strays.discard(holder)
            self._catch_up(lease, min(max(wanted.received - lease.leased, 0), MOST_UNRECORDED))
        lease.acknowledge(wanted.taken)
        if wanted.received == lease.leased:
            up_to = wanted.received + wanted.waiting if self._is_ending(wanted, workers) else wanted.up_to
            unreserved = self._unreserved
            most = min(up_to - lease.leased, self._block_rows, self._fair_rows(workers), unreserved)
            if not unreserved and self._left > 0 and up_to > lease.leased:
                return None
            lease.kept.extend(self._next_position() for _ in range(most))
            self._handed_out += max(most, 0)
        return lease.from_number(wanted.received)

    def report(self, holder: bytes, use: FeedUse) -> None:
        """A worker's segment says how far it has used its stream."""
        lease = self._leases.get(holder)
        if lease is not None:
            lease.acknowledge(use.used)
            lease.ran_out = max(lease.ran_out, use.ran_out)
            lease.waited_ns = max(lease.waited_ns, use.waited_ns)

    def settle(self, holder: bytes, *, known: bool) -> None:
        """Nothing more comes from a worker. `known`: what it has not reported as used has not been used."""
        lease = self._leases.pop(holder, None)
        if lease is None:
            return
        self._used += lease.used
        self._ran_out += lease.ran_out
        self._waited_ns += lease.waited_ns
        if known or not self.plan.unique:
            self._back.extend(lease.kept)
            self._returned += len(lease.kept)
        else:
            self._unknown += len(lease.kept)

    def close(self) -> None:
        """The run is over: who has not said so by now has died."""
        for holder in list(self._leases):
            self.settle(holder, known=False)

    # --- for a controller that resumes the run -----------------------------------------------------------------------

    def record(self) -> FeedRecord:
        """How it stands; `recorded` is to follow, once that is on disk."""
        tenth = min(self.plan.rows // 10, MOST_RESERVE)
        ahead = max(LEAST_RESERVE, tenth, RESERVES * (self._handed_out - self._recorded))
        self._recorded, self._to_be_reserved = self._handed_out, self._fresh + ahead
        if self._reserved is None:
            self._reserved = self._to_be_reserved
        return FeedRecord(
            fresh=self._fresh,
            reserved=self._to_be_reserved,
            back=tuple(self._back),
            leases=tuple(
                LeaseRecord(holder, lease.used, tuple(lease.kept), lease.ran_out, lease.waited_ns)
                for holder, lease in self._leases.items()
            ),
            handed_out=self._handed_out,
            used=self._used,
            returned=self._returned,
            unknown=self._unknown,
            ran_out=self._ran_out,
            waited_ns=self._waited_ns,
        )

    def recorded(self) -> None:
        """The last record is on disk."""
        if self._reserved is not None:
            self._reserved = self._to_be_reserved

    def resume(self, record: FeedRecord) -> None:
        """Go on where another controller was. Rows of a unique feed that may have been handed out since are unknown."""
        self._fresh, self._back = record.fresh, deque(record.back)
        self._handed_out, self._used, self._returned = record.handed_out, record.used, record.returned
        self._unknown, self._ran_out, self._waited_ns = record.unknown, record.ran_out, record.waited_ns
        for one in record.leases:
            lease = self._leases[one.holder] = Lease()
            lease.used, lease.kept = one.used, deque(one.kept)
            lease.ran_out, lease.waited_ns = one.ran_out, one.waited_ns
            self._strays.add(one.holder)
        if self.plan.unique:
            reserved = max(record.reserved, record.fresh)
            reserved = reserved if self.plan.positions is None else min(reserved, self.plan.positions)
            doubtful = reserved - self._fresh + len(self._back)
            self._fresh, self._back = reserved, deque()
            self._handed_out += doubtful
            self._unknown += doubtful

    def _catch_up(self, lease: Lease, more: int) -> None:
        """A stream is by so much longer than the controller before had recorded: all of it counts as used."""
        if not more:
            return
        lease.used, lease.kept = lease.leased + more, deque()
        if self.plan.unique:
            self._unknown -= min(more, self._unknown)
            return
        for _ in range(more):
            self._next_position()
        self._handed_out += more

    @property
    def _unreserved(self) -> int:
        """How many rows may be handed out before there has to be another record."""
        if not self.plan.unique or self._reserved is None:
            return self._block_rows
        return max(self._reserved - self._fresh, 0) + len(self._back)

    def count(self) -> FeedCount:
        """What has become of its rows so far."""
        leases = self._leases.values()
        return FeedCount(
            name=self.plan.name,
            rows=self.plan.rows,
            handed_out=self._handed_out,
            used=self._used + sum(lease.used for lease in leases),
            returned=self._returned,
            unknown=self._unknown,
            ran_out=self._ran_out + sum(lease.ran_out for lease in leases),
            waited_s=(self._waited_ns + sum(lease.waited_ns for lease in leases)) / NS_PER_S,
        )

    def _fair_rows(self, workers: int) -> int:
        if self.plan.positions is None:
            return self._block_rows
        left = self._left
        return min(left, max(1, left // (2 * max(workers, 1))))

    def _is_ending(self, wanted: RowsWanted, workers: int) -> bool:
        stock = wanted.up_to - wanted.received - wanted.waiting
        return self.plan.positions is not None and self._left <= max(LAST_ROWS, LAST_STOCKS * stock * workers)

    @property
    def _left(self) -> int:
        """How many rows nobody has, of a feed that has an end."""
        return len(self._back) + (self.plan.positions or 0) - self._fresh

    def _next_position(self) -> int:
        if self._back:
            return self._back.popleft()
        self._fresh += 1
        return self._fresh - 1

    def check(self) -> None:
        """Raise AssertionError if rows were lost or doubled."""
        held = [position for lease in self._leases.values() for position in lease.kept]
        out = [*held, *self._back]
        assert len(out) == len(set(out))
        assert all(position < self._fresh for position in out)
        assert self.plan.positions is None or self._fresh <= self.plan.positions
        count = self.count()
        assert count.handed_out == count.used + count.returned + count.unknown + len(held)
        assert self._fresh == count.used + count.unknown + len(out)


class Feeds:
    """All feeds of a run."""

    def __init__(self, plans: Sequence[FeedPlan]) -> None:
        self._states = tuple(map(FeedState, plans))

    def __repr__(self) -> str:
        return f"<Feeds {list(self._states)}>"

    def plan_of(self, number: int) -> FeedPlan | None:
        """The plan of a feed; None where no feed has that number."""
        return self._states[number].plan if 0 <= number < len(self._states) else None

    def want(self, holder: bytes, wanted: RowsWanted, workers: int) -> Block | None:
        """What a worker gets that wants rows of a feed; None: nothing just now."""
        return self._states[wanted.feed].want(holder, wanted, workers)

    def report(self, holder: bytes, uses: Iterable[FeedUse]) -> None:
        """A worker's segment says what it has used."""
        for use in uses:
            if self.plan_of(use.feed) is not None:
                self._states[use.feed].report(holder, use)

    def settle(self, holder: bytes, *, known: bool) -> None:
        """Nothing more comes from a worker."""
        for state in self._states:
            state.settle(holder, known=known)

    def close(self) -> None:
        """The run is over."""
        for state in self._states:
            state.close()

    def record(self) -> tuple[FeedRecord, ...]:
        """How they stand, for the store."""
        return tuple(state.record() for state in self._states)

    def recorded(self) -> None:
        """The last record is on disk."""
        for state in self._states:
            state.recorded()

    def resume(self, records: Iterable[FeedRecord]) -> None:
        """Go on where another controller was."""
        for state, record in zip(self._states, records, strict=True):
            state.resume(record)

    def counts(self) -> tuple[FeedCount, ...]:
        """What has become of all rows so far."""
        return tuple(state.count() for state in self._states)

    def check(self) -> None:
        """Raise AssertionError if rows were lost or doubled."""
        for state in self._states:
            state.check()
