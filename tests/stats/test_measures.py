"""The script's own measures, from the rings of several workers to the document: every number exact, no call touched."""

from __future__ import annotations

import dataclasses
import math
import random as stdlib_random
from collections import Counter, defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.document import CheckSummary, MeasureSummary, ResultDocument, TransactionSummary
from swell.errors import LinkError
from swell.histogram import Histogram
from swell.result import End
from swell.runtime.fold import Folder
from swell.runtime.measures import MOST_VALUE, columns_of
from swell.runtime.recover import recover
from swell.runtime.ring import Ring
from swell.segment import (
    MEASURE_CAP,
    MEASURES_BEYOND,
    MEASURES_FROM,
    VALUE_SCALE,
    Kind,
    Outcome,
    Segment,
    SeriesName,
    Sort,
)
from swell.stats.latency import latency
from swell.stats.measures import Measures, trend
from swell.stats.merge import RunMerge
from swell.stats.summary import summarise
from swell.stats.windows import window
from tests.stats.segments import Call, segment
from tests.stats.worker_runs import NOON, PLAN, merged

BEGIN_NS = 1_000 * NS_PER_S
SECONDS = 4
RUN = "run"

values = {
    Sort.CHECK: st.just(0.0),
    Sort.RATE: st.just(0.0),
    Sort.TRANSACTION: st.integers(0, 90 * NS_PER_S).map(float),
    Sort.COUNTER: st.one_of(st.integers(0, 50), st.floats(0, MOST_VALUE), st.just(MOST_VALUE)).map(float),
    Sort.GAUGE: st.floats(allow_nan=False, allow_infinity=False),
    Sort.TREND: st.one_of(st.floats(0, 1_000), st.integers(0, MOST_VALUE).map(float)),
}


@dataclasses.dataclass(frozen=True)
class Value:
    """One value that a script records."""

    sort: Sort
    name: str
    value: float
    failed: bool
    at_ns: int


@st.composite
def one_value(draw: st.DrawFn) -> Value:
    sort = draw(st.sampled_from(list(values)))
    fails = sort in (Sort.CHECK, Sort.RATE, Sort.TRANSACTION) and draw(st.booleans())
    return Value(
        sort,
        draw(st.sampled_from(["a", "b"])),
        draw(values[sort]),
        fails,
        draw(st.integers(0, SECONDS * NS_PER_S - 1)),
    )


a_call = st.integers(1, 2)
reports = st.lists(st.lists(st.one_of(one_value(), a_call), max_size=12), min_size=1, max_size=3)
"""What is recorded before each segment is sealed: values, and calls by number."""


def record(ring: Ring, value: Value) -> bool:
    number = ring.measure(value.sort, "Contestant", value.name)
    outcome = Outcome.FAILED if value.failed else Outcome(0)
    return ring.measured(BEGIN_NS + value.at_ns, number, value.sort, value.value, outcome)


def record_call(ring: Ring, number: int) -> None:
    series = ring.series("Contestant", "GET", f"/{number}")
    ring.record(BEGIN_NS, 1_000, 2_000, 0, 0, -1, 10, 20, series, 0, 200, 0)


def segments_of(worker: int, recorded: list[list[Value | int]], directory: Path) -> list[Segment]:
    """The segments of a worker whose ring is folded every 8 records."""
    ring = Ring(directory, capacity=32, batch=8, names_bytes=1 << 16)
    folder = Folder(ring, run=RUN, worker=worker, incarnation=1, begin_ns=BEGIN_NS)
    sealed = []
    for number, report in enumerate(recorded):
        for one in report:
            if isinstance(one, Value):
                assert record(ring, one)
            else:
                record_call(ring, one)
        sealed.append(folder.seal(BEGIN_NS + SECONDS * NS_PER_S, final=number == len(recorded) - 1))
    folder.close()
    ring.close()
    return sealed


def fixed_sum(found: list[Value]) -> float:
    return sum(round(one.value * VALUE_SCALE) for one in found) / VALUE_SCALE


def histogram_of(found: list[Value], scale: int, *, failed: bool = False) -> Histogram:
    made = Histogram()
    for one in found:
        if one.failed == failed:
            made.add(round(one.value * scale))
    return made


