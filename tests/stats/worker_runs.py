"""What several workers report of a run, drawn by hypothesis, beside the calls that it stands for."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Sequence

from hypothesis import strategies as st

from swell.histogram import Histogram
from swell.plan import RunPlan, Scenario
from swell.result import End
from swell.segment import Counters, ExceptionCount, Kind, Segment
from swell.stats.merge import RunMerge
from tests.plans import plan_with
from tests.stats.segments import MS, Call, segment

PLAN = plan_with(4, script="contest.py", scenarios=(Scenario("Contestant"),), host="http://127.0.0.1:8000")
NOON = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)
NAMES = ("(other)", "/", "/problems", "/problems/:id", "/submit")
ERRORS = ("(other)", "HTTP 503", "timed out", "connection reset")
SECONDS = 4

calls = st.builds(
    Call,
    second=st.integers(0, SECONDS - 1),
    series=st.integers(1, len(NAMES) - 1),
    response_ns=st.integers(0, 10_000 * MS),
    service_ns=st.integers(0, 10_000 * MS),
    status=st.sampled_from([0, 200, 404, 503]),
    error=st.integers(0, len(ERRORS) - 1),
    failed=st.booleans(),
    outcome=st.sampled_from([0, 2]),
    connect_ns=st.sampled_from([0, 0, 3 * MS]),
    lag_ns=st.sampled_from([-1, -1, 0, 2 * MS]),
)


@dataclasses.dataclass(frozen=True)
class WorkerRun:
    """Calls by the numbers of NAMES and ERRORS, and the segments in which the worker reported them, in order."""

    calls: tuple[Call, ...]
    segments: tuple[Segment, ...]


@st.composite
def worker_runs(draw: st.DrawFn, worker: int) -> WorkerRun:
    """A worker that has numbers of its own for series and errors, and names each when it first appears."""
    names = [0, *draw(st.permutations(range(1, len(NAMES))))]
    errors = [0, *draw(st.permutations(range(1, len(ERRORS))))]
    reports = draw(st.lists(st.lists(calls, max_size=4), min_size=1, max_size=4))
    segments, seen, seen_errors, position = [], {0}, {0}, 0
    for sequence, report in enumerate(reports, 1):
        to = position + len(report)
        new = {call.series for call in report} - seen
        new_errors = {call.error for call in report} - seen_errors
        segments.append(
            segment(
                sequence,
                report,
                worker=worker,
                series=[(number, NAMES[names[number]]) for number in new],
                errors=[(number, ERRORS[errors[number]]) for number in new_errors],
                positions=(position, to),
                users=sequence,
                final=sequence == len(reports),
                exceptions=[ExceptionCount(f"ValueError {worker % 2}", "line 3", sequence)],
                counters=Counters(sent=to, answered=to),
            )
        )
        seen, seen_errors, position = seen | new, seen_errors | new_errors, to
    meant = (
        dataclasses.replace(call, series=names[call.series], error=errors[call.error])
        for report in reports
        for call in report
    )
    return WorkerRun(tuple(meant), tuple(segments))


runs = st.tuples(*(worker_runs(worker) for worker in range(3)))


def merged(segments: Iterable[Segment], plan: RunPlan = PLAN) -> RunMerge:
    """The merge of a run that ended in good order."""
    merge = RunMerge("run", plan, NOON)
    for one in segments:
        merge.apply(one)
    merge.ended(float(SECONDS), End.COMPLETED)
    merge.close()
    merge.check()
    return merge


def oracle(calls: Sequence[Call], kind: Kind, series: int | None = None) -> Histogram:
    """One histogram of all the durations of a kind, counted one by one."""
    histogram = Histogram()
    for call in calls:
        if series in (None, call.series):
            for found, value_ns in call.durations():
                if found == kind:
                    histogram.add(value_ns)
    return histogram
