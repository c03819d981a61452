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
        self._bytes = counts.bytes_by_series(tables)
        self.gauges = counts.gauges(tables)

    def __repr__(self) -> str:
        return f"<Measures: {', '.join(f'{named.sort.name} {named.name}' for named in self._named.values())}>"

    def checks(self) -> tuple[CheckSummary, ...]:
        """How often each check passed and failed."""
        return tuple(
            CheckSummary(
                scenario=named.scenario, name=named.name, passed=ends.requests - ends.failures, failed=ends.failures
            )
            for _, named, ends in self.of(Sort.CHECK)
        )

    def transactions(self) -> tuple[TransactionSummary, ...]:
        """How long the calls of each transaction took together."""
        return tuple(
            TransactionSummary(
                scenario=named.scenario,
                name=named.name,
                count=ends.requests,
                failures=ends.failures,
                response_ms=latency(self.histogram(number, Kind.RESPONSE), ends.clock_of_successes),
                failed_ms=latency(self.histogram(number, Kind.FAILED_RESPONSE), ends.clock_of_failures),
            )
            for number, named, ends in self.of(Sort.TRANSACTION)
        )

    def values(self) -> tuple[MeasureSummary, ...]:
        """What came together in counters, gauges, rates and trends."""
        made = []
        for number, named, ends in self.of(*OF_VALUES):
            summary = MeasureSummary(
                scenario=named.scenario, name=named.name, sort=named.sort.name.lower(), count=ends.requests
            )
            match named.sort:
                case Sort.COUNTER:
                    total = self.amount(number)
                    per_s = total / self._duration_s if self._duration_s > 0 else 0.0
                    summary = msgspec.structs.replace(summary, sum=total, per_s=per_s)
                case Sort.GAUGE if gauge := self.gauges.get(number):
                    summary = msgspec.structs.replace(summary, last=gauge.last, min=gauge.least, max=gauge.greatest)
                case Sort.RATE:
                    share = (ends.requests - ends.failures) / ends.requests
                    summary = msgspec.structs.replace(summary, share=share)
                case Sort.TREND:
                    summary = msgspec.structs.replace(summary, trend=trend(self.histogram(number, Kind.RESPONSE)))
            made.append(summary)
        return tuple(made)

    def of(self, *sorts: Sort) -> Iterator[tuple[int, Series, Ends]]:
        """Number, name and tally of the measures of these sorts, by scenario, name and sort."""
        rows = [(named, number) for number, named in self._named.items() if named.sort in sorts]
        for named, number in sorted(rows, key=lambda row: (row[0].scenario, row[0].name, row[0].sort)):
            yield number, named, self._ends[number]

    def amount(self, number: int) -> float:
        """What a counter has come to."""
        whole, millionths = self._bytes.get(number, (0, 0))
        return (whole * VALUE_SCALE + millionths) / VALUE_SCALE

    def histogram(self, number: int, kind: Kind) -> Histogram:
        """The durations of a transaction, or the values of a trend."""
        return counts.histogram(self._tables, (kind,), number)


def trend(values: Histogram) -> Latency | None:
    """Values of the script's own, in their own unit, as a distribution."""
    found = latency(values, SCRIPT_CLOCK)
    if found is None or values.total * values.max_ns < LEAST_OVERFLOW:
        return found
    return msgspec.structs.replace(found, mean=sum_ns(values) / values.total / VALUE_SCALE)


def sum_ns(values: Histogram) -> int:
    """All of them together; by their buckets, where the exact sum may not have fitted into 64 bits."""
    if values.total * values.max_ns < LEAST_OVERFLOW:
        return values.sum_ns
    return sum(middle_ns(bucket) * count for bucket, count in values.counts.items())
