"""How a shape's number of users becomes changes of each class's load."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.load.schedule import Schedule
from swell.load.shape import Change, Wanted, changes, dealt
from swell.plan import Revision, Scenario

READER, WRITER, JUDGE = Scenario("Reader", weight=3), Scenario("Writer"), Scenario("Judge", fixed_count=2)

scenario_lists = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 3)), min_size=1, max_size=5).map(
    lambda rows: [Scenario(f"S{number}", weight, fixed) for number, (weight, fixed) in enumerate(rows)]
)


def test_users_are_dealt_by_weight_and_fixed_counts_come_first() -> None:
    assert dealt(10, [READER, WRITER, JUDGE]) == {"Reader": 6, "Writer": 2, "Judge": 2}
    assert dealt(2, [READER, WRITER, JUDGE]) == {"Reader": 0, "Writer": 0, "Judge": 2}


def test_classes_that_are_not_chosen_go() -> None:
    wanted = Wanted(4, 2.0, ("Writer",))
    assert changes(wanted, [READER, WRITER], {"Reader": 3, "Writer": 1}) == [
        Change("Reader", 0, 2.0),
        Change("Writer", 4, 2.0),
    ]


def test_of_several_classes_one_user_comes_after_the_other() -> None:
    at_one_a_second = changes(Wanted(3, 1.0), [Scenario("A"), Scenario("B"), Scenario("C")], {})
    assert [change.delay_s for change in at_one_a_second] == [0.0, 1.0, 2.0]


@given(st.integers(0, 60), st.sampled_from([0.3, 1.0, 7.3, 100.0]), scenario_lists)
def test_all_together_keep_to_the_rate_that_was_asked_for(users: int, rate: float, scenarios: list[Scenario]) -> None:
    found = changes(Wanted(users, rate), scenarios, {})
    schedules = [
        Schedule([Revision(1, 0.0, change.users, change.rate_per_s, delay_s=change.delay_s)]) for change in found
    ]
    going = sum(change.users for change in found)
    alone = Schedule([Revision(1, 0.0, going, rate)])
    for tenth in range(round(10 * going / rate) + 2):
        now_ns = tenth * NS_PER_S // 10
        together = sum(schedule.users_at(now_ns) for schedule in schedules)
        assert abs(together - alone.users_at(now_ns)) <= len(scenarios)
    assert together == going


def test_all_classes_arrive_at_the_same_moment() -> None:
    found = changes(Wanted(100, 9.0), [READER, WRITER], {"Reader": 7, "Writer": 3})
    assert [(change.scenario, change.users) for change in found] == [("Reader", 75), ("Writer", 25)]
    assert [(change.users - now) / change.rate_per_s for change, now in zip(found, (7, 3), strict=True)] == [
        pytest.approx(10),
        pytest.approx(10),
    ]


@given(st.integers(0, 200), scenario_lists)
def test_no_user_is_lost_or_made_up(users: int, scenarios: list[Scenario]) -> None:
    found = dealt(users, scenarios)
    if all(scenario.fixed_count for scenario in scenarios):
        assert sum(found.values()) == min(users, sum(scenario.fixed_count for scenario in scenarios))
    else:
        assert sum(found.values()) == users
