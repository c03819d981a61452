from hypothesis import given
from hypothesis import strategies as st

from swell.feed_plan import FeedPlan, Order, WhenOut
from swell.load.rows import RowOrder, permuted


def order_of(order: Order, rows: int, *, seed: int = 1, number: int = 0) -> RowOrder:
    return RowOrder(FeedPlan(name="f", order=order, when_out=WhenOut.REPEAT, rows=rows), seed, number)


def rows_at(order: RowOrder, first: int, count: int) -> list[int]:
    return [order.row_at(position) for position in range(first, first + count)]


@given(count=st.integers(1, 700), seed=st.integers(0, 2**64 - 1))
def test_a_permutation_holds_each_row_once(count: int, seed: int) -> None:
    keys = (seed, seed ^ 1, 7, 8)
    assert sorted(permuted(index, count, keys) for index in range(count)) == list(range(count))


def test_rows_in_the_order_of_the_file_begin_again_at_the_top() -> None:
    for order in (Order.ONCE, Order.CIRCULAR):
        assert rows_at(order_of(order, 3), 0, 7) == [0, 1, 2, 0, 1, 2, 0]


def test_each_shuffled_pass_has_an_order_of_its_own_and_holds_each_row_once() -> None:
    order = order_of(Order.RANDOM, 50)
    passes = [rows_at(order, 50 * turn, 50) for turn in range(4)]
    assert all(sorted(rows) == list(range(50)) for rows in passes)
    assert len({tuple(rows) for rows in passes}) == 4
    assert list(range(50)) not in passes


def test_a_shuffle_follows_from_the_seed_and_the_feed_and_nothing_else() -> None:
    first = rows_at(order_of(Order.RANDOM, 50), 0, 100)
    asked_backwards = order_of(Order.RANDOM, 50)
    assert [asked_backwards.row_at(position) for position in reversed(range(100))] == first[::-1]
    assert rows_at(order_of(Order.RANDOM, 50, seed=2), 0, 100) != first
    assert rows_at(order_of(Order.RANDOM, 50, number=1), 0, 100) != first


def test_every_row_is_as_likely_to_come_first_as_any_other() -> None:
    firsts = [order_of(Order.RANDOM, 10, seed=seed).row_at(0) for seed in range(2_000)]
    expected = 200
    chi_squared = sum((firsts.count(row) - expected) ** 2 / expected for row in range(10))
    assert chi_squared < 27.9  # p = 0.001 with 9 degrees of freedom; the seeds are fixed
