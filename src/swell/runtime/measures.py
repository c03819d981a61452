"""How a value of the script's own measures lies in a record of the ring: which column holds what depends on its sort.

    check, rate         nothing but the outcome
    transaction, trend  the response: a duration in ns, or the value x VALUE_SCALE
    counter             bytes out: the whole amount; bytes in: its millionths
    gauge               the service: the bits of a double

The status holds the sort. `reduce_measures.py` reads them.
"""

from __future__ import annotations

import math
import struct

from swell.histogram import MAX_NS
from swell.segment import VALUE_SCALE, Sort

MOST_VALUE = MAX_NS // VALUE_SCALE
"""What a counter is added at a time, and a value of a trend, is at most: 9,007,199,254."""
_double = struct.Struct("=d")
_bits = struct.Struct("=q")

Columns = tuple[int, int, int, int]
"""Service, response, bytes out, bytes in."""


def columns_of(sort: Sort, value: float) -> Columns | None:
    """The columns for a value (a duration in ns for a transaction); None for one that such a measure cannot hold."""
    match sort:
        case Sort.TRANSACTION:
            return 0, int(value), 0, 0
        case Sort.COUNTER | Sort.TREND:
            if not 0 <= value <= MOST_VALUE:
                return None
            fixed = round(value * VALUE_SCALE)
            return (0, fixed, 0, 0) if sort is Sort.TREND else (0, 0, *divmod(fixed, VALUE_SCALE))
        case Sort.GAUGE:
            return (_bits.unpack(_double.pack(value))[0], 0, 0, 0) if math.isfinite(value) else None
        case _:
            return 0, 0, 0, 0
