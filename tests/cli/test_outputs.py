"""The files of a result: all checked before a run, all written after it, whatever becomes of one of them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from swell.cli import options, sample_files, storing
from swell.cli.outputs import OUTPUTS, Output, Outputs, wanted
from swell.cli.settings import Settings
from swell.document import ResultDocument
from swell.errors import Problem, RunFailed
from swell.report.json_document import to_json
from swell.result import RunResult
from swell.stats.summary import summarise
from tests.report.sample_results import ended


def _sheets(result: RunResult, document: ResultDocument) -> Mapping[str, bytes]:
    return {".a": b"first", ".b": b"second"}


SHEETS = Output(options.JSON, _sheets, (".a", ".b"))
(JSON,) = (output for output in OUTPUTS if output.option is options.JSON)


def test_what_is_asked_for_is_what_is_wanted() -> None:
    assert wanted(Settings({}, {})) == Outputs()
    assert wanted(Settings({"json": "x.json"}, {"json": "--json"})).wanted == ((JSON, "x.json"),)


def test_a_document_is_written_to_its_file(tmp_path: Path) -> None:
    result = ended()
    Outputs(((JSON, str(tmp_path / "x.json")),)).write(result, summarise(result))
    assert (tmp_path / "x.json").read_bytes() == to_json(summarise(result))


def test_a_format_of_several_files_puts_its_endings_behind_the_path(tmp_path: Path) -> None:
    result = ended()
    outputs = Outputs(((SHEETS, str(tmp_path / "x")),))
    assert outputs.problems({}) == []
    outputs.write(result, summarise(result))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"x.a": "first", "x.b": "second"}


def test_each_file_that_cannot_be_written_is_said_beforehand(tmp_path: Path) -> None:
    (tmp_path / "x.b").mkdir()
    assert Outputs(((SHEETS, str(tmp_path / "x")),)).problems({}) == [
        Problem(f"{str(tmp_path / 'x.b')!r} cannot be written: it is a folder", "--json")
    ]


def test_two_outputs_do_not_share_a_file_or_standard_output(tmp_path: Path) -> None:
    path = str(tmp_path / "x")
    assert [problem.what for problem in Outputs(((JSON, path), (JSON, path))).problems({})] == [
        f"{path!r} is to be written by --json too"
    ]
    assert Outputs(((JSON, "-"), (JSON, "-"))).problems({}) != []
    assert Outputs(((SHEETS, "-"),)).problems({}) == [Problem("several files cannot go to standard output", "--json")]


def test_standard_output_is_for_one_document_alone() -> None:
    assert Outputs(((JSON, "-"),)).to_stdout
    assert not Outputs(((JSON, "x"), (SHEETS, "-"))).to_stdout


def test_one_that_fails_keeps_no_other_from_being_written(tmp_path: Path) -> None:
    result = ended()
    outputs = Outputs(((JSON, str(tmp_path / "gone" / "x")), (SHEETS, str(tmp_path / "y"))))
    with pytest.raises(RunFailed, match="gone/x"):
        outputs.write(result, summarise(result))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["y.a", "y.b"]


def test_a_format_that_this_swell_cannot_make_is_said_beforehand(tmp_path: Path) -> None:
    unbuilt = Output(options.HTML, _sheets, obstacles=lambda flag: [Problem("not built", flag, "build it")])
    assert Outputs(((unbuilt, str(tmp_path / "x")),)).problems({}) == [Problem("not built", "--html", "build it")]


def test_no_output_takes_the_place_of_a_file_that_is_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = {**storing.kept_files(Path("runs.db")), str(tmp_path / "users.csv"): "read by the script"}
    assert Outputs(((JSON, "./runs.db"), (SHEETS, "x"))).problems(kept) == [
        Problem("'./runs.db' is the store", "--json")
    ]
    assert Outputs(((JSON, "runs.db-wal"),)).problems(kept) == [Problem("'runs.db-wal' is the store", "--json")]
    samples = Settings({"samples": "users.csv"}, {"samples": "--samples"})
    assert sample_files.problems(samples, kept) == [Problem("'users.csv' is read by the script", "--samples")]
    assert sample_files.problems(samples, {}) == []
    assert Outputs(((JSON, "users.csv"),)).problems(sample_files.kept_files(samples)) == [
        Problem("'users.csv' is to be written by --samples too", "--json")
    ]
