from hypothesis import given
from hypothesis import strategies as st

from swell.cluster.placement import inherit, place

workers = st.sets(st.integers(0, 50), min_size=1, max_size=20)


@given(workers, st.integers(0, 10_000))
def test_every_user_has_one_worker(numbers: set[int], user: int) -> None:
    shares = place(dict.fromkeys(numbers, 1.0))
    assert set(shares) == numbers
    assert sum(share.mine(user) for share in shares.values()) == 1


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


def test_nobody_gets_nothing() -> None:
    assert place({}) == {}
