"""The four CSV files that Locust's users know, column for column, so that what reads theirs reads ours.

A row is a method and a name: series that differ only in user class or tags are one, as in Locust. Times are of all
calls, failed ones too, in milliseconds; where Locust rounds to whole ones or to two digits, up to three decimals are
kept. The history has a row for each second that is stored, its percentiles of that second, its totals up to its end.
"""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from swell.document import ErrorSummary, ResultDocument
from swell.histogram import BUCKETS, Histogram, middle_ns, quantiles_ns, rank_of
from swell.result import Block, RunResult
from swell.segment import MEASURES_FROM
from swell.stats import counts, packed
from swell.stats.packed import Tables
from swell.stats.users import users_per_second
from swell.stats.windows import ALL

ENDINGS = ("_stats.csv", "_stats_history.csv", "_failures.csv", "_exceptions.csv")
QUANTILES = {
    "50%": 0.5,
    "66%": 0.66,
    "75%": 0.75,
    "80%": 0.8,
    "90%": 0.9,
    "95%": 0.95,
    "98%": 0.98,
    "99%": 0.99,
    "99.9%": 0.999,
    "99.99%": 0.9999,
    "100%": 1.0,
}
STATS = (
    *("Type", "Name", "Request Count", "Failure Count"),
    *("Median Response Time", "Average Response Time", "Min Response Time", "Max Response Time"),
    *("Average Content Size", "Requests/s", "Failures/s"),
    *QUANTILES,
)
HISTORY = (
    *("Timestamp", "User Count", "Type", "Name", "Requests/s", "Failures/s"),
    *QUANTILES,
    *("Total Request Count", "Total Failure Count", "Total Median Response Time", "Total Average Response Time"),
    *("Total Min Response Time", "Total Max Response Time", "Total Average Content Size"),
)
FAILURES = ("Method", "Name", "Error", "Occurrences", "First Seen", "Last Seen")
EXCEPTIONS = ("Count", "Message", "Traceback", "Nodes")
AGGREGATED = "Aggregated"
NO_CALL = "N/A"

Cell = str | int | float
Row = Sequence[Cell]


def to_csv(result: RunResult, document: ResultDocument) -> Mapping[str, bytes]:
    """The four files, by what is put behind the prefix."""
    tables: tuple[tuple[Row, Iterable[Row]], ...] = (
        (STATS, _stats(result, document)),
        (HISTORY, _history(result)),
        (FAILURES, _failures(result, document)),
        (EXCEPTIONS, ([one.count, one.message, one.traceback, ""] for one in document.exceptions)),
    )
    return {ending: _file(head, rows) for ending, (head, rows) in zip(ENDINGS, tables, strict=True)}


