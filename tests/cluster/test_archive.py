import hashlib
import io
import os
import stat
import tarfile
import tempfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.cluster import archive as archive_module
from swell.cluster.archive import ArchivedFile, pack, unpack
from swell.errors import PlanError, RunFailed

REFUSED = "the script's archive is not sound: "

names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda name: name not in (".", "..") and len(name.encode()) < 200
)
odd_names = names | st.sampled_from(
    ["a b", "ünïcode", "日本語", "..x", "x..", ".hidden", "a\nb", "~", "\x85", "\udcff.csv"]
)
trees = st.dictionaries(
    st.lists(odd_names, min_size=1, max_size=4).map("/".join), st.binary(max_size=2_000), max_size=8
)


def written(folder: Path, files: dict[str, bytes]) -> list[ArchivedFile]:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return [ArchivedFile(name, folder / name) for name in files]


def found(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def without_clashes(files: dict[str, bytes]) -> dict[str, bytes]:
    """No file where another needs a folder."""
    return {name: files[name] for name in files if not any(other.startswith(f"{name}/") for other in files)}


def tarred(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return zlib.compress(packed.getvalue())


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


@given(trees.map(without_clashes))
def test_what_is_unpacked_is_what_was_packed(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as place:
        packed = pack(written(Path(place) / "here", files), "contest.py")
        unpack(packed.content, Path(place) / "there")
        assert found(Path(place) / "there") == files


def test_the_same_content_gives_the_same_bytes_whatever_order_times_and_umask(tmp_path: Path) -> None:
    files = {"contest.py": b"1", "data/users.json": b"{}", "run": b"#!"}
    first = written(tmp_path / "first", files)
    second = written(tmp_path / "second", files)
    (tmp_path / "second" / "contest.py").chmod(0o644)
    os.utime(tmp_path / "second" / "contest.py", (0, 0))
    packed = pack(first, "contest.py")
    assert pack(reversed(second), "contest.py") == packed
    assert packed.sha256 == hashlib.sha256(packed.content).hexdigest()
    (tmp_path / "second" / "run").write_bytes(b"#?")
    assert pack(second, "contest.py").sha256 != packed.sha256


def test_what_is_unpacked_is_for_its_owner_alone_and_stays_executable(tmp_path: Path) -> None:
    files = written(tmp_path, {"bin/run": b"#!", "contest.py": b""})
    (tmp_path / "bin" / "run").chmod(0o777)
    unpack(pack(files, "contest.py").content, tmp_path / "there")
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / "there", *(tmp_path / "there").rglob("*")]
    }
    assert modes == {"there": 0o700, "bin": 0o700, "run": 0o700, "contest.py": 0o600}


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ([(member("/etc/x"), b"x")], "'/etc/x' is no relative path"),
        ([(member("../x"), b"x")], "'../x' is no relative path"),
        ([(member("a/../../x"), b"x")], "'a/../../x' is no relative path"),
        ([(member("./x"), b"x")], "'./x' is no relative path"),
        ([(member("a//x"), b"x")], "'a//x' is no relative path"),
        ([(member("x", tarfile.SYMTYPE, "/etc/passwd"), b"")], "'x' is no regular file"),
        ([(member("x", tarfile.LNKTYPE, "/etc/passwd"), b"")], "'x' is no regular file"),
        ([(member("x", tarfile.CHRTYPE), b"")], "'x' is no regular file"),
        ([(member("x", tarfile.FIFOTYPE), b"")], "'x' is no regular file"),
        ([(member("x", tarfile.DIRTYPE), b"")], "'x' is no regular file"),
        ([(member("x", tarfile.GNUTYPE_SPARSE), b"")], "'x' is no regular file"),
    ],
)
def test_nothing_is_made_outside_the_folder_and_nothing_but_files(
    tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]], fault: str
) -> None:
    with pytest.raises(RunFailed) as raised:
        unpack(tarred(*members), tmp_path / "there")
    assert str(raised.value) == REFUSED + fault
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_a_link_in_the_archive_leads_no_later_file_astray(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    content = tarred((member("x", tarfile.SYMTYPE, str(tmp_path / "target")), b""), (member("x/y"), b"astray"))
    with pytest.raises(RunFailed):
        unpack(content, tmp_path / "there")
    assert list((tmp_path / "target").iterdir()) == []


@pytest.mark.parametrize("second", ["x", "x/y"])
def test_a_file_that_is_there_already_is_not_replaced(tmp_path: Path, second: str) -> None:
    with pytest.raises(RunFailed, match=r"cannot be unpacked: (File exists|Not a directory)"):
        unpack(tarred((member("x"), b"1"), (member(second), b"2")), tmp_path / "there")
    assert (tmp_path / "there" / "x").read_bytes() == b"1"


def test_it_is_unpacked_into_a_new_folder_only(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match=r"cannot be unpacked: File exists"):
        unpack(tarred((member("x"), b"1")), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_bomb_is_stopped_at_the_cap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "UNPACKED_BYTES_MAX", 1 << 20)
    monkeypatch.setattr(archive_module, "FILES_MAX", 10)
    many = tarred(*((member(f"{number}"), bytes(300_000)) for number in range(9)))
    with pytest.raises(RunFailed, match=r"unpacks to more than 1\.0 MiB"):
        unpack(many, tmp_path / "many")
    assert sum(map(len, found(tmp_path / "many").values())) < 1.2 * (1 << 20)
    with pytest.raises(RunFailed, match="'large' has 2,000,000 bytes"):
        unpack(tarred((member("large"), bytes(2_000_000))), tmp_path / "large")
    with pytest.raises(RunFailed, match="more than 10 files"):
        unpack(tarred(*((member(f"{number}"), b"") for number in range(11))), tmp_path / "files")
    long_name = tarred((member("x" * 3_000_000), b""))
    with pytest.raises(RunFailed, match=r"unpacks to more than 1\.0 MiB"):
        unpack(long_name, tmp_path / "long")


@given(st.binary(max_size=200), st.booleans(), st.integers(0, 10_000), st.integers(0, 255))
def test_garbage_is_refused_or_unpacked_but_never_more(garbage: bytes, compressed: bool, at: int, byte: int) -> None:
    sound = bytearray(zlib.decompress(tarred((member("x/y"), b"content"), (member("z"), bytes(600)))))
    sound[at % len(sound)] = byte
    for content in (zlib.compress(garbage) if compressed else garbage, zlib.compress(sound)):
        with tempfile.TemporaryDirectory() as place:
            try:
                unpack(content, Path(place) / "there")
            except RunFailed:
                pass
            assert {path.name for path in Path(place).iterdir()} == {"there"}


def test_an_archive_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    files = {"x": b"content", "z": bytes(range(256))}
    content = pack(written(tmp_path / "here", files), "x").content
    for length in range(len(content)):
        with pytest.raises(RunFailed):
            unpack(content[:length], tmp_path / str(length))


def test_what_is_too_much_is_named_by_its_largest_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = written(
        tmp_path, {"contest.py": b"", "video.mp4": bytes(3 << 20), "b.bin": bytes(2 << 20), "a.bin": bytes(2 << 20)}
    )
    monkeypatch.setattr(archive_module, "UNPACKED_BYTES_MAX", 4 << 20)
    with pytest.raises(PlanError) as raised:
        pack(files, "contest.py")
    assert str(raised.value) == (
        "what would travel with the script to other machines is too much: 7.0 MiB, and 4.0 MiB can; largest: "
        "video.mp4 (3.0 MiB), a.bin (2.0 MiB), b.bin (2.0 MiB) "
        "(read rows with feed(), whose file stays here, or install it on the machines)"
    )
    monkeypatch.setattr(archive_module, "FILES_MAX", 3)
    with pytest.raises(PlanError, match="too much: 4 files, and 3 can"):
        pack(files, "contest.py")
    monkeypatch.undo()
    monkeypatch.setattr(archive_module, "PACKED_BYTES_MAX", 1 << 10)
    with pytest.raises(PlanError, match=r"too much: 0\.0 MiB compressed"):
        pack(files, "contest.py")


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"^data/users\.json: cannot be read: No such file or directory"):
        pack([ArchivedFile("data/users.json", tmp_path / "users.json")], "contest.py")
