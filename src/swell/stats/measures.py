"""The script's own measures, summed up: checks, transactions, counters, gauges, rates and trends.

Of a window as of a whole run: `Measures` answers for any tables, by scenario and name.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from swell.document import CheckSummary, Latency, MeasureSummary, TransactionSummary
from swell.histogram import Histogram, middle_ns
from swell.result import RunResult, Series
from swell.segment import MEASURES_BEYOND, VALUE_SCALE, Kind, Sort
from swell.stats import counts
from swell.stats.latency import Ends, ends_by_series, latency
from swell.stats.packed import Tables

SCRIPT_CLOCK = "script"
LEAST_OVERFLOW = 1 << 63
OF_VALUES = (Sort.COUNTER, Sort.GAUGE, Sort.RATE, Sort.TREND)


class Measures:
    """What a script measured, in the tables of a run or of a part of it. `duration_s` is how long that part was."""

    def __init__(self, result: RunResult, tables: Tables, duration_s: float) -> None:
        self._tables = tables
        self._duration_s = duration_s
        self._ends = ends_by_series(counts.measure_tallies(tables))
        self._ends.pop(MEASURES_BEYOND, None)
        self._named = {number: result.series_of(number) for number in self._ends}

    def __repr__(self) -> str:
        return f"<Measures: {', '.join(f'{named.sort.name} {named.name}' for named in self._named.values())}>"

    def checks(self) -> tuple[CheckSummary, ...]:
        """How often each check passed and failed."""
        return tuple(
            CheckSummary(
                scenario=named.scenario, name=named.name, passed=ends.requests - ends.failures, failed=ends.failures
            )
            for _, named, ends in self._of(Sort.CHECK)
        )

    def transactions(self) -> tuple[TransactionSummary, ...]:
        """How long the calls of each transaction took together."""
        return tuple(
            TransactionSummary(
                scenario=named.scenario,
                name=named.name,
                count=ends.requests,
                failures=ends.failures,
                response_ms=latency(self._histogram(number, Kind.RESPONSE), ends.clock_of_successes),
                failed_ms=latency(self._histogram(number, Kind.FAILED_RESPONSE), ends.clock_of_failures),
            )
            for number, named, ends in self._of(Sort.TRANSACTION)
        )

    def values(self) -> tuple[MeasureSummary, ...]:
        """What came together in counters, gauges, rates and trends."""
        bytes_, gauges = counts.bytes_by_series(self._tables), counts.gauges(self._tables)
        made = []
        for number, named, ends in self._of(*OF_VALUES):
            summary = MeasureSummary(
                scenario=named.scenario, name=named.name, sort=named.sort.name.lower(), count=ends.requests
            )
            match named.sort:
                case Sort.COUNTER:
                    whole, millionths = bytes_.get(number, (0, 0))
                    total = (whole * VALUE_SCALE + millionths) / VALUE_SCALE
                    per_s = total / self._duration_s if self._duration_s > 0 else 0.0
                    summary = msgspec.structs.replace(summary, sum=total, per_s=per_s)
                case Sort.GAUGE if gauge := gauges.get(number):
                    summary = msgspec.structs.replace(summary, last=gauge.last, min=gauge.least, max=gauge.greatest)
                case Sort.RATE:
                    share = (ends.requests - ends.failures) / ends.requests
                    summary = msgspec.structs.replace(summary, share=share)
                case Sort.TREND:
                    summary = msgspec.structs.replace(summary, trend=trend(self._histogram(number, Kind.RESPONSE)))
            made.append(summary)
        return tuple(made)

    def _of(self, *sorts: Sort) -> Iterator[tuple[int, Series, Ends]]:
        """Number, name and tally of the measures of these sorts, by scenario, name and sort."""
        rows = [(named, number) for number, named in self._named.items() if named.sort in sorts]
        for named, number in sorted(rows, key=lambda row: (row[0].scenario, row[0].name, row[0].sort)):
            yield number, named, self._ends[number]

    def _histogram(self, number: int, kind: Kind) -> Histogram:
        return counts.histogram(self._tables, (kind,), number)


def trend(values: Histogram) -> Latency | None:
    """Values of the script's own, in their own unit, as a distribution."""
    found = latency(values, SCRIPT_CLOCK)
    if found is None or values.total * values.max_ns < LEAST_OVERFLOW:
        return found
    # Their sum may not have fitted into 64 bits.
    mean = sum(middle_ns(bucket) * count for bucket, count in values.counts.items()) / values.total / VALUE_SCALE
    return msgspec.structs.replace(found, mean=mean)
