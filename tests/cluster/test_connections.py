"""Who got in and who did not, from events as libzmq's monitor tells them."""

import enum
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from swell.cluster.connections import ADDRESSES_CAP, Connections
from swell.result import LinkCounts, StrangerCount


def counts(admitted: int = 0, ended: int = 0, **strangers: int) -> LinkCounts:
    named = tuple(StrangerCount(address, count) for address, count in strangers.items())
    return LinkCounts(admitted=admitted, ended=ended, strangers=named)


def test_one_that_gets_in_and_leaves() -> None:
    seen = Connections()
    seen.accepted(7, "a")
    seen.got_in()
    seen.disconnected(7)
    seen.check()
    assert seen.counts() == counts(admitted=1, ended=1)


def test_one_with_another_key_is_a_stranger_from_its_address_while_others_come_and_go() -> None:
    seen = Connections()
    seen.accepted(7, "a")
    seen.accepted(8, "b")
    seen.got_in()
    seen.failed()
    seen.disconnected(8)
    seen.disconnected(7)
    seen.check()
    assert seen.counts() == counts(admitted=1, ended=1, b=1)


def test_one_that_is_still_there_and_has_not_got_in_is_nothing_yet() -> None:
    seen = Connections()
    seen.accepted(7, "a")
    seen.check()
    assert seen.counts() == counts()


def test_one_that_ends_without_a_word_is_a_stranger_if_nobody_got_in_since_it_came() -> None:
    seen = Connections()
    seen.accepted(7, "member")
    seen.got_in()
    seen.accepted(8, "scanner")
    seen.disconnected(8)
    seen.check()
    assert seen.counts() == counts(admitted=1, scanner=1)


def test_one_that_ends_without_a_word_is_a_stranger_if_all_that_got_in_are_gone() -> None:
    seen = Connections()
    seen.accepted(7, "scanner")
    seen.accepted(8, "member")
    seen.got_in()
    seen.disconnected(8)
    seen.disconnected(7)
    seen.check()
    assert seen.counts() == counts(admitted=1, ended=1, scanner=1)


def test_addresses_are_bounded_and_the_first_of_each_is_told() -> None:
    told: list[str] = []
    seen = Connections(told.append)
    for number in range(ADDRESSES_CAP + 10):
        for _ in range(2):
            seen.accepted(7, str(number))
            seen.failed()
            seen.disconnected(7)
    seen.check()
    assert seen.strangers.total() == 2 * (ADDRESSES_CAP + 10)
    assert seen.strangers["(other)"] == 20
    assert told == [*map(str, range(ADDRESSES_CAP)), "(other)"]


class Fate(enum.Enum):
    """What becomes of a connection."""

    MEMBER = enum.auto()
    STRANGER = enum.auto()
    GARBAGE = enum.auto()


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(Fate)), max_size=60))
def test_nobody_is_counted_twice_however_connections_overlap(steps: list[tuple[int, Fate]]) -> None:
    """Each step takes the connection of a place on: it comes, gets in if that is its fate, ends."""
    seen = Connections()
    fates: Counter[Fate] = Counter()
    places: dict[int, Fate] = {}
    inside: set[int] = set()
    for place, fate in steps:
        if place not in places:
            places[place] = fate
            fates[fate] += 1
            seen.accepted(place, "a")
        elif places[place] is Fate.MEMBER and place not in inside:
            inside.add(place)
            seen.got_in()
        else:
            if places[place] is Fate.STRANGER:
                seen.failed()
            seen.disconnected(place)
            del places[place]
            inside.discard(place)
        seen.check()
    there = Counter(places.values())
    assert seen.strangers.total() >= fates[Fate.STRANGER] - there[Fate.STRANGER]
    assert seen.strangers.total() <= fates[Fate.STRANGER] + fates[Fate.GARBAGE] - there[Fate.STRANGER]
    assert seen.admitted == len(inside) + fates[Fate.MEMBER] - there[Fate.MEMBER]
