"""HdrHistogram's interval log, version 1.3, with V2 histograms: what its own tools plot and merge.

An interval is a second of the run (longer, of what was long ago). All calls together are lines without a tag, which
tools read by default; each series has a tag of its own. Values are the response of successful calls in nanoseconds.

A V2 histogram (G. Tene, HdrHistogram's reference implementation) is a head of six big-endian numbers and the counts, in
order of their index, each as a ZigZag LEB128 varint; a negative one stands for so many zeros. It is deflated, has a
head of its own, and goes into the log as base64. With three significant digits from 1 ns on, each of our buckets falls
into exactly one of its.
"""

from __future__ import annotations

import base64
import datetime
import re
import struct
import zlib
from collections.abc import Iterator, Mapping

from swell.document import ResultDocument
from swell.histogram import MAX_NS, Histogram, middle_ns
from swell.report.wording import visible
from swell.result import RunResult
from swell.segment import BUCKET_BITS, KIND_BITS, MEASURES_FROM, Kind
from swell.stats import counts, packed

V2_COOKIE = 0x1C849303 | 0x10
V2_COMPRESSED_COOKIE = 0x1C849304 | 0x10
DIGITS = 3
SUB_BITS = 11
"""The least power of two that tells 2 × 10^3 values apart."""
HALF_BITS = SUB_BITS - 1
LEAST_NS = 1
RATIO = 1.0
NS_PER_MS = 1e6
COMPRESSION = 1
"""zlib's fastest: what is deflated here is a hundred bytes."""
HEADS = '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"'


def to_hdr_log(result: RunResult, document: ResultDocument) -> bytes:
    """The log of a run."""
    return "".join(f"{line}\n" for line in (*_heading(result, document), *_intervals(result))).encode(
        "ascii", "replace"
    )


def encoded(histogram: Histogram) -> bytes:
    """A histogram of ours as a deflated one of V2."""
    payload = b"".join(_payload(_by_index(histogram)))
    head = struct.pack(">iiiiqqd", V2_COOKIE, len(payload), 0, DIGITS, LEAST_NS, MAX_NS, RATIO)
    deflated = zlib.compress(head + payload, COMPRESSION)
    return struct.pack(">ii", V2_COMPRESSED_COOKIE, len(deflated)) + deflated


def index_of(value_ns: int) -> int:
    """The place of a value among the counts of a V2 histogram."""
    magnitude = max(value_ns.bit_length() - SUB_BITS, 0)
    return (magnitude << HALF_BITS) + (value_ns >> magnitude)


def varint(number: int) -> bytes:
    """ZigZag LEB128: small numbers of either sign are short. The ninth byte holds eight bits."""
    rest = (number << 1) ^ (number >> 63)
    rest &= (1 << 64) - 1
    made = bytearray()
    while rest >= 0x80 and len(made) < 8:
        made.append(rest & 0x7F | 0x80)
        rest >>= 7
    made.append(rest)
    return bytes(made)


def _by_index(histogram: Histogram) -> dict[int, int]:
    found: dict[int, int] = {}
    for bucket, count in histogram.counts.items():
        index = index_of(min(middle_ns(bucket), MAX_NS))
        found[index] = found.get(index, 0) + count
    return found


def _payload(found: Mapping[int, int]) -> Iterator[bytes]:
    next_index = 0
    for index, count in sorted(found.items()):
        if zeros := index - next_index:
            yield varint(-zeros) if zeros > 1 else varint(0)
        yield varint(count)
        next_index = index + 1


def _heading(result: RunResult, document: ResultDocument) -> Iterator[str]:
    at = result.started_at.astimezone(datetime.UTC)
    yield f"#[swell, run {visible(document.run.id)}: response of successful calls in ns; all calls have no tag]"
    yield "#[Histogram log format version 1.3]"
    yield f"#[StartTime: {at.timestamp():.3f} (seconds since epoch), {at:%a %b %d %H:%M:%S} UTC {at.year}]"
    yield HEADS


def _intervals(result: RunResult) -> Iterator[str]:
    tags = tags_of(result)
    for block in result.blocks:
        tables = packed.unpack(block)
        present = sorted({int(key) >> (KIND_BITS + BUCKET_BITS) for key in tables.hist.keys.tolist()})
        numbers: list[int | None] = [None, *(number for number in present if number < MEASURES_FROM)]
        for number in numbers:
            histogram = counts.histogram(tables, (Kind.RESPONSE,), number)
            if histogram.total or number is None:
                tag = "" if number is None else f"Tag={tags.get(number, tags[0])},"
                coded = base64.b64encode(encoded(histogram)).decode("ascii")
                length = block.to_s - block.from_s
                yield f"{tag}{block.from_s:.3f},{length:.3f},{histogram.max_ns / NS_PER_MS:.3f},{coded}"


def tags_of(result: RunResult) -> dict[int, str]:
    """The tag of each series, by its number: method and name, without what a tag cannot hold; no two alike."""
    found: dict[int, str] = {}
    taken: set[str] = set()
    for number, series in enumerate(result.series):
        words = "_".join(part for part in (series.method, series.name, series.tags) if part)
        tag = plain = re.sub(r"[^!-+\--~]", "_", words.encode("ascii", "backslashreplace").decode("ascii")) or "_"
        several = 1
        while tag in taken:
            several += 1
            tag = f"{plain}~{several}"
        taken.add(tag)
        found[number] = tag
    return found
