"""Feeds on the command line: what is wrong with their files is known before anything is sent, and debug has rows."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
from swell import User, feed, task

{feeds}

class Reader(User):
    @task
    def read(self):
        print(next(rows), next(rows))

    @task
    def read_on(self):
        print(list(rows))
"""
FEEDS = {
    "good.csv": "name,code\nAda,1\nBob,2\nCyd,3\n",
    "ragged.csv": "name,code\nAda,1\nBob\n",
    "empty.csv": "",
    "words.jsonl": '{"word": "a"}\n{"word": }\n',
}


def swell(folder: Path, line: str, feeds: str) -> tuple[int, list[str]]:
    for name, text in FEEDS.items():
        (folder / name).write_text(text)
    (folder / "reader.py").write_text(SCRIPT.format(feeds=feeds))
    command = [sys.executable, "-m", "swell", *line.split()]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={}, check=False)
    return run.returncode, (run.stdout + run.stderr).splitlines()


@pytest.mark.parametrize("command", ["run reader.py -u 1 -t 1s", "debug reader.py"])
def test_everything_wrong_with_the_files_of_feeds_is_said_before_the_run(tmp_path: Path, command: str) -> None:
    feeds = "\n".join(f"rows = feed({name!r})" for name in ("ragged.csv", "empty.csv", "words.jsonl", "god.csv"))
    assert swell(tmp_path, command, feeds) == (
        2,
        [
            "swell: ragged.csv:3:4: 1 field where the header has 2",
            "swell: empty.csv: is empty (its first line names the columns)",
            "swell: words.jsonl:2:10: is no JSON: invalid character",
            f"swell: god.csv: no such file in {tmp_path} (did you mean good.csv?)",
        ],
    )


def test_a_combination_that_makes_no_sense_is_said_with_its_line(tmp_path: Path) -> None:
    code, said = swell(tmp_path, "run reader.py", 'rows = feed("good.csv", order="circular", unique=True)')
    assert code == 2
    assert said[0] == "reader.py:4 in <module>"
    assert said[-1].startswith("swell: reader.py:4: ValueError: unique=True uses no row twice")


def test_debug_hands_out_rows_until_they_have_run_out(tmp_path: Path) -> None:
    code, said = swell(tmp_path, "debug reader.py", 'rows = feed("good.csv", order="once")')
    rows = [line for line in said if line.startswith("{")]
    assert (code, rows) == (0, ["{'name': 'Ada', 'code': '1'} {'name': 'Bob', 'code': '2'}"])


def test_help_needs_no_file(tmp_path: Path) -> None:
    code, said = swell(tmp_path, "run reader.py --help", 'rows = feed("nowhere.csv")')
    assert code == 0
    assert said[0].startswith("Usage: swell run")
