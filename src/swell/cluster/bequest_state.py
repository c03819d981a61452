"""What has been done of a share's iterations by those who had it before: whoever has it now need not do it again. Pure.

An `Estate` is what goes with residues that somebody no longer holds. Of a worker that is lost it is what it had
inherited and what it is found to have done, which may become known later; of one that lives and gave them away it is a
number, which that one has told. It is handed to heirs in parts, each as much of it as of what was to be done; the parts
add up, whatever the worker is found to have done.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from swell.cluster.quota_state import part_of
from swell.load.shares import Share
from swell.load_plan import Iterations, Load

if TYPE_CHECKING:
    from swell.cluster.member_state import Member

Span = tuple[int, int, int]
"""From where to where, and of how much in all."""


class Estate:
    """How many iterations of each load have been done by those who had some residues: what they had `inherited`, what
    `member` has done itself, and a number of `more` (or fewer, that it has given away) of each load."""

    __slots__ = ("_inherited", "_known", "_member", "_more")

    def __init__(
        self, inherited: Iterable[Bequest] = (), member: Member | None = None, more: Sequence[int] = ()
    ) -> None:
        self._inherited = tuple(inherited)
        self._member = member
        self._more = tuple(more)
        self._known: dict[int, int] = {}
        """Of those loads of which it can no longer change."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing more can become known of it."""
        if self._member is not None and not self._member.finished:
            return False
        return all(bequest.estate.is_settled for bequest in self._inherited)

    def done(self, number: int, load: Load) -> int:
        """How many of the load there are, as far as is known."""
        if number in self._known:
            return self._known[number]
        done = sum(bequest.done(number, load) for bequest in self._inherited)
        done += self._member.iterations_of(load.scenarios) if self._member is not None else 0
        done += self._more[number] if self._more else 0
        if self.is_settled:
            self._known[number] = max(done, 0)
        return max(done, 0)


class Bequest:
    """What one heir has of an estate: a span of it for each load; all of it where none is given."""

    __slots__ = ("estate", "spans")

    def __init__(self, estate: Estate, spans: tuple[Span, ...] = ()) -> None:
        self.estate = estate
        self.spans = spans

    def done(self, number: int, load: Load) -> int:
        """The heir's part of what has been done of a load."""
        done = self.estate.done(number, load)
        if not self.spans:
            return done
        begin, end, whole = self.spans[number]
        return done * end // whole - done * begin // whole if whole else 0


def divided(estate: Estate, parts: Sequence[Share], loads: Sequence[Load]) -> list[Bequest]:
    """The bequest that goes with each of the parts into which an estate's residues are divided."""
    spans: list[list[Span]] = [[] for _ in parts]
    for number, load in enumerate(loads):
        ends = list(accumulate((_part(load, number, part) for part in parts), initial=0))
        for of_part, (begin, end) in zip(spans, pairwise(ends), strict=True):
            of_part.append((begin, end, ends[-1]))
    return [Bequest(estate, tuple(of_part)) for of_part in spans]


def counts_iterations(loads: Iterable[Load]) -> bool:
    """Whether what has been done before matters: where no load has a number of iterations, nothing is bequeathed."""
    return any(isinstance(load.model, Iterations) for load in loads)


def done_before(member: Member, loads: Sequence[Load]) -> tuple[int, ...]:
    """How many iterations of each load those had done that the worker has its share from; () where no load has any."""
    if not counts_iterations(loads):
        return ()
    return tuple(sum(one.done(number, load) for one in member.inherited) for number, load in enumerate(loads))


def _part(load: Load, number: int, share: Share) -> int:
    return part_of(load.model, share.shifted(number)) if isinstance(load.model, Iterations) else 0
