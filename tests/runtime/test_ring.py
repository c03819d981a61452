"""The ring as its users see it: what is recorded can be read from the file, whole, and nothing is lost uncounted."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from swell.errors import RunFailed
from swell.runtime import shared_file
from swell.runtime.layout import HEADER_BYTES, RECORD, RECORD_BYTES, RING_FILE, lap_of
from swell.runtime.names import KeptSample, NamedError, NamedException, NamedSeries, read_frames
from swell.runtime.ring import Ring
from swell.segment import ERROR_CAP, SERIES_CAP, Counters, ErrorSample, Sort

SAMPLE = ErrorSample(status=500, url="http://x/", headers="a: b", body="oh no")


@contextmanager
def ring_of(directory: Path, capacity: int = 8, batch: int = 4, names_bytes: int = 1 << 20) -> Iterator[Ring]:
    ring = Ring(directory, capacity=capacity, batch=batch, names_bytes=names_bytes)
    yield ring
    ring.check()
    ring.close()


def record(ring: Ring, mark: int) -> None:
    ring.record(mark, mark + 1, mark + 2, mark + 3, mark + 4, -mark, mark + 6, mark + 7, 1, 2, 200, 1)


def slots_in_file(directory: Path) -> list[tuple[int, ...]]:
    content = (directory / RING_FILE).read_bytes()[HEADER_BYTES:]
    return list(RECORD.iter_unpack(content))


def frames_in_file(directory: Path) -> list[object]:
    return list(read_frames((directory / "names").read_bytes()))


def test_a_record_is_in_the_file_as_soon_as_it_is_recorded(tmp_path: Path) -> None:
    with ring_of(tmp_path) as ring:
        record(ring, 7)
        assert slots_in_file(tmp_path)[0] == (7, 8, 9, 10, 11, -7, 13, 14, 1, 2, 200, 1, 1)
        assert repr(ring) == "<Ring at 1, folded to 0, 8 slots>"


def test_a_record_is_72_bytes_and_its_last_byte_commits_it() -> None:
    assert (RECORD_BYTES, RECORD.pack(*[0] * 12, 255)[-1]) == (72, 255)


def test_every_lap_has_a_number_of_its_own_and_none_is_zero(tmp_path: Path) -> None:
    with ring_of(tmp_path) as ring:
        ring.on_batch = lambda: setattr(ring, "folded", ring.head)
        for position in range(8 * 600):
            record(ring, position)
            assert slots_in_file(tmp_path)[position % 8][-1] == lap_of(position, 8) if position % 97 == 0 else True
        assert {slot[-1] for slot in slots_in_file(tmp_path)} == {lap_of(8 * 600 - 1, 8)}
        assert ring.head == 8 * 600


def test_a_batch_calls_for_folding_before_the_next_record(tmp_path: Path) -> None:
    calls: list[int] = []
    with ring_of(tmp_path, capacity=10, batch=4) as ring:

        def fold() -> None:
            calls.append(ring.head)
            ring.folded = ring.head

        ring.on_batch = fold
        for mark in range(25):
            record(ring, mark)
        assert calls == [4, 8, 12, 16, 20, 24]


def test_folding_in_between_moves_the_next_batch_away(tmp_path: Path) -> None:
    calls: list[int] = []
    with ring_of(tmp_path, capacity=100, batch=4) as ring:

        def fold() -> None:
            calls.append(ring.head)
            ring.folded = ring.head

        ring.on_batch = fold
        for mark in range(12):
            record(ring, mark)
            if mark == 2:
                ring.folded = ring.head
        assert calls == [7, 11]


def test_when_nobody_folds_the_newest_records_are_dropped_and_counted(tmp_path: Path) -> None:
    with ring_of(tmp_path) as ring:
        for mark in range(20):
            record(ring, mark)
        assert [slot[0] for slot in slots_in_file(tmp_path)] == list(range(8))
        assert ring.counters() == Counters(samples_lost=12)
        ring.folded = 3
        for mark in range(100, 105):
            record(ring, mark)
        assert [slot[0] for slot in slots_in_file(tmp_path)] == [100, 101, 102, 3, 4, 5, 6, 7]
        assert ring.counters() == Counters(samples_lost=14)


def test_a_number_that_does_not_fit_is_a_lost_sample_not_an_error_in_the_script(tmp_path: Path) -> None:
    with ring_of(tmp_path) as ring:
        ring.record(1, 1, 1, 1, 0, -1, 1, 1 << 70, 1, 0, 200, 0)
        ring.record(1, 1, 1, 1, 0, -1, 1, 1, 1, 0, 70_000, 0)
        record(ring, 5)
        assert ring.counters() == Counters(samples_lost=2)
        assert (ring.head, slots_in_file(tmp_path)[0][0]) == (1, 5)


def test_each_count_of_exchanges_is_in_the_header_at_once(tmp_path: Path) -> None:
    with ring_of(tmp_path) as ring:
        names = ("sent", "answered", "unanswered", "not_sent", "retried", "redirected", "unstamped", "window_limited")
        for times, name in enumerate(names, 1):
            for _ in range(times):
                getattr(ring, name)()
        ring.output_lost(9)
        expected = Counters(1, 2, 3, 4, 5, 6, 7, 8, output_lost=9)
        assert ring.counters() == expected


def test_names_are_numbered_from_one_and_written_when_first_seen(tmp_path: Path) -> None:
    with ring_of(tmp_path) as ring:
        assert [ring.series("A", "GET", "/"), ring.series("A", "GET", "/b"), ring.series("A", "GET", "/")] == [1, 2, 1]
        record(ring, 0)
        assert [ring.error("HTTP 500"), ring.error("HTTP 500")] == [1, 1]
        ring.sample(1, 1, SAMPLE)
        ring.exception("boom", "at x:1")
        ring.exception("boom", "at x:1")
        expected = [
            NamedSeries(0, 1, "A", "GET", "/"),
            NamedSeries(0, 2, "A", "GET", "/b"),
            NamedError(1, 1, "HTTP 500"),
            KeptSample(1, 1, 1, SAMPLE),
            NamedException(1, 1, "boom", "at x:1"),
        ]
        assert frames_in_file(tmp_path) == expected
        assert (ring.take_names(1), ring.take_names(2), ring.take_names(9)) == (expected[:2], expected[2:], [])
        assert ring.head == 3, "each raising is a record"


def test_beyond_a_cap_the_number_is_zero_and_it_is_counted(tmp_path: Path) -> None:
    with ring_of(tmp_path, capacity=1_000, batch=1_000) as ring:
        assert [ring.series("A", "GET", f"/{n}") for n in range(SERIES_CAP + 2)][-3:] == [SERIES_CAP, 0, 0]
        assert [ring.error(f"e{n}") for n in range(ERROR_CAP + 3)][-4:] == [ERROR_CAP, 0, 0, 0]
        for n in range(104):
            ring.exception(f"x{n}", "")
        assert ring.counters() == Counters(series_beyond=2, errors_beyond=3, exceptions_beyond=4)
        assert (ring.series("A", "GET", "/0"), ring.error("e0"), ring.head) == (1, 1, 100)


def test_an_error_of_a_series_has_three_samples_and_no_more(tmp_path: Path) -> None:
    with ring_of(tmp_path) as ring:
        for wanted in (True, True, True, False):
            assert ring.wants_sample(1, 1) is wanted
            if wanted:
                ring.sample(1, 1, SAMPLE)
        assert ring.wants_sample(2, 1) is True


def test_long_and_broken_texts_are_clipped_before_they_are_compared(tmp_path: Path) -> None:
    with ring_of(tmp_path) as ring:
        assert ring.error("x" * 5_000) == ring.error("x" * 6_000)
        assert ring.error("bad \udcff") == ring.error("bad ?")
        assert [len(frame.text) for frame in ring.take_names(9) if isinstance(frame, NamedError)] == [1_000, 5]


def test_texts_are_hidden_before_they_are_clipped_and_compared(tmp_path: Path) -> None:
    with closing(Ring(tmp_path, hide=lambda text: text.replace("secret", "***"))) as ring:
        assert (
            ring.series("A", "GET", "/secret") == ring.series("A", "GET", "/***") == ring.series("A", "GET", "/secret")
        )
        assert ring.series("A", "GET", "/***", "tag=secret") == ring.series("A", "GET", "/secret", "tag=***")
        assert ring.error("secret" * 100 + "x" * 700) == ring.error("***" * 100 + "x" * 700)
        ring.exception("secret", "in secret")
        ring.measure(Sort.COUNTER, "A", "secret")
        ring.sample(1, 1, ErrorSample(500, "/secret", "X: secret", "secret"))
        frames = frames_in_file(tmp_path)
    assert "secret" not in repr(frames)
    assert len(frames) == 6


def test_a_full_names_file_counts_what_is_beyond_and_keeps_half_for_names(tmp_path: Path) -> None:
    with ring_of(tmp_path, names_bytes=2_000) as ring:
        samples = 0
        while ring.wants_sample(samples, 1):
            ring.sample(samples, 1, SAMPLE)
            samples += 1
        numbers = [ring.series("A", "GET", "/" + "x" * 90 + str(n)) for n in range(30)]
        assert numbers[0] == 1
        assert numbers[-1] == 0
        assert ring.counters() == Counters(series_beyond=numbers.count(0))
        assert len(frames_in_file(tmp_path)) == samples - 1 + max(numbers)


def test_a_torn_names_file_gives_the_frames_before_the_tear(tmp_path: Path) -> None:
    with ring_of(tmp_path) as ring:
        for n in range(5):
            ring.error(f"e{n}")
    content = (tmp_path / "names").read_bytes()
    used = content.rindex(b"e4") + 2
    whole = list(read_frames(content))
    counts = [len(list(read_frames(content[:cut]))) for cut in range(used + 1)]
    assert (counts[0], counts[used], counts == sorted(counts), len(whole)) == (0, 5, True, 5)
    garbled = content[:30] + os.urandom(200) + content[230:]
    assert list(read_frames(garbled))[:1] in ([], whole[:1])


def test_a_full_file_system_is_a_failed_run_with_a_hint_not_a_sigbus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, offset: int, length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shared_file.os, "posix_fallocate", full)
    with pytest.raises(RunFailed, match=r"cannot reserve .*No space left") as failed:
        Ring(tmp_path)
    assert "free some space" in failed.value.hint
    assert list(tmp_path.iterdir()) == []


def test_shared_memory_that_is_too_small_is_a_failed_run() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        too_many = 2 * shutil.disk_usage(directory).total // RECORD_BYTES
        with pytest.raises(RunFailed, match="No space left"):
            Ring(Path(directory), capacity=too_many)


def test_a_missing_directory_is_a_failed_run(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="No such file"):
        Ring(tmp_path / "nowhere")


def test_where_there_is_no_fallocate_the_file_is_written_full_of_zeroes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(shared_file.os, "posix_fallocate")
    mapped = shared_file.create(tmp_path / "f", 100_000)
    assert (len(mapped), os.stat(tmp_path / "f").st_blocks * 512 >= 100_000, mapped[:]) == (
        100_000,
        True,
        bytes(100_000),
    )
    mapped.close()
