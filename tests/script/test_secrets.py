from pathlib import Path

import pytest

from swell import secret
from swell.script.secrets import SecretMissing, Secrets, hidden, secrets


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def test_the_environment_comes_before_a_file_and_a_file_before_the_controller(folder: Path) -> None:
    (folder / "FILE").write_text("of the folder\n")
    (folder / "NAMED").write_text("not this")
    (folder.parent / "named").write_text("of the named file\r\n")
    environment = {"PLAIN": "of the environment", "PLAIN_FILE": "/nowhere", "NAMED_FILE": str(folder.parent / "named")}
    ours = Secrets()
    ours.look_in(environment, folder)
    ours.receive(dict.fromkeys(("PLAIN", "NAMED", "FILE", "SENT"), "of the controller"))
    found = {name: ours.value(name) for name in ("PLAIN", "NAMED", "FILE", "SENT")}
    assert found == {
        "PLAIN": "of the environment",
        "NAMED": "of the named file",
        "FILE": "of the folder",
        "SENT": "of the controller",
    }
    assert ours.known == found


def test_of_a_file_only_the_last_line_end_is_left_out(folder: Path) -> None:
    (folder / "KEY").write_text(" two\nlines \n\n")
    ours = Secrets()
    ours.look_in({}, folder)
    assert ours.value("KEY") == " two\nlines \n"


def test_one_that_is_not_there_is_said_with_all_places(folder: Path) -> None:
    ours = Secrets()
    ours.look_in({"TOKEN": ""}, folder)
    with pytest.raises(SecretMissing) as raised:
        ours.value("TOKEN")
    assert str(raised.value) == (
        "needs the secret TOKEN, which is not here: "
        f"looked for in the environment variables TOKEN and TOKEN_FILE, and {folder}/TOKEN"
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff", "is not text in UTF-8"),
        (bytes(70_000), "has more than 64 KiB"),
    ],
)
def test_a_file_that_holds_none_is_said(folder: Path, content: bytes | None, why: str) -> None:
    path = folder / "x"
    if content is not None:
        path.write_bytes(content)
    ours = Secrets()
    ours.look_in({"TOKEN_FILE": str(path)}, folder)
    with pytest.raises(SecretMissing) as raised:
        ours.value("TOKEN")
    assert str(raised.value) == f"needs the secret TOKEN, but the file that TOKEN_FILE names, {path}, {why}"
    (folder / "TOKEN").mkdir()
    ours.look_in({}, folder)
    with pytest.raises(SecretMissing, match="cannot be read: Is a directory"):
        ours.value("TOKEN")


def test_what_is_known_and_what_was_sent_is_hidden(folder: Path) -> None:
    secrets.look_in({"TOKEN": "abcdef"}, folder)
    assert hidden("abcdef") == "abcdef"
    assert secret("TOKEN") == "abcdef"
    secrets.receive({"TOKEN": "ghijkl", "OTHER": "mnopqr"})
    assert hidden("abcdef ghijkl mnopqr stuvwx") == "*** *** *** stuvwx"
    assert secret("TOKEN") == "abcdef"
    assert "abcdef" not in repr(secrets)


def test_outside_of_swell_there_are_none() -> None:
    with pytest.raises(SecretMissing, match="needs the secret TOKEN, and only swell looks secrets up"):
        Secrets().value("TOKEN")


def test_a_default_stands_in_for_one_that_is_missing(folder: Path) -> None:
    secrets.look_in({}, folder)
    assert secret("TOKEN", default="") == ""
    with pytest.raises(SecretMissing):
        secret("TOKEN")


def test_one_too_short_to_be_hidden_is_said(folder: Path) -> None:
    secrets.look_in({"PIN": "123", "TOKEN": "abcdef"}, folder)
    assert (secret("PIN"), secret("TOKEN")) == ("123", "abcdef")
    what = "the secret PIN has fewer than 4 characters, so it is not hidden in results and output"
    assert secrets.notices() == [what]


@pytest.mark.parametrize("name", ["", "../etc/passwd", "a/b", ".x", "a b", "x" * 101, "ü", 5, None])
def test_a_name_is_one_of_a_variable_or_a_file(name: str) -> None:
    with pytest.raises(ValueError, match=r"secret\(\) takes a name of"):
        secret(name)
