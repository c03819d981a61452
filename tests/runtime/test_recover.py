"""What a dead worker left: what it had recorded is found, what cannot be read is counted, garbage harms nothing."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swell.runtime import shared_file
from swell.runtime.fold import Folder
from swell.runtime.layout import HEADER_BYTES, RECORD_BYTES, RING_FILE, Head
from swell.runtime.recover import recover
from swell.runtime.ring import Ring
from swell.segment import Counters, ErrorText, ExceptionCount, Segment, SeriesName
from tests.runtime.oracle import NS_PER_S, Call, folded_slowly, read_segments

BEGIN_NS = 1_000 * NS_PER_S
CAPACITY = 16


def recovered(directory: Path, after: Segment | None = None) -> Segment:
    segment = recover(
        directory, run="r", worker=3, incarnation=2, begin_ns=BEGIN_NS, died_ns=BEGIN_NS + 7 * NS_PER_S, after=after
    )
    assert segment is not None
    return segment


def sealed_to(position: int, sequence: int = 4) -> Segment:
    return Segment("r", 3, 2, sequence, 0, position, 1.0)


def call(position: int) -> Call:
    return Call(BEGIN_NS + position * 10_000_000, service_ns=position * 1_000, series=position % 3 + 1)


def calls(first: int, end: int) -> list[Call]:
    return [call(position) for position in range(first, end)]


def leave_behind(directory: Path, count: int, capacity: int = CAPACITY, batch: int = 4) -> None:
    """The files of a worker that recorded `count` calls and had them folded."""
    ring = Ring(directory, capacity=capacity, batch=batch, names_bytes=1 << 16)
    ring.on_batch = lambda: setattr(ring, "folded", ring.head)
    for number in range(count):
        ring.sent()
        ring.record(*call(number).arguments())
    ring.close()


def damage(directory: Path, position: int, content: bytes = b"\0", at: int = RECORD_BYTES - 1) -> None:
    with (directory / RING_FILE).open("r+b") as file:
        file.seek(HEADER_BYTES + position % CAPACITY * RECORD_BYTES + at)
        file.write(content)


def test_seconds_are_counted_from_the_zero_that_the_ring_names(tmp_path: Path) -> None:
    ring = Ring(tmp_path, capacity=CAPACITY, batch=4, names_bytes=1 << 16)
    ring.record(*call(0).arguments())
    ring.begin(BEGIN_NS - 3 * NS_PER_S)
    ring.close()
    found = recovered(tmp_path)
    assert [block.second for block in found.seconds] == [3]
    assert found.sealed_s == 10.0


def test_a_dead_workers_segment_is_the_one_it_would_have_sent_next(tmp_path: Path) -> None:
    ring = Ring(tmp_path, capacity=CAPACITY, batch=4)
    folder = Folder(ring, run="r", worker=3, incarnation=2, begin_ns=BEGIN_NS)
    ring.series("A", "GET", "/")
    ring.record(*call(0).arguments())
    ring.exception("boom", "at x:1")
    after = folder.seal(BEGIN_NS + NS_PER_S)
    ring.error("HTTP 500")
    ring.sent()
    ring.record(*call(2).arguments())
    ring.exception("boom", "at x:1")
    folder.fold()
    segment = recovered(tmp_path, after)
    assert read_segments([segment]) == folded_slowly([call(2)], BEGIN_NS)
    assert segment == Segment(
        run="r",
        worker=3,
        incarnation=2,
        sequence=2,
        from_position=2,
        to_position=4,
        sealed_s=7.0,
        seconds=segment.seconds,
        errors=(ErrorText(1, "HTTP 500"),),
        exceptions=(ExceptionCount("boom", "at x:1", 1),),
        counters=Counters(sent=1),
        recovered=True,
    )
    assert recovered(tmp_path).series == (SeriesName(1, "A", "GET", "/"),)
    folder.close()
    ring.close()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 5 * CAPACITY), st.integers(0, CAPACITY))
def test_whatever_lap_it_died_in_all_that_the_ring_still_holds_is_found(tmp_path: Path, count: int, back: int) -> None:
    leave_behind(tmp_path, count)
    first = max(0, count - back)
    segment = recovered(tmp_path, sealed_to(first))
    assert (segment.from_position, segment.to_position) == (first, count)
    assert read_segments([segment]) == folded_slowly(calls(first, count), BEGIN_NS)
    assert segment.counters == Counters(sent=count)


def test_records_that_were_overwritten_before_they_were_reported_are_counted_as_lost(tmp_path: Path) -> None:
    leave_behind(tmp_path, 3 * CAPACITY + 5)
    segment = recovered(tmp_path, sealed_to(7))
    assert (segment.from_position, segment.to_position) == (7, 3 * CAPACITY + 5)
    assert read_segments([segment]) == folded_slowly(calls(2 * CAPACITY + 5, 3 * CAPACITY + 5), BEGIN_NS)
    assert segment.counters.samples_lost == 2 * CAPACITY + 5 - 7


def test_a_torn_record_is_where_the_worker_was_stopped(tmp_path: Path) -> None:
    leave_behind(tmp_path, 10)
    damage(tmp_path, 9)
    segment = recovered(tmp_path)
    assert (segment.to_position, segment.counters.samples_lost) == (9, 0)
    assert read_segments([segment]) == folded_slowly(calls(0, 9), BEGIN_NS)


def test_a_torn_record_below_the_floor_is_a_lost_sample(tmp_path: Path) -> None:
    leave_behind(tmp_path, 10)
    damage(tmp_path, 2)
    segment = recovered(tmp_path)
    assert (segment.to_position, segment.counters.samples_lost) == (10, 1)
    assert read_segments([segment]) == folded_slowly([*calls(0, 2), *calls(3, 10)], BEGIN_NS)


def test_a_worker_that_never_began_to_record_left_nothing(tmp_path: Path) -> None:
    def nothing() -> Segment | None:
        return recover(tmp_path, run="r", worker=0, incarnation=1, begin_ns=0, died_ns=0)

    assert nothing() is None
    (tmp_path / RING_FILE).write_bytes(b"")
    assert nothing() is None
    (tmp_path / RING_FILE).write_bytes(bytes(HEADER_BYTES + 100))
    assert nothing() is None
    mapped = shared_file.create(tmp_path / RING_FILE, HEADER_BYTES + RECORD_BYTES)
    shared_file.counters_of(mapped, HEADER_BYTES)[Head.CAPACITY] = 1
    assert nothing() is None, "the magic number is stored last"


def test_without_its_names_the_calls_are_still_there(tmp_path: Path) -> None:
    leave_behind(tmp_path, 5)
    (tmp_path / "names").unlink()
    assert read_segments([recovered(tmp_path)]).calls == 5


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False), st.integers(1, 400))
def test_garbage_in_the_ring_never_gives_more_calls_than_it_holds(
    tmp_path: Path, chance: random.Random, length: int
) -> None:
    leave_behind(tmp_path, 40)
    damage(tmp_path, chance.randrange(CAPACITY), chance.randbytes(length), chance.randrange(RECORD_BYTES))
    content = (tmp_path / RING_FILE).read_bytes()[: HEADER_BYTES + CAPACITY * RECORD_BYTES]
    (tmp_path / RING_FILE).write_bytes(content)
    segment = recovered(tmp_path, sealed_to(30))
    counted = sum(memoryview(block.tally_counts).cast("I")[0] for block in segment.seconds if block.tally_counts)
    assert counted <= segment.to_position - 30 <= 2 * CAPACITY


CHILD = """
import sys
from pathlib import Path
from swell.runtime import shared_file
from swell.runtime.ring import Ring

