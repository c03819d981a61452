"""Two runs as a person compares them: what is found, what is refused, what is said of the rest."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest

from bench.simulated_runs import Target, simulated
from swell.errors import PlanError
from swell.load_plan import Closed, Curve, Leg, Load
from swell.plan import RunPlan
from swell.result import Block, End, RunResult
from swell.segment import Sort
from swell.stats import packed
from swell.stats.comparison.compare import compare
from swell.stats.comparison.document import Comparison, Finding, Thing
from tests.report.sample_results import ended, running, without_requests

CALM = Target(seconds=60, calls_per_s=200)


def run_of(seed: int = 1, target: Target = CALM, **changed: object) -> RunResult:
    return simulated(dataclasses.replace(target, **changed), np.random.default_rng(seed))  # type: ignore[arg-type]


def with_plan(result: RunResult, **changed: object) -> RunResult:
    return msgspec.structs.replace(result, plan=msgspec.structs.replace(result.plan, **changed))


def verdicts(found: Comparison) -> dict[str, str]:
    return {thing.thing.value: thing.verdict.value for thing in found.all.things}


def as_measures(block: Block) -> Block:
    """The block as if its series had been measured by the script."""
    tables = packed.unpack(block)
    hist = dataclasses.replace(tables.hist, keys=tables.hist.keys + np.uint32(1_024 << 17))
    tally = dataclasses.replace(tables.tally, keys=tables.tally.keys + np.uint64(1_024 << 40))
    return packed.pack(block.from_s, block.to_s, dataclasses.replace(tables, hist=hist, tally=tally))


def curve(*legs: Leg, endless: bool = False) -> tuple[Load, ...]:
    return (Load(model=Closed(Curve(legs, endless)), scenarios=("Reader",)),)


def test_a_slower_run_is_slower_in_every_percentile_and_nowhere_else() -> None:
    assert verdicts(compare(run_of(), run_of(2, median_ms=24))) == {
        "throughput": "no_difference_shown",
        "failures": "no_difference_shown",
        "p50": "slower",
        "p95": "slower",
        "p99": "slower",
    }


def test_what_is_slower_one_way_is_faster_the_other() -> None:
    base, run = run_of(), run_of(2, median_ms=26, calls_per_s=300, failing=0.05)
    there, back = verdicts(compare(base, run)), verdicts(compare(run, base))
    opposite = {"slower": "faster", "faster": "slower"}
    assert there == {thing: opposite[verdict] for thing, verdict in back.items()}
    assert there["throughput"] == "faster"
    assert there["failures"] == "slower"


def test_a_run_does_not_differ_from_itself() -> None:
    base = run_of(failing=0.01)
    found = compare(base, base)
    assert set(verdicts(found).values()) == {"no_difference_shown"}
    assert all(thing.change and thing.change.value in (0, 1) for thing in found.all.things)


def test_a_verdict_and_the_interval_of_its_change_say_the_same() -> None:
    for seed in range(6):
        found = compare(run_of(seed), run_of(seed + 100, median_ms=20.6 + seed / 4, failing=0.002 * seed, series=3))
        for row in (found.all, *found.series):
            for thing in row.things:
                if thing.change is None or thing.change.low is None or thing.change.high is None:
                    continue
                nothing = 0 if thing.thing is Thing.FAILURES else 1
                holds = thing.change.low <= nothing <= thing.change.high
                assert holds == (thing.verdict not in (Finding.SLOWER, Finding.FASTER))


def test_of_one_series_there_is_one_verdict_for_it_and_all_calls() -> None:
    found = compare(run_of(), run_of(2))
    assert found.series[0].things == found.all.things
    assert found.verdicts == 4  # neither run had a failure: there is nothing to be tested
    assert compare(run_of(series=2), run_of(2, series=2)).verdicts == 3 * 4


def test_the_more_verdicts_there_are_the_stricter_is_each() -> None:
    few, many = compare(run_of(), run_of(2)), compare(run_of(series=5), run_of(2, series=5))
    assert min(thing.level or 1 for thing in many.all.things) < min(thing.level or 1 for thing in few.all.things)


def test_series_of_one_run_alone_are_named_and_not_judged() -> None:
    found = compare(run_of(series=2), run_of(2, series=3))
    assert [(row.name, row.only_in, bool(row.things)) for row in found.series] == [
        ("/1", None, True),
        ("/2", None, True),
        ("/3", "run", False),
    ]
    assert found.series[2].run_calls > 0 == found.series[2].base_calls


def test_few_calls_are_said_to_be_few() -> None:
    found = {thing.thing: thing for thing in compare(run_of(calls_per_s=5), run_of(2, calls_per_s=5)).all.things}
    assert found[Thing.P99].verdict is Finding.TOO_FEW
    assert found[Thing.P99].reason == "fewer than 10 calls lie beyond it"
    assert found[Thing.P50].verdict is Finding.NO_DIFFERENCE


def test_a_run_of_few_seconds_says_so() -> None:
    found = compare(run_of(seconds=4), run_of(2, seconds=4))
    assert {thing.reason for thing in found.all.things} == {"too few seconds", ""}


def test_a_great_difference_is_found_in_seconds_that_scatter() -> None:
    target = dataclasses.replace(CALM, seconds=10, wander=0.05, calls_per_s=500)
    assert verdicts(compare(run_of(1, target), run_of(2, target, median_ms=100)))["p50"] == "slower"


def test_runs_that_have_nothing_in_common_are_told_apart_however_their_seconds_scatter() -> None:
    target = dataclasses.replace(CALM, seconds=10, wander=0.3, sigma=0.05, calls_per_s=500)
    found = compare(run_of(1, target), run_of(2, target, median_ms=2_000))
    assert {verdicts(found)[thing] for thing in ("p50", "p95")} == {"slower"}


def test_a_warm_up_is_left_out_of_both() -> None:
    span = compare(run_of(warm_up_s=8), run_of(2)).span
    assert span.from_s == span.warm_up_s == 10
    assert span.to_s == 60
    assert span.warm_up == "found by MSER-5 in throughput and response times"


def test_only_seconds_that_both_have_are_compared() -> None:
    span = compare(run_of(seconds=90), run_of(2)).span
    assert (span.from_s, span.to_s) == (0, 60)
    assert span.left_out == ("the last 30 s of base, which the other does not have",)


def test_what_follows_when_the_load_goes_down_is_left_out() -> None:
    loads = curve(Leg(5, 0, 20), Leg(45, 20, 20), Leg(10, 20, 0))
    span = compare(with_plan(run_of(), loads=loads), with_plan(run_of(2), loads=loads)).span
    assert (span.to_s, span.left_out) == (50, ("what follows 50 s, when the load goes down",))


def test_of_a_load_that_is_meant_to_change_no_warm_up_is_left_out() -> None:
    loads = curve(*(Leg(12, level, level) for level in (10, 20, 30, 40, 50)), endless=True)
    span = compare(with_plan(run_of(warm_up_s=8), loads=loads), with_plan(run_of(2), loads=loads)).span
    assert (span.warm_up_s, span.warm_up) == (0, "none left out: the load is meant to change all the time")


def test_a_course_that_both_runs_share_does_not_hide_a_difference() -> None:
    steps = dataclasses.replace(CALM, steps=1.5, seconds=100)
    assert verdicts(compare(run_of(1, steps), run_of(2, steps, median_ms=25)))["p50"] == "slower"


def test_a_long_run_is_compared_in_longer_stretches() -> None:
    target = dataclasses.replace(CALM, seconds=1_300, calls_per_s=20)
    found = compare(run_of(1, target), run_of(2, target))
    assert found.span.step_s == 3
    assert found.all.things[0].base is not None
    assert found.all.things[0].base.value == pytest.approx(20, rel=0.05)


def test_runs_that_differ_in_their_plan_are_compared_with_warnings() -> None:
    base, run = run_of(), with_plan(run_of(2), host="http://b", workers=4, tags=("fast",), script="other.py")
    run = with_plan(run, loads=curve(Leg(1, 0, 40), endless=True))
    found = compare(base, run, also=["script: it has changed"])
    assert [text for text in found.warnings if not text.startswith("run is")] == [
        "script: it has changed",
        "target: http://127.0.0.1:8000 → http://b",
        "script: contest.py → other.py",
        "load: 20 users → 40 users",
        "tags: none → fast",
        "workers: 1 → 4",
    ]


def test_loads_that_differ_only_in_their_course_are_told_apart() -> None:
    one, other = (with_plan(run_of(), loads=curve(Leg(s, 0, 20), Leg(60 - s, 20, 20))) for s in (1, 30))
    assert "load: the same in number and length, not in its course" in compare(one, other).warnings


def test_a_run_that_is_not_to_be_trusted_is_named() -> None:
    base = run_of()
    lame = msgspec.structs.replace(base, scenarios=())
    assert "run is degraded: load_not_reached" in compare(base, lame).warnings


def test_transactions_are_compared_like_calls() -> None:
    def renamed(result: RunResult) -> RunResult:
        name = msgspec.structs.replace(result.series[1], method="", name="checkout", sort=Sort.TRANSACTION)
        shifted = tuple(map(as_measures, result.blocks))
        return msgspec.structs.replace(
            result, series=result.series[:1], measures=(result.series[0], name), blocks=shifted
        )

    found = compare(renamed(run_of()), renamed(run_of(2, median_ms=30)))
    assert [(row.sort, row.name) for row in found.series] == [("transaction", "checkout")]
    assert {thing.thing.value: thing.verdict.value for thing in found.series[0].things}["p95"] == "slower"
    assert found.all.things == ()


def test_the_gate_fails_where_something_is_slower_by_more_than_the_limit() -> None:
    base, run = run_of(), run_of(2, median_ms=24)
    gates = [compare(base, run, limit=limit).gate for limit in (0.0, 0.05, 0.5)]
    assert [gate.failed for gate in gates if gate] == [True, True, False]
    assert gates[1] is not None
    assert "all calls: p50" in gates[1].because
    assert compare(base, run).gate is None


def test_the_gate_lets_a_faster_run_pass() -> None:
    gate = compare(run_of(median_ms=24), run_of(2), limit=0.0).gate
    assert gate is not None
    assert (gate.failed, gate.because) == (False, ())


def test_more_failures_and_less_throughput_fail_the_gate() -> None:
    gate = compare(run_of(), run_of(2, failing=0.05, calls_per_s=100), limit=0.05).gate
    assert gate is not None
    assert gate.because == ("all calls: throughput", "all calls: failures")


@pytest.mark.parametrize(
    ("base", "run", "says"),
    [
        (running(), ended(), "BASE: run is still running (compare it when it has ended)"),
        (ended(), without_requests(), "RUN: run has no seconds stored: no call was done in it"),
    ],
)
def test_a_run_that_cannot_be_compared_is_refused(base: RunResult, run: RunResult, says: str) -> None:
    with pytest.raises(PlanError) as raised:
        compare(base, run)
    assert str(raised.value) == says


def test_runs_of_less_than_a_second_have_too_few() -> None:
    short = msgspec.structs.replace(run_of(seconds=1), duration_s=0.4)
    found = compare(short, short)
    assert (found.verdicts, found.all.things) == (0, ())


def test_a_run_that_failed_half_way_can_still_be_compared() -> None:
    broken = msgspec.structs.replace(run_of(2), end=End.FAILED)
    assert compare(run_of(), broken).all.things


def test_a_handful_of_calls_in_a_handful_of_seconds_breaks_nothing() -> None:
    for seed in range(40):
        sparse = dataclasses.replace(CALM, seconds=5 + seed % 5, calls_per_s=0.5 + seed / 5, failing=0.3, wander=0.5)
        found = compare(run_of(seed, sparse), run_of(seed + 50, sparse), limit=0.05)
        assert msgspec.json.decode(msgspec.json.encode(found), type=Comparison) == found


def test_the_document_survives_json() -> None:
    found = compare(run_of(series=2), run_of(2, series=3), limit=0.05)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Comparison) == found


def test_a_plan_without_loads_can_be_compared() -> None:
    plan = RunPlan(script="s.py", scenarios=())
    assert compare(*(msgspec.structs.replace(run_of(seed), plan=plan) for seed in (1, 2))).all.things
