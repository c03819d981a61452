"""Segments as a worker would make them, built call by call, and the slow oracle of what they add up to."""

from __future__ import annotations

import dataclasses
import struct
from collections import defaultdict
from collections.abc import Iterable, Sequence

from swell.histogram import index_of
from swell.segment import (
    Counters,
    ErrorSamples,
    ErrorText,
    ExceptionCount,
    Health,
    Kind,
    Outcome,
    ScenarioCount,
    SecondBlock,
    Segment,
    SeriesName,
)

MS = 1_000_000
NO_COUNTERS = Counters()
CALM = Health()


@dataclasses.dataclass(frozen=True)
class Call:
    """One call, with the worker's own numbers."""

    second: int = 0
    series: int = 1
    response_ns: int = 5 * MS
    service_ns: int = 4 * MS
    status: int = 200
    error: int = 0
    failed: bool = False
    outcome: int = 0
    connect_ns: int = 0
    lag_ns: int = -1
    bytes_out: int = 100
    bytes_in: int = 1_000

    def durations(self) -> Iterable[tuple[Kind, int]]:
        """What the call adds to which histogram."""
        yield (Kind.FAILED_RESPONSE if self.failed else Kind.RESPONSE), self.response_ns
        yield (Kind.FAILED_SERVICE if self.failed else Kind.SERVICE), self.service_ns
        yield Kind.FIRST_BYTE, self.service_ns
        if self.connect_ns:
            yield Kind.CONNECT, self.connect_ns
        if self.lag_ns >= 0:
            yield Kind.LAG, self.lag_ns


def _packed(letter: str, numbers: Iterable[int]) -> bytes:
    numbers = list(numbers)
    return struct.pack(f"<{len(numbers)}{letter}", *numbers)


def second_block(second: int, calls: Iterable[Call]) -> SecondBlock:
    """What a worker reports of the calls of one second."""
    hist: dict[int, int] = defaultdict(int)
    sums: dict[int, list[int]] = defaultdict(list)
    tally: dict[int, int] = defaultdict(int)
    byte_sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for call in calls:
        for kind, value_ns in call.durations():
            hist[call.series << 17 | kind << 13 | index_of(value_ns)] += 1
            sums[call.series << 4 | kind].append(value_ns)
        outcome = call.outcome | (Outcome.FAILED if call.failed else 0)
        tally[call.series << 40 | call.status << 24 | call.error << 4 | outcome] += 1
        byte_sums[call.series][0] += call.bytes_out
        byte_sums[call.series][1] += call.bytes_in
    rows = [[fold(values) for values in sums.values()] for fold in (sum, min, max)]
    return SecondBlock(
        second,
        _packed("I", hist),
        _packed("I", hist.values()),
        _packed("I", sums),
        _packed("Q", [number for row in rows for number in row]),
        _packed("Q", tally),
        _packed("I", tally.values()),
        _packed("I", byte_sums),
        _packed("Q", [pair[place] for place in (0, 1) for pair in byte_sums.values()]),
    )


def segment(
    sequence: int = 1,
    calls: Sequence[Call] = (),
    *,
    worker: int = 0,
    incarnation: int = 1,
    series: Sequence[tuple[int, str]] = (),
    errors: Sequence[tuple[int, str]] = (),
    sealed_s: float | None = None,
    positions: tuple[int, int] = (0, 0),
    counters: Counters = NO_COUNTERS,
    users: int | None = None,
    started: int | None = None,
    health: Health = CALM,
    error_samples: Sequence[ErrorSamples] = (),
    exceptions: Sequence[ExceptionCount] = (),
    final: bool = False,
    recovered: bool = False,
) -> Segment:
    """A segment with these calls. `series` names GET series of the scenario Contestant."""
    by_second: dict[int, list[Call]] = defaultdict(list)
    for call in calls:
        by_second[call.second].append(call)
    scenarios = () if users is None else (ScenarioCount("Contestant", users, users if started is None else started),)
    return Segment(
        run="run",
        worker=worker,
        incarnation=incarnation,
        sequence=sequence,
        from_position=positions[0],
        to_position=positions[1],
        sealed_s=float(max(sequence, *(second + 1 for second in by_second), 0) if sealed_s is None else sealed_s),
        seconds=tuple(second_block(second, found) for second, found in sorted(by_second.items())),
        series=tuple(SeriesName(number, "Contestant", "GET", name) for number, name in series),
        errors=tuple(ErrorText(number, text) for number, text in errors),
        error_samples=tuple(error_samples),
        exceptions=tuple(exceptions),
        counters=counters,
        scenarios=scenarios,
        health=health,
        final=final,
        recovered=recovered,
    )
