"""Every example runs, as its first lines say that it does, and nothing in it fails."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.targets.process import target_process

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))
RUN_TIMEOUT_S = 18
SERIES = {
    "contest.py": {"POST /login", "GET /problems", "GET /problems/:id", "POST /submit"},
    "many_calls.py": {"GET /", "GET /static/contest.css", "GET /leaderboard.json", "PAGE home, with all its parts"},
    "any_protocol.py": {"TCP health check", "SQL insert visit", "SQL count visits"},
    "sequence.py": {"GET /problems", "GET /problems/:id", "POST /submit", "GET /submissions/:id", "GET /leaderboard"},
    "shared_setup.py": {"GET /problems/:id"},
    "own_measures.py": {"GET /problems/:id", "POST /submit", "GET /leaderboard.json"},
    "arrivals.py": {"GET /leaderboard", "GET /problems/:id", "POST /submit", "GET /problems"},
    "evening.py": {"GET /problems/:id", "GET /leaderboard", "POST /login", "POST /submit"},
    "accounts.py": {"POST /login", "POST /submit"},
    "own_options.py": {"POST /login", "GET /leaderboard"},
}

OF_OWN_LOAD = {"arrivals.py"}
"""Scripts whose classes say themselves how many users there are."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with target_process("swell.cli.demo_target", "--port", "0") as process:
        yield process.first_line


def command_of(script: Path) -> list[str]:
    """The `swell run` line of the script's docstring, as words."""
    (line,) = [line for line in script.read_text().splitlines() if line.startswith("    swell run ")]
    return shlex.split(line)


def run(script: Path, host: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs what the docstring says, for two seconds; of two equal options the last one counts."""
    users = () if script.name in OF_OWN_LOAD else ("-u", "6")
    words = [sys.executable, "-m", "swell", *command_of(script)[1:], "-H", host, *users, "-t", "2s", *options]
    return subprocess.run(
        words, cwd=EXAMPLES.parent, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_an_example_runs_without_failures(script: Path, site: str) -> None:
    ended = run(script, site, "--json", "-")
    assert ended.returncode == 0, ended.stderr
    result: dict[str, Any] = json.loads(ended.stdout)
    assert (result["exceptions"], result["errors"], result["totals"]["failures"]) == ([], [], 0)
    series = {f"{row['method']} {row['name']}" for row in result["series"]}
    assert SERIES[script.name] <= series


def test_an_examples_own_options_reach_it(site: str) -> None:
    ended = run(EXAMPLES / "own_options.py", site, "--patience-ms", "0")
    assert "× GET /leaderboard took longer than 0 ms" in ended.stdout + ended.stderr


def test_an_examples_own_loads_are_in_the_result(site: str) -> None:
    result = json.loads(run(EXAMPLES / "arrivals.py", site, "--seed", "1", "--json", "-").stdout)
    scenarios = {row["name"]: row for row in result["scenarios"]}
    assert {name: row["model"] for name, row in scenarios.items()} == {
        "Visitor": "open",
        "Contestant": "closed",
        "Guest": "partly_open",
    }
    visitor, guest = scenarios["Visitor"], scenarios["Guest"]
    assert visitor["iterations"] + visitor["dropped"] == visitor["planned"] > 30
    assert guest["planned"] == 5
    assert scenarios["Contestant"]["users_peak"] == 10


def test_an_examples_own_shape_has_its_peak_its_wave_and_its_decline(site: str) -> None:
    result = json.loads(run(EXAMPLES / "evening.py", site, "-u", "12", "-t", "6s", "--json", "-").stdout)
    assert (result["run"]["plan"]["shape"], result["run"]["end_text"]) == ("Evening", "")
    changes = [(int(row["at_s"]), row["load"], row["users"]) for row in result["run"]["revisions"]]
    assert changes == [(0, 0, 4), (1, 0, 9), (1, 1, 3), (4, 0, 0), (4, 1, 12), (5, 0, 1), (5, 1, 0)]
    peaks = {row["name"]: row["users_peak"] for row in result["scenarios"]}
    assert 8 <= peaks["Reader"] <= 9
    assert 10 <= peaks["Solver"] <= 12, "when the last had come, the first were about to go"


def test_an_examples_own_measures_are_in_the_result(site: str) -> None:
    ended = run(EXAMPLES / "own_measures.py", site, "--json", "-")
    result = json.loads(ended.stdout)
    assert {check["name"]: check["failed"] for check in result["checks"]} == {
        "shows the problem": 0,
        "the best team comes first": 0,
    }
    assert [transaction["name"] for transaction in result["transactions"]] == ["solve a problem"]
    assert {row["name"]: row["sort"] for row in result["measures"]} == {
        "accepted": "rate",
        "bytes of program text": "counter",
        "points of a team": "trend",
        "points of the leader": "gauge",
    }
    assert {row["tags"] for row in result["series"] if row["name"] == "/problems/:id"} == {
        f"level={n}" for n in (1, 2, 3)
    }


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_an_example_begins_with_what_it_teaches_and_how_to_run_it(script: Path) -> None:
    assert command_of(script)[:3] == ["swell", "run", f"examples/{script.name}"]
    assert f"[{script.name}]({script.name})" in (EXAMPLES / "README.md").read_text()
