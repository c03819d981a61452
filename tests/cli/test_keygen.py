"""`swell keygen`: what it writes, and what it does not do."""

import os
import stat
from pathlib import Path

import pytest

from swell.cli.main import exit_code
from swell.cluster.key import read_key


def test_it_makes_a_key_that_its_owner_alone_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    before = os.umask(0)
    try:
        assert exit_code(["keygen", "cluster.key"]) == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("cluster.key").stat().st_mode) == 0o600
    key = read_key(Path("cluster.key"))
    out, err = capsys.readouterr()
    assert (out, err) == (
        "cluster.key: a new key. Copy it to each machine of the cluster, and name it there with `--key`.\n",
        "",
    )
    assert key.secret.hex() not in out


def test_two_keys_are_never_the_same(tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("one", "other")]
    assert [exit_code(["keygen", name]) for name in names] == [0, 0]
    assert read_key(Path(names[0])) != read_key(Path(names[1]))


def test_a_key_that_is_there_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cluster.key"
    assert exit_code(["keygen", str(path)]) == 0
    written = path.read_bytes()
    capsys.readouterr()
    assert exit_code(["keygen", str(path)]) == 2
    assert path.read_bytes() == written
    assert capsys.readouterr().err == (
        f"swell: {path}: is there already (machines that have the old key could not join any more: remove the file "
        "first, if that is meant)\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["keygen"], "FILE"),
        (["keygen", "/nowhere/cluster.key"], "/nowhere/cluster.key: cannot write the key: No such file or directory"),
        (["keygen", "/"], "/: "),
        (["keygen", "a", "b"], "b"),
    ],
)
def test_a_key_that_cannot_be_made_is_said_so_in_one_line(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code(words) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())
