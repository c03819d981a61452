"""Whose is user n: a share is a set of residues of n, so that one global numbering is split without overlap.

Residues are dealt in an order in which every prefix is split by capacity: a worker gets its share of the first 10 users
as of the first 10,000. Ties are broken by a hash, not in turn: with two workers in turn and two scenarios in turn, one
worker would get all users of the one scenario.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from math import lcm

import msgspec

from swell.load.interleave import interleaved
from swell.load.stream import seed_of

LEAST_MODULUS = 1_000
RESIDUES_PER_WORKER = 10
"""At least so many, so that a share can be changed by a tenth."""


class Share(msgspec.Struct, frozen=True):
    """Those n with `n % modulus` in `residues` (ascending)."""

    modulus: int = LEAST_MODULUS
    residues: tuple[int, ...] = ()

    def mine(self, number: int) -> bool:
        """Whether user (or start) `number` belongs to this share."""
        return self.next_mine(number) == number

    def next_mine(self, number: int) -> int | None:
        """The least of mine that is at least `number`; None when nothing is mine."""
        if not self.residues:
            return None
        turn, rest = divmod(number, self.modulus)
        at = bisect_left(self.residues, rest)
        if at == len(self.residues):
            return (turn + 1) * self.modulus + self.residues[0]
        return turn * self.modulus + self.residues[at]

    def last_mine(self, number: int) -> int | None:
        """The greatest of mine that is at most `number`; None when there is none."""
        if not self.residues or number < self.residues[0]:
            return None
        turn, rest = divmod(number, self.modulus)
        at = bisect_right(self.residues, rest) - 1
        return turn * self.modulus + self.residues[at] if at >= 0 else (turn - 1) * self.modulus + self.residues[-1]

    def shifted(self, places: int) -> Share:
        """Those n for which n + `places` is in this share: with it, n = 0 of several numberings is not all one's."""
        moved = sorted((residue - places) % self.modulus for residue in self.residues) if places else self.residues
        return Share(self.modulus, tuple(moved))

    def folded(self, length: int) -> Share:
        """Those n whose remainder of `length` is in this share: so many turns, each dealt like the first. What has few
        to carry it out is dealt so, or a worker without any of them would get its part of it too."""
        if length >= self.modulus:
            return self
        return Share(max(length, 1), tuple(residue for residue in self.residues if residue < length))

    def without(self, other: Share) -> Share:
        """Those n of this share that are not in the other one."""
        return self._those(other, inside=False)

    def also_in(self, other: Share) -> Share:
        """Those n of this share that are in the other one too."""
        return self._those(other, inside=True)

    def _those(self, other: Share, *, inside: bool) -> Share:
        if not self.residues or not other.residues:
            return Share(self.modulus) if inside else self
        modulus = lcm(self.modulus, other.modulus)
        theirs = set(other._repeated(modulus))
        return Share(modulus, tuple(one for one in self._repeated(modulus) if (one in theirs) is inside))

    def _repeated(self, modulus: int) -> Iterable[int]:
        """The residues of a multiple of the modulus."""
        if modulus == self.modulus:
            return self.residues
        return (turn + one for turn in range(0, modulus, self.modulus) for one in self.residues)

    def below(self, number: int) -> int:
        """How many of the numbers 0 .. `number` - 1 are mine."""
        turns, rest = divmod(number, self.modulus)
        return turns * len(self.residues) + bisect_left(self.residues, rest)


NOTHING = Share()


def modulus_for(workers: int) -> int:
    """Enough residues for so many workers, in whole thousands."""
    return LEAST_MODULUS * max(1, -(-workers * RESIDUES_PER_WORKER // LEAST_MODULUS))


def everything(modulus: int = LEAST_MODULUS) -> Share:
    """The share of a worker that is on its own."""
    return Share(modulus, tuple(range(modulus)))


def deal(workers: int, capacities: Sequence[float] | None = None, modulus: int | None = None) -> list[Share]:
    """Split all residues among `workers`, evenly or in proportion to their capacities."""
    modulus = modulus or modulus_for(workers)
    order = interleaved(capacities or [1.0] * workers, tie_break=seed_of)
    residues: list[list[int]] = [[] for _ in range(workers)]
    for residue, worker in zip(range(modulus), order, strict=False):
        residues[worker].append(residue)
    return [Share(modulus, tuple(mine)) for mine in residues]
