"""Trace ids in the ring, and which of them a segment takes along: of the slowest calls, and of those that failed.

A traced call is followed by a record of its own, marked TRACED: service and first byte hold the halves of the id.

This module imports numpy, which takes 0.1 s: import it after the first user has started.
"""

from __future__ import annotations

import numpy as np

from swell.clock import NS_PER_S
from swell.runtime.reduce import (
    CODES,
    DONE,
    ERROR_SHIFT,
    FIRST_BYTE,
    I64,
    OUTCOME_SHIFT,
    RESPONSE,
    SERVICE,
    STATUS_SHIFT,
    groups_of,
)
from swell.segment import Outcome, TraceSeen
from swell.stats.traces import KEPT, KeptTraces

_HALF = 1 << 64


class FoldedTraces:
    """The traces of what was folded since the last segment, as many as are worth keeping."""

    def __init__(self, begin_ns: int) -> None:
        self._begin_ns = begin_ns
        self._kept = KeptTraces()

    def __repr__(self) -> str:
        return f"<FoldedTraces: {self._kept!r}>"

    def add(self, records: I64) -> None:
        """Take in the records of traced calls, at least one."""
        for row in records[_candidates(records)].tolist():
            self._kept.add(_seen(row, self._begin_ns))

    def take(self) -> tuple[TraceSeen, ...]:
        """What is to travel with the next segment."""
        kept, self._kept = self._kept, KeptTraces()
        return kept.listed()


def _candidates(records: I64) -> I64:
    """The places of those that can be kept: the slowest of each series, the first of each of its errors."""
    codes = records[:, CODES]
    failed = codes >> OUTCOME_SHIFT & Outcome.FAILED
    errors = codes >> ERROR_SHIFT & 0xFFFF
    group = (codes & 0xFFFF) << 17 | failed * (errors << 1 | 1)
    order = np.lexsort((np.where(failed, records[:, DONE], -records[:, RESPONSE]), group))
    groups = groups_of(group[order])
    ranks = np.arange(len(order)) - np.repeat(groups.starts, groups.counts)
    chosen: I64 = order[ranks < KEPT]
    return chosen


def _seen(row: list[int], begin_ns: int) -> TraceSeen:
    codes = row[CODES]
    return TraceSeen(
        series=codes & 0xFFFF,
        error=codes >> ERROR_SHIFT & 0xFFFF,
        status=codes >> STATUS_SHIFT & 0xFFFF,
        failed=bool(codes >> OUTCOME_SHIFT & Outcome.FAILED),
        trace_id=f"{row[SERVICE] % _HALF:016x}{row[FIRST_BYTE] % _HALF:016x}",
        at_s=max(row[DONE] - begin_ns, 0) / NS_PER_S,
        response_ns=max(row[RESPONSE], 0),
    )
