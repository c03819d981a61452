"""The script's own as metrics: checks, transactions, counters, gauges, rates and trends, by scenario and name."""

from __future__ import annotations

from collections.abc import Iterator

from swell.report.families import Family, FamilySort, Labels, Sample
from swell.result import RunResult, Series
from swell.segment import VALUE_SCALE, Kind, Sort
from swell.stats.measures import Measures
from swell.stats.packed import Tables

DURATIONS = {
    "transaction": (Kind.RESPONSE, "How long the calls of successful transactions took together."),
    "failed_transaction": (Kind.FAILED_RESPONSE, "How long the calls of failed transactions took together."),
}


def measure_families(result: RunResult, tables: Tables) -> Iterator[Family]:
    """All of them; those that the script does not have are empty."""
    measures = Measures(result, tables, result.duration_s)
    yield _halves("checks", "Checks of the script's.", measures, Sort.CHECK, ("passed", "failed"))
    yield from _of_transactions(measures)
    yield _of_counters(measures)
    yield _of_gauges(measures)
    yield _halves("measure_rate", "What rates of the script's were given.", measures, Sort.RATE, ("true", "false"))
    yield _of_trends(measures)


def _halves(name: str, text: str, measures: Measures, sort: Sort, outcomes: tuple[str, str]) -> Family:
    """How often it went one way, and how often the other."""
    samples = (
        Sample({**_labels(named), "outcome": outcome}, float(count))
        for _, named, ends in measures.of(sort)
        for outcome, count in zip(outcomes, (ends.requests - ends.failures, ends.failures), strict=True)
    )
    return Family(name, text, FamilySort.COUNTER, "", tuple(samples))


def _of_transactions(measures: Measures) -> Iterator[Family]:
    found = list(measures.of(Sort.TRANSACTION))
    done = tuple(Sample(_labels(named), float(ends.requests)) for _, named, ends in found)
    yield Family("transactions", "Transactions done, failed ones included.", FamilySort.COUNTER, "", done)
    failed = tuple(Sample(_labels(named), float(ends.failures)) for _, named, ends in found)
    yield Family("transaction_failures", "Transactions that failed.", FamilySort.COUNTER, "", failed)
    for name, (kind, text) in DURATIONS.items():
        histograms = ((named, measures.histogram(number, kind)) for number, named, _ in found)
        samples = tuple(Sample(_labels(named), histogram) for named, histogram in histograms if histogram.total)
        yield Family(name, text, FamilySort.HISTOGRAM, "seconds", samples)


def _of_counters(measures: Measures) -> Family:
    samples = tuple(Sample(_labels(named), measures.amount(number)) for number, named, _ in measures.of(Sort.COUNTER))
    return Family("measure_counter", "The script's counters: their sums.", FamilySort.COUNTER, "", samples)


def _of_gauges(measures: Measures) -> Family:
    found = ((named, measures.gauges.get(number)) for number, named, _ in measures.of(Sort.GAUGE))
    samples = tuple(Sample(_labels(named), gauge.last) for named, gauge in found if gauge)
    return Family("measure_gauge", "The script's gauges: their last values.", FamilySort.GAUGE, "", samples)


def _of_trends(measures: Measures) -> Family:
    found = ((named, measures.histogram(number, Kind.RESPONSE)) for number, named, _ in measures.of(Sort.TREND))
    samples = tuple(Sample(_labels(named), histogram) for named, histogram in found if histogram.total)
    text = "The script's trends: their values, in their own units."
    return Family("measure_trend", text, FamilySort.HISTOGRAM, "", samples, one_ns=VALUE_SCALE)


def _labels(named: Series) -> Labels:
    return {"scenario": named.scenario, "name": named.name}
