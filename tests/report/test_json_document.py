"""The document as a file: whole or not at all."""

from __future__ import annotations

import io
import json
import os
import stat
from pathlib import Path

import msgspec
import pytest

from swell.document import ResultDocument
from swell.errors import RunFailed
from swell.report.json_document import to_json, write_json
from swell.stats.summary import summarise
from tests.report.sample_results import ended


def document() -> ResultDocument:
    return summarise(ended())


def test_it_is_json_that_reads_back_as_the_same_document(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_json(document(), path)
    assert msgspec.json.decode(path.read_bytes(), type=ResultDocument, strict=False) == document()
    assert json.loads(path.read_text())["totals"]["requests"] == 2_024


def test_it_goes_to_a_stream_too() -> None:
    stream = io.BytesIO()
    write_json(document(), stream)
    assert stream.getvalue() == to_json(document())


def test_a_file_is_replaced_with_its_mode_kept_and_nothing_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text("old")
    path.chmod(0o600)
    write_json(document(), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["result.json"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "result.json").symlink_to(tmp_path / "target.json")
    write_json(document(), tmp_path / "result.json")
    assert (tmp_path / "result.json").is_symlink()
    assert (tmp_path / "target.json").read_bytes() == to_json(document())


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_json(document(), Path(os.devnull))
    assert not Path(os.devnull).is_file()


def test_where_nothing_can_be_written_the_error_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "result.json"
    with pytest.raises(RunFailed, match=r"the result could not be written to .*missing/result.json: No such file"):
        write_json(document(), path)


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "result.json"
    path.write_text("old")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(RunFailed, match="No space left"):
        write_json(document(), path)
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("result.json", "old")]
