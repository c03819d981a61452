"""The commands about stored runs, on a store made by hand: what they print, and what they say of bad input."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import msgspec
import pytest

from swell.cli.main import exit_code
from swell.cli.storing import DEFAULT
from swell.report.json_document import to_json
from swell.stats.summary import summarise
from swell.stats.window_document import window_document
from swell.store.writer import Heading, Page, RunWriter
from tests.report.sample_results import contest_segments, new_merge, plan


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose store has three runs; it is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SWELL_STORE", raising=False)
    DEFAULT.parent.mkdir()
    for place, (run, name, state) in enumerate(
        [("aa10", "nightly", "completed"), ("aa11", "", "completed"), ("bb20", "nightly", "running")]
    ):
        merge = new_merge(plan())
        merge.run, merge.started_at = run, merge.started_at + datetime.timedelta(days=place)
        for one in contest_segments():
            merge.apply(msgspec.structs.replace(one, run=run))
        writer = RunWriter(DEFAULT, Heading(run=run, swell="0.1.0", name=name, tags=("ci",) if place else ()))
        result = merge.snapshot()
        totals = summarise(result).totals
        writer.write(
            Page(
                journal=merge.journal(),
                at_s=result.at_s,
                duration_s=result.duration_s,
                requests=totals.requests,
                failures=totals.failures,
                p95_ms=totals.response_ms.p95 if totals.response_ms else None,
                state=state,
                verdict="valid" if state == "completed" else "",
            )
        )
        writer.close()
    return tmp_path


class Said:
    """What a command printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> tuple[int, str, str]:
        code = exit_code(words)
        out, err = self._capsys.readouterr()
        return code, out, err


@pytest.fixture
def swell(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)


def listed(swell: Said, *words: str) -> list[str]:
    code, out, err = swell("runs", "--json", *words)
    assert (code, err) == (0, "")
    return [run["id"] for run in json.loads(out)]


def test_runs_are_listed_the_latest_first_by_what_is_asked_for(swell: Said) -> None:
    assert listed(swell) == ["bb20", "aa11", "aa10"]
    assert listed(swell, "--limit", "2") == ["bb20", "aa11"]
    assert listed(swell, "--state", "interrupted") == ["bb20"]
    assert listed(swell, "--name", "nightly") == ["bb20", "aa10"]
    assert listed(swell, "--tag", "ci", "--state", "completed") == ["aa11"]
    assert listed(swell, "--script", "contest.py", "--limit", "0") == ["bb20", "aa11", "aa10"]
    assert listed(swell, "--script", "test.py") == []


def test_the_list_fits_its_width_and_says_what_it_hides(swell: Said) -> None:
    code, out, _ = swell("runs", "--limit", "2")
    assert code == 0
    head, first, second, more = out.splitlines()
    assert " ".join(head.split()) == "run name tags started state verdict took requests failed p95 ms"
    assert first.startswith("bb20  nightly  ci    2026-02-02 ")
    assert "interrupted" in first
    assert max(map(len, out.splitlines())) <= 100
    assert second.startswith("aa11 ")
    assert more == "(and 1 earlier: --limit 0 lists all)"


def test_a_run_is_shown_as_it_stands(swell: Said) -> None:
    code, out, _ = swell("show", "nightly")
    assert code == 0
    assert out.startswith("run         bb20 (nightly) · began 2026-02-02 ")
    assert "interrupted: what ran it ended without a word; here is all that it had until 10 s" in " ".join(out.split())
    assert "interrupted after 10 s · 2,024 requests" in out


def test_a_stretch_is_shown_and_printed_for_machines(swell: Said, folder: Path) -> None:
    code, out, _ = swell("show", "aa10", "--from", "4s", "--to", "6s")
    assert code == 0
    assert "from 4 s to 6 s · 416 requests · 208.0/s · 16 failed" in out
    code, out, _ = swell("show", "aa10", "--from", "4s", "--to", "6s", "--json")
    merge = new_merge(plan())
    for one in contest_segments():
        merge.apply(one)
    meant = msgspec.structs.replace(window_document(merge.snapshot(), 4, 6), run="aa10")
    assert out.encode() == to_json(meant)


