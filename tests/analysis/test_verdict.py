"""Every reason for a caveat, on both sides of its limit."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from swell.analysis.verdict import judge
from swell.document import Reason, ReasonCode, State
from swell.load_plan import Curve, Leg, Load, Open
from swell.plan import Revision
from swell.result import ControllerFacts, RunResult, Shortfall
from swell.segment import Counters, Health, Outcome
from tests.analysis.runs import SECONDS, ended, run_merge
from tests.stats.segments import MS, Call, segment

CODES = {code.value for code in ReasonCode}


def the_reason(result: RunResult, code: str) -> Reason:
    verdict = judge(result)
    [reason] = [reason for reason in verdict.reasons if reason.code.value == code]
    assert verdict.state is (State.INVALID if reason.invalidates else State.DEGRADED)
    return reason


def codes(result: RunResult) -> list[str]:
    return [reason.code.value for reason in judge(result).reasons]


def test_a_run_in_which_nothing_went_wrong_is_valid() -> None:
    verdict = judge(ended(run_merge(calls=[Call(second) for second in range(SECONDS)])))
    assert (verdict.state, verdict.reasons) == (State.VALID, ())


def test_a_run_without_a_worker_or_a_request_is_judged_too() -> None:
    assert codes(ended(run_merge(users=(), final=False, planned=1), at_s=0.0)) == []


# --- loss ---


def test_a_worker_that_was_killed_is_named_with_the_reason_and_the_time() -> None:
    merge = run_merge(users=(2,) * 6, final=False)
    merge.worker_lost(0, 1, at_s=6.5, because="was killed by signal 9")
    merge.apply(segment(7, sealed_s=6.4, recovered=True, final=True, counters=Counters(sent=1_000, answered=990)))
    reason = the_reason(ended(merge), "worker_lost")
    assert (reason.text, reason.from_s, reason.own_fault) == (
        "worker 0.1 was killed by signal 9 at 6.5 s",
        6.5,
        True,
    )


def test_a_worker_that_was_given_up_is_lost_even_if_all_it_did_is_reported_later() -> None:
    merge = run_merge(users=(2,) * 6, final=False)
    merge.worker_lost(0, 1, at_s=6.5, because="has not been heard for 3 s")
    merge.apply(segment(7, sealed_s=8.4, final=True, counters=Counters(sent=990, answered=990)))
    assert the_reason(ended(merge), "worker_lost").text == "worker 0.1 has not been heard for 3 s at 6.5 s"


def test_a_worker_that_left_after_its_last_report_is_not_lost() -> None:
    merge = run_merge()
    merge.worker_lost(0, 1, at_s=SECONDS + 1.0, because="exit status 0")
    assert codes(ended(merge)) == []


@pytest.mark.parametrize(
    ("left", "expected"), [(0, None), (1, State.DEGRADED), (10, State.DEGRADED), (11, State.INVALID)]
)
def test_more_than_one_percent_unaccounted_makes_a_run_invalid(left: int, expected: State | None) -> None:
    result = ended(run_merge(counters=Counters(sent=1_000, answered=1_000 - left)))
    if expected is None:
        assert codes(result) == []
        return
    reason = the_reason(result, "unaccounted")
    assert (judge(result).state, reason.own_fault) == (expected, True)
    assert reason.text == f"{left} exchanges are unaccounted for, {left / 10:.2f} % of what was sent"


def test_calls_that_could_not_be_recorded_are_a_loss() -> None:
    assert codes(ended(run_merge(counters=Counters(sent=1_000, answered=1_000, samples_lost=0)))) == []
    reason = the_reason(ended(run_merge(counters=Counters(sent=9, answered=9, samples_lost=1))), "samples_lost")
    assert reason.own_fault


# --- load ---


@pytest.mark.parametrize(
    ("users", "reached"),
    [
        ([100] * 10, True),
        ([99] * 10, True),
        ([98] * 10, False),
        ([0, 0, 100, 100, 100, 100, 100, 100, 100, 100], True),
        ([100, 100, 100, 50, 50, 100, 100, 100, 100, 100], True),
        ([100, 100, 100, 50, 50, 50, 50, 100, 100, 100], False),
    ],
)
def test_load_is_not_reached_when_users_are_missing_for_three_seconds_on_end(users: list[int], reached: bool) -> None:
    result = ended(run_merge(users=users, planned=100, started=99))
    assert codes(result) == ([] if reached else ["load_not_reached"])
    assert all(reason.own_fault for reason in judge(result).reasons)


def test_users_that_left_of_their_own_accord_are_not_the_generators_fault() -> None:
    reason = the_reason(
        ended(run_merge(users=[4, 4, 4, 1, 1, 1, 1, 1, 1, 1], planned=4, started=4)), "load_not_reached"
    )
    assert (reason.own_fault, reason.from_s, reason.to_s) == (False, 3.0, 10.0)
    assert reason.text == "1 of 4 planned users at 3 s: users left of their own accord"


def test_a_slow_ramp_and_a_revision_are_followed() -> None:
    revisions = [Revision(1, 4.0, 8, 1.0), Revision(2, 8.0, 1, 100.0)]
    users = [2, 2, 2, 2, 2, 3, 4, 5, 6, 1]
    assert codes(ended(run_merge(users=users, planned=2, started=8, revisions=revisions))) == []


def test_nothing_is_said_of_users_where_the_plan_of_the_time_is_forgotten() -> None:
    revisions = [Revision(1, 0.0, 8, 100.0, from_users=0), Revision(9, 7.0, 8, 100.0, from_users=8, latest_ns=70)]
    users = [1] * 7 + [8] * 3
    assert codes(ended(run_merge(users=users, planned=2, started=1, revisions=revisions[:1]))) == ["load_not_reached"]
    assert codes(ended(run_merge(users=users, planned=2, started=1, revisions=revisions[1:]))) == []


# --- the schedule ---


def planned_starts(lag_p50_ms: float, lag_p99_ms: float, response_ms: float) -> list[Call]:
    """1,000 planned starts, of which twenty are later than the others."""
    on_time = Call(3, response_ns=round(response_ms * MS), lag_ns=round(lag_p50_ms * MS))
    late = dataclasses.replace(on_time, second=5, lag_ns=round(lag_p99_ms * MS))
    return [on_time] * 980 + [late] * 20


@pytest.mark.parametrize(
    ("lags_ms", "expected"),
    [((0.1, 9.9), None), ((0.1, 10.2), State.DEGRADED), ((1.9, 1.9), None), ((2.1, 2.1), State.INVALID)],
)
def test_planned_starts_may_be_late_by_ten_ms_at_p99_and_a_tenth_of_the_response_in_the_median(
    lags_ms: tuple[float, float], expected: State | None
) -> None:
    result = ended(run_merge(calls=planned_starts(*lags_ms, 20.0)))
    assert (judge(result).state if codes(result) == ["schedule_late"] else None) == expected


@pytest.mark.parametrize(("lag_ms", "expected"), [(0.9, []), (1.1, ["schedule_late"])])
def test_lateness_below_a_millisecond_makes_nothing_invalid_however_fast_the_target(
    lag_ms: float, expected: list[str]
) -> None:
    assert codes(ended(run_merge(calls=planned_starts(lag_ms, lag_ms, 0.5)))) == expected


def test_a_few_planned_starts_do_not_make_many_other_calls_invalid() -> None:
    calls = [Call(3, lag_ns=5 * MS), *[Call(4)] * 150]
    assert codes(ended(run_merge(calls=calls))) == []
    assert codes(ended(run_merge(calls=calls[:90]))) == ["schedule_late"]


@pytest.mark.parametrize(("late", "expected"), [(10, []), (11, ["schedule_late"])])
def test_ten_late_starts_prove_nothing(late: int, expected: list[str]) -> None:
    calls = [Call(3, lag_ns=MS // 10)] * 100 + [Call(4, lag_ns=50 * MS)] * late
    assert codes(ended(run_merge(calls=calls))) == expected


def test_late_starts_are_placed_in_time() -> None:
    reason = the_reason(ended(run_merge(calls=planned_starts(0.1, 20, 10))), "schedule_late")
    assert (reason.from_s, reason.to_s) == (5.0, 6.0)
    assert reason.text == "planned starts were late by 0.1 ms in the median, 20 ms at p99"


# --- the generator's health ---


@pytest.mark.parametrize(
    ("cpus", "saturated"),
    [
        ([0.95] * 10, False),
        ([0.96] * 2 + [0.5] + [0.96] * 2, False),
        ([0.5] + [0.96] * 3 + [0.5], True),
    ],
)
def test_a_worker_is_saturated_when_its_cpu_is_over_95_percent_for_three_seconds(
    cpus: list[float], saturated: bool
) -> None:
    health = {second: Health(cpu=cpu) for second, cpu in enumerate(cpus)}
    assert codes(ended(run_merge(health=health))) == (["generator_saturated"] if saturated else [])


@pytest.mark.parametrize(
    ("health", "text"),
    [
        (Health(cpu=0.1, busy=0.95), ""),
        (
            Health(cpu=0.1, busy=1.0, throttled=0.9),
            "worker 0 used up to 10 % of a core, and the CPU quota held it up for 90 % of a second",
        ),
        (Health(cpu=0.5, busy=1.0), "worker 0 used up to 50 % of a core, all that other processes left of it"),
    ],
)
def test_a_worker_is_saturated_when_it_has_used_what_it_could_have(health: Health, text: str) -> None:
    result = ended(run_merge(health=dict.fromkeys(range(2, 6), health)))
    if not text:
        assert codes(result) == []
        return
    assert the_reason(result, "generator_saturated").text.partition(":")[0] == text


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (0, "worker 0 used up to 100 % of a core: throughput is the generator's limit; latencies hold"),
        (Outcome.USER_CLOCK, "worker 0 used up to 100 % of a core: throughput and latencies are the generator's too"),
    ],
)
def test_latencies_hold_in_a_saturated_run_on_kernel_stamps_only(outcome: int, text: str) -> None:
    health = {second: Health(cpu=1.0) for second in range(2, 6)}
    reason = the_reason(ended(run_merge(calls=[Call(outcome=outcome)], health=health)), "generator_saturated")
    assert (reason.text, reason.from_s, reason.to_s, reason.own_fault) == (text, 2.0, 6.0, False)


def test_a_loop_that_stood_still_for_over_100_ms_is_reported_with_the_tasks_name() -> None:
    assert codes(ended(run_merge(health={4: Health(loop_lag_max_ms=100, stalled_by="read")}))) == []
    health = {4: Health(loop_lag_max_ms=101, stalled_by="contest.py:9 Contestant.read"), 7: Health(loop_lag_max_ms=450)}
    reason = the_reason(ended(run_merge(health=health)), "loop_stalled")
    assert (reason.from_s, reason.to_s) == (4.0, 8.0)
    assert reason.text == (
        "worker 0 stood still for 450 ms; worker 0 stood still for 101 ms in contest.py:9 Contestant.read"
    )


@pytest.mark.parametrize("kind", ["fd_exhausted", "ports_exhausted"])
def test_want_of_descriptors_or_ports_is_counted(kind: str) -> None:
    health = {3: Health(fds_limit=1_024, **{kind: 2}), 4: Health(fds_limit=1_024, **{kind: 3})}
    reason = the_reason(ended(run_merge(health=health)), kind)
    assert (reason.text[:13], reason.from_s, reason.to_s) == ("5 connections", 3.0, 5.0)


def test_reports_without_room_on_the_disk_are_named() -> None:
    reason = the_reason(ended(run_merge(health={3: Health(unspooled=1), 4: Health(unspooled=1)})), "spool_failed")
    assert reason.text == "2 reports of worker 0 found no room on the disk: had it died, they might be missing"
    assert not reason.own_fault


@pytest.mark.parametrize(("unstamped", "found"), [(10, []), (11, ["unstamped"]), (10_000, ["unstamped"])])
def test_one_response_in_a_thousand_may_lack_a_kernel_stamp(unstamped: int, found: list[str]) -> None:
    counters = Counters(sent=10_000, answered=10_000, unstamped=unstamped)
    assert codes(ended(run_merge(counters=counters))) == found


# --- the controller ---


@pytest.mark.parametrize(("to_s", "found"), [(3.0, []), (3.1, ["controller_stalled"])])
def test_a_hook_may_hold_the_controller_for_a_second(to_s: float, found: list[str]) -> None:
    merge = run_merge()
    merge.controller_stalled(2.0, to_s, "tick of Shape")
    result = ended(merge)
    assert codes(result) == found
    assert [reason.text for reason in judge(result).reasons] == [
        "the controller stood still for 1.1 s in tick of Shape" for _ in found
    ]


def test_a_store_that_failed_and_a_controller_that_restarted_are_named() -> None:
    merge = run_merge()
    merge.store_failed(4.0, "disk full")
    merge.controller_restarted(5.0, 7.5)
    verdict = judge(ended(merge))
    assert [(reason.code.value, reason.text, reason.own_fault) for reason in verdict.reasons] == [
        ("store_failed", "the run could not be stored: disk full", False),
        ("controller_restarted", "the controller was gone from 5.0 s to 7.5 s", False),
    ]


def test_of_many_alike_only_the_first_are_told() -> None:
    merge = run_merge()
    for worker in range(1, 9):
        merge.worker_joined(worker, 1, host="here", capacity=1.0, at_s=0.0)
        merge.worker_lost(worker, 1, at_s=float(worker))
    reason = the_reason(ended(merge), "worker_lost")
    assert (reason.from_s, reason.to_s) == (1.0, 8.0)
    assert reason.text.endswith("worker 3.1 was lost at 3.0 s (and 5 more)")


OPEN = Load(model=Open(Curve((Leg(10.0, 100, 100),)), max_users=50), scenarios=("Contestant",))


def open_run(arrived: int, dropped: int, lost_at_s: float | None = None) -> RunResult:
    """A run of 1,000 arrivals in 10 s."""
    merge = run_merge(final=lost_at_s is None)
    if lost_at_s is not None:
        merge.worker_lost(0, 1, at_s=lost_at_s, because="was killed")
    result = ended(merge)
    plan = msgspec.structs.replace(result.plan, loads=(OPEN,))
    totals = msgspec.structs.replace(result.scenarios[0], arrived=arrived, dropped=dropped)
    return msgspec.structs.replace(result, plan=plan, scenarios=(totals,))


def test_arrivals_that_were_not_started_are_the_generators_own_fault() -> None:
    assert codes(open_run(arrived=990, dropped=0)) == []
    (reason,) = judge(open_run(arrived=980, dropped=0)).reasons
    assert (reason.code.value, reason.own_fault) == ("load_not_reached", True)
    assert reason.text == "20 of 1,000 arrivals were not started: the generator was not up to it"


SHORT = "2 workers are too few for this plan: it takes at least 5 like them"


def too_few(result: RunResult) -> RunResult:
    facts = ControllerFacts(shortfalls=(Shortfall(3.0, 2, 4), Shortfall(6.0, 2, 5)))
    return msgspec.structs.replace(result, controller=facts)


def test_where_the_workers_were_too_few_it_is_said_how_many_it_takes() -> None:
    (reason,) = judge(too_few(open_run(arrived=980, dropped=0))).reasons
    assert reason.text == f"20 of 1,000 arrivals were not started: {SHORT}"
    (reason,) = judge(too_few(open_run(arrived=900, dropped=100))).reasons
    assert reason.own_fault
    assert reason.text == (f"100 of 1,000 arrivals were dropped: all users that there may be were busy, since {SHORT}")
    result = too_few(ended(run_merge(health=dict.fromkeys(range(2, 6), Health(cpu=1.0)))))
    assert the_reason(result, "generator_saturated").text.endswith(f"; {SHORT}")


def test_arrivals_that_were_dropped_are_not() -> None:
    assert codes(open_run(arrived=990, dropped=10)) == []
    (reason,) = judge(open_run(arrived=900, dropped=100)).reasons
    assert (reason.code.value, reason.own_fault) == ("load_not_reached", False)
    assert reason.text == "100 of 1,000 arrivals were dropped: all users that there may be were busy"


def test_arrivals_that_a_dead_worker_did_not_start_are_its_own() -> None:
    reasons = judge(open_run(arrived=900, dropped=0, lost_at_s=5.0)).reasons
    assert "100 of 1,000 arrivals were not started: a worker was lost" in [reason.text for reason in reasons]


def test_stalls_without_end_are_kept_in_bounds_and_counted() -> None:
    merge = run_merge(users=[2] * 10, planned=2, started=2)
    for second in range(250):
        merge.controller_stalled(float(second), second + 1.5, "Steps.tick()")
    result = ended(merge)
    assert (len(result.controller.stalls), result.controller.stalls_beyond) == (100, 150)
    (reason,) = judge(result).reasons
    assert reason.text == "the controller stood still for 1.5 s in Steps.tick() (and 247 more)"
