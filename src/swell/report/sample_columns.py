"""Every call as a row: the columns of `--samples`, in whatever format.

This module imports numpy, which takes 0.1 s: import it after the first user has started.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from swell.clock import NS_PER_S
from swell.result import OTHER, Series
from swell.segment import RECORD_BYTES, VALUE_SCALE, Outcome
from swell.stats.sampled import Sampled

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

WORDS = RECORD_BYTES // 8
DONE, SERVICE, RESPONSE, FIRST_BYTE, CONNECT, LAG, BYTES_OUT, BYTES_IN, CODES = range(WORDS)
NAMES = (
    *("start_s", "scenario", "method", "name", "tags", "status", "error", "failed"),
    *("response_ms", "service_ms", "first_byte_ms", "connect_ms", "lag_ms"),
    *("bytes_sent", "bytes_received", "worker", "incarnation", "clock"),
)
DURATIONS = NAMES[8:13]
CLOCKS = ("kernel", "user")
NS_PER_MS = VALUE_SCALE


@dataclasses.dataclass(frozen=True, slots=True)
class Duration:
    """A column of durations, and in which rows there is one."""

    ms: F64
    measured: Flags


@dataclasses.dataclass(frozen=True, slots=True)
class Columns:
    """The calls of one segment. `series` and `errors` are numbers of those in `sampled`."""

    sampled: Sampled
    start_s: F64
    series: I64
    status: I64
    errors: I64
    failed: Flags
    by_user: Flags
    durations: tuple[Duration, ...]
    bytes_sent: I64
    bytes_received: I64

    def series_of(self, number: int) -> Series:
        """The series of a number; (other) for one that has no name."""
        known = self.sampled.series
        return known[number] if 0 < number < len(known) else Series("", "", OTHER)

    def error_text(self, number: int) -> str:
        """The error of a call that failed."""
        known = self.sampled.errors
        return known[number] if 0 < number < len(known) else OTHER


def columns_of(sampled: Sampled) -> Columns:
    """The columns of all calls of a segment. `start_s` is when the response time began to count."""
    records: I64 = np.frombuffer(sampled.records, dtype="<i8").reshape(-1, WORDS)
    codes = records[:, CODES]
    outcome = codes >> 48 & 0xF
    return Columns(
        sampled,
        (records[:, DONE] - np.maximum(records[:, RESPONSE], 0)) / NS_PER_S,
        codes & 0xFFFF,
        codes >> 32 & 0xFFFF,
        codes >> 16 & 0xFFFF,
        outcome & Outcome.FAILED != 0,
        outcome & (Outcome.USER_CLOCK | Outcome.OWN) != 0,
        (
            _duration(records[:, RESPONSE], 0),
            _duration(records[:, SERVICE], 0),
            _duration(records[:, FIRST_BYTE], 1),
            _duration(records[:, CONNECT], 1),
            _duration(records[:, LAG], 0),
        ),
        records[:, BYTES_OUT],
        records[:, BYTES_IN],
    )


def _duration(values_ns: I64, least_ns: int) -> Duration:
    """What is below `least_ns` was not measured."""
    return Duration(values_ns / NS_PER_MS, values_ns >= least_ns)
