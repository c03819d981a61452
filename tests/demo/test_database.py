"""The contest's database: what it is seeded with, and what a submission changes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from swell.demo.contest import PROBLEMS, judge
from swell.demo.database import PAST_SUBMISSIONS, ContestDatabase, Standing, Submission


@pytest.fixture
def database(tmp_path: Path) -> Iterator[ContestDatabase]:
    with contextlib.closing(ContestDatabase(tmp_path / "contest.sqlite")) as opened:
        yield opened


def test_it_starts_with_the_problems_and_a_contest_under_way(database: ContestDatabase) -> None:
    assert database.problems() == list(PROBLEMS)
    assert len(database.standings()) == 50
    assert database.submission(PAST_SUBMISSIONS) is not None


def test_it_is_the_same_contest_at_every_start(tmp_path: Path, database: ContestDatabase) -> None:
    with contextlib.closing(ContestDatabase(tmp_path / "another.sqlite")) as another:
        assert another.standings() == database.standings()


def test_standings_are_ordered_by_points(database: ContestDatabase) -> None:
    points = [standing.points for standing in database.standings()]
    assert points == sorted(points, reverse=True)


def test_a_submission_can_be_looked_up_with_its_verdict(database: ContestDatabase) -> None:
    submission_id, status = database.submit(database.team_id("Testers"), 3, "print(1)")
    assert (submission_id, status) == (PAST_SUBMISSIONS + 1, "accepted")
    assert database.submission(submission_id) == Submission(submission_id, "Testers", 3, "accepted", "print(1)")


def test_points_count_once_for_each_problem_solved(database: ContestDatabase) -> None:
    team_id = database.team_id("Testers")
    for problem_id, code in ((12, "print(1)"), (12, "print(2)"), (11, "print(1)"), (10, "pass")):
        database.submit(team_id, problem_id, code)
    (ours,) = [standing for standing in database.standings(1000) if standing.team == "Testers"]
    assert ours == Standing(ours.rank, "Testers", solved=2, points=900)


def test_a_team_keeps_its_number(database: ContestDatabase) -> None:
    assert database.team_id("Testers") == database.team_id("Testers") != database.team_id("Others")


def test_what_does_not_exist_is_none(database: ContestDatabase) -> None:
    assert (database.problem(0), database.problem(13), database.submission(2**62)) == (None, None, None)


def test_the_judge_accepts_what_prints() -> None:
    assert [judge(code) for code in ("print(42)", "pass", "")] == ["accepted", "rejected", "rejected"]
