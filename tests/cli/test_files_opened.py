import os
from pathlib import Path

import pytest

from swell.cli.files_opened import files_opened


def test_files_that_are_read_within_the_block_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("before", "relative", "by path", "by descriptor", "bytes", "after"):
        (tmp_path / name).write_text("")
    (tmp_path / "before").read_text()
    seen: set[Path] = set()
    with files_opened(seen):
        Path("relative").read_text()
        (tmp_path / "by path").read_bytes()
        os.close(os.open("by descriptor", os.O_RDONLY))
        open(b"bytes").close()
        (tmp_path / "written").write_text("")
        open(os.open("written", os.O_WRONLY), "w").close()
        with pytest.raises(FileNotFoundError):
            open("missing")
    (tmp_path / "after").read_text()
    names = {path.name for path in seen if path.is_relative_to(tmp_path)}
    assert names == {"relative", "by path", "by descriptor", "bytes", "missing"}
