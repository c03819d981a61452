"""The command as a whole: help, version, and how it says what it did not foresee."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from swell.cli.failure import Outcome
from swell.cli.main import exit_code
from swell.errors import PlanError, Problem, RunFailed, ScriptError

SCRIPT = """
from swell import HttpUser, events, task

@events.init_command_line_parser.add_listener
def options(parser):
    parser.add_argument("--language", default="en", help="Accept-Language that users send")
    parser.add_argument("--seed", type=int, help="a seed of its own")

class Reader(HttpUser):
    @task
    def read(self):
        self.client.get("/")
"""


def swell(folder: Path, *words: str) -> tuple[int, str, str]:
    run = subprocess.run(
        [sys.executable, "-m", "swell", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    return run.returncode, run.stdout, run.stderr


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["--help"]) == 0
    out = capsys.readouterr().out
    assert [name for name in ("run", "debug", "demo", "doctor") if f"\n  {name} " in out] == [
        "run",
        "debug",
        "demo",
        "doctor",
    ]
    assert "worker-process" not in out


def test_no_command_at_all_is_answered_with_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code([]) == 2
    assert "Commands:" in capsys.readouterr().out


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["--version"]) == 0
    assert capsys.readouterr().out.startswith("swell, version 0.")


def test_help_of_run_shows_the_options_under_their_headings(tmp_path: Path) -> None:
    code, out, err = swell(tmp_path, "run", "--help")
    headings = [line for line in out.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert (code, err) == (0, "")
    assert headings == [
        *("The target:", "The load:", "The script:", "This machine:", "Other machines:", "The result:"),
        "Help:",
    ]


def test_help_with_a_script_shows_the_options_that_it_declares(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text(SCRIPT)
    code, out, err = swell(tmp_path, "run", "s.py", "--help")
    assert (code, err) == (0, "")
    assert "Options of s.py:\n  --language LANGUAGE  Accept-Language that users send [en]\n" in out


def test_help_with_a_script_that_fails_is_the_help_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text("raise ValueError\n")
    code, out, err = swell(tmp_path, "run", "s.py", "--help")
    assert (code, err) == (0, "")
    assert "The load:" in out


def test_neither_help_nor_version_imports_what_only_a_run_needs() -> None:
    code = "import sys; from swell.cli.main import exit_code; exit_code(['run', '--help']); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in run.stdout.splitlines()[-1].split()}
    assert loaded & {"gevent", "rich", "numpy", "flask", "zmq", "httptools", "psutil"} == set()


def test_a_reader_who_has_enough_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m swell run --help | head -1"
    run = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.stdout.count("\n"), run.stderr) == (1, "")


def said(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    with Outcome() as outcome:
        raise error
    return outcome.exit_code, capsys.readouterr().err.splitlines()


def test_each_problem_is_one_line_and_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    twice = Problem("wrong", "--x", "put it right")
    lines = ["swell: --x: wrong (put it right)", "swell: also"]
    assert said(PlanError([twice, Problem("also"), twice]), capsys) == (2, lines)


def test_a_script_that_raises_is_shown_with_its_own_frames(capsys: pytest.CaptureFixture[str]) -> None:
    error = ScriptError(Problem("ValueError", "s.py:1"), "s.py:1 in <module>\n")
    assert said(error, capsys) == (2, ["s.py:1 in <module>", "swell: s.py:1: ValueError"])


def test_a_run_that_fails_is_said_with_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(RunFailed("no worker", hint="start one"), capsys) == (4, ["swell: no worker (start one)"])


def test_an_interrupt_is_not_worth_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(KeyboardInterrupt(), capsys) == (130, [])


def test_a_bug_is_called_one_and_comes_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = said(ZeroDivisionError("division by zero"), capsys)
    assert code == 4
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "swell: this is a bug in swell (ZeroDivisionError); please report it with the traceback above"


CHATTY = """
import os
import json
import subprocess
from swell import User, constant, events, setup, task

print("at import")
subprocess.run(["echo", "from a program"])

@setup
def prepare():
    os.write(1, b"past Python\\n")

@events.test_stop.add_listener
def stop(environment):
    print("at the end")

class Talker(User):
    wait_time = constant(0.1)

    @task
    def talk(self):
        print("from a task")
"""


def test_with_json_to_stdout_all_else_goes_to_stderr(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text(CHATTY)
    code, out, err = swell(tmp_path, "run", "s.py", "-t", "0.5", "--json", "-")
    assert code == 0
    assert json.loads(out)["schema"] == "swell.result/1"
    said = {line.strip() for line in err.splitlines()}
    assert said >= {"at import", "from a program", "past Python", "at the end", "from a task"}


def test_a_word_that_is_not_utf_8_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["run", "s\udcff.py", "-H", "http://127.0.0.1:1"]) == 2
    assert capsys.readouterr().err == "swell: s?.py: is not UTF-8 (rename the file, or set the locale)\n"
