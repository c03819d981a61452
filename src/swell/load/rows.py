"""Which row of a feed a position stands for: in the file's order, or in an order of its own in each pass.

A shuffled pass is a permutation that is computed row by row, so that ten million rows cost no memory: a Feistel network
over the next power of four, whose results beyond the last row are put through it again ("cycle walking": Black and
Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002). It is a bijection, so each pass holds each row once.
"""

from __future__ import annotations

from swell.feed_plan import FeedPlan, Order
from swell.load.stream import seed_of

ROUNDS = 4


class RowOrder:
    """The order of one feed in a run with a seed; `number` is the feed's."""

    def __init__(self, plan: FeedPlan, run_seed: int, number: int) -> None:
        self._rows = plan.rows
        self._shuffled = plan.order is Order.RANDOM
        self._seed = seed_of(run_seed, -1 - number)  # users have the numbers from 0 on
        self._pass = -1
        self._keys: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return f"<RowOrder of {self._rows} rows{', shuffled' if self._shuffled else ''}>"

    def row_at(self, position: int) -> int:
        """The number of the row, from 0."""
        turn, index = divmod(position, self._rows)
        if not self._shuffled:
            return index
        if turn != self._pass:
            self._pass = turn
            seed = seed_of(self._seed, turn)
            self._keys = tuple(seed_of(seed, key) for key in range(ROUNDS))
        return permuted(index, self._rows, self._keys)


def permuted(index: int, count: int, keys: tuple[int, ...]) -> int:
    """Where a permutation of `count` things, chosen by `keys`, takes the one at `index`."""
    half_bits = max((count - 1).bit_length() + 1, 2) // 2
    mask = (1 << half_bits) - 1
    while True:
        left, right = index >> half_bits, index & mask
        for key in keys:
            left, right = right, left ^ (seed_of(key, right) & mask)
        index = left << half_bits | right
        if index < count:
            return index
