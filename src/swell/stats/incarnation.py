"""One incarnation of a worker as its reports tell: applied once each and in the order of their numbers.

A segment names series and errors when they first appear, so one that overtook its predecessor is held until that
has come. A gap that never closes is passed over by `flush`, and what comes for it even later is still applied.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from swell.result import WorkerResult
from swell.segment import (
    BEYOND,
    FIRST_SEQUENCE,
    MEASURES_BEYOND,
    MEASURES_FROM,
    TALLY_SERIES_SHIFT,
    Counters,
    ScenarioCount,
    SecondBlock,
    Segment,
    TraceSeen,
)
from swell.stats.health_history import KEPT_SPANS, HealthHistory
from swell.stats.journal import Worker, WorkerJournal, WorkerNumbers, WorkerState
from swell.stats.per_second import PerSecond

if TYPE_CHECKING:
    from swell.stats.reported import Numbering

FARTHEST_AHEAD = 100_000
"""A segment cannot overtake more others than this: over a day of them."""
STAGGER = 64
"""Into so many groups workers are put by how much of their health is kept."""
KEPT_CHUNKS = 11
"""So many minutes of the calls of each second of each worker are kept at least: ten whole ones."""


class Arrivals:
    """Which segments have come, and which are still to be applied."""

    def __init__(self) -> None:
        self._next = FIRST_SEQUENCE
        self._held: dict[int, Segment] = {}
        self._passed_over: set[int] = set()

    def __repr__(self) -> str:
        return f"<Arrivals up to {self._next - 1}, {len(self._held)} held, {len(self._passed_over)} passed over>"

    def plausible(self, sequence: int) -> bool:
        """Whether a segment may have this number: a first one, or one not too far ahead of what has come."""
        return FIRST_SEQUENCE <= sequence < self._next + FARTHEST_AHEAD

    def seen(self, sequence: int) -> bool:
        """Whether this number has come before."""
        if sequence < self._next:
            return sequence not in self._passed_over
        return sequence in self._held

    def offer(self, segment: Segment) -> Iterator[Segment]:
        """Take a segment in and give out those whose turn has come."""
        if segment.sequence in self._passed_over:
            self._passed_over.remove(segment.sequence)
            yield segment
            return
        self._held[segment.sequence] = segment
        while self._next in self._held:
            self._next += 1
            yield self._held.pop(self._next - 1)

    def flush(self) -> Iterator[Segment]:
        """Give out all that are held, passing over the gaps."""
        for sequence in sorted(self._held):
            self._passed_over.update(range(self._next, sequence))
            self._next = sequence + 1
            yield self._held.pop(sequence)

    @property
    def next(self) -> int:
        """All before this number have been applied, but for those that were passed over."""
        return self._next

    @property
    def passed_over(self) -> tuple[int, ...]:
        """The numbers that have not come."""
        return tuple(sorted(self._passed_over))

    @property
    def held(self) -> tuple[Segment, ...]:
        """Those whose turn has not come."""
        return tuple(self._held.values())

    @classmethod
    def restore(cls, journal: WorkerJournal) -> Arrivals:
        """The arrivals as they were when the journal was taken."""
        restored = cls()
        restored._next = journal.state.next_sequence
        restored._held = {segment.sequence: segment for segment in journal.held}
        restored._passed_over = set(journal.state.passed_over)
        return restored

    @property
    def missing(self) -> int:
        """How many numbers were passed over and have not come since."""
        return len(self._passed_over)

    def check(self) -> None:
        """Raise AssertionError if a segment is held whose turn has come."""
        assert all(sequence > self._next for sequence in self._held)
        assert all(sequence < self._next for sequence in self._passed_over)


class Incarnation:
    """What is known of one incarnation of a worker."""

    def __init__(self, worker: int, incarnation: int) -> None:
        self.worker = worker
        self.incarnation = incarnation
        self.host = ""
        self.capacity = 1.0
        self.joined_s = 0.0
        self.arrivals = Arrivals()
        self.series = [0]
        """The run's number of each of the worker's series, and of its errors below."""
        self.errors = [0]
        self.measures = [MEASURES_BEYOND]
        """The run's number of the worker's measure MEASURES_FROM and each further one."""
        self.numbering: Numbering | None = None
        """The same as arrays, once they are needed and until something is named."""
        self.counters = Counters()
        self.reported_s = 0.0
        self.lost_at_s: float | None = None
        self.lost_because = ""
        self.final = False
        self.recovered = False
        self.left_s: float | None = None
        self.taken_over_s: float | None = None
        self.calls = 0
        self.users_most = 0
        self.arrived = 0
        self.health = HealthHistory()
        self._latest = 0
        self._covered = 0
        self._last_position = 0
        self._calls = PerSecond()
        self._numbers: WorkerNumbers | None = None
        self._result: WorkerResult | None = None
        """As it was given out last, until something changes."""

    def __repr__(self) -> str:
        state = f"lost at {self.lost_at_s:g} s" if self.lost_at_s is not None else "ended" if self.final else "running"
        return f"<Incarnation {self.worker}.{self.incarnation}, {state}, {self.arrivals!r}>"

    @property
    def gone(self) -> bool:
        """No further report is expected from the worker itself."""
        return self.final or self.lost_at_s is not None

    def introduce(self, host: str, capacity: float, at_s: float) -> None:
        """Where it runs, what it can carry and since when it is there."""
        self._result = None
        self.host, self.capacity = host, capacity
        if not self._latest:
            self.joined_s = self.reported_s = at_s

    def carries(self, capacity: float) -> None:
        """What it can carry has been measured."""
        self._result = None
        self.capacity = capacity

    def lose(self, at_s: float, because: str) -> None:
        """It will go on no more."""
        self._result = None
        self.lost_at_s, self.lost_because = at_s, because

    def leave(self, at_s: float) -> None:
        """It has handed over all that it had, and goes."""
        self._result = None
        self.left_s = at_s

    def be_taken_over(self, at_s: float) -> None:
        """It was lost, and others have all that it had."""
        self._result = None
        self.taken_over_s = at_s

    def take(self, segment: Segment, spans: int = KEPT_SPANS) -> None:
        """Take over what a segment says of the worker itself, and keep about so many spans of how it fared.

        Not all workers have the same number: each time that one's are joined, the store writes all of them anew.
        """
        self._result = None
        self.health.cap = spans - spans * (self.worker % STAGGER) // (4 * STAGGER)
        self._covered += segment.to_position - segment.from_position
        self._last_position = max(self._last_position, segment.to_position)
        self.final |= segment.final
        self.recovered |= segment.recovered
        if segment.sequence > self._latest:
            self._latest = segment.sequence
            self.counters = segment.counters
            self._take_users(segment.scenarios)
            if not segment.recovered:
                self.health.add(self.reported_s, segment.sealed_s, segment.health)
            self.reported_s = max(self.reported_s, segment.sealed_s)

    def _take_users(self, counts: tuple[ScenarioCount, ...]) -> None:
        if counts:
            self.users_most = max(self.users_most, sum(max(count.users, count.most_users) for count in counts))
            self.arrived = sum(count.arrived for count in counts)

    def name_series(self, local: int, number: int) -> None:
        """The worker's series or measure `local` is the run's `number`."""
        self.numbering = self._numbers = None
        if local < MEASURES_FROM:
            _put(self.series, local, number, BEYOND)
        else:
            _put(self.measures, local - MEASURES_FROM, number, MEASURES_BEYOND)

    def name_error(self, local: int, number: int) -> None:
        """The worker's error `local` is the run's `number`."""
        self.numbering = self._numbers = None
        _put(self.errors, local, number, BEYOND)

    def series_number(self, local: int) -> int:
        """The run's number of one of the worker's series; (other) where it has not been named."""
        return self.series[local] if 0 <= local < len(self.series) else BEYOND

    def error_number(self, local: int) -> int:
        """The run's number of one of the worker's errors; (other) where it has not been named."""
        return self.errors[local] if 0 <= local < len(self.errors) else BEYOND

    def renumbered(self, seen: TraceSeen) -> TraceSeen:
        """A trace with the run's own numbers for its series and error."""
        series, error = self.series_number(seen.series), self.error_number(seen.error)
        return msgspec.structs.replace(seen, series=series, error=error)

    def count_calls(self, block: SecondBlock) -> None:
        """Add to the worker's calls of a second; those of long ago are no longer told apart."""
        end = bisect_left(memoryview(block.tally_keys).cast("Q"), MEASURES_FROM << TALLY_SERIES_SHIFT)
        calls = sum(memoryview(block.tally_counts).cast("I")[:end])
        self._result = None
        self.calls += calls
        self._calls.add(block.second, calls)
        self._calls.keep_latest(KEPT_CHUNKS)

    def result(self) -> WorkerResult:
        """The incarnation as a part of the run's result."""
        if self._result is None:
            self._result = self._made_result()
        return self._result

    def _made_result(self) -> WorkerResult:
        return WorkerResult(
            worker=self.worker,
            incarnation=self.incarnation,
            host=self.host,
            capacity=self.capacity,
            joined_s=self.joined_s,
            reported_s=self.reported_s,
            lost_at_s=self.lost_at_s,
            lost_because=self.lost_because,
            final=self.final,
            recovered=self.recovered,
            left_s=self.left_s,
            taken_over_s=self.taken_over_s,
            calls=self.calls,
            users_most=self.users_most,
            arrived=self.arrived,
            counters=self.counters,
            calls_missing=max(self._last_position - self._covered, 0),
            reports_missing=self.arrivals.missing,
            calls_per_s=self._calls.pairs(),
            health=self.health.spans(),
        )

    def journal(self, scenarios: tuple[ScenarioCount, ...], last_second: int | None) -> WorkerJournal:
        """All that is known of it; its users are the population's."""
        if self._numbers is None:
            self._numbers = WorkerNumbers(tuple(self.series), tuple(self.errors), tuple(self.measures))
        state = WorkerState(
            host=self.host,
            capacity=self.capacity,
            joined_s=self.joined_s,
            reported_s=self.reported_s,
            lost_at_s=self.lost_at_s,
            lost_because=self.lost_because,
            final=self.final,
            recovered=self.recovered,
            left_s=self.left_s,
            taken_over_s=self.taken_over_s,
            calls=self.calls,
            users_most=self.users_most,
            arrived=self.arrived,
            counters=self.counters,
            scenarios=scenarios,
            last_second=last_second,
            latest=self._latest,
            next_sequence=self.arrivals.next,
            passed_over=self.arrivals.passed_over,
            covered=self._covered,
            last_position=self._last_position,
        )
        return WorkerJournal(
            state=state,
            numbers=self._numbers,
            held=self.arrivals.held,
            health=self.health.spans(),
            thinned=self.health.thinned,
            calls=self._calls.chunks(),
        )

    @classmethod
    def restore(cls, worker: Worker, journal: WorkerJournal) -> Incarnation:
        """The incarnation as it was when the journal was taken."""
        restored, state = cls(*worker), journal.state
        restored.introduce(state.host, state.capacity, state.joined_s)
        restored.arrivals = Arrivals.restore(journal)
        restored.series, restored.errors = list(journal.numbers.series), list(journal.numbers.errors)
        restored.measures = list(journal.numbers.measures)
        restored.counters, restored.reported_s = state.counters, state.reported_s
        restored.lost_at_s, restored.lost_because = state.lost_at_s, state.lost_because
        restored.final, restored.recovered = state.final, state.recovered
        restored.left_s, restored.taken_over_s = state.left_s, state.taken_over_s
        restored.calls, restored.users_most, restored.arrived = state.calls, state.users_most, state.arrived
        restored.health = HealthHistory.restore(journal.health, journal.thinned)
        restored._latest, restored._covered = state.latest, state.covered
        restored._last_position = state.last_position
        restored._calls = PerSecond(journal.calls)
        return restored

    def check(self) -> None:
        """Raise AssertionError if anything disagrees with itself."""
        self.arrivals.check()
        assert self._covered <= self._last_position
        assert self.joined_s <= self.reported_s


def _put(numbers: list[int], local: int, number: int, unnamed: int) -> None:
    numbers.extend([unnamed] * (local + 1 - len(numbers)))
    numbers[local] = number
