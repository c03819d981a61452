"""The ring: what a worker measures goes into a mapped file, so that a SIGKILL loses no call that had been recorded.

`record` and the counts of exchanges are on the hot path of every request. They keep their state as ints beside the
mapped file and only store into it: a record by one `pack_into` whose last byte commits it (`layout`), a count by one
8-byte store. The position of the next record is not stored, since the lap bytes tell it; FLOOR in the header follows
once a batch.

A batch (4,096 records that nobody has folded) calls `on_batch`, which folds and then sets `folded`. Should nobody
fold, the newest records are dropped and counted once the ring is full. `names` holds what the numbers stand for.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

from swell.errors import RunFailed
from swell.runtime import shared_file
from swell.runtime.layout import (
    HEADER_BYTES,
    LAPS,
    MAGIC,
    MEASURED,
    NAMES_FILE,
    RAISED,
    RECORD,
    RECORD_BYTES,
    RING_FILE,
    TRACED,
    Head,
    counter_index,
    read_counters,
)
from swell.runtime.measures import columns_of
from swell.runtime.names import Frame
from swell.runtime.numbering import Numbering
from swell.segment import Counters, ErrorSample, Sort

CAPACITY = 131_072
"""Two seconds at 65,000 calls/s: a record must still be there until its segment is spooled, once a second."""
BATCH = 4_096
NAMES_BYTES = 4 << 20
FILES_BYTES = HEADER_BYTES + CAPACITY * RECORD_BYTES + NAMES_BYTES
"""What one worker reserves."""

_SENT = counter_index("sent")
_ANSWERED = counter_index("answered")
_UNANSWERED = counter_index("unanswered")
_NOT_SENT = counter_index("not_sent")
_RETRIED = counter_index("retried")
_REDIRECTED = counter_index("redirected")
_UNSTAMPED = counter_index("unstamped")
_WINDOW_LIMITED = counter_index("window_limited")
_SAMPLES_LOST = counter_index("samples_lost")
_OUTPUT_LOST = counter_index("output_lost")
_VALUES_REFUSED = counter_index("values_refused")


class Ring:
    """Recorder and Traffic of one worker process, in the files `ring` and `names` of `directory`."""

    __slots__ = ("_answered", "_batch", "_buffer", "_capacity", "_end", "_errors", "_header", "_lap", "_lap_start",
                 "_limit", "_measures", "_numbering", "_offset", "_pack", "_sent", "_series", "folded",
                 "on_batch")  # fmt: skip

    def __init__(
        self,
        directory: Path,
        capacity: int = CAPACITY,
        batch: int = BATCH,
        names_bytes: int = NAMES_BYTES,
        hide: Callable[[str], str] = str,
    ) -> None:
        """`hide` takes out of a text what nobody may see."""
        if not 0 < batch <= capacity:
            raise RunFailed(f"a ring of {capacity} records cannot be folded {batch} at a time")
        self._buffer = shared_file.create(directory / RING_FILE, HEADER_BYTES + capacity * RECORD_BYTES)
        self._header = shared_file.counters_of(self._buffer, HEADER_BYTES)
        self._numbering = Numbering(directory / NAMES_FILE, names_bytes, self._header, hide)
        self._series = self._numbering.series_numbers
        self._errors = self._numbering.error_numbers
        self._measures = self._numbering.measure_numbers
        self._header[Head.CAPACITY] = capacity
        self._header[Head.MAGIC] = MAGIC
        self._pack = RECORD.pack_into
        self._capacity = capacity
        self._batch = batch
        self._offset = HEADER_BYTES
        self._end = HEADER_BYTES + capacity * RECORD_BYTES
        self._limit = HEADER_BYTES + batch * RECORD_BYTES
        self._lap = 1
        self._lap_start = 0
        self._sent = 0
        self._answered = 0
        self.folded = 0
        """Every record below this position has been folded, and its slot may be used again."""
        self.on_batch: Callable[[], None] | None = None
        """Folds what has been recorded and sets `folded`. Runs inside `record`, so it must not let others run."""

    def __repr__(self) -> str:
        return f"<Ring at {self.head}, folded to {self.folded}, {self._capacity} slots>"

    @property
    def head(self) -> int:
        """The position of the next record: as many have been recorded."""
        return self._lap_start + (self._offset - HEADER_BYTES) // RECORD_BYTES

    @property
    def capacity(self) -> int:
        """How many records the ring holds."""
        return self._capacity

    @property
    def slots(self) -> memoryview:
        """The records as bytes, slot after slot. Whoever keeps it must let go of it before `close`."""
        return memoryview(self._buffer)[HEADER_BYTES:]

    def begin(self, begin_ns: int) -> None:
        """The run's zero, for whoever reads the ring if this process dies."""
        self._header[Head.BEGIN_NS] = begin_ns

    # --- Recorder ----------------------------------------------------------------------------------------------------

    def record(
        self,
        done_ns: int,
        service_ns: int,
        response_ns: int,
        first_byte_ns: int,
        connect_ns: int,
        lag_ns: int,
        bytes_out: int,
        bytes_in: int,
        series: int,
        error: int,
        status: int,
        outcome: int,
    ) -> None:
        """Record one call; once this returns, a SIGKILL cannot undo it. Numbers that do not fit are a lost sample."""
        offset = self._offset
        if offset == self._limit:
            offset = self._make_room()
            if not offset:
                return
        try:
            self._pack(self._buffer, offset, done_ns, service_ns, response_ns, first_byte_ns, connect_ns, lag_ns,
                       bytes_out, bytes_in, series, error, status, outcome, self._lap)  # fmt: skip
        except struct.error:
            self._header[_SAMPLES_LOST] += 1
            return
        self._offset = offset + RECORD_BYTES

    def _make_room(self) -> int:
        """Where the next record goes, at the end of a batch or of the file; 0 when the ring is full."""
        if self._offset == self._end:
            self._lap_start += self._capacity
            self._lap = self._lap % LAPS + 1
            self._offset = self._limit = HEADER_BYTES
        head = self.head
        self._header[Head.FLOOR] = head
        if self.on_batch is not None and head - self.folded >= self._batch:
            self.on_batch()
        unfolded = head - self.folded
        if unfolded >= self._capacity:
            self._header[_SAMPLES_LOST] += 1
            return 0
        room = self._batch - unfolded if unfolded < self._batch else min(self._batch, self._capacity - unfolded)
        self._limit = min(self._end, self._offset + room * RECORD_BYTES)
        return self._offset

    def series(self, scenario: str, method: str, name: str, tags: str = "") -> int:
        """The number of a series, given out on first use; `BEYOND` when there are too many."""
        number = self._series.get((scenario, method, name, tags) if tags else (scenario, method, name))
        return number if number is not None else self._numbering.new_series(self.head, scenario, method, name, tags)

    def error(self, text: str) -> int:
        """The number of an error text, given out on first use; `BEYOND` when there are too many."""
        number = self._errors.get(text)
        return number if number is not None else self._numbering.new_error(self.head, text)

    def wants_sample(self, series: int, error: int) -> bool:
        """Whether a sample of this error of this series is still wanted."""
        return self._numbering.wants_sample(series, error)

    def sample(self, series: int, error: int, sample: ErrorSample) -> None:
        """Keep what a failed call looked like."""
        self._numbering.sample(self.head, series, error, sample)

    def exception(self, message: str, traceback: str) -> None:
        """Count an exception raised by user code."""
        number = self._numbering.exception(self.head, message, traceback)
        if number:
            self.record(0, 0, 0, 0, 0, 0, 0, 0, 0, number, 0, RAISED)

    def traced(
        self, done_ns: int, trace_id: str, response_ns: int, series: int, error: int, status: int, outcome: int
    ) -> None:
        """Record that the call just recorded carried this trace id, 32 hex digits."""
        high, low = (int.from_bytes(bytes.fromhex(part), signed=True) for part in (trace_id[:16], trace_id[16:]))
        self.record(done_ns, high, response_ns, low, 0, -1, 0, 0, series, error, status, TRACED | outcome)

    def measure(self, sort: Sort, scenario: str, name: str) -> int:
        """The number of one of the script's own measures, given out on first use; `MEASURES_BEYOND` when there are too
        many."""
        number = self._measures.get((sort, scenario, name))
        return number if number is not None else self._numbering.new_measure(self.head, sort, scenario, name)

    def measured(self, at_ns: int, number: int, sort: Sort, value: float, outcome: int) -> bool:
        """Record a value of a measure; False, and counted, when such a measure cannot hold it."""
        columns = columns_of(sort, value)
        if columns is None:
            self._header[_VALUES_REFUSED] += 1
            return False
        service, response, out, in_ = columns
        self.record(at_ns, service, response, 0, 0, -1, out, in_, number, 0, sort, MEASURED | outcome)
        return True

    # --- Traffic -----------------------------------------------------------------------------------------------------

    def sent(self) -> None:
        self._sent = count = self._sent + 1
        self._header[_SENT] = count

    def unsent(self) -> None:
        self._sent = count = self._sent - 1
        self._header[_SENT] = count

    def answered(self) -> None:
        self._answered = count = self._answered + 1
        self._header[_ANSWERED] = count

    def unanswered(self) -> None:
        self._header[_UNANSWERED] += 1

    def not_sent(self) -> None:
        self._header[_NOT_SENT] += 1

    def retried(self) -> None:
        self._header[_RETRIED] += 1

    def redirected(self) -> None:
        self._header[_REDIRECTED] += 1

    def unstamped(self) -> None:
        self._header[_UNSTAMPED] += 1

    def window_limited(self) -> None:
        self._header[_WINDOW_LIMITED] += 1

    def output_lost(self, lines: int = 1) -> None:
        """Count what users printed and nobody will see."""
        self._header[_OUTPUT_LOST] += lines

    # --- for whoever folds and seals ---------------------------------------------------------------------------------

    def counters(self) -> Counters:
        """The running totals as they stand."""
        return read_counters(self._header)

    def take_names(self, to_position: int) -> list[Frame]:
        """What was named below `to_position` and has not been taken yet."""
        return self._numbering.take(to_position)

    def check(self) -> None:
        """Raise AssertionError if the ring contradicts itself."""
        assert HEADER_BYTES <= self._offset <= self._limit <= self._end
        assert self.head - self._capacity <= self.folded <= self.head
        assert self._header[Head.FLOOR] <= self.head
        assert (self._header[_SENT], self._header[_ANSWERED]) == (self._sent, self._answered)

    def close(self) -> None:
        """Unmap the files; they stay on disk."""
        self._numbering.close()
        self._header.release()
        self._buffer.close()
