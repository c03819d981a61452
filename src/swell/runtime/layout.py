"""Where things stand in a ring file: a header of 8-byte counters, then `capacity` records of 72 bytes.

The record at position n (counted from 0 since the worker's start) stands in slot n % capacity. Its last byte is
the lap, `lap_of(n)`, never 0: packing zeroes the slot first and writes the lap last, so a slot whose lap is not the
expected one holds a torn record or an old one.
"""

from __future__ import annotations

import enum
import struct

from swell.segment import RECORD_FORMAT, Counters

MAGIC = 0x5357454C4C000001
"""'SWELL' and the version of this layout."""

HEADER_BYTES = 4_096
RECORD = struct.Struct(RECORD_FORMAT)
"""Its last byte is the lap."""
RECORD_BYTES = RECORD.size
LAPS = 255
RAISED = 128
"""A bit of the outcome byte that never leaves the worker: no call, but one more of the exception numbered `error`."""

MEASURED = 64
"""Another: no call, but a value of one of the script's own measures (`measures.py`)."""

TRACED = 32
"""A third: no call, but the trace id of one (`traced.py`)."""

RING_FILE = "ring"
NAMES_FILE = "names"


class Head(enum.IntEnum):
    """Which counter of the header is which; those of `segment.Counters` follow from FIRST_COUNTER on, in its order."""

    MAGIC = 0
    CAPACITY = 1
    FLOOR = 2
    """Every position below this has been committed; stored once a batch."""
    BEGIN_NS = 3
    """The run's zero, by the clock of the records; 0 before the run has begun."""
    FIRST_COUNTER = 8


def counter_index(name: str) -> int:
    """The place in the header of the counter that `segment.Counters` calls `name`."""
    return Head.FIRST_COUNTER + Counters.__struct_fields__.index(name)


def read_counters(header: memoryview) -> Counters:
    """The running totals as they stand."""
    first = int(Head.FIRST_COUNTER)
    return Counters(*header[first : first + len(Counters.__struct_fields__)])


def lap_of(position: int, capacity: int) -> int:
    """The lap number that commits the record at `position`: 1 to 255, then 1 again."""
    return position // capacity % LAPS + 1