def _file(head: Row, rows: Iterable[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue().encode(errors="replace")


def _stats(result: RunResult, document: ResultDocument) -> Iterator[Row]:
    whole = packed.unpack(result.whole)
    numbers: dict[tuple[str, str], list[int]] = {}
    for number, series in enumerate(result.series):
        numbers.setdefault((series.method, series.name), []).append(number)
    ends, bytes_ = counts.tallies(whole), counts.bytes_by_series(whole)
    for (method, name), group in sorted(numbers.items(), key=lambda item: (item[0][1], item[0][0])):
        rows = [row for row in ends if row.series in group]
        requests = sum(row.count for row in rows)
        failures = sum(row.count for row in rows if row.outcome & 1)
        received = sum(bytes_.get(number, (0, 0))[1] for number in group)
        if requests:
            yield [method, name, *_figures(_merged(whole, group), requests, failures, received, result.duration_s)]
    totals = document.totals
    yield [
        *("", AGGREGATED),
        *_figures(_merged(whole, None), totals.requests, totals.failures, totals.bytes_received, result.duration_s),
    ]


def _merged(tables: Tables, numbers: Sequence[int] | None) -> Histogram:
    made = Histogram()
    for number in numbers or (None,):
        made.merge(counts.histogram(tables, ALL, number))
    return made


def _figures(histogram: Histogram, requests: int, failures: int, received: int, duration_s: float) -> Iterator[Cell]:
    yield from (requests, failures)
    yield from _times(histogram)
    yield received / requests if requests else 0
    yield from (count / duration_s if duration_s > 0 else 0.0 for count in (requests, failures))
    yield from _quantiles(histogram)


def _quantiles(histogram: Histogram) -> Iterator[Cell]:
    """The percentiles; the last one is the greatest value, exactly."""
    found = {**quantiles_ns(histogram, QUANTILES.values()), 1.0: histogram.max_ns}
    yield from (_ms(found[q]) if histogram.total else NO_CALL for q in QUANTILES.values())


def _times(histogram: Histogram) -> tuple[Cell, Cell, Cell, Cell]:
    """Median, mean, least and greatest."""
    return _ms(histogram.quantile_ns(0.5)), histogram.mean_ns() / 1e6, _ms(histogram.min_ns), _ms(histogram.max_ns)


class _Course:
    """What has been counted from the beginning of a run on."""

    def __init__(self) -> None:
        self.requests = self.failures = self.received = 0
        self.histogram = Histogram()
        self._counts: npt.NDArray[np.int64] = np.zeros(BUCKETS, dtype=np.int64)

    def add(self, requests: int, failures: int, received: int, histogram: Histogram) -> None:
        """Count a second."""
        self.requests += requests
        self.failures += failures
        self.received += received
        self._counts[list(histogram.counts)] += list(histogram.counts.values())
        self.histogram.add_buckets([(0, histogram.total)], histogram.sum_ns, histogram.min_ns, histogram.max_ns)

    def median_ns(self) -> int:
        """The median so far."""
        histogram = self.histogram
        if not histogram.total:
            return 0
        bucket = int(np.searchsorted(np.cumsum(self._counts), rank_of(0.5, histogram.total)))
        return min(max(middle_ns(bucket), histogram.min_ns), histogram.max_ns)


def _history(result: RunResult) -> Iterator[Row]:
    users, course = users_per_second(result), _Course()
    for block in result.blocks:
        tables = packed.unpack(block)
        histogram = _merged(tables, None)
        requests = counts.requests(tables)
        failures = sum(count for number, _, count in counts.failures(tables) if number < MEASURES_FROM)
        course.add(requests, failures, counts.all_bytes(tables)[1], histogram)
        yield [
            int(result.started_at.timestamp()) + block.to_s,
            _users(users, block),
            *("", AGGREGATED),
            *(f"{count / (block.to_s - block.from_s):.6f}" for count in (requests, failures)),
            *_quantiles(histogram),
            *(course.requests, course.failures),
            *(_ms(course.median_ns()), course.histogram.mean_ns() / 1e6),
            *(_ms(course.histogram.min_ns), _ms(course.histogram.max_ns)),
            course.received / course.requests if course.requests else 0,
        ]


def _users(users: Sequence[int], block: Block) -> int:
    return max(users[block.from_s : block.to_s], default=0)


def _failures(result: RunResult, document: ResultDocument) -> Iterator[Row]:
    grouped: dict[tuple[str, str, str], list[ErrorSummary]] = {}
    for error in document.errors:
        grouped.setdefault((error.method, error.name, error.error), []).append(error)
    for (method, name, text), rows in grouped.items():
        seen_s = min(row.first_s for row in rows), max(row.last_s for row in rows)
        yield [method, name, text, sum(row.count for row in rows), *(_instant(result, at_s) for at_s in seen_s)]


def _instant(result: RunResult, at_s: float) -> str:
    at = result.started_at.astimezone(datetime.UTC) + datetime.timedelta(seconds=at_s)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _ms(ns: float) -> Cell:
    """Milliseconds with at most three decimals, a whole number of them as such."""
    ms = round(ns / 1e6, 3)
    return int(ms) if ms == int(ms) else ms
