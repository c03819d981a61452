"""Who gets what: everything is dealt, nothing twice, by capacity from the first user on, and little changes hands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.cluster.placement import inherit, place
from swell.load.mix import Mix
from swell.load.shares import Share, everything
from swell.plan import Scenario

workers = st.sets(st.integers(0, 50), min_size=1, max_size=20)
capacity = st.one_of(st.just(0.0), st.floats(0.01, 1e6))
capacities = st.dictionaries(st.integers(0, 60), capacity, min_size=1, max_size=30)


def parts(found: Mapping[int, float]) -> dict[int, float]:
    """What part of everything each is to have: who is not known counts as the mean of the others."""
    known = [one for one in found.values() if one]
    mean = sum(known) / len(known) if known else 1.0
    least = max(known, default=1.0) / 10_000
    filled = {worker: max(one, least) if one else mean for worker, one in found.items()}
    return {worker: one / sum(filled.values()) for worker, one in filled.items()}


def assert_all_is_dealt_once(shares: Mapping[int, Share], modulus: int = 1_000) -> None:
    assert sorted(residue for share in shares.values() for residue in share.residues) == list(range(modulus))
    assert all(share == Share(modulus, tuple(sorted(share.residues))) for share in shares.values())


def moved(before: Mapping[int, Share], after: Mapping[int, Share]) -> int:
    """How many residues someone has who had them not."""
    owners = {residue: worker for worker, share in before.items() for residue in share.residues}
    return sum(owners.get(residue) != worker for worker, share in after.items() for residue in share.residues)


@given(workers, st.integers(0, 10_000))
def test_every_user_has_one_worker(numbers: set[int], user: int) -> None:
    shares = place(dict.fromkeys(numbers, 1.0))
    assert set(shares) == numbers
    assert sum(share.mine(user) for share in shares.values()) == 1


@given(capacities)
def test_each_worker_gets_its_part_to_within_one_residue(found: dict[int, float]) -> None:
    shares = place(found)
    assert_all_is_dealt_once(shares)
    for worker, part in parts(found).items():
        assert abs(len(shares[worker].residues) - 1_000 * part) < 1.1  # capacities count in ten thousandths


@given(capacities)
def test_the_same_capacities_give_the_same_shares(found: dict[int, float]) -> None:
    assert place(found) == place(dict(reversed(found.items())))


@given(st.lists(st.floats(1, 10), min_size=2, max_size=12), st.integers(1, 1_000))
def test_any_first_users_are_split_by_capacity(found: list[float], users: int) -> None:
    shares, wanted = place(dict(enumerate(found))), parts(dict(enumerate(found)))
    for worker, share in shares.items():
        assert abs(share.below(users) - users * wanted[worker]) < 3


@given(capacities, st.lists(capacities, min_size=1, max_size=4))
def test_as_few_residues_as_can_be_change_hands(found: dict[int, float], later: list[dict[int, float]]) -> None:
    shares = place(found)
    for wanted in later:
        staying = {worker: share for worker, share in shares.items() if worker in wanted}
        after = place(wanted, shares)
        assert_all_is_dealt_once(after)
        goals = {worker: 1_000 * part for worker, part in parts(wanted).items()}
        nobodys = 1_000 - sum(len(share.residues) for share in staying.values())
        too_many = sum(max(len(share.residues) - goals[worker], 0) for worker, share in staying.items())
        assert moved(shares, after) <= nobodys + too_many + len(wanted)
        for worker, share in staying.items():  # who gains loses nothing
            kept = set(share.residues) & set(after[worker].residues)
            assert len(kept) == min(len(share.residues), len(after[worker].residues))
        shares = after


@given(st.lists(st.floats(1, 10), min_size=1, max_size=12), st.integers(0, 11))
def test_who_can_carry_what_it_could_keeps_what_it_has(found: list[float], away: int) -> None:
    numbered = dict(enumerate(found))
    shares = place(numbered)
    assert place(numbered, shares) == shares


@given(
    st.lists(st.floats(1, 10), min_size=2, max_size=8),
    st.lists(st.lists(st.floats(0.5, 2), min_size=8, max_size=8), min_size=1, max_size=8),
    st.integers(1, 1_000),
)
def test_after_many_changes_the_first_users_are_still_split_by_capacity(
    found: list[float], changes: list[list[float]], users: int
) -> None:
    shares = place(dict(enumerate(found)))
    for factors in changes:
        found = [min(max(one * factor, 1.0), 10.0) for one, factor in zip(found, factors, strict=False)]
        shares = place(dict(enumerate(found)), shares)
    wanted = parts(dict(enumerate(found)))
    for worker, share in shares.items():
        assert abs(share.below(users) - users * wanted[worker]) < 12


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=10), st.floats(0.1, 10), st.integers(0, 300))
def test_the_mix_of_classes_is_exact_overall_however_users_are_dealt(
    found: list[float], later: float, users: int
) -> None:
    """A user's class follows from its number, and every number is somebody's."""
    mix = Mix([Scenario("reader", weight=3), Scenario("writer", weight=1), Scenario("admin", fixed_count=2)])
    shares = place(dict(enumerate(found)))
    for dealt in (shares, place({**dict(enumerate(found)), 0: later, 99: later}, shares)):
        numbers = [number for share in dealt.values() for number in range(users) if share.mine(number)]
        assert Counter(map(mix.scenario_of, numbers)) == Counter(mix.counts(users))


@pytest.mark.parametrize("found", [[2.0, 1.0], [1.0, 1.0], [2.0, 1.0, 1.0], [5.0, 1.0]])
def test_every_worker_has_users_of_all_classes(found: list[float]) -> None:
    """Though the classes come in turn, and so would the workers' residues."""
    mix = Mix([Scenario("one"), Scenario("two"), Scenario("three")])
    for share in place(dict(enumerate(found))).values():
        classes = Counter(mix.scenario_of(user) for user in range(600) if share.mine(user))
        assert min(classes.values()) > 0.4 * max(classes.values())


