"""Results in which one thing went wrong, for the rules of the verdict."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from swell.plan import Revision
from swell.result import End, RunResult
from swell.segment import Counters, Health
from swell.stats.merge import RunMerge
from tests.report.sample_results import plan
from tests.stats.segments import CALM, Call, segment

NOON = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)
SECONDS = 10
ALL_ANSWERED = Counters(sent=1_000, answered=1_000)


def run_merge(
    *,
    calls: Sequence[Call] = (),
    users: Sequence[int] = (2,) * SECONDS,
    started: int = 2,
    health: dict[int, Health] | None = None,
    counters: Counters = ALL_ANSWERED,
    planned: int = 2,
    revisions: Sequence[Revision] = (),
    final: bool = True,
) -> RunMerge:
    """A run of ten seconds with one worker that reported each of them."""
    merge = RunMerge("run", plan(users=planned, spawn_rate_per_s=float(planned)), NOON)
    merge.worker_joined(0, 1, host="here", capacity=1.0, at_s=0.0)
    for revision in revisions:
        merge.revised(revision)
    for second, there in enumerate(users):
        found = [call for call in calls if call.second == second]
        merge.apply(
            segment(
                second + 1,
                found,
                series=[(1, "/")] if not second else (),
                counters=counters,
                users=there,
                started=started,
                health=(health or {}).get(second, CALM),
            )
        )
    if final:
        merge.apply(
            segment(len(users) + 1, sealed_s=SECONDS + 0.1, users=0, started=started, counters=counters, final=True)
        )
    return merge


def ended(merge: RunMerge, at_s: float = SECONDS) -> RunResult:
    """The result of a run that came to its end."""
    merge.ended(at_s, End.COMPLETED)
    merge.close()
    merge.check()
    return merge.snapshot()
