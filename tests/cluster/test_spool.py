import contextlib
import errno
import os
from pathlib import Path

import pytest

from swell.cluster import spool as spool_module
from swell.cluster.messages import decode_from_worker
from swell.cluster.spool import SPOOL_FILE, Spool, read_spool
from swell.errors import RunFailed
from swell.segment import SecondBlock, Segment


def segment(sequence: int, size_bytes: int = 10) -> Segment:
    block = SecondBlock(sequence, *[bytes(size_bytes)] * 8)
    return Segment("run", 0, 1, sequence, 10 * (sequence - 1), 10 * sequence, float(sequence), seconds=(block,))


def sequences(directory: Path) -> list[int]:
    return [found.sequence for found in read_spool(directory)]


def test_what_was_spooled_can_be_read_by_someone_else(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for sequence in (1, 2, 3):
        spool.append(segment(sequence))
    assert read_spool(tmp_path) == [segment(1), segment(2), segment(3)]
    spool.close()


def test_a_segment_cut_short_or_torn_ends_the_reading(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append(segment(1))
    spool.append(segment(2))
    spool.close()
    whole = (tmp_path / SPOOL_FILE).read_bytes()
    for length in range(len(whole)):
        (tmp_path / SPOOL_FILE).write_bytes(whole[:length])
        assert sequences(tmp_path) in ([], [1])
    torn = bytearray(whole)
    torn[-3] ^= 255
    (tmp_path / SPOOL_FILE).write_bytes(torn)
    assert sequences(tmp_path) == [1]


def test_acknowledged_segments_go_but_the_last_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "COMPACT_BYTES", 1_000)
    spool = Spool(tmp_path)
    for sequence in range(1, 30):
        spool.append(segment(sequence, 20))
        spool.forget(sequence)
        assert sequences(tmp_path)[-1] == sequence
    assert len(sequences(tmp_path)) < 10
    assert (tmp_path / SPOOL_FILE).stat().st_size < 3_000
    spool.close()


def test_only_what_is_acknowledged_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "COMPACT_BYTES", 1)
    spool = Spool(tmp_path)
    for sequence in range(1, 6):
        spool.append(segment(sequence))
    spool.forget(3)
    spool.append(segment(6))
    assert sequences(tmp_path) == [4, 5, 6]
    spool.close()


def test_what_is_not_acknowledged_is_read_again_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "COMPACT_BYTES", 1_000)
    disk, spool = Disk(monkeypatch), Spool(tmp_path)
    for sequence in range(1, 40):
        disk.full = sequence % 7 in (3, 4)
        with contextlib.suppress(RunFailed):
            spool.append(segment(sequence, 5 * sequence))
        spool.forget(sequence // 2)
        for other in range(sequence // 2 + 1, sequence + 1):
            packed = spool.packed(other)
            assert packed is not None
            assert decode_from_worker(packed) == segment(other, 5 * other)
        assert spool.packed(sequence + 1) is None
        assert spool.packed(sequence // 2 - 1) is None
    spool.close()


def test_no_spool_is_an_empty_one(tmp_path: Path) -> None:
    assert read_spool(tmp_path / "never") == []


def test_a_place_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="spool: cannot be written"):
        Spool(tmp_path / "never")


def test_a_full_disk_is_said_so(tmp_path: Path) -> None:
    (tmp_path / SPOOL_FILE).symlink_to("/dev/full")
    spool = Spool(tmp_path)
    with pytest.raises(RunFailed, match="No space left"):
        spool.append(segment(1))
    spool.close()


class Disk:
    """Takes the place of the spool's writes; while it is full, half of what is to be written finds room."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self._write = spool_module._write
        monkeypatch.setattr(spool_module, "_write", self.write)

    def write(self, file: int, content: bytes) -> int:
        if self.full:
            self._write(file, content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._write(file, content)


def test_what_found_no_room_is_written_once_there_is_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk, spool = Disk(monkeypatch), Spool(tmp_path)
    spool.append(segment(1))
    disk.full = True
    for sequence in (2, 3, 4):
        with pytest.raises(RunFailed, match="No space left"):
            spool.append(segment(sequence))
        assert sequences(tmp_path) == [1]
    spool.forget(2)
    disk.full = False
    spool.append(segment(5))
    assert sequences(tmp_path) == [1, 3, 4, 5]
    spool.close()


def test_a_spool_that_finds_no_room_to_be_made_shorter_stays_as_long_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "COMPACT_BYTES", 1)
    disk, spool = Disk(monkeypatch), Spool(tmp_path)
    for sequence in (1, 2, 3):
        spool.append(segment(sequence))
    disk.full = True
    spool.forget(2)
    assert sequences(tmp_path) == [1, 2, 3]
    assert [path.name for path in tmp_path.iterdir()] == [SPOOL_FILE]
    disk.full = False
    spool.append(segment(4))
    spool.forget(2)
    assert sequences(tmp_path) == [3, 4]
    spool.close()
