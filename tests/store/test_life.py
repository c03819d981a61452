"""A run is alive while its writer holds the lock, and no longer, however it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from swell.store.life import LifeSign, is_written, lock_path, remove_remains

HOLDER = """
import sys
from pathlib import Path
from swell.store.life import LifeSign
sign = LifeSign(Path(sys.argv[1]), "run-1")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_run_is_written_while_its_sign_is_held(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    assert not is_written(store, "run-1")
    sign = LifeSign(store, "run-1")
    assert sign.shows
    assert is_written(store, "run-1")
    assert not is_written(store, "run-2")
    sign.end()
    assert not is_written(store, "run-1")
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_is_killed_no_longer_holds_it_and_its_remains_are_removed(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    command = [sys.executable, "-c", HOLDER, str(store)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert is_written(store, "run-1")
        remove_remains(store)
        assert lock_path(store, "run-1").exists()
        holder.kill()
    assert not is_written(store, "run-1")
    remove_remains(store)
    assert list(tmp_path.iterdir()) == []


def test_a_sign_whose_file_was_removed_no_longer_shows(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    sign = LifeSign(store, "run-1")
    lock_path(store, "run-1").unlink()
    assert not sign.shows
    sign.end()
