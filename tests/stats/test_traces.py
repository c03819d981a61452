"""Which trace ids are kept: the slowest of each series, the first of each error, whatever the order and the way."""

from __future__ import annotations

from pathlib import Path
from random import Random

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.runtime.fold import Folder
from swell.runtime.recover import recover
from swell.runtime.ring import Ring
from swell.segment import Outcome, Segment, TraceSeen
from swell.stats.merge import RunMerge
from swell.stats.summary import summarise
from swell.stats.traces import GROUPS_CAP, KEPT, KeptTraces
from tests.stats.worker_runs import merged

BEGIN_NS = 1_000 * NS_PER_S
PATHS, ERRORS = ("", "/", "/login"), ("", "HTTP 503", "timed out")

calls = st.lists(
    st.tuples(st.integers(1, 2), st.integers(0, 2), st.integers(0, 5 * NS_PER_S), st.integers(0, 4 * NS_PER_S - 1)),
    max_size=40,
)
"""Series, error (0: none), response in ns, when it was done."""


def seen_of(number: int, series: int, error: int, response_ns: int, at_ns: int) -> TraceSeen:
    trace_id = f"{(1 << 127) + number:032x}" if number % 2 else f"{number + 1:032x}"
    return TraceSeen(series, error, 503 if error else 200, error > 0, trace_id, at_ns / NS_PER_S, response_ns)


def best(every: list[TraceSeen]) -> set[str]:
    """The ids that are to be kept, found the slow way."""
    kept: set[str] = set()
    for series in (1, 2):
        well = [seen for seen in every if seen.series == series and not seen.failed]
        kept |= {seen.trace_id for seen in sorted(well, key=lambda seen: (-seen.response_ns, seen.trace_id))[:KEPT]}
        for error in (1, 2):
            failed = [seen for seen in every if (seen.series, seen.error, seen.failed) == (series, error, True)]
            kept |= {seen.trace_id for seen in sorted(failed, key=lambda seen: (seen.at_s, seen.trace_id))[:KEPT]}
    return kept


@given(calls, st.randoms())
def test_the_same_are_kept_in_whatever_order_they_come(found: list[tuple[int, int, int, int]], random: Random) -> None:
    every = [seen_of(number, *call) for number, call in enumerate(found)]
    shuffled = random.sample(every, len(every))
    kept = KeptTraces(shuffled).listed()
    assert {seen.trace_id for seen in kept} == best(every)
    assert kept == KeptTraces(every).listed() == KeptTraces(kept).listed()


def record(ring: Ring, seen: TraceSeen) -> None:
    series = ring.series("Contestant", "GET", PATHS[seen.series])
    error = ring.error(ERRORS[seen.error]) if seen.failed else 0
    done_ns, outcome = BEGIN_NS + round(seen.at_s * NS_PER_S), Outcome.FAILED if seen.failed else Outcome(0)
    ring.record(done_ns, 5, seen.response_ns, 0, 0, -1, 10, 20, series, error, seen.status, outcome)
    ring.traced(done_ns, seen.trace_id, seen.response_ns, series, error, seen.status, outcome)


def segments_of(directory: Path, worker: int, every: list[TraceSeen]) -> list[Segment]:
    ring = Ring(directory, capacity=32, batch=8, names_bytes=1 << 16)
    folder = Folder(ring, run="run", worker=worker, incarnation=1, begin_ns=BEGIN_NS)
    sealed = []
    for at in range(0, len(every) + 1, 13):
        for seen in every[at : at + 13]:
            record(ring, seen)
        sealed.append(folder.seal(BEGIN_NS + 4 * NS_PER_S, final=at + 13 > len(every)))
    folder.close()
    ring.close()
    return sealed


@given(calls, calls)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ids_come_from_the_rings_of_workers_into_the_document(
    tmp_path: Path, one: list[tuple[int, int, int, int]], other: list[tuple[int, int, int, int]]
) -> None:
    first = [seen_of(number, *call) for number, call in enumerate(one)]
    second = [seen_of(1_000 + number, *call) for number, call in enumerate(other)]
    merge = merged([*segments_of(tmp_path, 0, first), *segments_of(tmp_path, 1, second)])
    document = summarise(merge.snapshot())
    every = {seen.trace_id: seen for seen in first + second}
    by_response = sorted(seen.response_ns for seen in every.values() if not seen.failed)
    if len(by_response) == len(set(by_response)):  # of equals, at the edge of a batch, any may be kept
        assert {row.trace_id for row in document.traces if row.error is None} == {
            id_ for id_ in best(list(every.values())) if not every[id_].failed
        }
    for row in document.traces:
        seen = every[row.trace_id]
        assert (row.name, row.error) == (PATHS[seen.series], ERRORS[seen.error] if seen.failed else None)
        assert (row.response_ms, row.status) == (seen.response_ns / 1e6, seen.status)
    assert document.totals.requests == len(every)
    assert RunMerge.restore(merge.journal()).snapshot() == merge.snapshot()


def test_of_too_many_errors_only_so_many_have_traces() -> None:
    kept = KeptTraces(seen_of(number, number, 1, 5, 5) for number in range(GROUPS_CAP + 10))
    assert len(kept.listed()) == GROUPS_CAP


def test_the_ids_that_a_dead_worker_had_recorded_are_found_in_its_ring(tmp_path: Path) -> None:
    ring = Ring(tmp_path, capacity=32, batch=8)
    seen = seen_of(1, 1, 1, 7 * NS_PER_S, 5)
    record(ring, seen)
    found = recover(tmp_path, run="run", worker=0, incarnation=1, begin_ns=BEGIN_NS, died_ns=BEGIN_NS + NS_PER_S)
    assert found is not None
    assert found.traces == (msgspec.structs.replace(seen, error=1),)
    assert summarise(merged([found]).snapshot()).totals.requests == 1
    ring.close()
