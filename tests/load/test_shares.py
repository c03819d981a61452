from hypothesis import given
from hypothesis import strategies as st

from swell.load.mix import Mix
from swell.load.shares import NOTHING, Share, deal, everything, modulus_for
from swell.plan import Scenario

shares = st.builds(
    lambda modulus, seed: Share(modulus, tuple(sorted({residue % modulus for residue in seed}))),
    st.integers(1, 30),
    st.sets(st.integers(0, 29)),
)


@given(st.integers(1, 60), st.integers(0, 1_000_000))
def test_every_number_belongs_to_exactly_one_worker(workers: int, number: int) -> None:
    assert sum(share.mine(number) for share in deal(workers)) == 1


@given(st.integers(1, 40), st.integers(1, 3_000))
def test_any_first_users_are_split_evenly(workers: int, users: int) -> None:
    counts = [share.below(users) for share in deal(workers)]
    assert sum(counts) == users
    assert max(counts) - min(counts) <= 2 + users // 1_000


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=12))
def test_capacities_decide_how_much_each_gets(capacities: list[float]) -> None:
    for share, capacity in zip(deal(len(capacities), capacities), capacities, strict=True):
        assert abs(len(share.residues) - share.modulus * capacity / sum(capacities)) < 1


@given(shares, st.integers(0, 200))
def test_the_arithmetic_agrees_with_counting(share: Share, number: int) -> None:
    mine = [other for other in range(300) if other % share.modulus in share.residues]
    assert share.mine(number) == (number in mine)
    assert share.next_mine(number) == next((other for other in mine if other >= number), None)
    assert share.last_mine(number) == next((other for other in reversed(mine) if other <= number), None)
    assert share.below(number) == sum(other < number for other in mine)


def test_a_share_may_be_empty_or_everything() -> None:
    assert not NOTHING.mine(0)
    assert NOTHING.next_mine(0) is None
    assert all(everything().mine(number) for number in range(2_000))


def test_more_workers_make_finer_residues() -> None:
    assert [modulus_for(workers) for workers in (1, 100, 101, 1_000)] == [1_000, 1_000, 2_000, 10_000]


def test_no_worker_gets_all_users_of_one_scenario() -> None:
    mix = Mix([Scenario("reader"), Scenario("writer")])
    readers = [sum(mix.scenario_of(user) == "reader" for user in range(100) if share.mine(user)) for share in deal(2)]
    assert min(readers) >= 15


@given(shares, st.integers(0, 40), st.integers(0, 200))
def test_a_shifted_share_has_what_lies_so_far_on(share: Share, places: int, number: int) -> None:
    assert share.shifted(places).mine(number) == share.mine(number + places)


def test_the_first_users_of_many_loads_do_not_all_land_on_one_worker() -> None:
    first = [[share.shifted(load).mine(0) for share in deal(4)].index(True) for load in range(40)]
    assert {first.count(worker) for worker in range(4)} == {10}


@given(shares, shares)
def test_what_one_share_has_without_another_and_what_both_have(one: Share, other: Share) -> None:
    numbers = range(200)
    mine, theirs = ({number for number in numbers if share.mine(number)} for share in (one, other))
    assert {number for number in numbers if one.without(other).mine(number)} == mine - theirs
    assert {number for number in numbers if one.also_in(other).mine(number)} == mine & theirs
