"""Thresholds on the command line: from every place, all that is wrong at once, and what becomes of a run."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from swell.cli import options
from swell.cli.observers import Observers
from swell.cli.settings import Given, config_layers, environment_layer, resolve
from swell.cli.threshold_watch import ThresholdWatch
from swell.cli.thresholds import MOST, baseline_notices, judged_anew, problems
from swell.cluster.controller_steps import StopWanted
from swell.errors import PlanError, Problem
from swell.result import End, RunResult
from swell.segment import Sort
from tests.cli.working import WORKS, Start
from tests.stats.thresholds.recorded import Own, plan, run_of

OF_SCENARIOS = "`dropped` is known of whole scenarios, and none is called"
DEMANDING = "thresholds = ['own nap: max < 10s', 'requests > 5']\n" + WORKS.replace("\n    ", "\n")


def test_thresholds_of_all_places_add_up(tmp_path: Path) -> None:
    (tmp_path / "swell.toml").write_text('threshold = ["p95 < 1s", "a,b: p95 < 2s"]\n')
    (tmp_path / "pyproject.toml").write_text('[tool.swell]\nthreshold = "p95 < 3s"\n')
    files, faults = config_layers(options.ALL, tmp_path, "")
    environment = environment_layer(options.ALL, {"SWELL_THRESHOLD": "p95 < 4s\n\np95 < 5s\n"})
    settings, more = resolve(options.ALL, [{"threshold": Given("p95 < 6s", "--threshold")}, environment, *files])
    assert (faults, more) == ([], [])
    assert settings.each(options.THRESHOLD) == [
        ("p95 < 3s", "pyproject.toml:2: threshold"),
        ("p95 < 1s", "swell.toml:1: threshold"),
        ("a,b: p95 < 2s", "swell.toml:1: threshold"),
        ("p95 < 4s", "SWELL_THRESHOLD"),
        ("p95 < 5s", "SWELL_THRESHOLD"),
        ("p95 < 6s", "--threshold"),
    ]
    assert settings[options.THRESHOLD] == tuple(text for text, _ in settings.each(options.THRESHOLD))


def test_what_the_plan_cannot_meet_by_its_form_is_a_problem() -> None:
    placed = [("Raeder: dropped == 0", "-x"), ("p95 < 110% of baseline", "-x"), ("Reader: dropped == 0", "-x")]
    assert [str(problem) for problem in problems(placed, plan())] == [
        f'-x: Raeder: dropped == 0: {OF_SCENARIOS} "Raeder" (did you mean "Reader"?)',
        "-x: p95 < 110% of baseline: there is no baseline (name a stored run with --baseline RUN)",
    ]


def test_there_are_not_more_thresholds_than_can_be_looked_at() -> None:
    (problem,) = problems([("p95 < 1s", "-x")] * (MOST + 1), plan())
    assert str(problem) == "-x: 201 thresholds are more than 200"


def test_all_that_is_wrong_is_said_at_once_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(DEMANDING.replace("'requests > 5'", "'requests > 5/s', 7"))
    (tmp_path / "swell.toml").write_text('threshold = ["errors < 1"]\n')
    command = [sys.executable, "-m", "swell", "run", "script.py", "-x", "p95 < 300", "--threshold", "p95"]
    environment = {**os.environ, "SWELL_THRESHOLD": "Guest: users > 5"}
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.splitlines() == [
        "swell: script.py: thresholds[2]: 7 is no text",
        "swell: script.py: thresholds[1]: '/s' is no unit of it: requests is a count, which has no unit",
        "    requests > 5/s",
        "               ^^^",
        "swell: swell.toml:1: threshold: errors is a share: write it in percent, for example 1%",
        "    errors < 1",
        "             ^",
        f'swell: SWELL_THRESHOLD: Guest: users > 5: {OF_SCENARIOS} "Guest" (there are "Member")'.replace(
            "dropped", "users"
        ),
        "swell: --threshold: p95 is a duration: give it a unit, for example 300ms",
        "    p95 < 300",
        "          ^^^",
        "swell: --threshold: a comparison is missing behind `p95`: < <= > >= == !=",
        "    p95",
        "       ^",
    ]


def test_thresholds_of_the_script_have_to_be_a_list(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("thresholds = 'p95 < 1s'\n" + WORKS.replace("\n    ", "\n"))
    command = [sys.executable, "-m", "swell", "run", "script.py"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (
        2,
        "swell: script.py: thresholds: is 'p95 < 1s' (it is a list of texts such as 'p95 < 300ms')\n",
    )


def test_a_run_is_held_to_the_thresholds_of_its_script_and_of_the_command_line(swell: Start) -> None:
    ended = swell(DEMANDING, "-t", "1s", "-u", "2", "-w", "1", "-x", "own nap: min > 1m").finish()
    assert ended.exit_code in (3, ended.documented_exit_code)
    assert [(found["expression"], found["ok"]) for found in ended.result["thresholds"]] == [
        ("own nap: max < 10s", True),
        ("requests > 5", True),
        ("own nap: min > 1m", False),
    ]
    assert ended.result["run"]["plan"]["thresholds"][2] == "own nap: min > 1m"
    assert "✗ own nap: min > 1m" in ended.stdout


def test_a_threshold_that_aborts_ends_the_run(swell: Start) -> None:
    ended = swell(WORKS, "-t", "1m", "-u", "2", "-w", "1", "-x", "mean > 1m abort").finish()
    assert ended.exit_code in (3, ended.documented_exit_code)
    assert ended.result["run"]["end"] == "threshold"
    assert ended.result["run"]["end_text"].startswith("threshold mean > 1m abort was not met: ")
    assert ended.result["run"]["duration_s"] < 30
    assert ended.result["thresholds"][0]["ok"] is False


class Told:
    """A controller that remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[object] = []

    def tell(self, event: object) -> None:
        self.events.append(event)


