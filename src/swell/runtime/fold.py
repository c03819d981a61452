"""Folds the ring's records into segments: every record into exactly one, the one that covers its position.

`Seconds` keeps what has been folded and not sealed; `Folder` moves along the ring of a living worker. `recover.py`
does the same with what a dead one left behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec
import numpy as np

from swell.clock import NS_PER_S
from swell.runtime.layout import MEASURED, RAISED, TRACED
from swell.runtime.names import Frame, KeptSample, NamedError, NamedException, NamedSeries
from swell.runtime.reduce import (
    CODES,
    DONE,
    ERROR_SHIFT,
    I64,
    LAG,
    OUTCOME_SHIFT,
    WORDS,
    Batch,
    pack_second,
    reduce_batch,
)
from swell.runtime.reduce_measures import reduce_measures
from swell.runtime.ring import Ring
from swell.runtime.traced import FoldedTraces
from swell.segment import (
    FIRST_SEQUENCE,
    ErrorSample,
    ErrorSamples,
    ErrorText,
    ExceptionCount,
    Health,
    ScenarioCount,
    SecondBlock,
    Segment,
    SeriesName,
    TraceSeen,
)

LAST_SECOND = (1 << 31) - 1
RECORDS_AT_ONCE = 8_192
"""Larger batches leave the processor's caches."""


