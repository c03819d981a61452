"""Thresholds held against runs, and against an oracle that counts call by call."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swell.document import ThresholdSummary
from swell.result import Beyond, End, RunResult
from swell.segment import ExceptionCount, Sort
from swell.stats.thresholds import judging
from swell.stats.thresholds.judging import Judge, judge, on_errors
from swell.stats.thresholds.parser import parse
from tests.stats.segments import MS, Call
from tests.stats.thresholds.recorded import Own, oracle, plan, run_of, widened

SECONDS = 6
groups = st.lists(
    st.tuples(
        st.builds(
            Call,
            second=st.integers(0, SECONDS - 1),
            series=st.integers(1, 3),
            response_ns=st.integers(0, 3_000 * MS),
            service_ns=st.integers(0, 3_000 * MS),
            failed=st.booleans(),
            connect_ns=st.sampled_from([0, 3 * MS]),
            lag_ns=st.sampled_from([-1, 0, 2 * MS]),
        ),
        st.integers(1, 25),
    ),
    max_size=8,
)
EXPRESSIONS = [
    f"{selector}{metric} {comparison} {limit}{over}{after}"
    for selector in ("", "Reader: ", '"GET /a: b": ', "POST /a: ", "/a: ")
    for metric, limits in {
        "p10": ["1s"],
        "p50": ["1s", "0ms"],
        "service p90": ["1500ms"],
        "all p99.9": ["2s"],
        "failed min": ["1s"],
        "connect max": ["3ms", "4ms"],
        "lag mean": ["1ms"],
        "first_byte p75": ["1s"],
        "errors": ["0%", "30%"],
        "rps": ["5/s", "600/m"],
        "failures_per_s": ["2/s"],
        "requests": ["20"],
        "failures": ["0", "10"],
    }.items()
    for limit in limits
    for comparison in ("<", "<=", ">", ">=", "==", "!=")
    for over in ("", " over 1s", " over 2s", " over 5s")
    for after in ("", " after 1s", " after 3s")
]


@given(groups, st.lists(st.sampled_from(EXPRESSIONS), min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_every_judgement_is_that_of_the_oracle(groups: list[tuple[Call, int]], expressions: list[str]) -> None:
    calls = [call for call, copies in groups for _ in range(copies)]
    result = run_of(expressions, calls, seconds=SECONDS)
    for summary in judge(result):
        ok, value = oracle(parse(summary.expression), calls, SECONDS)
        if "there was no call" in summary.reason:
            assert summary.ok is None
            continue
        assert summary.ok == ok
        if ok is not None:
            assert summary.value == pytest.approx(value)


@given(groups, st.lists(st.sampled_from(EXPRESSIONS), min_size=1, max_size=6))
@settings(max_examples=100, deadline=None)
def test_to_look_each_second_comes_to_the_same_as_to_look_once(
    groups: list[tuple[Call, int]], expressions: list[str]
) -> None:
    calls = [call for call, copies in groups for _ in range(copies)]
    looking = Judge(plan(*expressions))
    for second in range(1, SECONDS + 1):
        looking.observe(run_of(expressions, calls, seconds=SECONDS, at_s=second + 0.3, end=None))
    result = run_of(expressions, calls, seconds=SECONDS)
    at_once = judge(result)
    assert tuple(judgement.summary for judgement in looking.observe(result)) == at_once
    assert looking.finish(result) == at_once


def calls_of(counts: dict[int, tuple[int, int]], series: int = 1, failed: bool = False) -> list[Call]:
    """Second → how many calls, of how many ms."""
    return [
        Call(second, series, ms * MS, ms * MS, failed=failed)
        for second, (count, ms) in counts.items()
        for _ in range(count)
    ]


def only(result: RunResult, baseline: RunResult | None = None) -> ThresholdSummary:
    (summary,) = judge(result, baseline)
    return summary


def test_of_windows_the_worst_full_one_decides_and_is_named() -> None:
    calls = calls_of({0: (100, 10), 1: (100, 10), 2: (100, 500), 3: (100, 10)})
    summary = only(run_of(["p95 < 300ms over 2s"], calls))
    assert (summary.ok, summary.reason) == (False, "worst window 1 s – 3 s")
    assert summary.value == pytest.approx(500, rel=0.004)


def test_a_run_shorter_than_the_window_is_not_judged() -> None:
    summary = only(run_of(["p95 < 300ms over 5s"], calls_of({0: (100, 10)})))
    assert (summary.ok, summary.reason) == (None, "no full window of 5s so far")


def test_windows_of_too_few_samples_are_passed_over() -> None:
    calls = calls_of({0: (300, 10), 1: (3, 900), 2: (300, 20)})
    summary = only(run_of(["p95 < 300ms over 1s"], calls))
    assert (summary.ok, summary.reason) == (True, "worst window 2 s – 3 s")


def test_a_target_that_froze_fails_a_demand_for_its_rate() -> None:
    calls = calls_of({0: (100, 10), 1: (100, 10), 3: (100, 10)})
    summary = only(run_of(["rps > 50/s over 1s"], calls))
    assert (summary.ok, summary.value, summary.reason) == (False, 0.0, "worst window 2 s – 3 s")


def test_what_is_done_after_the_end_of_the_plan_is_in_no_window() -> None:
    calls = calls_of(dict.fromkeys(range(4), (100, 10))) + calls_of({4: (2, 10)})
    assert only(run_of(["rps > 50/s over 1s"], calls, seconds=4)).ok is True


def test_before_the_warm_up_is_over_nothing_counts() -> None:
    calls = calls_of({0: (100, 900), 1: (300, 10)})
    assert [summary.ok for summary in judge(run_of(["p95 < 300ms", "p95 < 300ms after 1s"], calls))] == [False, True]
    assert only(run_of(["rps == 150/s after 2s"], calls_of({2: (100, 1), 3: (200, 1)}))).ok is True


def test_too_few_samples_are_no_failure_but_a_reason() -> None:
    summary = only(run_of(["p99 < 300ms"], calls_of({0: (50, 900)})))
    assert (summary.ok, summary.reason) == (None, "too few samples: 50, and p99 needs 1,000")
    assert summary.value == pytest.approx(900, rel=0.004)
    assert only(run_of(["p95 < 300ms"])).reason == "too few samples: there is none"


@pytest.mark.parametrize(("samples", "ok"), [(199, None), (200, True)])
def test_a_percentile_is_judged_from_ten_samples_beyond_on(samples: int, ok: bool | None) -> None:
    assert only(run_of(["p95 < 300ms"], calls_of({0: (samples, 10)}))).ok is ok


MISSING = {
    "GET /aa: p95 < 1s": 'there was no call "GET /aa"; did you mean "GET /a"?',
    "Raeder: rps > 1/s": 'there was no call "Raeder"; did you mean "Reader"?',
    "qqqqqqq: rps > 1/s": 'there was no call "qqqqqqq"; there are "Reader", "Writer", "GET /a", ...',
    "transaction pay: p90 < 2s": 'there was no transaction "pay"; there are "checkout"',
    'check "y" > 99%': 'there was no check "y"; there are "x"',
    'Writer: check "x" > 99%': 'there was no check "x" in "Writer"; did you mean "x"?',
    'counter "x" > 1': 'there was no counter "x"',
}


@pytest.mark.parametrize(("expression", "reason"), MISSING.items(), ids=MISSING)
def test_a_name_that_matches_nothing_is_never_silently_met(expression: str, reason: str) -> None:
    own = [Own(0, Sort.CHECK), Own(0, Sort.TRANSACTION, name="checkout")]
    summary = only(run_of([expression], calls_of({0: (300, 1)}), own))
    assert (summary.ok, summary.value, summary.reason) == (None, None, reason)


def test_a_scenario_goes_before_a_series_of_its_name() -> None:
    result = run_of(["Reader: requests == 3"], [Call(0, 1), Call(0, 2), Call(0, 2), Call(0, 3)])
    named = tuple(
        msgspec.structs.replace(series, name="Reader") if series.scenario == "Writer" else series
        for series in result.series
    )
    assert only(msgspec.structs.replace(result, series=named)).ok is True


def tagged(*expressions: str) -> RunResult:
    """A run of three calls, two of which have tags."""
    result = run_of(expressions, [Call(0, 1), Call(0, 2), Call(0, 3)])
    tags = ("", "", "page=list,user=new", "page=list")
    series = tuple(msgspec.structs.replace(one, tags=its) for one, its in zip(result.series, tags, strict=True))
    return msgspec.structs.replace(result, series=series)


def test_tags_choose_the_calls_that_have_them_and_maybe_others() -> None:
    expressions = ["[page=list]: requests == 2", "[user=new, page=list]: requests == 1", "requests == 3"]
    expressions += ["Reader [page=list]: requests == 1", "POST /a [page=list]: requests == 1"]
    assert [summary.ok for summary in judge(tagged(*expressions))] == [True] * 5


UNTAGGED = {
    "[page=lst]: requests == 0": 'there was no call with [page=lst]; did you mean "[page=list]"?',
    "GET /a [page=list]: p95 < 1s": "there was no call with GET /a [page=list]",
    "GET /x [page=list]: p95 < 1s": 'there was no call "GET /x"; did you mean "GET /a"?',
}


@pytest.mark.parametrize(("expression", "reason"), UNTAGGED.items(), ids=UNTAGGED)
def test_tags_that_no_call_has_are_never_silently_met(expression: str, reason: str) -> None:
    summary = only(tagged(expression))
    assert (summary.ok, summary.value, summary.reason) == (None, None, reason)


def test_a_series_answers_to_its_name_with_method_and_scenario() -> None:
    calls = [Call(0, 1), Call(0, 2), Call(0, 2), Call(0, 3)]
    expressions = ["/a: requests == 3", "POST /a: requests == 2", "Reader: POST /a: requests == 2"]
    expressions += ['"Writer: /a: b": requests == 1', "requests == 4"]
    assert [summary.ok for summary in judge(run_of(expressions, calls))] == [True] * 5


OWN = [
    *(Own(second, Sort.CHECK, float(second != 2)) for second in range(4)),
    *(Own(second, Sort.RATE, float(second > 0), "Writer") for second in range(4)),
    *(Own(second, Sort.COUNTER, 2.5) for second in range(4)),
    *(Own(second, Sort.GAUGE, float(3 - 2 * second)) for second in range(4)),
    *(Own(number % 4, Sort.TREND, float(number)) for number in range(1, 101)),
    *(Own(number % 4, Sort.TRANSACTION, float(number), name="checkout") for number in range(1, 101)),
]
OWN_CASES = {
    'check "x" >= 75%': (True, 75.0, "%"),
    'check "x" > 99% over 1s': (False, 0.0, "%"),
    'rate "x" == 75%': (True, 75.0, "%"),
    'Writer: rate "x" == 100% after 1s': (True, 100.0, "%"),
    'counter "x" > 10': (False, 10.0, ""),
    'counter "x" == 2.5/s': (True, 2.5, "/s"),
    'counter "x" >= 5 over 2s': (True, 5.0, ""),
    'gauge "x" == -3': (True, -3.0, ""),
    'gauge "x" max <= 3': (True, 3.0, ""),
    'gauge "x" min > 0 over 2s': (False, -3.0, ""),
    'trend "x" max == 100': (True, 100.0, ""),
    'trend "x" mean == 50.5': (True, 50.5, ""),
    "transaction checkout: max < 1s": (True, 100.0, "ms"),
    "transaction checkout: requests == 100": (True, 100.0, ""),
    "transaction checkout: errors == 0%": (True, 0.0, "%"),
    "requests == 0": (True, 0.0, ""),
}


@pytest.mark.parametrize(("expression", "expected"), OWN_CASES.items(), ids=OWN_CASES)
def test_measures_of_the_script_are_judged_and_are_in_no_count_of_calls(
    expression: str, expected: tuple[bool, float, str]
) -> None:
    summary = only(run_of([expression], own=OWN))
    assert (summary.ok, summary.value, summary.unit) == expected


def test_a_percentile_of_a_trend_is_in_the_trends_own_unit() -> None:
    summary = only(run_of(['trend "x" p50 < 60'], own=OWN))
    assert (summary.ok, summary.unit) == (True, "")
    assert summary.value == pytest.approx(50, rel=0.004)


def test_totals_of_scenarios_are_those_of_the_table() -> None:
    result = run_of(["dropped == 0", "Reader: dropped == 0", "Writer: missed < 2", "iterations > 10"])
    totals = [
        msgspec.structs.replace(scenario, dropped=place, missed=place, iterations=10)
        for place, scenario in enumerate(result.scenarios)
    ]
    judged = judge(msgspec.structs.replace(result, scenarios=tuple(totals)))
    assert [(summary.ok, summary.value) for summary in judged] == [(False, 1.0), (True, 0.0), (True, 1.0), (True, 20.0)]


def test_exceptions_are_all_that_the_script_raised() -> None:
    result = run_of(["exceptions == 0", "exceptions <= 5"])
    raised = (ExceptionCount("KeyError: 'x'", "", 3), ExceptionCount("ValueError: y", "", 1))
    result = msgspec.structs.replace(result, exceptions=raised, beyond=Beyond(exceptions=1))
    assert [(found.value, found.ok) for found in judge(result)] == [(5.0, False), (5.0, True)]


def test_users_are_the_most_at_a_time() -> None:
    expressions = ["users >= 7", "users >= 5 over 2s", "users >= 5 over 2s after 1s"]
    result = run_of(expressions, seconds=4)
    users = msgspec.structs.replace(result.scenarios[0], users=b"".join(n.to_bytes(4, "little") for n in (2, 7, 5, 6)))
    judged = judge(msgspec.structs.replace(result, scenarios=(users,)))
    assert [(summary.ok, summary.value) for summary in judged] == [(True, 7.0), (True, 6.0), (True, 6.0)]


# --- the baseline ----------------------------------------------------------------------------------------------------


def test_of_the_baseline_the_same_figure_is_taken() -> None:
    baseline = run_of([], calls_of({0: (300, 900), 1: (300, 100)}))
    result = run_of(["max < 110% of baseline after 1s"], calls_of({1: (300, 105)}))
    summary = only(result, baseline)
    assert (summary.ok, summary.reason) == (True, "the baseline's is 100 ms")
    assert summary.limit == pytest.approx(110)


@pytest.mark.parametrize(
    ("baseline", "reason"),
    [
        (None, "there was no baseline to compare with"),
        (run_of([], calls_of({0: (30, 900)})), "of the baseline: too few samples: 30, and p95 needs 200"),
        (run_of([], calls_of({0: (300, 900)}, series=3)), "of the baseline: too few samples: there is none"),
    ],
    ids=["none", "too few samples", "none of the name"],
)
def test_without_a_value_of_the_baseline_nothing_is_judged(baseline: RunResult | None, reason: str) -> None:
    summary = only(run_of(["GET /a: p95 < 110% of baseline"], calls_of({0: (300, 105)})), baseline)
    assert (summary.ok, summary.limit) == (None, None)
    assert summary.reason.startswith(reason)


# --- while the run goes on -------------------------------------------------------------------------------------------


def live(expression: str, calls: list[Call], at_s: float = 2.3) -> tuple[bool | None, bool]:
    """How it stands, and whether it ends the run."""
    (judgement,) = Judge(plan(expression)).observe(run_of([expression], calls, at_s=at_s, end=None))
    return judgement.summary.ok, judgement.ends_run


SLOW, FAST = {0: (300, 900), 1: (300, 900)}, {0: (300, 10), 1: (300, 10)}
FAILING = [*calls_of({0: (91, 10)}), *calls_of({0: (9, 10)}, failed=True)]
LIVE_CASES = [
    ("p95 < 300ms abort", calls_of(SLOW), (False, True)),
    ("p95 < 300ms", calls_of(SLOW), (False, False)),
    ("p95 < 300ms abort", calls_of(FAST), (True, False)),
    ("p99 < 300ms abort", calls_of({0: (300, 900)}), (None, False)),
    ("p95 < 300ms after 2s abort", calls_of(SLOW), (None, False)),
    ("p95 < 300ms over 1s abort", calls_of({0: (300, 900), 1: (300, 10)}), (False, True)),
    ("p95 < 300ms over 5s abort", calls_of(SLOW), (None, False)),
    ("requests > 1000 abort", calls_of(FAST), (None, False)),
    ("requests > 100 abort", calls_of(FAST), (True, False)),
    ("requests < 100 abort", calls_of(FAST), (False, True)),
    ("requests == 1000 abort", calls_of(FAST), (None, False)),
    ("requests == 100 abort", calls_of(FAST), (False, True)),
    ("requests != 600 abort", calls_of(FAST), (None, False)),
    ("requests > 1000 over 1s abort", calls_of(FAST), (False, True)),
    ("dropped == 0 abort", [], (True, False)),
    ("iterations > 3 abort", [], (None, False)),
    ("errors < 1% abort", FAILING, (False, False)),
    ("errors < 1% abort", FAILING + calls_of({0: (1, 10)}, failed=True), (False, True)),
    ("errors == 0% abort", FAILING, (False, True)),
    ("errors <= 0% abort", FAILING, (False, True)),
    ("failures == 0 abort", FAILING, (False, True)),
    ("errors > 50% abort", FAILING, (False, True)),
    ("mean < 1ms abort", calls_of({0: (9, 10)}), (False, False)),
    ("mean < 1ms abort", calls_of({0: (10, 10)}), (False, True)),
    ("max < 1ms abort", calls_of({0: (1, 10)}), (False, True)),
    ("rps > 1000/s abort", calls_of(FAST), (False, False)),
    ("rps > 1000/s over 1s abort", calls_of(FAST), (False, True)),
]


@pytest.mark.parametrize(("expression", "calls", "expected"), LIVE_CASES)
def test_a_run_is_ended_only_for_what_is_certain(
    expression: str, calls: list[Call], expected: tuple[bool | None, bool]
) -> None:
    assert live(expression, calls) == expected


def test_a_rate_of_the_whole_run_ends_it_from_ten_seconds_on() -> None:
    result = run_of(["rps > 1000/s abort"], calls_of(FAST), seconds=20, at_s=10.3, end=None)
    (judgement,) = Judge(result.plan).observe(result)
    assert judgement.ends_run


def test_the_threshold_that_ended_the_run_stays_failed() -> None:
    text = "threshold p95 < 300ms abort was not met: 312.4 ms"
    expressions = ["p95 < 300ms abort", "errors < 1% abort"]
    result = run_of(expressions, calls_of(FAST), end=End.THRESHOLD, end_text=text)
    ended_it, other = judge(result)
    assert (ended_it.ok, ended_it.reason) == (False, "it ended the run when it was at 312.4 ms")
    assert other.ok is True


def test_only_new_seconds_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    monkeypatch.setattr(judging, "steps", _spied(looked))
    calls = calls_of(dict.fromkeys(range(6), (30, 10)))
    expression = "p50 < 300ms over 2s"
    looking = Judge(plan(expression))
    for at_s in (2.3, 3.3, 3.9, 6.3):
        looking.observe(run_of([expression], calls, seconds=6, at_s=at_s, end=None))
    assert looked == [0, 1, 2, 3, 4, 5]


def _spied(looked: list[int]):  # type: ignore[no-untyped-def]
    real = judging.steps

    def spy(*arguments):  # type: ignore[no-untyped-def]
        for step in real(*arguments):
            looked.append(step.from_s)
            yield step

    return spy


# --- long runs -------------------------------------------------------------------------------------------------------

PEAK = calls_of({**dict.fromkeys(range(20), (200, 10)), 9: (200, 900), 10: (200, 900)})


def test_a_window_grows_to_hold_wider_blocks_whole() -> None:
    result = widened(run_of(["max < 1s over 12s", "requests == 2000 over 10s"], PEAK, seconds=20), 10)
    wide, exact = judge(result)
    assert (wide.ok, wide.reason) == (True, "worst window 0 s – 20 s")
    assert (exact.ok, exact.value) == (True, 2_000.0)


def test_a_block_that_began_in_the_warm_up_does_not_count() -> None:
    result = widened(run_of(["requests == 2000 after 5s", "rps == 200/s after 5s"], PEAK, seconds=20), 10)
    assert [summary.ok for summary in judge(result)] == [True, True]


def test_what_was_judged_while_seconds_were_told_apart_is_kept() -> None:
    expression = "mean < 500ms over 2s"
    looking = Judge(plan(expression))
    looking.observe(run_of([expression], PEAK, seconds=20, at_s=15.0, end=None))
    result = widened(run_of([expression], PEAK, seconds=20), 10)
    (kept,), (anew,) = looking.finish(result), judge(result)
    assert (kept.ok, kept.reason) == (False, "worst window 9 s – 11 s")
    assert anew.ok is True


def test_what_came_late_is_judged_at_the_end() -> None:
    expression = "requests == 100 over 1s"
    early = calls_of({0: (100, 10), 1: (60, 10)})
    looking = Judge(plan(expression))
    (judgement,) = looking.observe(run_of([expression], early, seconds=2, at_s=2.0, end=None))
    result = run_of([expression], [*early, *calls_of({1: (40, 20)})], seconds=2)
    assert (judgement.summary.ok, looking.finish(result)[0].ok) == (False, True)


def test_which_thresholds_are_on_errors() -> None:
    assert on_errors(plan("p95 < 1s", "Reader: errors < 1%"))
    assert on_errors(plan("failures == 0"))
    assert on_errors(plan("failures_per_s < 1/s over 10s"))
    assert not on_errors(plan("p95 < 1s", "failed p95 < 1s", "transaction x: errors < 1%"))


def test_a_trial_shows_what_it_is() -> None:
    assert repr(Judge(plan("p95 < 1s", "errors < 1%"))) == "<Judge of 2 thresholds, at 0 s>"
    assert dataclasses.is_dataclass(parse("p95 < 1s"))
