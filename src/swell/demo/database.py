"""The contest in SQLite. Every call answers at once or within a few milliseconds, as a small site's database does.

Submissions pile up for as long as the site runs; the standings are added up from `solution`, which has a row for each
problem that a team has solved, so that they cost the same after an hour of load as after a minute.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path

from swell.demo.contest import PROBLEMS, TEAM_NAMES, Problem, judge, past_submissions

PAST_SUBMISSIONS = 1_000
JUDGE_STEPS = 4_000
"""Length of the recurrence that SQLite works out per submission: 1–2 ms on a machine of today."""

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE team (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE problem (id INTEGER PRIMARY KEY, title TEXT NOT NULL, points INTEGER NOT NULL, statement TEXT NOT NULL);
CREATE TABLE submission (
    id INTEGER PRIMARY KEY,
    team_id INTEGER NOT NULL REFERENCES team,
    problem_id INTEGER NOT NULL REFERENCES problem,
    status TEXT NOT NULL,
    code TEXT NOT NULL
);
CREATE TABLE solution (
    team_id INTEGER NOT NULL REFERENCES team,
    problem_id INTEGER NOT NULL REFERENCES problem,
    PRIMARY KEY (team_id, problem_id)
) WITHOUT ROWID;
"""

_SUBMISSION = """
SELECT submission.id, team.name, problem_id, status, code
FROM submission JOIN team ON team.id = team_id WHERE submission.id = ?
"""

_STANDINGS = """
SELECT team.name, COUNT(*) AS solved, SUM(problem.points) AS points
FROM solution
JOIN team ON team.id = solution.team_id
JOIN problem ON problem.id = solution.problem_id
GROUP BY team.id ORDER BY points DESC, solved, team.name LIMIT ?
"""

_RUN_TESTS = """
WITH RECURSIVE test (step, value) AS (
    SELECT 1, ? UNION ALL SELECT step + 1, (value * 1103515245 + 12345) % 2147483648 FROM test WHERE step < ?
)
SELECT MAX(value) FROM test
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Submission:
    """A program that a team handed in, and the judge's verdict on it."""

    id: int
    team: str
    problem_id: int
    status: str
    code: str


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """One line of the leaderboard."""

    rank: int
    team: str
    solved: int
    points: int


class ContestDatabase:
    """Owns the one connection; the server is one process with one thread, so that is all it needs."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(_SCHEMA)
        self._seed()

    def close(self) -> None:
        self._connection.close()

    def _seed(self) -> None:
        rows = [(problem.id, problem.title, problem.points, problem.statement) for problem in PROBLEMS]
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO problem VALUES (?, ?, ?, ?)", rows)
        team_ids = {name: self.team_id(name) for name in TEAM_NAMES}
        for team, problem, code in past_submissions(PAST_SUBMISSIONS):
            self._insert_submission(team_ids[team], problem.id, code)
        self._connection.execute("COMMIT")

    def is_healthy(self) -> bool:
        return bool(self._connection.execute("SELECT 1").fetchone())

    def team_id(self, name: str) -> int:
        """The team of that name; a new one signs up by logging in."""
        self._connection.execute("INSERT OR IGNORE INTO team (name) VALUES (?)", (name,))
        row = self._connection.execute("SELECT id FROM team WHERE name = ?", (name,)).fetchone()
        return int(row[0])

    def problems(self) -> list[Problem]:
        rows = self._connection.execute("SELECT id, title, points, statement FROM problem ORDER BY id")
        return [Problem(*row) for row in rows]

    def problem(self, problem_id: int) -> Problem | None:
        row = self._connection.execute(
            "SELECT id, title, points, statement FROM problem WHERE id = ?", (problem_id,)
        ).fetchone()
        return Problem(*row) if row else None

    def submit(self, team_id: int, problem_id: int, code: str) -> tuple[int, str]:
        """Judges the program and keeps it: the submission's number, and "accepted" or "rejected"."""
        self._connection.execute(_RUN_TESTS, (len(code), JUDGE_STEPS)).fetchone()
        self._connection.execute("BEGIN IMMEDIATE")
        submission_id, status = self._insert_submission(team_id, problem_id, code)
        self._connection.execute("COMMIT")
        return submission_id, status

    def _insert_submission(self, team_id: int, problem_id: int, code: str) -> tuple[int, str]:
        status = judge(code)
        cursor = self._connection.execute(
            "INSERT INTO submission (team_id, problem_id, status, code) VALUES (?, ?, ?, ?)",
            (team_id, problem_id, status, code),
        )
        if status == "accepted":
            self._connection.execute("INSERT OR IGNORE INTO solution VALUES (?, ?)", (team_id, problem_id))
        assert cursor.lastrowid is not None
        return cursor.lastrowid, status

    def submission(self, submission_id: int) -> Submission | None:
        row = self._connection.execute(_SUBMISSION, (submission_id,)).fetchone()
        return Submission(*row) if row else None

    def standings(self, limit: int = 50) -> list[Standing]:
        """The best teams. A team's points count once per problem; between equals, fewer problems is the better."""
        rows = self._connection.execute(_STANDINGS, (limit,))
        return [Standing(rank, *row) for rank, row in enumerate(rows, 1)]
