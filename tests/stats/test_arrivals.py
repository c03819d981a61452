"""What became of arrivals adds up, whatever was reported and whenever."""

import datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from swell.document import ArrivalSummary
from swell.load_plan import Closed, Curve, Leg, Load, Model, Open, Sessions, Spread
from swell.plan import RunPlan, Scenario
from swell.result import Block, End, RunResult, ScenarioTotals
from swell.stats.arrivals import arrivals, planned_rate_per_s

NOON = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)
TEN_PER_S = Curve((Leg(10.0, 10, 10),))
RAMPED = Curve((Leg(2.0, 0, 10), Leg(3.0, 10, 10), Leg(0.0, 4, 4)), endless=True)


def result_of(*models: Model, duration_s: float = 10.0, end: End | None = End.COMPLETED, **counts: int) -> RunResult:
    """A run of loads with a scenario each, all of which have these counts."""
    names = [f"Scenario{number}" for number in range(len(models))]
    loads = tuple(Load(model=model, scenarios=(name,)) for model, name in zip(models, names, strict=True))
    return RunResult(
        run="run",
        plan=RunPlan(script="s.py", scenarios=tuple(map(Scenario, names)), loads=loads),
        started_at=NOON,
        at_s=duration_s,
        settled_s=int(duration_s),
        duration_s=duration_s,
        end=end,
        whole=Block(0, 0),
        scenarios=tuple(ScenarioTotals(name, **counts) for name in names),
    )


def test_what_was_neither_started_nor_dropped_was_not_started() -> None:
    result = result_of(Open(TEN_PER_S, 5), arrived=80, dropped=15)
    (found,) = arrivals(result)
    assert found == ArrivalSummary(scenarios=("Scenario0",), planned=100, started=80, dropped=15, not_started=5)


def test_a_run_that_was_cut_off_planned_what_was_due_by_then() -> None:
    (found,) = arrivals(result_of(Sessions(TEN_PER_S, 5, iterations=1), duration_s=2.0, arrived=20))
    assert (found.planned, found.not_started) == (20, 0)
    (found,) = arrivals(result_of(Open(TEN_PER_S, 5), duration_s=2.000_000_001, arrived=20))
    assert (found.planned, found.not_started) == (21, 1)


def test_while_it_runs_only_what_all_have_reported_is_judged() -> None:
    running = msgspec.structs.replace(result_of(Open(TEN_PER_S, 5), end=None, arrived=70), settled_s=7)
    assert arrivals(running)[0].not_started == 0


def test_users_have_no_arrivals() -> None:
    assert arrivals(result_of(Closed(TEN_PER_S), arrived=3)) == ()
    assert [found.planned for found in arrivals(result_of(Closed(TEN_PER_S), Open(TEN_PER_S, 1)))] == [100]


@given(
    st.integers(0, 200),
    st.integers(0, 200),
    st.floats(0, 20),
    st.sampled_from(Spread),
    st.sampled_from([None, End.STOPPED]),
)
def test_it_always_adds_up(arrived: int, dropped: int, duration_s: float, spread: Spread, end: End | None) -> None:
    (found,) = arrivals(
        result_of(Open(TEN_PER_S, 5, 0, spread), duration_s=duration_s, end=end, arrived=arrived, dropped=dropped)
    )
    assert found.planned == found.started + found.dropped + found.not_started
    assert (found.started, found.dropped) == (arrived, dropped)
    assert found.not_started >= 0


def test_the_rate_that_is_wanted_follows_the_curves() -> None:
    plan = result_of(Open(RAMPED, 5), Open(TEN_PER_S, 5), Closed(TEN_PER_S)).plan
    late = msgspec.structs.replace(plan.loads[1], start_s=1.0)
    plan = msgspec.structs.replace(plan, loads=(plan.loads[0], late, plan.loads[2]))
    assert [planned_rate_per_s(plan, at_s) for at_s in (0.0, 0.5, 1.0, 2.0, 5.0, 10.9, 11.0)] == [
        0,
        2.5,
        15,
        20,
        14,
        14,
        4,
    ]
