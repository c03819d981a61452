"""Users over time from what workers say once a second."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from swell.segment import ScenarioCount
from swell.stats.population import Population

WORKER = (0, 1)


def seconds_of(population: Population, until_s: int, name: str = "Contestant") -> list[int]:
    population.check()
    totals = {totals.name: totals for totals in population.totals(until_s)}
    return list(array("I", totals[name].users))


def report(population: Population, second: int, users: int, *, final: bool = False, started: int = 0) -> None:
    population.report(WORKER, second + 1.0, [ScenarioCount("Contestant", users, started)], final=final)


@given(st.lists(st.integers(0, 50), min_size=1))
def test_a_second_shows_the_users_that_were_there_at_its_end(users: list[int]) -> None:
    population = Population()
    for second, there in enumerate(users):
        report(population, second, there)
    assert seconds_of(population, len(users) + 1) == [*users, users[-1]]


def test_seconds_without_a_report_have_the_users_of_the_one_before() -> None:
    population = Population()
    report(population, 0, 3)
    report(population, 4, 5)
    assert seconds_of(population, 7) == [3, 3, 3, 3, 5, 5, 5]


def test_a_final_report_shows_users_that_came_and_left_since_the_one_before() -> None:
    population = Population()
    report(population, 0, 3, started=3)
    report(population, 1, 0, started=5, final=True)
    assert seconds_of(population, 3) == [3, 5, 0]


def test_a_second_in_which_users_came_and_left_shows_the_most_of_them() -> None:
    population = Population()
    for second, users, started, most in ((0, 2, 10, 10), (1, 2, 10, 2), (2, 0, 13, 3), (3, 4, 17, 4), (4, 3, 17, 4)):
        count = ScenarioCount("Contestant", users, started, most_users=most)
        population.report(WORKER, second + 1.0, [count], final=False)
    assert seconds_of(population, 6) == [10, 2, 3, 4, 3, 3]


def test_users_that_move_from_a_lost_worker_to_its_successor_are_never_counted_twice() -> None:
    population = Population()
    report(population, 0, 3)
    report(population, 1, 3)
    population.lost(WORKER, 2.4)
    for second, users in ((2, 2), (3, 3)):
        population.report((0, 2), second + 1.0, [ScenarioCount("Contestant", users, users)], final=False)
    assert seconds_of(population, 5) == [3, 3, 2, 3, 3]


def test_scenarios_are_kept_apart_and_one_without_a_user_is_listed() -> None:
    population = Population(["Contestant", "Visitor"])
    report(population, 0, 3)
    assert (seconds_of(population, 1), seconds_of(population, 1, "Visitor")) == ([3], [0])


def test_a_worker_that_comes_back_after_it_was_lost_had_no_users_since() -> None:
    population = Population()
    report(population, 0, 3, started=3)
    population.lost(WORKER, 2.5)
    report(population, 1, 4, started=4)
    report(population, 3, 4, started=5)
    report(population, 4, 0, started=5, final=True)
    assert seconds_of(population, 6) == [3, 4, 0, 0, 0, 0]
    assert [(totals.users_now, totals.started) for totals in population.totals(6)] == [(0, 5)]
    population.check()


def test_users_who_came_and_went_between_two_reports_are_not_added_up() -> None:
    population = Population(["Guest"])
    population.report((0, 1), 1.0, [ScenarioCount("Guest", 5, started=20)], final=False)
    population.report((0, 1), 2.0, [ScenarioCount("Guest", 0, started=60, most_users=7)], final=True)
    (guests,) = population.totals(3)
    assert (array("I", guests.users).tolist(), guests.users_peak) == ([5, 7, 0], 7)
    population.check()
