"""Blocks of time: joined when they are old, and what they add up to."""

from __future__ import annotations

import math
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swell.segment import SecondBlock
from swell.stats import counts, packed, timeline
from swell.stats.reported import numbering
from swell.stats.timeline import Timeline
from tests.stats.segments import MS, Call, second_block

NUMBERS = numbering([0, 1, 2], [0, 1])


def filled(seconds: list[int], **options: int) -> Timeline:
    made = Timeline(**options)
    for second in seconds:
        made.add(
            second_block(second, [Call(second, response_ns=(1 + second % 97) * MS, failed=second % 2 == 0)]), NUMBERS
        )
        made.settle()
    return made


def requests_of(made: Timeline) -> list[tuple[int, int, int]]:
    return [(block.from_s, block.to_s, counts.requests(packed.unpack(block))) for block in made.blocks()]


@given(st.lists(st.integers(0, 40)))
@settings(max_examples=50, deadline=None)
def test_blocks_add_up_to_the_whole_and_each_call_is_in_the_block_of_its_second(seconds: list[int]) -> None:
    made = filled(seconds)
    made.check()
    assert requests_of(made) == [(second, second + 1, seconds.count(second)) for second in sorted(set(seconds))]


@given(st.randoms(), st.integers(2, 3))
@settings(max_examples=15, deadline=None)
def test_old_seconds_are_joined_whatever_order_they_came_in(random: Random, stride: int) -> None:
    made = Timeline()
    made._horizon_s = 60
    seconds = list(range(0, 300, stride))
    random.shuffle(seconds)
    for second in seconds:
        made.add(second_block(second, [Call(second)]), NUMBERS)
        made.settle()
    made.check()
    found = requests_of(made)
    assert sum(requests for _, _, requests in found) == len(seconds)
    assert all(to_s - from_s in (1, 10) and from_s % (to_s - from_s) == 0 for from_s, to_s, _ in found)
    assert {to_s - from_s for from_s, to_s, _ in found if from_s < 230} == {10}
    assert {to_s - from_s for from_s, to_s, _ in found if from_s >= 240} == {1}


def test_where_there_is_too_little_room_seconds_are_joined_earlier() -> None:
    seconds = list(range(600))
    roomy, tight = filled(seconds), filled(seconds, kept_bytes=30_000)
    tight.check()
    assert len(roomy.blocks()) == 600
    assert len(tight.blocks()) < 300
    assert sum(map(timeline.size_of, tight.blocks())) < 30_000
    assert [to_s - from_s for from_s, to_s, _ in requests_of(tight)][-30:] == [1] * 30


@pytest.mark.parametrize("calls_per_s", [500, 5_000])
def test_eight_hours_of_fifty_series_keep_their_steps_in_200_mb(
    calls_per_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a thirtieth of the scale: two minutes are the hour. SQLite's pages are a twelfth more at most."""
    scale = 30
    horizon_s = timeline.HORIZON_S // scale
    monkeypatch.setattr(timeline, "HORIZON_S", horizon_s)
    made = Timeline(kept_bytes=timeline.KEPT_BYTES // scale)
    busy = [busy_second(random, calls_per_s) for random in map(Random, range(20))]
    for second in range(8 * horizon_s):
        made.add(msgspec.structs.replace(busy[second % len(busy)], second=second), numbering(range(51), [0]))
        if second % 10 == 9:
            made.settle()
    found = [(block.from_s, block.to_s) for block in made.blocks()]
    old_s = 7 * horizon_s
    assert found == [(at, at + 10) for at in range(0, old_s, 10)] + [(at, at + 1) for at in range(old_s, 8 * horizon_s)]
    assert made.horizon_s == horizon_s
    assert sum(map(timeline.size_of, made.blocks())) * scale * 13 / 12 < 200e6
    made.check()


def busy_second(random: Random, calls: int, series: int = 50) -> SecondBlock:
    """So many calls of lognormal durations."""
    medians_ms = [3.0 * (1 + number % 10) for number in range(series)]
    took = (random.lognormvariate(math.log(medians_ms[place % series] * MS), 0.6) for place in range(calls))
    return second_block(
        0,
        [
            Call(0, 1 + place % series, response_ns=int(ns), service_ns=int(ns * random.uniform(0.9, 1)))
            for place, ns in enumerate(took)
        ],
    )


def test_an_error_is_known_with_its_first_and_last_second() -> None:
    made = Timeline()
    for second in (7, 3, 5):
        made.add(second_block(second, [Call(second, error=1, failed=True), Call(second)]), NUMBERS)
    [seen] = made.errors_seen()
    assert (seen.series, seen.error, seen.count, seen.first_s, seen.last_s) == (1, 1, 3, 3.0, 7.0)


def test_many_workers_are_settled_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "SETTLE_KEYS", 10)
    made = Timeline()
    for number in range(50):
        made.add(second_block(0, [Call(response_ns=number * MS)]), NUMBERS)
    assert counts.requests(packed.unpack(made.whole())) == 50
    made.check()
