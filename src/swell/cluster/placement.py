"""Who gets what: splits the run's numbering among workers by what they can carry. Pure; the shares of all workers
together are everything.

A share is counted in residues, but few of them may matter: of twenty users, only the first twenty. So a worker gets
its part not of all residues alone, but of those up to any one. In `place` the residues go by in order. A worker that
is to have the part λ of all is due its next one, after h of them, at the residue (h + u) / λ; u, from -1/4 to 5/4, is
drawn for each. Were it not, and every third residue one worker's, it would have all users of one of three classes.

- Who has too many lets go of one that comes before it is due, and keeps the others.
- What was let go, or was nobody's, goes to the one whose next is due first, of those who have too few.

So no more changes hands than must: who gains loses nothing. How fine the residues are is settled with the first deal of
a run, since two workers whose shares were counted in different ones could not be told apart: 1,000, or ten for each
worker if that is more. Workers that join later have to do with these: thirty of them still have 33 each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from math import isfinite

from swell.load.interleave import interleaved
from swell.load.shares import Share, deal, modulus_for
from swell.load.stream import seed_of

FINEST = 10_000
"""Who can carry less than this part of what the strongest can is taken to carry so much."""
NOBODY = -1
LEAST_DRAWN, MOST_DRAWN = -0.25, 1.25
"""Between 0 and 1, a worker with a third of the residues has one class as often as the two others together."""


def place(
    capacities: Mapping[int, float], previous: Mapping[int, Share] | None = None, modulus: int | None = None
) -> dict[int, Share]:
    """The share of each worker, by its capacity; 0: it is not known, and taken to be the mean of the others'. With
    the shares that some have had until now, as few residues as can be change hands. `modulus`: of all shares, where
    there are none yet."""
    workers = sorted(capacities)
    if not workers:
        return {}
    before = [previous.get(worker, Share()) if previous else Share() for worker in workers]
    modulus = next((share.modulus for share in before if share.residues), modulus or modulus_for(len(workers)))
    weights = _weights([capacities[worker] for worker in workers])
    if len(set(weights)) == 1 and not any(share.residues for share in before):
        return dict(zip(workers, deal(len(workers), modulus=modulus), strict=True))
    residues: list[list[int]] = [[] for _ in workers]
    for residue, place in enumerate(_Dealing(weights, before, modulus)):
        residues[place].append(residue)
    return {worker: Share(modulus, tuple(mine)) for worker, mine in zip(workers, residues, strict=True)}


def inherit(left: Share, heirs: Mapping[int, Share], capacities: Mapping[int, float] | None = None) -> dict[int, Share]:
    """The new shares of `heirs`, who take over, by their capacities or else evenly, what a worker has left that will
    not be replaced."""
    workers = sorted(heirs)
    weights = _weights([capacities.get(worker, 0.0) if capacities else 0.0 for worker in workers])
    parts = {worker: list(heirs[worker].residues) for worker in workers}
    for residue, place in zip(left.residues, interleaved(weights, tie_break=seed_of), strict=False):
        parts[workers[place]].append(residue)
    return {worker: Share(left.modulus, tuple(sorted(residues))) for worker, residues in parts.items()}


def _weights(capacities: Sequence[float]) -> list[int]:
    """Whole numbers in proportion, at least 1. What is not known is the mean."""
    known = [capacity for capacity in capacities if capacity > 0 and isfinite(capacity)]
    if not known:
        return [1] * len(capacities)
    mean, most = sum(known) / len(known), max(known)
    filled = [capacity if capacity > 0 and isfinite(capacity) else mean for capacity in capacities]
    return [max(round(FINEST * capacity / most), 1) for capacity in filled]


def _goals(weights: Sequence[int], held: Sequence[int], modulus: int) -> list[int]:
    """How many residues each is to have: its part, rounded up for those first who have so many."""
    total = sum(weights)
    goals, rests = zip(*(divmod(weight * modulus, total) for weight in weights), strict=True)
    found = list(goals)
    places = [place for place, rest in enumerate(rests) if rest]
    places.sort(key=lambda place: (held[place] <= found[place], -rests[place], place))
    for place in places[: modulus - sum(found)]:
        found[place] += 1
    return found


class _Dealing:
    """Says whose each residue is, one after the other."""

    def __init__(self, weights: Sequence[int], before: Sequence[Share], modulus: int) -> None:
        self._weights = weights
        self._total = sum(weights)
        self._owners = [NOBODY] * modulus
        for place, share in enumerate(before):
            for residue in share.residues:
                self._owners[residue] = place
        self._left = [len(share.residues) for share in before]
        """How many residues each had that have not gone by."""
        goals = _goals(weights, self._left, modulus)
        self._surplus = [max(held - goal, 0) for held, goal in zip(self._left, goals, strict=True)]
        self._need = [max(goal - held, 0) for held, goal in zip(self._left, goals, strict=True)]
        self._held = [0] * len(weights)
        self._dues = [self._due(place) for place in range(len(weights))]
        self._waiting = [(self._dues[place], place) for place, need in enumerate(self._need) if need]
        heapify(self._waiting)

    def __iter__(self) -> Iterator[int]:
        for residue, owner in enumerate(self._owners):
            if owner == NOBODY or not self._keeps(owner, residue):
                owner = self._neediest()
            self._held[owner] += 1
            self._dues[owner] = self._due(owner)
            if owner != NOBODY and self._need[owner]:
                heappush(self._waiting, (self._dues[owner], owner))
            yield owner

    def _keeps(self, owner: int, residue: int) -> bool:
        left = self._left[owner]
        self._left[owner] -= 1
        if not self._surplus[owner] or (left > self._surplus[owner] and self._dues[owner] <= residue + 1):
            return True
        self._surplus[owner] -= 1
        return False

    def _neediest(self) -> int:
        """Whose next residue is due first, of those who are to have more than they had."""
        while True:
            due, place = heappop(self._waiting)
            if self._need[place] and due == self._dues[place]:
                self._need[place] -= 1
                return place

    def _due(self, place: int) -> float:
        drawn = LEAST_DRAWN + (MOST_DRAWN - LEAST_DRAWN) * seed_of(place, self._held[place]) / (1 << 64)
        return (self._held[place] + drawn) * self._total / self._weights[place]
