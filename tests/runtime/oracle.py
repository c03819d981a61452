"""What folding must come to, slowly and obviously: one record at a time into plain dicts."""

import dataclasses
import struct
from collections import Counter
from collections.abc import Iterable, Iterator

from swell.histogram import Histogram
from swell.segment import Kind, Outcome, SecondBlock, Segment

NS_PER_S = 1_000_000_000


@dataclasses.dataclass(frozen=True)
class Call:
    """The arguments of `Ring.record`."""

    done_ns: int
    service_ns: int = 1_000_000
    response_ns: int = 2_000_000
    first_byte_ns: int = 0
    connect_ns: int = 0
    lag_ns: int = -1
    bytes_out: int = 100
    bytes_in: int = 1_000
    series: int = 1
    error: int = 0
    status: int = 200
    outcome: int = 0

    def arguments(self) -> tuple[int, ...]:
        return dataclasses.astuple(self)


@dataclasses.dataclass
class Folded:
    """Everything that segments say of calls."""

    histograms: dict[tuple[int, int, int], Histogram] = dataclasses.field(default_factory=dict)
    """By second, series and kind."""
    tallies: Counter[tuple[int, int, int, int, int]] = dataclasses.field(default_factory=Counter)
    """By second, series, status, error and outcome."""
    bytes_: dict[tuple[int, int], tuple[int, int]] = dataclasses.field(default_factory=dict)
    """By second and series."""

    @property
    def calls(self) -> int:
        return sum(self.tallies.values())


def folded_slowly(calls: Iterable[Call], begin_ns: int) -> Folded:
    folded = Folded()
    for call in calls:
        second = max(0, (call.done_ns - begin_ns) // NS_PER_S)
        for kind, duration_ns in measured(call):
            folded.histograms.setdefault((second, call.series, kind), Histogram()).add(max(0, duration_ns))
        folded.tallies[second, call.series, call.status, call.error, call.outcome] += 1
        sent, received = folded.bytes_.get((second, call.series), (0, 0))
        folded.bytes_[second, call.series] = sent + call.bytes_out, received + call.bytes_in
    return folded


def measured(call: Call) -> Iterator[tuple[Kind, int]]:
    failed = call.outcome & Outcome.FAILED
    yield Kind.FAILED_RESPONSE if failed else Kind.RESPONSE, call.response_ns
    yield Kind.FAILED_SERVICE if failed else Kind.SERVICE, call.service_ns
    if call.first_byte_ns > 0:
        yield Kind.FIRST_BYTE, call.first_byte_ns
    if call.connect_ns > 0:
        yield Kind.CONNECT, call.connect_ns
    if call.lag_ns >= 0:
        yield Kind.LAG, call.lag_ns


def read_segments(segments: Iterable[Segment]) -> Folded:
    folded = Folded()
    for segment in segments:
        for block in segment.seconds:
            read_second(block, folded)
    return folded


def read_second(block: SecondBlock, folded: Folded) -> None:
    """Add a block to what has been read, without numpy."""
    second = block.second
    buckets: dict[int, dict[int, int]] = {}
    for key, count in zip(numbers("I", block.hist_keys), numbers("I", block.hist_counts), strict=True):
        buckets.setdefault(key >> 13, {})[key & 0x1FFF] = count
    sums = numbers("Q", block.sums)
    cells = numbers("I", block.sum_keys)
    assert cells == tuple(sorted(set(cells))) == tuple(sorted(buckets))
    for place, cell in enumerate(cells):
        sum_ns, min_ns, max_ns = sums[place :: len(cells)]
        histogram = folded.histograms.setdefault((second, cell >> 4, cell & 0xF), Histogram())
        histogram.add_buckets(buckets[cell].items(), sum_ns, min_ns, max_ns)
        histogram.check()
    for key, count in zip(numbers("Q", block.tally_keys), numbers("I", block.tally_counts), strict=True):
        folded.tallies[second, key >> 40, key >> 24 & 0xFFFF, key >> 4 & 0xFFFFF, key & 0xF] += count
    series = numbers("I", block.byte_keys)
    sent_received = numbers("Q", block.byte_sums)
    for place, number in enumerate(series):
        sent, received = folded.bytes_.get((second, number), (0, 0))
        more_sent, more_received = sent_received[place :: len(series)]
        folded.bytes_[second, number] = sent + more_sent, received + more_received


def numbers(code: str, content: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(content) // struct.calcsize('<' + code)}{code}", content)
