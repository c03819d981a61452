"""Prometheus's protobuf format, read by Google's library from a description of its messages."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal.decoder import _DecodeVarint32  # type: ignore[attr-defined]

F = descriptor_pb2.FieldDescriptorProto
TEXT, DOUBLE, WHOLE, SIGNED = F.TYPE_STRING, F.TYPE_DOUBLE, F.TYPE_UINT64, F.TYPE_SINT64
SIGNED_32, WHOLE_32, ENUM = F.TYPE_SINT32, F.TYPE_UINT32, F.TYPE_INT32
PACKAGE = "io.prometheus.client"
MESSAGES: dict[str, dict[str, tuple[int, object]]] = {
    "LabelPair": {"name": (1, TEXT), "value": (2, TEXT)},
    "Number": {"value": (1, DOUBLE)},
    "Bucket": {"cumulative_count": (1, WHOLE), "upper_bound": (2, DOUBLE)},
    "BucketSpan": {"offset": (1, SIGNED_32), "length": (2, WHOLE_32)},
    "Histogram": {
        "sample_count": (1, WHOLE),
        "sample_sum": (2, DOUBLE),
        "bucket": (3, ["Bucket"]),
        "schema": (5, SIGNED_32),
        "zero_threshold": (6, DOUBLE),
        "zero_count": (7, WHOLE),
        "positive_span": (12, ["BucketSpan"]),
        "positive_delta": (13, [SIGNED]),
    },
    "Metric": {
        "label": (1, ["LabelPair"]),
        "gauge": (2, "Number"),
        "counter": (3, "Number"),
        "histogram": (7, "Histogram"),
    },
    "MetricFamily": {"name": (1, TEXT), "help": (2, TEXT), "type": (3, ENUM), "metric": (4, ["Metric"])},
}


def _described() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="metrics.proto", package=PACKAGE, syntax="proto2")
    for message, fields in MESSAGES.items():
        described = file.message_type.add(name=message)
        for name, (number, kind) in fields.items():
            label = F.LABEL_REPEATED if isinstance(kind, list) else F.LABEL_OPTIONAL
            inner = kind[0] if isinstance(kind, list) else kind
            field = described.field.add(name=name, number=number, label=label)
            if isinstance(inner, str):
                field.type, field.type_name = F.TYPE_MESSAGE, f".{PACKAGE}.{inner}"
            else:
                field.type = inner
                field.options.packed = isinstance(kind, list)
    return file


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_described())
MetricFamily = message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{PACKAGE}.MetricFamily"))


def read(body: bytes) -> dict[str, Any]:
    """The families by name."""
    found, at = {}, 0
    while at < len(body):
        length, at = _DecodeVarint32(body, at)
        family = MetricFamily.FromString(body[at : at + length])
        assert family.ByteSize() == length, "a field that nobody knows"
        found[family.name] = family
        at += length
    return found


def labels_of(metric: Any) -> dict[str, str]:
    """The labels of a metric."""
    return {pair.name: pair.value for pair in metric.label}


def native_counts(histogram: Any) -> dict[int, int]:
    """The native buckets of a histogram, by Prometheus's numbers."""
    counts, place, count, deltas = {}, 0, 0, iter(histogram.positive_delta)
    for span in histogram.positive_span:
        place += span.offset
        for _ in range(span.length):
            count += next(deltas)
            counts[place] = count
            place += 1
    assert next(deltas, None) is None
    return counts
