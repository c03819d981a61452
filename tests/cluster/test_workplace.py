import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from swell.cluster.workplace import Workplace, open_workplace
from swell.errors import RunFailed


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A short one: a unix socket's address has room for 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="swell-") as name:
        yield Path(name)


def test_only_its_owner_may_enter(tmp_path: Path) -> None:
    workplace = open_workplace(1, [tmp_path])
    assert stat.S_IMODE(workplace.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(workplace.worker(0, 1).stat().st_mode) == 0o700
    workplace.remove()


def test_nothing_is_left_at_the_end(tmp_path: Path) -> None:
    workplace = open_workplace(1, [tmp_path])
    (workplace.worker(0, 1) / "ring").write_bytes(b"x")
    workplace.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_place_without_room_is_passed_over(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="bytes free"):
        open_workplace(1 << 60, [tmp_path])
    with pytest.raises(RunFailed, match="No such file"):
        open_workplace(1, [tmp_path / "never"])


def test_the_link_address_fits_a_unix_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 90)
    deep.mkdir()
    with pytest.raises(RunFailed, match="too long a path"):
        open_workplace(1, [deep])


def test_what_a_killed_controller_left_behind_is_removed(tmp_path: Path) -> None:
    code = f"""
import os
from pathlib import Path
from swell.cluster.workplace import open_workplace
print(open_workplace(1, [Path({str(tmp_path)!r})]).path, flush=True)
os.kill(os.getpid(), 9)
"""
    left = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout.strip()
    assert Path(left).is_dir()
    living = open_workplace(1, [tmp_path])
    assert not Path(left).exists()
    another = open_workplace(1, [tmp_path])
    assert living.path.is_dir()
    living.remove()
    another.remove()


def test_a_directory_of_another_making_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "swell-notes").mkdir()
    open_workplace(1, [tmp_path]).remove()
    assert [path.name for path in tmp_path.iterdir()] == ["swell-notes"]


def test_an_incarnation_keeps_its_directory(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    assert place.worker(3, 2) == place.worker(3, 2) == tmp_path / "3.2"
    place.remove()
    assert not os.path.exists(tmp_path)


def test_what_is_kept_is_on_the_disk_and_no_later_run_removes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, memory = tmp_path / "disk", tmp_path / "memory"
    disk.mkdir()
    memory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    workplace = open_workplace(1, [memory])
    (workplace.worker(0, 1) / "spool").write_bytes(b"x")
    kept = workplace.keep()
    open_workplace(1, [disk]).remove()
    assert kept.parent == disk
    assert (kept / "0.1" / "spool").read_bytes() == b"x"
    assert list(memory.iterdir()) == []


def test_what_finds_no_room_on_the_disk_is_kept_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    workplace = open_workplace(1, [tmp_path])
    (workplace.worker(0, 1) / "spool").write_bytes(b"x")
    kept = workplace.keep()
    assert (kept.parent, (kept / "0.1" / "spool").read_bytes()) == (tmp_path, b"x")
