"""Deals a sequence of places to claimants so that every prefix of it is shared out by weight.

This is the chairman assignment problem. R. Tijdeman, "The chairman assignment problem", Discrete Mathematics 32 (1980):
with m claimants of shares λ (summing to 1) and ε = 1/(2m - 2), give place n to that claimant among the eligible ones,

    λ·(n + 1) - held >= ε,

whose deadline (held + 1 - ε) / λ comes first. Then after every place each claimant holds what it is due, λ·n, to
within 1 - ε. The common divisor methods do worse: Webster's gives a claimant of weight 100 beside a hundred of weight 1
half of its places before any of the others has one.

Deviations below 1 vanish where λ·n is whole for everyone, so the sequence repeats after the sum of the reduced weights;
one period is kept, and grown as far as it is asked for. Everything is integer arithmetic.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from heapq import heapify, heappop, heappush
from itertools import count
from math import gcd, lcm

TieBreak = Callable[[int, int], int]
"""(places held, claimant) -> rank: which of several claimants with the same deadline goes first."""


def reduced(weights: Sequence[float]) -> tuple[int, ...]:
    """The weights as the smallest integers in the same proportion; 0.1 is a tenth, not its nearest binary fraction."""
    exact = [Fraction(repr(weight)) for weight in weights]
    common = lcm(*(weight.denominator for weight in exact))
    whole = [int(weight * common) for weight in exact]
    divisor = gcd(*whole) or 1
    return tuple(weight // divisor for weight in whole)


def _in_order(held: int, claimant: int) -> int:
    return claimant


@dataclass(frozen=True, slots=True)
class _Turn:
    """The claim to one place of a claimant that holds `held` so far; λ = weight / total, ε = 1 / per_epsilon."""

    held: int
    who: int
    weight: int
    total: int
    per_epsilon: int

    @property
    def release(self) -> int:
        """The first place that it is eligible for."""
        return -(-self.total * (self.per_epsilon * self.held + 1) // (self.per_epsilon * self.weight)) - 1

    @property
    def deadline(self) -> Fraction:
        """In units of `total / per_epsilon`, which is the same for all."""
        return Fraction(self.per_epsilon * (self.held + 1) - 1, self.weight)

    def following(self) -> _Turn:
        return replace(self, held=self.held + 1)


def interleaved(weights: Sequence[float], tie_break: TieBreak = _in_order) -> Iterator[int]:
    """The claimants (by their index in `weights`) of places 0, 1, 2, ... without end. A weight of 0 gets no place."""
    if not any(weight > 0 for weight in weights) or any(weight < 0 for weight in weights):
        raise ValueError(f"weights must be 0 or more, and not all 0: {weights}")
    whole = reduced(weights)
    total = sum(whole)
    per_epsilon = max(2 * sum(weight > 0 for weight in whole) - 2, 1)  # alone, ε = 1
    waiting = [_Turn(0, who, weight, total, per_epsilon) for who, weight in enumerate(whole) if weight]
    early = [(turn.release, turn.who, turn) for turn in waiting]
    heapify(early)
    ready: list[tuple[Fraction, int, int, _Turn]] = []
    for place in count():
        while early and early[0][0] <= place:
            _, who, turn = heappop(early)
            heappush(ready, (turn.deadline, tie_break(turn.held, who), who, turn))
        _, _, who, turn = heappop(ready)
        following = turn.following()
        heappush(early, (following.release, who, following))
        yield who


class Interleave:
    """`interleave[n]` is the claimant of place n: one period of `interleaved`, dealt as far as asked for."""

    def __init__(self, weights: Sequence[float]) -> None:
        self._turns = reduced(weights)
        self.period = sum(self._turns)
        self._places = interleaved(weights)
        self._dealt = array("L")

    def __repr__(self) -> str:
        return f"<Interleave, {len(self._dealt)} of {self.period} places dealt>"

    def __getitem__(self, place: int) -> int:
        place %= self.period
        while len(self._dealt) <= place:
            self._dealt.append(next(self._places))
        return self._dealt[place]

    def counts(self, places: int) -> list[int]:
        """How many of the first `places` each claimant has."""
        periods, rest = divmod(places, self.period)
        last = Counter(self[place] for place in range(rest))
        return [periods * turns + last[who] for who, turns in enumerate(self._turns)]