def test_residues_that_move_are_of_all_classes() -> None:
    mix = Mix([Scenario("one"), Scenario("two")])
    before = place({0: 1.0, 1: 1.0})
    gained = set(place({0: 1.0, 1: 3.0}, before)[1].residues) - set(before[1].residues)
    assert len(gained) == 250
    classes = Counter(map(mix.scenario_of, gained))
    assert min(classes.values()) > 80


def test_thirty_workers_that_join_one_worker_one_by_one_have_their_part() -> None:
    shares = place({0: 1.0})
    assert shares == {0: everything()}
    for joined in range(1, 30):
        wanted = dict.fromkeys(range(joined + 1), 1.0)
        after = place(wanted, shares)
        assert_all_is_dealt_once(after)
        assert moved(shares, after) == len(after[joined].residues)
        sizes = [len(share.residues) for share in after.values()]
        assert max(sizes) - min(sizes) <= 1
        shares = after


def test_a_thousand_workers_have_ten_residues_each() -> None:
    shares = place(dict.fromkeys(range(1_000), 1.0))
    assert_all_is_dealt_once(shares, 10_000)
    assert {len(share.residues) for share in shares.values()} == {10}
    without = dict.fromkeys(range(500), 1.0)
    after = place(without, shares)
    assert_all_is_dealt_once(after, 10_000)
    assert moved(shares, after) == 5_000


def test_shares_are_counted_as_they_were_at_first_however_many_workers_come() -> None:
    shares = place({0: 1.0, 1: 2.0})
    after = place(dict.fromkeys(range(300), 1.0), shares)
    assert_all_is_dealt_once(after, 1_000)
    assert {len(share.residues) for share in after.values()} == {3, 4}
    assert_all_is_dealt_once(place({7: 1.0}, {}, modulus=3_000), 3_000)


def test_nobody_gets_nothing() -> None:
    assert place({}) == {}
    assert place({}, {0: everything()}) == {}


def test_who_has_not_been_measured_is_taken_for_the_mean() -> None:
    sizes = {worker: len(share.residues) for worker, share in place({0: 100.0, 1: 0.0, 2: 300.0}).items()}
    assert sizes == {0: 167, 1: 333, 2: 500}
    assert place({0: 0.0, 1: 0.0}) == place({0: 1.0, 1: 1.0})
    assert place({0: float("inf"), 1: float("nan")}) == place({0: 1.0, 1: 1.0})


@given(workers.filter(lambda numbers: len(numbers) > 1), st.integers(0, 10_000))
def test_heirs_take_over_all_of_it_and_keep_their_own(numbers: set[int], user: int) -> None:
    shares = place(dict.fromkeys(numbers, 1.0))
    left = shares.pop(min(numbers))
    after = inherit(left, shares)
    assert set(after) == set(shares)
    assert sum(share.mine(user) for share in after.values()) == 1
    assert all(after[worker].mine(user) for worker, share in shares.items() if share.mine(user))
    sizes = [len(after[worker].residues) - len(shares[worker].residues) for worker in shares]
    assert max(sizes) - min(sizes) <= 1


@given(st.dictionaries(st.integers(0, 20), st.floats(0.1, 10), min_size=2, max_size=12))
def test_heirs_take_over_by_what_they_can_carry(found: dict[int, float]) -> None:
    shares = place(found)
    left = shares.pop(min(found))
    heirs = {worker: one for worker, one in found.items() if worker in shares}
    after = inherit(left, shares, heirs)
    for worker, part in parts(heirs).items():
        gained = len(after[worker].residues) - len(shares[worker].residues)
        assert abs(gained - len(left.residues) * part) < 1.1
