"""What a worker that died had recorded and not yet reported, read from the files it left behind.

Its last spooled segment says up to which position its account goes. From there on every record that carries the lap
of its position had been committed; the first one beyond FLOOR that does not is where the worker was stopped. Records
below FLOOR that cannot be read, because they were overwritten before their segment was spooled, are lost samples.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from swell.clock import NS_PER_S
from swell.runtime.fold import Seconds, count_exceptions, sort_names
from swell.runtime.layout import (
    HEADER_BYTES,
    LAPS,
    MAGIC,
    NAMES_FILE,
    RECORD_BYTES,
    RING_FILE,
    Head,
    read_counters,
)
from swell.runtime.names import Frame, NamedException, read_frames
from swell.runtime.reduce import CODES, I64, LAP_SHIFT, WORDS
from swell.segment import FIRST_SEQUENCE, Counters, Segment


class Remains:
    """The ring of a dead worker: what of it can be read from a position on."""

    def __init__(self, content: bytes, from_position: int) -> None:
        header = memoryview(content)[:HEADER_BYTES].cast("Q")
        capacity = header[Head.CAPACITY]
        end = HEADER_BYTES + capacity * RECORD_BYTES
        slots: I64 = np.frombuffer(content[HEADER_BYTES:end], dtype=np.int64).reshape(-1, WORDS)
        floor = max(header[Head.FLOOR], from_position)
        positions = np.arange(max(from_position, floor - capacity), floor + capacity)
        committed = slots[positions % capacity, CODES] >> LAP_SHIFT & 0xFF == positions // capacity % LAPS + 1
        torn = np.flatnonzero(~committed & (positions >= floor))
        readable = positions[: torn[0]] if len(torn) else positions
        readable = readable[committed[: len(readable)]]
        self.begin_ns = header[Head.BEGIN_NS]
        self.counters = read_counters(header)
        self.head = max(floor, int(readable[-1]) + 1 if len(readable) else 0)
        self.records = slots[readable % capacity]
        self.lost = self.head - from_position - len(readable)


def recover(
    directory: Path,
    *,
    run: str,
    worker: int,
    incarnation: int,
    begin_ns: int,
    died_ns: int,
    after: Segment | None = None,
    keep_records: bool = False,
) -> Segment | None:
    """The segment that a dead worker would have sent next; None if it never began to record.

    `after`: its last segment that was spooled or received; None if there is none. The ring says where the zero is;
    `begin_ns` stands for it where the run had not begun there.
    """
    content = _read(directory / RING_FILE)
    if not _is_ring(content):
        return None
    from_position = after.to_position if after else 0
    remains = Remains(content, from_position)
    begin_ns = remains.begin_ns if 0 < remains.begin_ns <= died_ns else begin_ns
    seconds = Seconds(begin_ns, keep_records)
    if len(remains.records):
        seconds.add(remains.records)
    exceptions: dict[int, NamedException] = {}
    frames: list[Frame] = list(read_frames(_read(directory / NAMES_FILE)))
    sort_names(frames, exceptions)
    names = sort_names([frame for frame in frames if frame.position >= from_position], {})
    return Segment(
        run=run,
        worker=worker,
        incarnation=incarnation,
        sequence=after.sequence + 1 if after else FIRST_SEQUENCE,
        from_position=from_position,
        to_position=remains.head,
        sealed_s=(died_ns - begin_ns) / NS_PER_S,
        seconds=seconds.take(),
        records=seconds.take_records(),
        series=names.series,
        errors=names.errors,
        error_samples=names.samples,
        exceptions=count_exceptions(seconds.take_raised(), exceptions),
        traces=seconds.take_traces(),
        counters=_with_lost(remains.counters, remains.lost),
        recovered=True,
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _is_ring(content: bytes) -> bool:
    if len(content) < HEADER_BYTES:
        return False
    header: npt.NDArray[np.uint64] = np.frombuffer(content[:HEADER_BYTES], dtype=np.uint64)
    needed = HEADER_BYTES + int(header[Head.CAPACITY]) * RECORD_BYTES
    return bool(header[Head.MAGIC] == MAGIC) and len(content) >= needed > HEADER_BYTES


def _with_lost(counters: Counters, lost: int) -> Counters:
    return msgspec.structs.replace(counters, samples_lost=counters.samples_lost + lost)
