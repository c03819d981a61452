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

from swell.histogram import Histogram, middle_ns
from swell.report.metrics import Family, FamilySort, Sample

PREFIX = "swell"
BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the classic buckets, but for +Inf."""

LONGEST_LABEL = 300


def text(families: Iterable[Family], accept: str) -> tuple[bytes, str]:
    """The exposition in the text format that the scraper accepts best, and its content type."""
    encoder, content_type = exposition.choose_encoder(accept)
    encoded: bytes = encoder(_Collected(families))
    return encoded, content_type


def full_name(family: Family) -> str:
    """With prefix and unit, and without a counter's `_total`."""
    return "_".join(part for part in (PREFIX, family.name, family.unit) if part)


def bucket_counts(histogram: Histogram) -> list[int]:
    """How many durations each bound does not exceed. One of our buckets counts as its middle: within 0.4 %."""
    counts = [0] * len(BOUNDS_S)
    bounds_ns = [bound_s * 1e9 for bound_s in BOUNDS_S]
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
                bounds = [str(bound_s) for bound_s in BOUNDS_S]
                buckets = [*zip(bounds, bucket_counts(sample.value), strict=True), ("+Inf", sample.value.total)]
                histogram.add_metric(_values(sample), buckets, sample.value.sum_ns / 1e9)
            return histogram


def _values(sample: Sample) -> list[str]:
    return list(map(printable, sample.labels.values()))


def _number(sample: Sample) -> float:
    assert not isinstance(sample.value, Histogram)
    return sample.value