def test_the_watch_ends_a_run_once_and_judges_its_end_anew() -> None:
    expression = 'check "x" > 99% abort'
    own = [Own(second, Sort.CHECK, 0.0) for second in (0, 1) for _ in range(20)]
    watch, told = ThresholdWatch(plan(expression), None), Told()
    watch.attend(told)  # type: ignore[arg-type]
    for at_s in (1.3, 2.3):
        watch.observe(run_of([expression], own=own, at_s=at_s, end=None))
    text = f"threshold {expression} was not met: 0 %"
    assert told.events == [StopWanted(End.THRESHOLD, text)]
    watch.ended(run_of([expression], own=own, seconds=2, end=End.THRESHOLD, end_text=text))
    assert [(summary.ok, summary.reason) for summary in watch.latest] == [
        (False, "it ended the run when it was at 0 %")
    ]


def test_observers_are_shown_the_end_too() -> None:
    expression = "requests == 0"
    watch = ThresholdWatch(plan(expression), None)
    Observers([watch], [].append).ended(run_of([expression]))
    assert repr(watch) == "<ThresholdWatch: [True]>"


# --- the baseline ----------------------------------------------------------------------------------------------------


def test_a_run_is_compared_with_a_stored_one(swell: Start, tmp_path: Path) -> None:
    short = ("-t", "1s", "-u", "2", "-w", "1", "--store", str(tmp_path / "runs.db"))
    first = swell(WORKS, *short).finish()
    expression = "own nap: requests > 10% of baseline"
    second = swell(WORKS, *short, "--baseline", "latest", "-x", expression).finish()
    assert second.result["run"]["plan"]["baseline"] == first.result["run"]["id"]
    (found,) = second.result["thresholds"]
    before = first.result["totals"]["requests"]
    assert found["ok"] is True
    assert found["limit"] == pytest.approx(before / 10)
    assert found["reason"] == f"the baseline's is {before}"


def test_a_baseline_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(WORKS.replace("\n    ", "\n"))
    command = [sys.executable, "-m", "swell", "run", "script.py", "--baseline", "latest", "-x", "p95 < 9% of baseline"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith("swell: --baseline: ")
    assert len(run.stderr.splitlines()) == 1


def test_a_baseline_that_nothing_refers_to_is_noticed() -> None:
    (notice,) = baseline_notices(plan("p95 < 1s"), run_of([]))
    assert notice.startswith("no threshold refers to the --baseline")
    assert baseline_notices(plan("p95 < 1% of baseline"), run_of([])) == baseline_notices(plan("p95 < 1s"), None) == []


@dataclasses.dataclass(frozen=True)
class StoredId:
    id: str


class Shelf:
    """A store with one run, or without."""

    def __init__(self, *runs: RunResult) -> None:
        self._runs = {run.run: run for run in runs}

    def find(self, word: str) -> StoredId:
        if word not in self._runs:
            raise PlanError([Problem("there is no such run")])
        return StoredId(word)

    def load(self, run: str) -> RunResult:
        return self._runs[run]


def test_a_run_that_was_interrupted_is_judged_when_it_is_looked_at() -> None:
    expressions = ["p95 < 1s", "a metric of the future < 3", "counter x > 50% of baseline"]
    baseline = msgspec.structs.replace(run_of([], own=[Own(0, Sort.COUNTER, 10.0)]), run="before")
    result = run_of(expressions, own=[Own(0, Sort.COUNTER, 6.0)], end=None, at_s=2.0)
    result = msgspec.structs.replace(result, plan=msgspec.structs.replace(result.plan, baseline="before"))
    assert [(found.ok, found.reason) for found in judged_anew(Shelf(baseline), result)] == [  # type: ignore[arg-type]
        (None, "too few samples: there is none"),
        (None, "this version of swell cannot read it"),
        (True, "the baseline's is 10"),
    ]
    assert judged_anew(Shelf(), result)[2].reason == "there was no baseline to compare with"  # type: ignore[arg-type]


def test_what_reads_thresholds_does_not_bring_numpy_along() -> None:
    code = "import swell.cli.start, swell.cli.threshold_watch, swell.cli.observers, sys; print('numpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
