import hashlib
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from swell.cluster import fetch_state
from swell.cluster.fetch_state import PACKED_BYTES_MAX, Archive, ArchiveFetch
from swell.cluster.messages import Fetch, Part

S = 1_000_000_000
TICK_NS = S // 4


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_state, "PART_BYTES", 10)


def archive_of(content: bytes) -> Archive:
    return Archive(content, hashlib.sha256(content).hexdigest(), "contest.py")


def fetch_of(archive: Archive) -> ArchiveFetch:
    return ArchiveFetch(archive.sha256, len(archive.content))


def answers(archive: Archive, asked: list[Fetch]) -> list[Part]:
    return [part for fetch in asked if (part := archive.part(fetch)) is not None]


def test_an_archive_arrives_in_parts_ever_more_of_them_at_a_time() -> None:
    archive = archive_of(random.Random(1).randbytes(95))
    fetch = fetch_of(archive)
    asked_at_a_time = []
    while not fetch.whole:
        asked = fetch.due(0)
        asked_at_a_time.append(len(asked))
        for part in answers(archive, asked):
            fetch.arrived(part, 0)
            fetch.check()
    assert (fetch.content(), asked_at_a_time, fetch.due(0)) == (archive.content, [1, 2, 4, 3], [])


def test_what_does_not_come_is_asked_for_again_ever_more_patiently() -> None:
    fetch = fetch_of(archive_of(bytes(30)))
    assert fetch.due(0) == [Fetch(fetch.sha256, 0)]
    asked_again_s = [second for second in range(1, 64) if fetch.due(second * S)]
    assert asked_again_s == [1, 3, 7, 15, 31, 61]


def test_a_slow_link_is_not_asked_twice_once_it_is_known_to_be_slow() -> None:
    archive = archive_of(bytes(1_000))
    fetch = fetch_of(archive)
    under_way: list[tuple[int, Fetch]] = []
    asked = answered = 0
    now_ns = 0
    while not fetch.whole and now_ns < 1_000 * S:
        due = fetch.due(now_ns)
        asked += len(due)
        begun_ns = under_way[-1][0] if under_way else now_ns
        under_way += [(begun_ns + (turn + 1) * S // 2, each) for turn, each in enumerate(due)]
        now_ns += TICK_NS
        while under_way and under_way[0][0] <= now_ns:
            answered += 1
            for part in answers(archive, [under_way.pop(0)[1]]):
                fetch.arrived(part, now_ns)
    assert fetch.whole
    assert asked <= 100 + 20


@given(st.integers(1, 300), st.integers(0, 1 << 32))
def test_an_archive_arrives_whole_whatever_is_lost_repeated_or_overtaken(size_bytes: int, seed: int) -> None:
    chance = random.Random(seed)
    content = chance.randbytes(size_bytes)
    archive = archive_of(content)
    fetch = fetch_of(archive)
    under_way: list[Part] = []
    now_ns = 0
    while not fetch.whole:
        for part in answers(archive, fetch.due(now_ns)):
            under_way += [part] * chance.choice([0, 1, 1, 1, 2])
        chance.shuffle(under_way)
        for _ in range(chance.randint(0, len(under_way))):
            fetch.arrived(under_way.pop(), now_ns)
            fetch.check()
        now_ns += TICK_NS
        assert now_ns < 3_600 * S
    assert (fetch.content(), fetch.refused, fetch.failure) == (content, 0, "")


@given(st.text(max_size=8) | st.just(""), st.integers(), st.binary(max_size=12))
@example("", -10, bytes(10))
def test_parts_that_are_none_are_refused(sha256: str, start: int, data: bytes) -> None:
    archive = archive_of(bytes(25))
    fetch = fetch_of(archive)
    fetch.due(0)
    fetch.arrived(Part(sha256 or archive.sha256, start, data), 0)
    is_one = not sha256 and start in (0, 10, 20) and len(data) == (5 if start == 20 else 10)
    assert fetch.refused == (0 if is_one else 1)
    fetch.check()


def test_an_archive_with_another_hash_is_not_taken() -> None:
    archive = archive_of(b"right")
    fetch = fetch_of(archive)
    fetch.due(0)
    fetch.arrived(Part(archive.sha256, 0, b"wrong"), 0)
    assert (fetch.whole, fetch.failure) == (
        False,
        "the script's archive is not the one that was announced: its hash differs",
    )
    assert fetch.due(60 * S) == []


@pytest.mark.parametrize("size_bytes", [-1, 0, PACKED_BYTES_MAX + 1])
def test_an_archive_of_an_impossible_size_is_not_fetched(size_bytes: int) -> None:
    fetch = ArchiveFetch("0" * 64, size_bytes)
    assert (bool(fetch.failure), fetch.due(0)) == (True, [])


@given(st.text(max_size=8) | st.just(""), st.integers())
def test_there_is_no_part_of_another_archive_or_beyond_the_end(sha256: str, start: int) -> None:
    archive = archive_of(bytes(25))
    part = archive.part(Fetch(sha256 or archive.sha256, start))
    assert (part is not None) == (not sha256 and 0 <= start < 25)
    assert part is None or archive.content[start : start + len(part.data)] == part.data