def expected(recorded: list[Value], duration_s: float) -> tuple[list[object], list[object], list[object]]:
    """Checks, transactions and measures, one by one."""
    by_name: dict[tuple[str, Sort], list[Value]] = defaultdict(list)
    for one in recorded:
        by_name[one.name, one.sort].append(one)
    checks: list[object] = []
    transactions: list[object] = []
    measures: list[object] = []
    for (name, sort), found in sorted(by_name.items()):
        failed = sum(one.failed for one in found)
        base = MeasureSummary(scenario="Contestant", name=name, sort=sort.name.lower(), count=len(found))
        match sort:
            case Sort.CHECK:
                checks.append(CheckSummary(scenario="Contestant", name=name, passed=len(found) - failed, failed=failed))
            case Sort.TRANSACTION:
                well, badly = (latency(histogram_of(found, 1, failed=which), "kernel") for which in (False, True))
                transactions.append(
                    TransactionSummary(
                        scenario="Contestant",
                        name=name,
                        count=len(found),
                        failures=failed,
                        response_ms=well,
                        failed_ms=badly,
                    )
                )
            case Sort.COUNTER:
                total = fixed_sum(found)
                measures.append(msgspec.structs.replace(base, sum=total, per_s=total / duration_s))
            case Sort.GAUGE:
                every = [one.value for one in found]
                latest_ns = max(one.at_ns for one in found)
                candidates = [one.value for one in found if one.at_ns == latest_ns]
                measures.append((base, candidates, min(every), max(every)))
            case Sort.RATE:
                measures.append(msgspec.structs.replace(base, share=(len(found) - failed) / len(found)))
            case Sort.TREND:
                measures.append(msgspec.structs.replace(base, trend=trend(histogram_of(found, VALUE_SCALE))))
    return checks, transactions, measures


def assert_measured(document: ResultDocument, recorded: list[Value]) -> None:
    checks, transactions, measures = expected(recorded, document.run.duration_s)
    assert list(document.checks) == checks
    assert list(document.transactions) == transactions
    assert len(document.measures) == len(measures)
    for found, wanted in zip(document.measures, measures, strict=True):
        if isinstance(wanted, tuple):
            base, candidates, least, greatest = wanted
            assert found.last in candidates
            assert msgspec.structs.replace(found, last=None) == msgspec.structs.replace(base, min=least, max=greatest)
        else:
            assert found == wanted


