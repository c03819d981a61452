"""A run in Prometheus's protobuf format, which alone carries native histograms.

A body is `io.prometheus.client.MetricFamily` messages, each with its length before it
(https://github.com/prometheus/client_model, io/prometheus/client/metrics.proto). Of protobuf it takes four of the
encodings that https://protobuf.dev/programming-guides/encoding/ describes, so they are written here; tests decode them
with Google's library, and with Prometheus itself.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from swell.histogram import Histogram
from swell.report.exponential import Exponential, exponential
from swell.report.families import Family, FamilySort, Sample
from swell.report.prometheus_text import bounds_of, bucket_counts, full_name, printable

MEDIA = "application/vnd.google.protobuf"
TEXTS = ("text/plain", "application/openmetrics-text")
CONTENT_TYPE = f"{MEDIA}; proto=io.prometheus.client.MetricFamily; encoding=delimited"
SCHEMA = 4
"""Sixteen buckets to each power of two: a boundary is 4.4 % above the one before."""
TYPES = {FamilySort.COUNTER: 0, FamilySort.GAUGE: 1, FamilySort.HISTOGRAM: 4}
VALUE_FIELDS = {FamilySort.GAUGE: 2, FamilySort.COUNTER: 3}
HISTOGRAM_FIELD = 7


def is_wanted(accept: str) -> bool:
    """Whether a scraper's Accept header wants this format more than any text."""
    qualities = {True: 0.0, False: 0.0}
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        ours = media == MEDIA and {"proto=io.prometheus.client.metricfamily", "encoding=delimited"} <= set(parameters)
        if ours or media in TEXTS:
            qualities[ours] = max(qualities[ours], _quality(parameters))
    return qualities[True] > 0 and qualities[True] >= qualities[False]


def protobuf(families: Iterable[Family]) -> bytes:
    """The exposition."""
    return b"".join(_delimited(_family(family)) for family in families)


def _quality(parameters: Iterable[str]) -> float:
    given = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
    try:
        return float(given)
    except ValueError:
        return 0.0


def _family(family: Family) -> bytes:
    name = full_name(family) + ("_total" if family.sort is FamilySort.COUNTER else "")
    head = _text(1, name) + _text(2, family.text) + _whole(3, TYPES[family.sort])
    return head + b"".join(_message(4, _metric(sample, family)) for sample in family.samples)


def _metric(sample: Sample, family: Family) -> bytes:
    labels = b"".join(
        _message(1, _text(1, name) + _text(2, printable(value))) for name, value in sample.labels.items() if value
    )
    if isinstance(sample.value, Histogram):
        return labels + _message(HISTOGRAM_FIELD, _histogram(sample.value, family))
    return labels + _message(VALUE_FIELDS[family.sort], _double(1, sample.value))


def _histogram(histogram: Histogram, family: Family) -> bytes:
    """Classic buckets and native ones, for the scraper to choose."""
    found = exponential(histogram, SCHEMA, family.one_ns)
    bounded = zip(bounds_of(family), bucket_counts(histogram, family), strict=True)
    classic = b"".join(_message(3, _whole(1, count) + _double(2, bound)) for bound, count in bounded)
    return _whole(1, found.count) + _double(2, found.sum) + classic + _native(found)


def _native(found: Exponential) -> bytes:
    head = _signed(5, found.scale) + _double(6, found.zero_below) + _whole(7, found.zero_count)
    spans, deltas, before = b"", b"", 0
    for offset, counts in _spans(found):
        spans += _message(12, _signed(1, offset) + _whole(2, len(counts)))
        for count in counts:
            deltas += _varint(_zigzag(count - before))
            before = count
    return head + spans + (_message(13, deltas) if deltas else b"")


def _spans(found: Exponential) -> Iterator[tuple[int, list[int]]]:
    """Stretches of filled buckets, each with its distance from the end of the one before; the first from bucket 0."""
    end, run = 0, list[int]()
    start = 0
    for place, count in enumerate((*found.counts, 0), found.first + 1):  # Prometheus counts from one more
        if count:
            start = start if run else place
            run.append(count)
        elif run:
            yield start - end, run
            end, run = place, []


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1


def _delimited(message: bytes) -> bytes:
    return _varint(len(message)) + message


def _message(field: int, message: bytes) -> bytes:
    return _varint(field << 3 | 2) + _delimited(message)


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _whole(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _signed(field: int, number: int) -> bytes:
    return _whole(field, _zigzag(number))


def _double(field: int, number: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", number)
