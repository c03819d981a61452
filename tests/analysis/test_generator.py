"""The generator's part of the document: the worst of every worker and second."""

from __future__ import annotations

import pytest

from swell.analysis.generator import generator
from swell.analysis.verdict import judge
from swell.document import GeneratorSummary
from swell.segment import Counters, Health, Outcome
from tests.analysis.runs import ended, run_merge
from tests.stats.segments import MS, Call


def summary_of(**run: object) -> GeneratorSummary:
    result = ended(run_merge(**run))  # type: ignore[arg-type]
    return generator(result, judge(result))


def test_it_holds_the_worst_second_of_each() -> None:
    health = {
        2: Health(cpu=0.4, loop_lag_p99_ms=3, loop_lag_max_ms=9, gc_pause_max_ms=2, fds=60, rss_bytes=7),
        3: Health(
            cpu=0.3, busy=0.8, throttled=0.2, loop_lag_p99_ms=4, loop_lag_max_ms=8, gc_pause_max_ms=1, fds=10, ports=50
        ),
    }
    counters = Counters(sent=9_000, answered=9_000, unstamped=1, window_limited=2, output_lost=3)
    assert summary_of(health=health, counters=counters) == GeneratorSummary(
        healthy=True,
        reasons=(),
        clock="kernel",
        cpu_max=0.4,
        busy_max=0.8,
        throttled_max=0.2,
        loop_lag_p99_ms=4,
        loop_lag_max_ms=9,
        schedule_lag_p99_ms=0.0,
        gc_pause_max_ms=2,
        fds_max=60,
        ports_max=50,
        rss_max_bytes=7,
        unstamped=1,
        window_limited=2,
        samples_lost=0,
        output_lost=3,
    )


@pytest.mark.parametrize(
    ("outcomes", "clock"),
    [([0], "kernel"), ([0, Outcome.USER_CLOCK], "mixed"), ([Outcome.USER_CLOCK], "user"), ([Outcome.OWN], "user")],
)
def test_the_clock_is_mixed_where_some_calls_carry_no_stamp(outcomes: list[int], clock: str) -> None:
    assert summary_of(calls=[Call(outcome=outcome) for outcome in outcomes]).clock == clock


def test_the_schedules_lag_is_that_of_all_planned_starts_together() -> None:
    health = {3: Health(schedule_lag_p99_ms=7)}
    assert summary_of(health=health).schedule_lag_p99_ms == 7
    assert summary_of(health=health, calls=[Call(lag_ns=2 * MS)]).schedule_lag_p99_ms == 2


def test_it_is_not_healthy_when_a_reason_lies_in_it() -> None:
    stalled = summary_of(health={3: Health(loop_lag_max_ms=200)})
    assert (stalled.healthy, stalled.reasons) == (False, ("loop_stalled",))
    left = summary_of(users=[4, 4, 4, 1, 1, 1, 1, 1, 1, 1], planned=4, started=4)
    assert left.healthy