directory = Path(sys.argv[1])
ring = Ring(directory, capacity=5_000, batch=512)
ring.on_batch = lambda: setattr(ring, "folded", ring.head)
returned = shared_file.counters_of(shared_file.create(directory / "returned", 4096), 4096)
for number in range(1 << 40):
    series = ring.series("A", "GET", f"/{number // 700 % 1_000}")
    ring.sent()
    ring.record(number, number, number, number, 0, -1, number, number, series, 0, 200, 0)
    ring.answered()
    returned[0] = number + 1
"""


@pytest.mark.timeout(60)
def test_no_record_that_was_recorded_is_lost_to_a_sigkill(tmp_path: Path) -> None:
    for kill in range(24):
        directory = tmp_path / str(kill)
        directory.mkdir()
        after, returned = killed_child(directory)
        segment = recovered(directory, sealed_to(after))
        assert segment.to_position in (returned, returned + 1), f"kill {kill}"
        assert segment.counters.samples_lost == 0
        found = read_segments([segment])
        assert found.calls == segment.to_position - after
        total = sum(range(after, segment.to_position))
        assert sum(sent for sent, _ in found.bytes_.values()) == total, "each record is whole"
        assert returned <= segment.counters.answered <= segment.counters.sent <= returned + 1
        named = recovered(directory).series
        assert len(named) == min(-(-segment.counters.sent // 700), 1_000)
        assert max(series for _, series in found.bytes_) <= len(named)


def killed_child(directory: Path) -> tuple[int, int]:
    """Record in a child process and kill it: (a position up to which it could have reported, calls that returned)."""
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(directory)])
    try:
        counter = directory / "returned"
        while not (counter.exists() and int.from_bytes(counter.read_bytes()[:8], "little") > 1_000):
            assert child.poll() is None
            time.sleep(0.001)
        time.sleep(random.uniform(0, 0.1))
    finally:
        child.kill()
        child.wait()
    returned = int.from_bytes(counter.read_bytes()[:8], "little")
    return max(0, returned - random.randrange(1, 4_000)), returned


def test_recovering_reads_and_changes_nothing(tmp_path: Path) -> None:
    leave_behind(tmp_path, 10)
    for name in (RING_FILE, "names"):
        os.chmod(tmp_path / name, 0o400)
    assert recovered(tmp_path) == recovered(tmp_path)
