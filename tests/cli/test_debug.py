"""One user once, with all that it sends and gets on the page."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from swell.cli.demo import contest_site

SCRIPT = """
from swell import HttpUser, User, TaskSet, between, constant, events, setup, task

@events.init_command_line_parser.add_listener
def options(parser):
    parser.add_argument("--team", default="Reds")

@setup
def problem():
    return {"number": 1}

class Room(TaskSet):
    wait_time = constant(60)

    @task
    def look(self):
        self.client.get("/problems")
        self.interrupt()

class Contestant(HttpUser):
    wait_time = between(60, 90)
    tasks = [Room]

    @task(5)
    def read(self):
        self.client.get(f"/problems/{self.shared['number']}", headers={"X-Team": self.environment.parsed_options.team})

    @task
    def stumble(self):
        with self.measure("SQL", "find"):
            pass
        raise ValueError("no such row")

    def on_stop(self):
        self.client.get("/nowhere", name="gone")

class Endless(User):
    class Forever(TaskSet):
        @task
        def spin(self):
            pass
    tasks = [Forever]
"""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with contest_site() as url:
        yield url


def debugged(folder: Path, *words: str, script: str = SCRIPT) -> tuple[int, str, str]:
    (folder / "s.py").write_text(script)
    command = [sys.executable, "-m", "swell", "debug", "s.py", *words]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout, run.stderr


def lines_of(text: str) -> list[str]:
    """What happened, without headers, bodies and times."""
    kept = [line for line in text.splitlines() if line[:1] in "─→←●✗"]
    return [re.sub(r"( ─+|   .*| [\d.]+ ms)$", "", line) for line in kept if line]


def test_each_task_runs_once_in_the_order_written_without_its_waits(tmp_path: Path, site: str) -> None:
    code, out, err = debugged(tmp_path, "-H", site, "--team", "Blues", "Contestant")
    assert (code, err) == (1, "")
    assert lines_of(out) == [
        "── Contestant.Room",
        "── Room.look",
        f"→ GET {site}/problems",
        "← 200 OK",
        "── Contestant.read",
        f"→ GET {site}/problems/1",
        "← 200 OK",
        "── Contestant.stumble",
        "● SQL find",
        "── Contestant.on_stop",
        f"→ GET {site}/nowhere",
        "← 404 NOT FOUND",
        "✗ GET gone failed: HTTP 404",
    ]
    assert "    X-Team: Blues\n" in out
    assert re.search(r"s\.py:\d+ in Contestant\.stumble\n    raise ValueError", out)
    assert "ValueError: no such row" in out


def test_a_user_that_stays_in_a_task_set_for_ever_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "swell.toml").write_text("users = 5\nstrict = true\n")
    code, out, err = debugged(tmp_path, "Endless")
    assert (code, err) == (0, "")
    assert out.endswith("100 turns are enough: the user stops after this one\n")


def test_a_target_that_is_not_there_is_shown_as_a_failed_call(tmp_path: Path) -> None:
    code, out, err = debugged(tmp_path, "-H", "http://127.0.0.1:1", "Contestant")
    assert (code, err) == (1, "")
    assert "→ GET http://127.0.0.1:1/problems\n← connection refused   not sent" in out


def test_what_is_wrong_is_said_as_by_run(tmp_path: Path) -> None:
    code, out, err = debugged(tmp_path, "Contestnat", "-H", "x")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "swell: Contestnat: s.py has no user class Contestnat (did you mean Contestant?)",
        "swell: --host: 'x' is not an http:// or https:// URL; did you mean http://x?",
    ]


def test_checks_transactions_and_measures_are_shown(tmp_path: Path, site: str) -> None:
    script = """
from swell import HttpUser, check, gauge, rate, task, transaction

class Shopper(HttpUser):
    @task
    def buy(self):
        with transaction("checkout"):
            page = self.client.get("/", tags={"page": "front"})
        check(page, "is there", lambda r: r.ok)
        check(page, "is short", lambda r: len(r.text) < 3)
        gauge("queue").set(-2.5)
        rate("cached").add(False)
"""
    code, out, err = debugged(tmp_path, "-H", site, script=script)
    assert (code, err) == (0, "")
    for line in ("✓ check is there", "✗ check is short", "● gauge queue   -2.5", "● rate cached   false"):
        assert line in out
    assert "● transaction checkout   " in out
