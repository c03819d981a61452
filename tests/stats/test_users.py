"""How many users the plan wants at any time, its revisions included."""

from __future__ import annotations

import pytest

from swell.plan import Revision
from swell.stats.users import planned_users
from tests.report.sample_results import plan

TEN_AT_TWO = plan(users=10, spawn_rate_per_s=2.0)


@pytest.mark.parametrize(
    ("at_s", "users"), [(-1, 0), (0, 1), (0.4, 1), (0.5, 2), (1, 3), (4.4, 9), (4.5, 10), (500, 10)]
)
def test_users_come_one_by_one_at_the_plans_rate(at_s: float, users: int) -> None:
    assert planned_users(TEN_AT_TWO, [], at_s) == users


def test_a_revision_goes_on_from_where_the_one_before_had_got_to() -> None:
    revisions = [Revision(1, 2.0, 20, 4.0), Revision(2, 4.0, 6, 3.0)]
    assert [planned_users(TEN_AT_TWO, revisions, at_s) for at_s in (1, 2, 3, 4, 5, 6, 9)] == [3, 5, 9, 12, 9, 6, 6]