class Seconds:
    """Records by the second of the run in which their calls were done."""

    def __init__(self, begin_ns: int, keep_records: bool = False) -> None:
        self._begin_ns = begin_ns
        self._kept: list[bytes] | None = [] if keep_records else None
        self._batches: dict[int, list[Batch]] = {}
        self._raised: Counter[int] = Counter()
        self._lags: list[I64] = []
        self._traces = FoldedTraces(begin_ns)

    def __repr__(self) -> str:
        return f"<Seconds: {', '.join(map(str, sorted(self._batches)))}>"

    def add(self, records: I64) -> None:
        """Fold records, rows of WORDS words."""
        others = records[:, CODES] & (RAISED | MEASURED | TRACED) << OUTCOME_SHIFT != 0
        if others.any():
            self._add_others(records[others])
            records = records[~others]
        if self._kept is not None and len(records):
            self._keep(self._kept, records)
        for at in range(0, len(records), RECORDS_AT_ONCE):
            self._add_calls(records[at : at + RECORDS_AT_ONCE])

    def _keep(self, kept: list[bytes], records: I64) -> None:
        """The records themselves, done in ns of the run."""
        copied = records.copy()
        copied[:, DONE] -= self._begin_ns
        kept.append(copied.tobytes())

    def _add_calls(self, records: I64) -> None:
        done_ns = records[:, DONE]
        ends = np.array([done_ns.min(), done_ns.max()])
        first, last = self._second_of(ends).tolist()
        if first == last:
            self._batches.setdefault(first, []).append(reduce_batch(records))
        else:
            seconds = self._second_of(done_ns)
            for second in np.unique(seconds).tolist():
                self._batches.setdefault(second, []).append(reduce_batch(records[seconds == second]))
        lags = records[:, LAG]
        if lags.max() >= 0:
            self._lags.append(lags[lags >= 0])

    def _add_others(self, records: I64) -> None:
        """Exceptions of user code, values of the script's own measures, and trace ids."""
        raised, traced, measured = (
            records[records[:, CODES] & mark << OUTCOME_SHIFT != 0] for mark in (RAISED, TRACED, MEASURED)
        )
        self._raised.update((raised[:, CODES] >> ERROR_SHIFT & 0xFFFF).tolist())
        if len(traced):
            self._traces.add(traced)
        seconds = self._second_of(measured[:, DONE])
        for second in np.unique(seconds).tolist():
            batch = reduce_measures(measured[seconds == second], self._begin_ns)
            self._batches.setdefault(second, []).append(batch)

    def _second_of(self, done_ns: I64) -> I64:
        return np.clip((done_ns - self._begin_ns) // NS_PER_S, 0, LAST_SECOND)

    def take(self) -> tuple[SecondBlock, ...]:
        """All calls since the last time, packed, in order of their seconds."""
        batches, self._batches = self._batches, {}
        return tuple(pack_second(second, batches[second]) for second in sorted(batches))

    def take_records(self) -> bytes:
        """Every call since the last time by itself, if they are to be kept."""
        if not self._kept:
            return b""
        kept, self._kept = self._kept, []
        return b"".join(kept)

    def take_raised(self) -> dict[int, int]:
        """How often each exception was raised since the last time."""
        raised, self._raised = self._raised, Counter()
        return dict(raised)

    def take_traces(self) -> tuple[TraceSeen, ...]:
        """The trace ids worth keeping since the last time."""
        return self._traces.take()

    def take_lags_ms(self) -> tuple[float, float]:
        """Median and 99th percentile of the lag of planned starts since the last time; 0 when there was none."""
        lags, self._lags = self._lags, []
        if not lags:
            return 0.0, 0.0
        median, high = np.quantile(np.concatenate(lags), (0.5, 0.99))
        return float(median) / 1e6, float(high) / 1e6


class Folder:
    """Folds the ring of a living worker, whenever a batch of it is full and when a segment is sealed."""

    def __init__(
        self, ring: Ring, *, run: str, worker: int, incarnation: int, begin_ns: int, keep_records: bool = False
    ) -> None:
        self._ring = ring
        self._identity = run, worker, incarnation
        self._begin_ns = begin_ns
        self._seconds = Seconds(begin_ns, keep_records)
        self._records: I64 = np.frombuffer(ring.slots, dtype=np.int64).reshape(-1, WORDS)
        self._exceptions: dict[int, NamedException] = {}
        self._sequence = FIRST_SEQUENCE
        self._sealed_to = 0
        ring.on_batch = self.fold

    def __repr__(self) -> str:
        return f"<Folder, sealed to {self._sealed_to}, next segment {self._sequence}>"

    @property
    def unsealed(self) -> int:
        """How many records no segment covers yet; over `ring.capacity`, a SIGKILL would lose the oldest."""
        return self._ring.head - self._sealed_to

    def fold(self) -> None:
        """Fold all that has been recorded, and give its room in the ring back."""
        ring = self._ring
        at, head, capacity = ring.folded, ring.head, ring.capacity
        while at < head:
            slot = at % capacity
            count = min(head - at, capacity - slot)
            self._seconds.add(self._records[slot : slot + count])
            at += count
        ring.folded = head

    def seal(
        self,
        now_ns: int,
        *,
        scenarios: tuple[ScenarioCount, ...] = (),
        health: Health | None = None,
        final: bool = False,
    ) -> Segment:
        """The next segment: all that was recorded since the last one. Schedule lag is added to `health`."""
        self.fold()
        head = self._ring.folded
        names = sort_names(self._ring.take_names(head + 1 if final else head), self._exceptions)
        lag_p50_ms, lag_p99_ms = self._seconds.take_lags_ms()
        health = msgspec.structs.replace(
            health or Health(), schedule_lag_p50_ms=lag_p50_ms, schedule_lag_p99_ms=lag_p99_ms
        )
        run, worker, incarnation = self._identity
        segment = Segment(
            run=run,
            worker=worker,
            incarnation=incarnation,
            sequence=self._sequence,
            from_position=self._sealed_to,
            to_position=head,
            sealed_s=(now_ns - self._begin_ns) / NS_PER_S,
            seconds=self._seconds.take(),
            records=self._seconds.take_records(),
            series=names.series,
            errors=names.errors,
            error_samples=names.samples,
            exceptions=count_exceptions(self._seconds.take_raised(), self._exceptions),
            traces=self._seconds.take_traces(),
            counters=self._ring.counters(),
            scenarios=scenarios,
            health=health,
            final=final,
        )
        self._sequence += 1
        self._sealed_to = head
        return segment

    def close(self) -> None:
        """Let go of the ring, which can be closed then."""
        self._ring.on_batch = None
        self._records = np.empty((0, WORDS), dtype=np.int64)

    def check(self) -> None:
        """Raise AssertionError if folder and ring disagree."""
        assert self._sealed_to <= self._ring.folded <= self._ring.head


class Names(msgspec.Struct, frozen=True):
    """Frames of the names file as a segment holds them."""

    series: tuple[SeriesName, ...]
    errors: tuple[ErrorText, ...]
    samples: tuple[ErrorSamples, ...]


def sort_names(frames: Iterable[Frame], exceptions: dict[int, NamedException]) -> Names:
    """What was named; exceptions are added to the given ones, since later segments count them again."""
    series, errors = [], []
    samples: dict[tuple[int, int], list[ErrorSample]] = {}
    for frame in frames:
        match frame:
            case NamedSeries():
                series.append(
                    SeriesName(frame.number, frame.scenario, frame.method, frame.name, frame.sort, frame.tags)
                )
            case NamedError():
                errors.append(ErrorText(frame.number, frame.text))
            case NamedException():
                exceptions[frame.number] = frame
            case KeptSample():
                samples.setdefault((frame.series, frame.error), []).append(frame.sample)
    return Names(
        tuple(series),
        tuple(errors),
        tuple(ErrorSamples(series, error, tuple(kept)) for (series, error), kept in samples.items()),
    )


def count_exceptions(raised: dict[int, int], exceptions: dict[int, NamedException]) -> tuple[ExceptionCount, ...]:
    """Counts of exceptions by number as a segment holds them."""
    return tuple(
        ExceptionCount(exceptions[number].message, exceptions[number].traceback, count)
        for number, count in sorted(raised.items())
        if number in exceptions
    )
