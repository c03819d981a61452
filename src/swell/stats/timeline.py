"""The counts of a run in order of time, in blocks of a second, and all of them together.

What workers report is collected and added up once in a while (`settle`), many workers at a time. Seconds of over an
hour ago are joined to blocks of 10 s, of over 8 hours to 60 s, of over a day to 600 s; sooner where they take too much
room, packed as they are: 50 series at 5,000 calls a second never do, 1,000 series at 10,000 do after the first hour.
"""

from __future__ import annotations

from bisect import bisect_right

from swell.result import Block, ErrorSeen
from swell.segment import BEYOND, MEASURES_BEYOND, Outcome, SecondBlock
from swell.stats import counts, packed, reported
from swell.stats.journal import MergeJournal
from swell.stats.packed import Tables
from swell.stats.reported import Numbering

SETTLE_KEYS = 500_000
"""Of each second that something waits for: to touch one has its price, and reports that come late are of many."""
SETTLE_SECONDS = 10
ERROR_ROWS_CAP = 10_000
KEPT_BYTES = 256_000_000
HORIZON_S = 3_600
LEAST_HORIZON_S = 60
ADDED_AT_ONCE = 60
"""Blocks, when all are to be added up again: more would take more room than time."""
WIDTHS_S = ((1, 10), (8, 60), (24, 600))
"""Beyond how many horizons a block is how wide."""

NOTHING = packed.unpack(Block(0, 0))


class Timeline:
    """Owns the blocks of a run. Everything it gives out is settled first."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._waiting: dict[int, list[tuple[SecondBlock, Numbering]]] = {}
        self._waiting_keys = 0
        self._blocks: list[Block] = []
        self._whole = NOTHING
        self._errors: dict[tuple[int, int], ErrorSeen] = {}
        self._kept_bytes = kept_bytes
        self._bytes = 0
        self._horizon_s = HORIZON_S

    def __repr__(self) -> str:
        return f"<Timeline of {len(self._blocks)} blocks, {self._bytes} bytes, {self._waiting_keys} keys to settle>"

    def add(self, block: SecondBlock, numbers: Numbering) -> None:
        """Take in what one worker counted in a second of the run."""
        self._waiting.setdefault(block.second, []).append((block, numbers))
        self._waiting_keys += len(block.hist_keys) // 4
        if self._waiting_keys > max(
            SETTLE_KEYS * min(len(self._waiting), SETTLE_SECONDS), 2 * len(self._whole.hist.keys)
        ):
            self.settle()

    def settle(self) -> None:
        """Add up what has been taken in."""
        waiting, self._waiting, self._waiting_keys = self._waiting, {}, 0
        settled = {second: packed.add([reported.read(parts)]) for second, parts in sorted(waiting.items())}
        for second, tables in settled.items():
            self._note_errors(second, tables)
            self._put(second, tables)
        if settled:
            self._whole = packed.add([self._whole, *settled.values()])
            self._widen()

    @classmethod
    def restore(cls, journal: MergeJournal) -> Timeline:
        """The timeline as it was when the journal was taken."""
        restored = cls()
        restored._blocks = list(journal.blocks)
        restored._bytes = sum(map(size_of, journal.blocks))
        restored._errors = {(seen.series, seen.error): seen for seen in journal.errors_seen}
        restored._horizon_s = journal.state.horizon_s or HORIZON_S
        for start in range(0, len(journal.blocks), ADDED_AT_ONCE):
            more = map(packed.unpack, journal.blocks[start : start + ADDED_AT_ONCE])
            restored._whole = packed.add([restored._whole, *more])
        return restored

    @property
    def horizon_s(self) -> int:
        """Blocks of longer ago than this are joined."""
        return self._horizon_s

    def blocks(self) -> tuple[Block, ...]:
        """All blocks, in order of time."""
        self.settle()
        return tuple(self._blocks)

    def whole(self) -> Block:
        """Everything together."""
        self.settle()
        return packed.pack_plain(0, self._blocks[-1].to_s if self._blocks else 0, self._whole)

    def beyond(self) -> tuple[int, int, int]:
        """How many calls, failures and values of measures lie beyond the caps, under (other)."""
        self.settle()
        measured = counts.measure_tallies(self._whole)
        rows = counts.tallies(self._whole)
        calls = sum(row.count for row in rows if row.series == BEYOND)
        failures = sum(row.count for row in rows if row.outcome & Outcome.FAILED and row.error == BEYOND)
        return calls, failures, sum(row.count for row in measured if row.series == MEASURES_BEYOND)

    def errors_seen(self) -> tuple[ErrorSeen, ...]:
        """Every error of every series."""
        self.settle()
        return tuple(self._errors.values())

    def _put(self, second: int, tables: Tables) -> None:
        place = bisect_right(self._blocks, second, key=lambda block: block.from_s)
        if place and second < self._blocks[place - 1].to_s:
            old = self._blocks[place - 1]
            new = packed.pack(old.from_s, old.to_s, packed.add([packed.unpack(old), tables]))
            self._blocks[place - 1] = new
            self._bytes += size_of(new) - size_of(old)
        else:
            new = packed.pack(second, second + 1, tables)
            self._blocks.insert(place, new)
            self._bytes += size_of(new)

    def _note_errors(self, second: int, tables: Tables) -> None:
        for series, error, count in counts.failures(tables):
            if (series, error) not in self._errors and len(self._errors) >= ERROR_ROWS_CAP:
                error = BEYOND
            seen = self._errors.get((series, error), ErrorSeen(series, error, 0, float(second), float(second)))
            first_s, last_s = min(seen.first_s, float(second)), max(seen.last_s, float(second))
            self._errors[series, error] = ErrorSeen(series, error, seen.count + count, first_s, last_s)

    def _widen(self) -> None:
        """Join old blocks to wider ones; halve how long ago is old while there is too little room."""
        self._widen_to(self._horizon_s)
        while self._bytes > self._kept_bytes and self._horizon_s > LEAST_HORIZON_S:
            self._horizon_s //= 2
            self._widen_to(self._horizon_s)

    def _widen_to(self, horizon_s: int) -> None:
        now_s = self._blocks[-1].to_s
        for horizons, width_s in WIDTHS_S:
            old_before_s = (now_s - horizons * horizon_s) // width_s * width_s
            self._join(old_before_s, width_s)

    def _join(self, before_s: int, width_s: int) -> None:
        narrow = [block for block in self._blocks if block.to_s <= before_s and block.to_s - block.from_s < width_s]
        if not narrow:
            return
        groups: dict[int, list[Block]] = {}
        for block in narrow:
            groups.setdefault(block.from_s // width_s * width_s, []).append(block)
        joined = [
            packed.pack(from_s, from_s + width_s, packed.add([packed.unpack(block) for block in group]))
            for from_s, group in groups.items()
        ]
        gone = {block.from_s for block in narrow}
        kept = [block for block in self._blocks if block.from_s not in gone]
        self._blocks = sorted(kept + joined, key=lambda block: block.from_s)
        self._bytes = sum(map(size_of, self._blocks))

    def check(self) -> None:
        """Raise AssertionError if blocks overlap or do not add up to the whole."""
        assert all(one.to_s <= other.from_s for one, other in zip(self._blocks, self._blocks[1:], strict=False))
        assert self._bytes == sum(map(size_of, self._blocks))
        summed = packed.add([packed.unpack(block) for block in self._blocks])
        assert packed.pack(0, 0, summed) == packed.pack(0, 0, self._whole)


def size_of(block: Block) -> int:
    """How many bytes the counts of a block take."""
    return len(block.counts)
