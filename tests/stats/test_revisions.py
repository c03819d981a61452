"""A plan that is changed without end is kept in bounds, and what is forgotten is known to be."""

from __future__ import annotations

import msgspec
import pytest

from swell.load.schedule import Schedule
from swell.load_plan import Closed, Curve, Load
from swell.plan import Revision, Scenario
from swell.result import REVISIONS_CAP
from swell.stats.revisions import Revisions, forgotten, known_from_s
from swell.stats.users import planned_over, planned_users
from tests.report.sample_results import plan

DAY_S = 86_400
CHANGED = Load(model=Closed(Curve(endless=True)), scenarios=("Reader",))
ONCE = Load(model=Closed(Curve(endless=True)), scenarios=("Writer",))
PLAN = msgspec.structs.replace(plan(), loads=(CHANGED, ONCE), scenarios=(Scenario("Reader"), Scenario("Writer")))


def a_day() -> list[Revision]:
    """Load 1 is changed at the start, load 0 in each second."""
    found = [Revision(1, 0.0, 7, 10.0, 1, from_users=0)]
    latest: list[Revision] = []
    for second in range(DAY_S):
        users = 50 + second * 13 % 40
        latest = [Schedule(latest).anchored(Revision(second + 2, float(second), users, 20.0))]
        found += latest
    return found


@pytest.fixture(scope="module")
def changed() -> list[Revision]:
    return a_day()


def test_of_a_day_of_changes_the_last_of_each_load_are_kept(changed: list[Revision]) -> None:
    kept = Revisions(2)
    for revision in changed:
        kept.add(revision)
    listed = kept.listed()
    assert listed is kept.listed()
    assert listed == (changed[0], *changed[-REVISIONS_CAP // 2 :])
    assert forgotten(listed) == DAY_S - REVISIONS_CAP // 2
    assert known_from_s(listed) == DAY_S - REVISIONS_CAP // 2
    again = Revisions(2)
    again.restore(listed)
    assert again.listed() == listed


def test_what_is_kept_says_as_much_as_all_of_it(changed: list[Revision]) -> None:
    listed = [changed[0], *changed[-500:]]
    seconds = range(DAY_S - 500, DAY_S + 10)
    assert list(planned_over(PLAN, listed, seconds)) == list(planned_over(PLAN, changed, seconds))
    assert planned_users(PLAN, listed, DAY_S - 77.5) == planned_users(PLAN, changed, DAY_S - 77.5)


def test_without_revisions_nothing_is_forgotten() -> None:
    assert (forgotten(()), known_from_s(()), Revisions(1).listed()) == (0, 0.0, ())


def test_users_over_time_are_those_of_each_instant() -> None:
    revisions = [Revision(1, 2.0, 20, 4.0), Revision(2, 4.0, 6, 3.0)]
    of_one = plan(users=10, spawn_rate_per_s=2.0)
    instants = [-1.0, 0.0, 1.7, 2.0, 2.2, 4.0, 4.0, 9.5, 60.0]
    assert list(planned_over(of_one, revisions, instants)) == [planned_users(of_one, revisions, at) for at in instants]
