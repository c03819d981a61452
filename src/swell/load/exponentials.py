"""The partial sums of unit exponentials, seeded: a Poisson stream before its rate, at any place without walking there.

A walk from the beginning would cost a worker that joins late, or asks how many there are in all, seconds. So the
stream is drawn from the top down: chapters of 100 blocks of 1,000 gaps. The length of a chapter is a gamma variate,
being a sum of exponentials; a block's share of its chapter and a gap's share of its block follow by normalising
variates of their own, since such shares are independent of the sum that they add up to (the Dirichlet distribution;
L. Devroye, "Non-Uniform Random Variate Generation", 1986, ch. XI.4). So the gaps are independent exponentials, exactly.

A chapter or block is drawn from a generator of its own, seeded by its number, of which only `random()` is used: the one
method whose stream Python promises to keep. Sums are whole numbers of parts, so that nothing drifts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from math import cos, log, pi, sqrt
from random import Random

from swell.load.stream import seed_of

PARTS = 1 << 32
"""So many make 1, the mean gap."""
GAPS = 1_000
"""In a block."""
BLOCKS = 100
"""In a chapter."""
_CHAPTER, _BLOCK, _GAP = -1, -2, -3


class _Split:
    """A length in parts, split in proportion to numbers of one sign: the sums up to each, the last of them the length.

    A sum is made whole when it is asked for; most belong to other workers.
    """

    __slots__ = ("_length", "_stretch", "_sums")

    def __init__(self, numbers: Iterable[float], length: int) -> None:
        self._sums = list(accumulate(numbers))
        self._stretch = length / self._sums[-1]
        self._length = length

    def __len__(self) -> int:
        return len(self._sums)

    def __getitem__(self, index: int) -> int:
        return self._length if index == len(self._sums) - 1 else int(self._sums[index] * self._stretch)


class Exponentials:
    """Partial sum n, counted from 0, is that of gaps 0 .. n."""

    def __init__(self, seed: int) -> None:
        self._of_chapters, self._of_blocks, self._of_gaps = (seed_of(seed, use) for use in (_CHAPTER, _BLOCK, _GAP))
        self._chapter_ends = [0]
        """The sum before chapter 0, and those at the end of each chapter that was needed."""
        self._open_chapter(0)
        self._open_block(0)

    def __repr__(self) -> str:
        return f"<Exponentials, {len(self._chapter_ends) - 1} chapters, at block {self._block}>"

    def sum_to(self, number: int) -> int:
        """Partial sum `number`, in parts."""
        block, gap = divmod(number, GAPS)
        if block != self._block:
            self._open_block(block)
        return self._begin + self._gap_ends[gap]

    def below(self, limit: int) -> int:
        """How many partial sums are less than `limit` parts."""
        while self._chapter_ends[-1] < limit:
            self._add_chapter()
        chapter = max(bisect_left(self._chapter_ends, limit) - 1, 0)
        if chapter != self._chapter:
            self._open_chapter(chapter)
        block = chapter * BLOCKS + bisect_left(self._block_ends, limit - self._chapter_ends[chapter])
        if block != self._block:
            self._open_block(block)
        return block * GAPS + bisect_left(self._gap_ends, limit - self._begin)

    def _open_block(self, block: int) -> None:
        chapter, within = divmod(block, BLOCKS)
        if chapter != self._chapter:
            self._open_chapter(chapter)
        begin = self._block_ends[within - 1] if within else 0
        draw = Random(seed_of(self._of_gaps, block)).random
        self._gap_ends = _Split([log(1.0 - draw()) for _ in range(GAPS)], self._block_ends[within] - begin)
        self._block, self._begin = block, self._chapter_ends[chapter] + begin

    def _open_chapter(self, chapter: int) -> None:
        while len(self._chapter_ends) < chapter + 2:
            self._add_chapter()
        length = self._chapter_ends[chapter + 1] - self._chapter_ends[chapter]
        random = Random(seed_of(self._of_blocks, chapter))
        self._block_ends = _Split([gamma(random, GAPS) for _ in range(BLOCKS)], length)
        self._chapter = chapter

    def _add_chapter(self) -> None:
        chapter = len(self._chapter_ends) - 1
        length = gamma(Random(seed_of(self._of_chapters, chapter)), BLOCKS * GAPS)
        self._chapter_ends.append(self._chapter_ends[-1] + int(length * PARTS))


def gamma(random: Random, shape: float) -> float:
    """A gamma variate of a shape of 1 or more and scale 1.

    G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", ACM TOMS 26 (2000), with normal
    variates by Box and Muller.
    """
    draw = random.random
    third = shape - 1 / 3
    scale = 1 / sqrt(9 * third)
    while True:
        normal = sqrt(-2.0 * log(1.0 - draw())) * cos(2.0 * pi * draw())
        cube = (1.0 + scale * normal) ** 3
        if cube > 0 and log(1.0 - draw()) < normal * normal / 2 + third * (1.0 - cube + log(cube)):
            return third * cube
