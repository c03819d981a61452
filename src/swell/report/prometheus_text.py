"""A run in Prometheus's text formats, with classic buckets; prometheus_client writes them.

Names follow https://prometheus.io/docs/practices/naming/: `swell_response_seconds`, `swell_requests_total`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client import exposition
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from swell.clock import NS_PER_S
from swell.histogram import Histogram, middle_ns
from swell.report.families import Family, FamilySort, Sample
from swell.stats.measures import sum_ns

PREFIX = "swell"
BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the classic buckets, but for +Inf."""
BOUNDS = tuple(float(f"{digits}e{power}") for power in range(-2, 7) for digits in (1, 2.5, 5))
"""Those of values of no known unit: 0.01 to 5,000,000."""

LONGEST_LABEL = 300


def text(families: Iterable[Family], accept: str) -> tuple[bytes, str]:
    """The exposition in the text format that the scraper accepts best, and its content type."""
    encoder, content_type = exposition.choose_encoder(accept)
    encoded: bytes = encoder(_Collected(families))
    return encoded, content_type


def full_name(family: Family) -> str:
    """With prefix and unit, and without a counter's `_total`."""
    return "_".join(part for part in (PREFIX, family.name, family.unit) if part)


def bounds_of(family: Family) -> tuple[float, ...]:
    """The bounds of a family's classic buckets."""
    return BOUNDS_S if family.one_ns == NS_PER_S else BOUNDS


def bucket_counts(histogram: Histogram, family: Family) -> list[int]:
    """How many values do not exceed each bound. One of our buckets counts as its middle: within 0.4 %."""
    bounds_ns = [bound * family.one_ns for bound in bounds_of(family)]
    counts = [0] * len(bounds_ns)
    place = 0
    for bucket, count in sorted(histogram.counts.items()):
        while place < len(bounds_ns) and middle_ns(bucket) > bounds_ns[place]:
            place += 1
        if place == len(bounds_ns):
            break
        counts[place] += count
    return list(accumulate(counts))


def printable(label: str) -> str:
    """A label's value. What no UTF-8 can hold is escaped; one that is too long is cut, and told apart by a checksum."""
    encoded = label.encode("utf-8", "backslashreplace")
    text = encoded.decode()
    return text if len(text) <= LONGEST_LABEL else f"{text[:LONGEST_LABEL]}…{zlib.crc32(encoded):08x}"


class _Collected(Collector):
    """Stands for a registry."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        return map(_metric, self._families)


def _metric(family: Family) -> Metric:
    name, names = full_name(family), list(family.samples[0].labels)
    match family.sort:
        case FamilySort.COUNTER:
            counter = CounterMetricFamily(name, family.text, labels=names)
            for sample in family.samples:
                counter.add_metric(_values(sample), _number(sample))
            return counter
        case FamilySort.GAUGE:
            gauge = GaugeMetricFamily(name, family.text, labels=names)
            for sample in family.samples:
                gauge.add_metric(_values(sample), _number(sample))
            return gauge
        case FamilySort.HISTOGRAM:
            histogram = HistogramMetricFamily(name, family.text, labels=names)
            for sample in family.samples:
                assert isinstance(sample.value, Histogram)
                bounds = map(floatToGoString, bounds_of(family))
                buckets = [*zip(bounds, bucket_counts(sample.value, family), strict=True), ("+Inf", sample.value.total)]
                histogram.add_metric(_values(sample), buckets, sum_ns(sample.value) / family.one_ns)
            return histogram


def _values(sample: Sample) -> list[str]:
    return list(map(printable, sample.labels.values()))


def _number(sample: Sample) -> float:
    assert not isinstance(sample.value, Histogram)
    return sample.value
