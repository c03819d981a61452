"""What a worker that died had done of its part of the iterations: whoever takes its place need not do it again.

A replacement inherits all of it. Where several take over the share, each inherits as much of it as of what was to be
done; the parts add up, whatever the dead worker is found to have done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from swell.cluster.quota_state import part_of
from swell.load.shares import Share
from swell.load_plan import Iterations, Load

if TYPE_CHECKING:
    from swell.cluster.member_state import Member

Span = tuple[int, int, int]
"""From where to where, and of how much in all."""


@dataclass(frozen=True, slots=True)
class Bequest:
    """What one heir has of what a lost worker had done: a span of it for each load; all of it where none is given."""

    lost: Member
    spans: tuple[Span, ...] = ()

    def done(self, load: int, done: int) -> int:
        """The heir's part of so many iterations."""
        if not self.spans:
            return done
        begin, end, whole = self.spans[load]
        return done * end // whole - done * begin // whole if whole else 0


def bequests(
    lost: Member, loads: Sequence[Load], before: Mapping[int, Share], after: Mapping[int, Share]
) -> dict[int, Bequest]:
    """The bequest of a worker to each heir, whose shares were those `before` and are those `after`."""
    spans: dict[int, list[Span]] = {worker: [] for worker in after}
    for number, load in enumerate(loads):
        gains = [_part(load, number, after[worker]) - _part(load, number, before[worker]) for worker in after]
        ends = list(accumulate(gains, initial=0))
        for worker, (begin, end) in zip(after, pairwise(ends), strict=True):
            spans[worker].append((begin, end, ends[-1]))
    return {worker: Bequest(lost, tuple(of_worker)) for worker, of_worker in spans.items()}


def done_before(member: Member, loads: Sequence[Load]) -> tuple[int, ...]:
    """How many iterations of each load those had done that the worker has its share from; () where no load has any."""
    if not any(isinstance(load.model, Iterations) for load in loads):
        return ()
    return tuple(_inherited(member, number, load) for number, load in enumerate(loads))


def _inherited(member: Member, number: int, load: Load) -> int:
    return sum(
        bequest.done(number, _inherited(bequest.lost, number, load) + bequest.lost.iterations_of(load.scenarios))
        for bequest in member.inherited
    )


def _part(load: Load, number: int, share: Share) -> int:
    return part_of(load.model, share.shifted(number)) if isinstance(load.model, Iterations) else 0
