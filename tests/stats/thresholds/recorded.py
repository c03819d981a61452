"""Runs made of calls and of the script's own measures, for thresholds to judge, and the slow oracle of that."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import msgspec

from swell.histogram import Histogram, index_of
from swell.plan import RunPlan, Scenario
from swell.result import End, RunResult
from swell.segment import MEASURES_FROM, VALUE_SCALE, Kind, Outcome, SecondBlock, SeriesName, Sort
from swell.stats.merge import RunMerge
from swell.stats.thresholds.expression import Figure, Threshold
from tests.plans import plan_with
from tests.stats.segments import Call, segment
from tests.stats.worker_runs import NOON

SERIES = {
    1: SeriesName(1, "Reader", "GET", "/a"),
    2: SeriesName(2, "Reader", "POST", "/a"),
    3: SeriesName(3, "Writer", "GET", "/a: b"),
}
SCENARIOS = (Scenario("Reader"), Scenario("Writer"))
FEW = 10


def plan(*expressions: str) -> RunPlan:
    """A plan with these thresholds."""
    return plan_with(scenarios=SCENARIOS, thresholds=expressions)


@dataclasses.dataclass(frozen=True)
class Own:
    """A value that the script has recorded in a second: of a check or a rate whether it held."""

    second: int
    sort: Sort
    value: float = 1.0
    scenario: str = "Reader"
    name: str = "x"


def run_of(
    expressions: Sequence[str],
    calls: Iterable[Call] = (),
    own: Sequence[Own] = (),
    *,
    seconds: int = 4,
    at_s: float | None = None,
    end: End | None = End.COMPLETED,
    end_text: str = "",
    users: Sequence[int] = (),
) -> RunResult:
    """A run of so many seconds, reported at once; or as it stands at `at_s`, without what comes later."""
    merge = RunMerge("run", plan(*expressions), NOON)
    until_s = seconds if at_s is None else int(at_s)
    made = segment(1, [call for call in calls if call.second < until_s], sealed_s=float(until_s), final=end is not None)
    names = tuple(dict.fromkeys((one.scenario, one.name, one.sort) for one in own))
    measures = {key: MEASURES_FROM + 1 + place for place, key in enumerate(names)}
    of_measures = (SeriesName(number, key[0], "", key[1], key[2]) for key, number in measures.items())
    blocks = [
        _block(one, number)
        for one in own
        if one.second < until_s
        for number in [measures[one.scenario, one.name, one.sort]]
    ]
    merge.apply(
        msgspec.structs.replace(
            made, series=(*SERIES.values(), *of_measures), seconds=(*made.seconds, *blocks), sealed_s=float(until_s)
        )
    )
    for second, there in enumerate(users[:until_s], 2):
        merge.apply(segment(second, sealed_s=second - 1 + 0.01, users=there))
    if end is not None:
        merge.ended(float(seconds), end, end_text)
        merge.close()
    merge.check()
    result = merge.snapshot(at_s)
    return msgspec.structs.replace(result, settled_s=until_s)


def _block(one: Own, number: int) -> SecondBlock:
    """What a worker reports of one value."""
    failed = one.sort in (Sort.CHECK, Sort.RATE) and not one.value
    ns = round(one.value * VALUE_SCALE)
    timed = one.sort in (Sort.TREND, Sort.TRANSACTION)
    whole, millionths = divmod(round(one.value * 1_000_000), 1_000_000)
    counted, gauge = one.sort is Sort.COUNTER, one.sort is Sort.GAUGE
    return SecondBlock(
        one.second,
        *(
            struct.pack("<I", number << 17 | Kind.RESPONSE << 13 | index_of(ns)) if timed else b"",
            struct.pack("<I", 1) if timed else b"",
            struct.pack("<I", number << 4 | Kind.RESPONSE) if timed else b"",
            struct.pack("<QQQ", ns, ns, ns) if timed else b"",
            struct.pack("<Q", number << 40 | (Outcome.FAILED if failed else 0)),
            struct.pack("<I", 1),
            struct.pack("<I", number) if counted else b"",
            struct.pack("<QQ", whole, millionths) if counted else b"",
            struct.pack("<I", number) if gauge else b"",
            struct.pack("<Qddd", one.second * 10**9, one.value, one.value, one.value) if gauge else b"",
        ),
    )


# --- the oracle ------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Found:
    """What the oracle has found: a value, and whether it is one to judge by."""

    value: float | None
    enough: bool = True


def oracle(threshold: Threshold, calls: Sequence[Call], seconds: int) -> tuple[bool | None, float | None]:
    """How a finished run of calls stands to a threshold, counted call by call."""
    chosen = [call for call in calls if _is_chosen(threshold, call) and call.second >= threshold.after_s]
    limit = threshold.limit.value(threshold.metric.dimension)
    if threshold.over_s is None:
        found = _value(threshold, chosen, seconds - threshold.after_s)
        if found.value is None or not found.enough:
            return None, found.value
        return threshold.comparison.holds(found.value, limit), found.value
    windows = []
    for from_s in range(threshold.after_s, seconds - threshold.over_s + 1):
        inside = [call for call in chosen if from_s <= call.second < from_s + threshold.over_s]
        windows.append(_value(threshold, inside, threshold.over_s))
    judged = [found.value for found in windows if found.enough and found.value is not None]
    if not judged:
        return None, None
    worst = max(judged, key=lambda value: threshold.comparison.badness(value, limit))
    return all(threshold.comparison.holds(value, limit) for value in judged), worst


def _is_chosen(threshold: Threshold, call: Call) -> bool:
    if threshold.selector is None:
        return True
    series = SERIES[call.series]
    text = threshold.selector.text
    return text in (series.scenario, series.name, f"{series.method} {series.name}")


def _value(threshold: Threshold, calls: Sequence[Call], seconds: float) -> Found:
    figure = threshold.metric.figure
    failures = sum(call.failed for call in calls)
    plain: dict[Figure, Callable[[], Found]] = {
        Figure.ERRORS: lambda: Found(100 * failures / len(calls) if calls else None),
        Figure.RPS: lambda: Found(len(calls) / seconds if seconds > 0 else None),
        Figure.FAILURES_PER_S: lambda: Found(failures / seconds if seconds > 0 else None),
        Figure.REQUESTS: lambda: Found(float(len(calls))),
        Figure.FAILURES: lambda: Found(float(failures)),
    }
    if figure in plain:
        return plain[figure]()
    histogram = Histogram()
    for call in calls:
        for kind, value_ns in call.durations():
            if kind in threshold.metric.duration.kinds:
                histogram.add(value_ns)
    if not histogram.total:
        return Found(None)
    if figure is Figure.QUANTILE:
        ns: float = histogram.quantile_ns(threshold.metric.q)
        return Found(ns / 1e6, enough=_beyond(histogram, threshold.metric.q) >= FEW)
    found_ns = {Figure.MIN: histogram.min_ns, Figure.MAX: histogram.max_ns, Figure.MEAN: histogram.mean_ns()}[figure]
    return Found(found_ns / 1e6)


def _beyond(histogram: Histogram, q: float) -> int:
    """How many samples follow the one that is the quantile."""
    rank = next(rank for rank in range(1, histogram.total + 1) if rank / histogram.total >= q * (1 - 1e-12))
    return histogram.total - rank


def widened(result: RunResult, width_s: int) -> RunResult:
    """The result as it is kept of long ago: blocks joined to wider ones."""
    from swell.stats import packed

    joined = []
    for from_s in range(0, result.whole.to_s, width_s):
        inside = [packed.unpack(block) for block in result.blocks if from_s <= block.from_s < from_s + width_s]
        if inside:
            joined.append(packed.pack(from_s, from_s + width_s, packed.add(inside)))
    assert all(one.to_s <= other.from_s for one, other in pairwise(joined))
    return msgspec.structs.replace(result, blocks=tuple(joined))
