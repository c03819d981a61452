from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.load.mix import Mix
from swell.plan import Scenario


def names(mix: Mix, users: int) -> str:
    return "".join(mix.scenario_of(user) for user in range(users))


def test_the_mix_follows_the_weights_from_the_first_user_on() -> None:
    assert names(Mix([Scenario("a", weight=3), Scenario("b", weight=1)]), 8) == "aabaaaba"


def test_fixed_counts_come_first_and_exactly() -> None:
    mix = Mix([Scenario("a", weight=1), Scenario("F", fixed_count=2), Scenario("G", fixed_count=1), Scenario("b")])
    assert names(mix, 7) == "FGFabab"
    assert mix.most_users is None


def test_only_fixed_counts_leave_no_further_user() -> None:
    mix = Mix([Scenario("F", fixed_count=2), Scenario("G", fixed_count=2)])
    assert names(mix, 4) == "FGFG"
    assert mix.most_users == 4
    with pytest.raises(IndexError, match="no user 4"):
        mix.scenario_of(4)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 5_000))
def test_a_user_has_the_same_scenario_whoever_asks_and_whenever(weights: list[int], user: int) -> None:
    scenarios = [Scenario(str(index), weight=weight) for index, weight in enumerate(weights)]
    asked_late, asked_in_order = Mix(scenarios), Mix(scenarios)
    in_order = [asked_in_order.scenario_of(number) for number in range(user + 1)]
    assert asked_late.scenario_of(user) == in_order[user]


@given(st.lists(st.integers(1, 9), min_size=2, max_size=6), st.integers(1, 500))
def test_at_every_moment_of_the_ramp_each_scenario_has_its_part(weights: list[int], users: int) -> None:
    mix = Mix([Scenario(str(index), weight=weight) for index, weight in enumerate(weights)])
    so_far = names(mix, users)
    assert all(
        abs(so_far.count(str(index)) - users * weight / sum(weights)) < 1 for index, weight in enumerate(weights)
    )


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3)), min_size=1, max_size=6), st.integers(0, 500))
def test_users_are_counted_as_they_are_dealt(rows: list[tuple[int, int]], users: int) -> None:
    scenarios = [Scenario(str(index), weight=weight, fixed_count=fixed) for index, (weight, fixed) in enumerate(rows)]
    mix = Mix(scenarios)
    there = users if mix.most_users is None else min(users, mix.most_users)
    dealt = Counter(mix.scenario_of(user) for user in range(there))
    assert Mix(scenarios).counts(users) == {scenario.name: dealt[scenario.name] for scenario in scenarios}
