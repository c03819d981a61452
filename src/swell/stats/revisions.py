"""The changes of a plan while it runs, bounded: a shape may change its mind each second, for days."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from operator import attrgetter

from swell.plan import Revision
from swell.result import REVISIONS_CAP


class Revisions:
    """The latest revisions of each load: so many that those of all loads are no more than the cap. Each says what it
    found, so that what is kept needs nothing of what is not."""

    def __init__(self, loads: int) -> None:
        most = max(REVISIONS_CAP // max(loads, 1), 1)
        self._each: defaultdict[int, deque[Revision]] = defaultdict(lambda: deque(maxlen=most))
        self._listed: tuple[Revision, ...] | None = ()

    def __repr__(self) -> str:
        return f"<Revisions, {len(self.listed())} kept>"

    def add(self, revision: Revision) -> None:
        """The next one."""
        self._each[revision.load].append(revision)
        self._listed = None

    def listed(self) -> tuple[Revision, ...]:
        """All that are kept, in the order of their numbers; the same tuple until another one comes."""
        if self._listed is None:
            kept = (revision for each in self._each.values() for revision in each)
            self._listed = tuple(sorted(kept, key=attrgetter("number")))
        return self._listed

    def restore(self, revisions: Iterable[Revision]) -> None:
        """Keep those that another one had listed."""
        for revision in revisions:
            self.add(revision)


def forgotten(revisions: Sequence[Revision]) -> int:
    """How many there were that are not among these."""
    return revisions[-1].number - len(revisions) if revisions else 0


def known_from_s(revisions: Sequence[Revision]) -> float:
    """From when on it is known what the plan wanted."""
    if not forgotten(revisions):
        return 0.0
    firsts: dict[int, float] = {}
    for revision in revisions:
        firsts.setdefault(revision.load, revision.at_s)
    return max(firsts.values())