@given(st.tuples(reports, reports), st.randoms())
@settings(max_examples=60, deadline=None)
def test_what_workers_record_is_in_the_document_exactly_whatever_the_order_of_segments(
    workers: tuple[list[list[Value | int]], ...], random: stdlib_random.Random
) -> None:
    sealed = []
    for worker, recorded in enumerate(workers):
        with TemporaryDirectory() as directory:
            sealed += segments_of(worker, recorded, Path(directory))
    shuffled = [*sealed, *random.sample(sealed, len(sealed) // 2)]
    random.shuffle(shuffled)
    document = summarise(merged(shuffled).snapshot())
    everything = [one for recorded in workers for report in recorded for one in report]
    assert_measured(document, [one for one in everything if isinstance(one, Value)])
    calls = Counter(f"/{one}" for one in everything if isinstance(one, int))
    assert {series.name: series.requests for series in document.series} == calls
    assert document == summarise(merged(sealed).snapshot())


@given(st.tuples(reports, reports))
@settings(max_examples=40, deadline=None)
def test_measures_are_in_no_count_of_calls(workers: tuple[list[list[Value | int]], ...]) -> None:
    """A run with measures and the same without them differ in nothing else."""
    documents = []
    for keep in (True, False):
        sealed = []
        for worker, recorded in enumerate(workers):
            kept = [[one for one in report if keep or isinstance(one, int)] for report in recorded]
            with TemporaryDirectory() as directory:
                sealed += segments_of(worker, kept, Path(directory))
        result = merged(sealed).snapshot()
        documents.append(
            (
                msgspec.structs.replace(summarise(result), checks=(), transactions=(), measures=()),
                [worker.calls_per_s for worker in result.workers],
                [(one.requests, one.failures) for one in (window(result, 0, 2), window(result, 1, SECONDS))],
            )
        )
    with_measures, without = documents
    assert msgspec.structs.replace(with_measures[0], timeline=()) == msgspec.structs.replace(without[0], timeline=())
    assert [point for point in with_measures[0].timeline if point.requests] == [
        point for point in without[0].timeline if point.requests
    ]
    assert [pairs_with_calls(one) for one in with_measures[1]] == [pairs_with_calls(one) for one in without[1]]
    assert with_measures[2] == without[2]


def pairs_with_calls(calls_per_s: bytes) -> list[tuple[int, int]]:
    numbers = memoryview(calls_per_s).cast("Q").tolist()
    return [(second, calls) for second, calls in zip(numbers[::2], numbers[1::2], strict=True) if calls]


def test_a_window_holds_only_what_was_measured_in_it(tmp_path: Path) -> None:
    recorded: list[Value | int] = [
        Value(sort, "a", value, False, at_s * NS_PER_S)
        for at_s, value in ((0, 5.0), (1, 7.0), (2, 1.0))
        for sort in (Sort.GAUGE, Sort.COUNTER, Sort.CHECK)
    ]
    result = merged(segments_of(0, [recorded], tmp_path)).snapshot()
    found = Measures(result, window(result, 1, 2).tables, 1.0)
    assert [check.passed for check in found.checks()] == [1]
    assert [(one.sort, one.last, one.sum) for one in found.values()] == [("counter", None, 7.0), ("gauge", 7.0, None)]
    assert repr(found) == "<Measures: GAUGE a, COUNTER a, CHECK a>"


def test_of_two_values_of_a_gauge_at_one_instant_the_later_recorded_counts(tmp_path: Path) -> None:
    recorded: list[Value | int] = [Value(Sort.GAUGE, "a", value, False, 7) for value in (9.0, 3.0, 5.0)]
    document = summarise(merged(segments_of(0, [recorded], tmp_path)).snapshot())
    assert (document.measures[0].last, document.measures[0].min, document.measures[0].max) == (5.0, 3.0, 9.0)


@pytest.mark.parametrize("value", [-1.0, -0.000_001, math.nan, math.inf, MOST_VALUE + 1.0])
@pytest.mark.parametrize("sort", [Sort.COUNTER, Sort.TREND])
def test_a_value_out_of_range_is_refused_and_counted(tmp_path: Path, sort: Sort, value: float) -> None:
    ring = Ring(tmp_path)
    assert not ring.measured(BEGIN_NS, ring.measure(sort, "A", "x"), sort, value, 0)
    assert (ring.counters().values_refused, ring.head) == (1, 0)
    ring.close()


@given(st.sampled_from(list(Sort)[1:]), st.one_of(st.floats(), st.integers(0, 1 << 60).map(float)))
def test_whatever_the_value_it_fits_into_a_record_or_is_refused(sort: Sort, value: float) -> None:
    if sort is Sort.TRANSACTION and not 0 <= value < 1 << 62:
        return  # measured by us
    columns = columns_of(sort, value)
    assert columns is None or all(-(1 << 63) <= column < 1 << 63 for column in columns)


def test_measures_beyond_the_cap_are_counted_and_left_out(tmp_path: Path) -> None:
    ring = Ring(tmp_path)
    folder = Folder(ring, run=RUN, worker=0, incarnation=1, begin_ns=BEGIN_NS)
    numbers = [ring.measure(Sort.COUNTER, "A", f"{number}") for number in range(MEASURE_CAP + 2)]
    assert (numbers[0], numbers[-3:]) == (MEASURES_FROM + 1, [MEASURES_FROM + MEASURE_CAP, *[MEASURES_BEYOND] * 2])
    for number in numbers:
        ring.measured(BEGIN_NS, number, Sort.COUNTER, 2.0, 0)
    document = summarise(merged([folder.seal(BEGIN_NS + NS_PER_S)]).snapshot())
    assert (len(document.measures), document.limits.measures.beyond) == (MEASURE_CAP, 2)
    assert (document.totals.requests, document.totals.bytes_sent) == (0, 0)
    folder.close()
    ring.close()


def test_measures_of_many_workers_beyond_the_runs_cap_are_counted() -> None:
    def of_worker(worker: int) -> Segment:
        names = tuple(
            SeriesName(MEASURES_FROM + number, "A", "", f"{worker}.{number}", Sort.CHECK)
            for number in range(1, MEASURE_CAP + 1)
        )
        calls = [Call(series=named.number, status=0) for named in names[:600]]
        return msgspec.structs.replace(segment(1, calls, worker=worker), series=names)

    result = merged([of_worker(0), of_worker(1)]).snapshot()
    assert (len(result.measures) - 1, result.beyond.measures) == (MEASURE_CAP, 600)
    assert len(summarise(result).checks) == 600


def test_a_measure_whose_name_was_lost_is_beyond_the_cap_and_no_call() -> None:
    for series in ((), (SeriesName(MEASURES_FROM + 9, "A", "", "other", Sort.CHECK),)):
        lost = msgspec.structs.replace(segment(1, [Call(series=MEASURES_FROM + 3), Call(series=4)]), series=series)
        result = merged([lost]).snapshot()
        assert (result.beyond.measures, result.beyond.series) == (1, 1)
        assert summarise(result).totals.requests == 1


@pytest.mark.parametrize(
    "named",
    [
        SeriesName(5, "A", "", "a check with the number of a call", Sort.CHECK),
        SeriesName(MEASURES_FROM + 1, "A", "GET", "a call with the number of a measure"),
        SeriesName(MEASURES_FROM + MEASURE_CAP + 1, "A", "", "beyond", Sort.CHECK),
    ],
)
def test_a_segment_whose_measures_have_impossible_numbers_is_refused(named: SeriesName) -> None:
    merge = RunMerge(RUN, PLAN, NOON)
    with pytest.raises(LinkError):
        merge.apply(msgspec.structs.replace(segment(1), series=(named,)))


def test_a_segment_whose_gauges_do_not_fit_together_is_refused() -> None:
    merge = RunMerge(RUN, PLAN, NOON)
    one = segment(1, [Call()])
    torn = msgspec.structs.replace(one.seconds[0], gauge_keys=b"\0" * 4, gauges=b"\0" * 24)
    with pytest.raises(LinkError):
        merge.apply(msgspec.structs.replace(one, seconds=(torn,)))


def test_what_a_dead_worker_had_measured_is_found_in_its_ring(tmp_path: Path) -> None:
    ring = Ring(tmp_path, capacity=32, batch=8)
    recorded = [Value(sort, "a", 3.0, False, number * 7) for number, sort in enumerate(list(values) * 3)]
    for one in recorded:
        record(ring, one)
    found = recover(tmp_path, run=RUN, worker=0, incarnation=1, begin_ns=BEGIN_NS, died_ns=BEGIN_NS + NS_PER_S)
    assert found is not None
    assert_measured(summarise(merged([found]).snapshot()), recorded)
    ring.close()


def test_sums_of_many_large_amounts_are_exact_and_means_are_near(tmp_path: Path) -> None:
    """Of a thousand of the largest values neither the sum in millionths nor a trend's fits into 64 bits."""
    every = [Value(sort, "a", float(MOST_VALUE), False, 0) for _ in range(3_000) for sort in (Sort.COUNTER, Sort.TREND)]
    merge = merged(segments_of(0, [list(every[at : at + 1_000]) for at in range(0, len(every), 1_000)], tmp_path))
    counter, trend_ = summarise(merge.snapshot()).measures
    assert counter.sum == 3_000.0 * MOST_VALUE
    assert trend_.trend is not None
    assert trend_.trend.mean == pytest.approx(MOST_VALUE, rel=0.004)


def test_joined_blocks_keep_the_last_value_of_a_gauge_and_the_sum_of_a_counter(tmp_path: Path) -> None:
    recorded: list[Value | int] = [
        Value(sort, "a", float(second % 17), False, second * NS_PER_S)
        for second in range(0, 8_000, 5)
        for sort in (Sort.GAUGE, Sort.COUNTER)
    ]
    ring = Ring(tmp_path, capacity=4_096, batch=4_096)
    folder = Folder(ring, run=RUN, worker=0, incarnation=1, begin_ns=BEGIN_NS)
    for one in recorded:
        assert isinstance(one, Value)
        record(ring, one)
    merge = RunMerge(RUN, PLAN, NOON)
    merge.apply(folder.seal(BEGIN_NS + 8_000 * NS_PER_S))
    merge.ended(8_000.0, End.COMPLETED)
    result = merge.snapshot()
    assert max(block.to_s - block.from_s for block in result.blocks) == 10
    merge.check()
    found = Measures(result, window(result, 100, 200).tables, 100.0)
    amount, setting = found.values()
    assert amount.sum == sum(second % 17 for second in range(100, 200, 5))
    assert (setting.last, setting.count) == (195 % 17, 20)
    assert not any(row for row in Kind if window(result, 100, 200).histogram((row,)).total)
    folder.close()
    ring.close()
