"""`swell compare`, on runs in a store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from swell.cli.main import exit_code
from swell.result import End
from swell.store.life import LifeSign
from swell.store.reader import open_store
from swell.store.writer import Heading, RunWriter
from tests.report.sample_results import contest_calls, new_merge, plan
from tests.stats.segments import Call, segment
from tests.store.test_round_trip import page

SECONDS = 30
RUNS = ("aaaa1111", "bbbb2222", "cccc3333")


def store_run(
    path: Path, run: str, *, slower: float = 1.0, name: str = "", sha256: str = "", ended: bool = True
) -> None:
    """A run of the contest, all of whose calls take so many times as long."""
    merge = new_merge(plan(run_time_s=float(SECONDS)), workers=1)
    merge.run = run
    for second in range(SECONDS):
        calls = [
            Call(second, 1, round(call.response_ns * slower), round(call.service_ns * slower))
            for call in contest_calls(second)
        ]
        made = segment(second + 1, calls, series=[(1, "/")] if not second else (), users=20)
        merge.apply(type(made)(**{**{name: getattr(made, name) for name in made.__struct_fields__}, "run": run}))
    if ended:
        merge.ended(float(SECONDS), End.COMPLETED)
        merge.close()
    writer = RunWriter(path, Heading(run=run, swell="0.1.0", name=name, script_sha256=sha256))
    writer.write(page(merge, float(SECONDS)))
    writer.close()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "runs.db"
    store_run(path, RUNS[0], name="before", sha256="1")
    store_run(path, RUNS[1], slower=1.5, sha256="2")
    store_run(path, RUNS[2], ended=False)
    return path


def compare(store: Path, *words: str) -> int:
    return exit_code(["compare", *words, "--store", str(store)])


def test_a_slower_run_is_said_to_be_slower(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(store, "before", "bbbb") == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0].startswith("base        aaaa1111 (before) · contest.py → http://127.0.0.1:8000")
    assert "script: contest.py has changed from one run to the other" in said
    (p95,) = (line for line in said.splitlines() if line.startswith("  p95"))
    assert p95.endswith("slower")


def test_json_is_all_that_is_printed(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(store, "before", "bbbb", "--json", "--fail-if-slower", "5%") == 3
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["base"]["name"]) == ("swell.comparison/1", "before")
    assert {thing["thing"]: thing["verdict"] for thing in document["all"]["things"]}["p50"] == "slower"
    assert document["gate"]["failed"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("before", "bbbb", "--fail-if-slower"), 3),
        (("before", "bbbb", "--fail-if-slower=5"), 3),
        (("before", "bbbb", "--fail-if-slower", "90%"), 0),
        (("bbbb", "before", "--fail-if-slower"), 0),
        (("before", "before", "--fail-if-slower"), 0),
    ],
)
def test_the_exit_code_is_3_only_where_something_is_slower_by_more(
    store: Path, words: tuple[str, ...], code: int
) -> None:
    assert compare(store, *words) == code


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("before",), "swell compare: missing argument 'RUN'"),
        (("nosuch", "never"), "BASE: there is no run 'nosuch'"),
        (("nosuch", "never"), "RUN: there is no run 'never'"),
        (("before", "bbbb", "--fail-if-slower", "fast"), "'fast' is not a percentage from 0% to below 100%"),
        (("--fail-if-slower", "before", "bbbb", "cccc"), "without a percentage it goes behind BASE and RUN"),
        (("before", "bbbb", "--fail-if-slower", "-5%"), "no such option"),
    ],
)
def test_what_cannot_be_compared_is_said(
    store: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    assert compare(store, *words) == 2
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.out == ""


def test_a_run_that_is_being_written_is_refused(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sign = LifeSign(store, RUNS[2])
    try:
        assert compare(store, "before", "cccc") == 2
    finally:
        sign.end()
    assert "RUN: cccc3333 is still running (compare it when it has ended)" in capsys.readouterr().err


def test_a_run_that_was_interrupted_is_compared_with_a_warning(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(store, "before", "cccc") == 0
    assert "run was interrupted after 30 s" in capsys.readouterr().out


def test_a_store_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(tmp_path / "none.db", "a", "b") == 2
    assert "none.db" in capsys.readouterr().err


def test_comparing_changes_nothing_in_the_store(store: Path) -> None:
    with open_store(store) as opened:
        before = [opened.load(run) for run in RUNS]
    compare(store, "before", "bbbb")
    with open_store(store) as opened:
        assert [opened.load(run) for run in RUNS] == before