def test_a_report_is_written_where_it_is_asked_for(swell: Said, folder: Path) -> None:
    assert swell("report", "aa10", "--json", "a.json") == (0, "", "")
    code, out, _ = swell("report", "aa10", "--json", "-")
    assert (code, out) == (0, (folder / "a.json").read_text())


@pytest.mark.parametrize(
    ("line", "problems"),
    [
        ("show", ["swell show: missing argument 'RUN'"]),
        ("show zz", ["RUN: there is no run 'zz' in .swell/runs.db (`swell runs` lists them)"]),
        ("show aa", ["RUN: 'aa' may be any of 2 runs: aa10, aa11 (give more of it)"]),
        ("show aa10 --store no.db", ["no.db: there is no store (`swell run` makes one; --store FILE names another)"]),
        ("show aa10 --from 6s --to 5s", ["--from: 6 s is not before --to, 5 s"]),
        ("show aa10 --from 5s --to 5s", ["--from: 5 s is not before --to, 5 s"]),
        ("show aa10 --from 11s", ["--from: 11 s is no instant of the run, which took 10.0 s"]),
        (
            "show aa10 --from=-1 --to nan",
            [
                "--from: -1 s is no instant of the run, which took 10.0 s",
                "--to: nan s is no instant of the run, which took 10.0 s",
            ],
        ),
        ("show aa10 --from soon", ["--from: 'soon' is not a duration such as 30s, 5m, 1h30m or 90 (seconds)"]),
        ("report aa10", ["swell report: no format is asked for "]),
        ("report aa10 --json .", ["--json: '.' cannot be written: it is a folder"]),
        ("runs --state gone", ["--state: 'gone' is none of the choices: one of running, interrupted, completed, "]),
        ("runs --limit=-1", ["--limit: -1 is not a number of 0 or more"]),
        ("runs lst", ["lst: no such command (`swell --help` lists them)"]),
        ("runs name aa10 latest", ["NAME: 'latest' always means the run that began last"]),
        ("runs delete aa10 zz aa", ["RUN: there is no run 'zz' in ", "RUN: 'aa' may be any of 2 runs: aa10, aa11 "]),
        ("runs prune", ["swell runs prune: which runs are to go is not said (--older-than 30d, or --keep 100, or "]),
        ("runs prune --keep=-1", ["swell runs prune: a number is below 0"]),
        ("runs prune --older-than nan", ["swell runs prune: a number is below 0, or none"]),
        ("runs tag aa10 a,b", ["TAG: 'a,b' is no tag (a word, without a comma)"]),
    ],
)
def test_bad_input_is_said(swell: Said, line: str, problems: list[str]) -> None:
    before = DEFAULT.read_bytes()
    code, out, err = swell(*line.split())
    assert (code, out) == (2, "")
    lines = err.splitlines()
    assert len(lines) == len(problems)
    for said, meant in zip(lines, problems, strict=True):
        assert said.startswith(f"swell: {meant}")
    assert DEFAULT.read_bytes() == before


def test_a_folder_without_a_store_has_no_runs(swell: Said, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "empty").mkdir()
    monkeypatch.chdir(folder / "empty")
    assert swell("runs") == (0, "", "swell: no run is stored in .swell/runs.db\n")
    assert swell("runs", "--json") == (0, "[]\n", "")
    assert not (folder / "empty" / ".swell").exists()


def test_the_store_may_be_named_in_the_environment_or_the_config(
    swell: Said, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    monkeypatch.setenv("SWELL_STORE", str(folder / DEFAULT))
    assert listed(swell, "--limit", "1") == ["bb20"]
    monkeypatch.delenv("SWELL_STORE")
    Path("swell.toml").write_text(f'users = "a lot"\nstore = "{folder / DEFAULT}"\n')
    assert listed(swell, "--limit", "1") == ["bb20"]


def test_runs_are_deleted_by_age_and_number(swell: Said) -> None:
    assert swell("runs", "prune", "--keep", "1", "--dry-run")[1].splitlines() == [
        "would delete aa11",
        "would delete aa10 (nightly)",
        "2 of 3 runs would be deleted",
    ]
    assert swell("runs", "prune", "--older-than", "1s", "--tag", "ci", "--keep", "1")[1].startswith("1 run deleted, ")
    assert listed(swell) == ["bb20", "aa10"]
    assert swell("runs", "delete", "aa10", "bb20")[1].startswith("2 runs deleted, ")
    assert listed(swell) == []
