"""Records of the script's own measures become tables of a second, as those of calls do in `reduce.py`.

This module imports numpy, which takes 0.1 s: import it after the first user has started.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from swell.runtime.reduce import (
    BYTES_IN,
    BYTES_OUT,
    CODES,
    DONE,
    I64,
    OUTCOME_SHIFT,
    RESPONSE,
    SERVICE,
    STATUS_SHIFT,
    Batch,
    Gauges,
    Table,
    durations,
    groups_of,
)
from swell.segment import MEASURES_BEYOND, TALLY_SERIES_SHIFT, Kind, Outcome, Sort


@dataclasses.dataclass(frozen=True, slots=True)
class Values:
    """Records of measures, with what their codes say."""

    records: I64
    numbers: I64
    sorts: I64
    outcomes: I64

    def of(self, *sorts: Sort) -> Values:
        """Those of some sorts, without those beyond the cap, in the order of number and outcome."""
        chosen = np.isin(self.sorts, sorts) & (self.numbers != MEASURES_BEYOND)
        groups = self.numbers[chosen] << 1 | self.outcomes[chosen] & Outcome.FAILED
        places = np.flatnonzero(chosen)[np.argsort(groups, kind="stable")]
        return Values(self.records[places], self.numbers[places], self.sorts[places], self.outcomes[places])


def reduce_measures(records: I64, begin_ns: int) -> Batch:
    """The tables of records of measures, at least one, of one second of a run that began at `begin_ns`."""
    codes = records[:, CODES]
    values = Values(records, codes & 0xFFFF, codes >> STATUS_SHIFT & 0xFFFF, codes >> OUTCOME_SHIFT & 0xF)
    keys, counts = np.unique(values.numbers << TALLY_SERIES_SHIFT | values.outcomes, return_counts=True)
    timed = values.of(Sort.TRANSACTION, Sort.TREND)
    hist = []
    if len(timed.records):
        groups = groups_of(timed.numbers << 1 | timed.outcomes & Outcome.FAILED)
        hist.append(durations(timed.records[:, RESPONSE], groups, Kind.RESPONSE, Kind.FAILED_RESPONSE))
    return Batch(
        tuple(keys for keys, _ in hist),
        tuple(sums for _, sums in hist),
        Table(keys, (counts,)),
        _amounts(values.of(Sort.COUNTER)),
        _settings(values.of(Sort.GAUGE), begin_ns),
    )


def _amounts(counted: Values) -> Table:
    """What was added to each counter: whole amounts, and millionths."""
    if not len(counted.records):
        return Table(counted.numbers, (counted.numbers, counted.numbers))
    groups = groups_of(counted.numbers)
    sums = np.add.reduceat(counted.records[:, BYTES_OUT : BYTES_IN + 1], groups.starts, axis=0)
    return Table(groups.numbers, (sums[:, 0], sums[:, 1]))


def _settings(gauges: Values, begin_ns: int) -> Gauges | None:
    """What gauges were set to, in the order of time."""
    if not len(gauges.records):
        return None
    at_ns = np.maximum(gauges.records[:, DONE] - begin_ns, 0)
    return Gauges(gauges.numbers, at_ns, gauges.records[:, SERVICE].copy().view(np.float64))
