"""The users of one load of so many iterations in one worker: who begins the next. Instants are those of the run.

The worker's part of all iterations follows from its share of the users alone, so that the parts of all workers add up;
its users take them one by one. A worker that takes a dead one's place is told how many of its part that one had done,
as far as it had said: what it had begun and not reported is done again. An iteration that a user breaks off for good
counts as taken.
"""

from __future__ import annotations

from collections import deque

from swell.clock import NS_PER_S
from swell.cluster.user_steps import Change, LeaveUser, StartUser
from swell.load.shares import NOTHING, Share
from swell.load_plan import Iterations
from swell.user import Admission

STARTS_AT_ONCE = 100
START_GAP_NS = NS_PER_S // 100
"""Between two lots of so many users: nobody is kept waiting by the start of thousands."""


def part_of(model: Iterations, share: Share) -> int:
    """How many iterations of all fall to the users of a share: of a total, user u has every so manyth from u on."""
    if model.total is None:
        return share.below(model.users) * (model.each or 0)
    whole, rest = divmod(model.total, model.users)
    return whole * share.below(model.users) + share.below(rest)


class Quota:
    """The users of a load of iterations."""

    prepared = True
    preparing = False

    def __init__(self, model: Iterations, begins_ns: int, ends_ns: int | None, grace_s: float) -> None:
        self.present: set[int] = set()
        self.leaving: set[int] = set()
        self._model = model
        self._begins_ns = begins_ns
        self._ends_ns = ends_ns
        self._grace_s = grace_s
        self._share: Share = NOTHING
        self._part = 0
        self._taken = 0
        """Of the part; what is above it counts as `given`."""
        self.given = 0
        """How many had been begun of all that the share has lost."""
        self._begun: dict[int, int] = {}
        """How many iterations each user has begun, those included that have gone."""
        self._released: set[int] = set()
        """Users who left because nothing was left for them."""
        self._strangers: set[int] = set()
        """Users who are here and not of the share."""
        self._unstarted: deque[int] = deque()
        self._next_start_ns = begins_ns
        self._is_over = False

    def __repr__(self) -> str:
        return f"<Quota: {self._taken} of {self._part} taken, {len(self.present)} users>"

    @property
    def wake_ns(self) -> int | None:
        """When `advance` has something to do next; None: never."""
        if self._is_over:
            return None
        starts_ns = self._next_start_ns if self._unstarted else None
        ends_ns = self._ends_ns if self.present or self._unstarted else None
        return min((due_ns for due_ns in (starts_ns, ends_ns) if due_ns is not None), default=None)

    @property
    def idle(self) -> bool:
        """Nobody will come here any more, and nobody is left."""
        return not self.present and self.wake_ns is None

    @property
    def settled(self) -> bool:
        """Nobody is here whom the share does not hold."""
        return not self._strangers

    def prepare(self, share: Share) -> list[Change]:
        """There is nobody to get ready."""
        return []

    def follow(self, share: Share, done: int, now_ns: int) -> list[Change]:
        """The share, or what of it others have `done` before, may have changed."""
        before, self._share = self._share, share
        room = self._part - self._taken
        self._give(before, share, done)
        self._part = part_of(self._model, share) - done
        if self._is_over:
            return []
        self._strangers = {number for number in self.present if not share.mine(number)}
        changes = self._leave(sorted(self._strangers))
        again = self._released if self._part - self._taken > room and self._model.each is None else set()
        self._unstarted = deque(number for number in self._unstarted if share.mine(number))
        number = share.next_mine(0)
        while number is not None and number < self._model.users:
            if not before.mine(number) or number in again:
                self._unstarted.append(number)
            number = share.next_mine(number + 1)
        return changes + self.advance(now_ns)

    def advance(self, now_ns: int) -> list[Change]:
        """Who is to start by `now_ns`, and the end of it all."""
        if self._ends_ns is not None and now_ns >= self._ends_ns:
            return [] if self._is_over else self.leave_all(now_ns)
        changes: list[Change] = []
        while self._unstarted and self._next_start_ns <= now_ns:
            for _ in range(min(STARTS_AT_ONCE, len(self._unstarted))):
                changes += self._start(self._unstarted.popleft(), now_ns)
            self._next_start_ns = now_ns + START_GAP_NS
        return changes

    def more(self) -> list[Change]:
        """There is nobody to get ready."""
        return []

    def ready(self, number: int) -> Admission:
        """A user asks for its next iteration."""
        begun = self._begun.get(number, 0)
        if number not in self.present or number in self.leaving:
            return Admission.LEAVE
        if self._taken >= self._part or begun == self._model.each:
            self._released.add(number)
            return Admission.LEAVE
        self._taken += 1
        self._begun[number] = begun + 1
        return Admission.GO

    def gone(self, number: int) -> list[Change]:
        """A user has gone, told to or not."""
        self.present.discard(number)
        self.leaving.discard(number)
        self._strangers.discard(number)
        return []

    def leave_all(self, now_ns: int) -> list[Change]:
        """Nobody begins an iteration after `now_ns`, and everybody leaves."""
        self._is_over = True
        self._unstarted.clear()
        return self._leave(sorted(self.present))

    def _give(self, before: Share, share: Share, done: int) -> None:
        """Some of the share has gone: what its users had begun of their own goes along, and what was taken beyond what
        is left."""
        if not before.without(share).residues:
            return
        kept = share.also_in(before)
        given = 0
        if self._model.each is not None:
            given = sum(self._begun.pop(number) for number in list(self._begun) if not kept.mine(number))
        given += max(self._taken - given - (part_of(self._model, kept) - done), 0)
        self._taken -= given
        self.given += given

    def _start(self, number: int, now_ns: int) -> list[Change]:
        if number in self.present:
            return []
        if self._taken >= self._part:
            self._released.add(number)
            return []
        self.present.add(number)
        self._released.discard(number)
        return [StartUser(number, now_ns)]

    def _leave(self, numbers: list[int]) -> list[Change]:
        fresh = [number for number in numbers if number not in self.leaving]
        self.leaving.update(fresh)
        return [LeaveUser(number, self._grace_s) for number in fresh]

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        assert self.leaving <= self.present
        assert not self.present & set(self._unstarted)
        assert self._strangers == {number for number in self.present if not self._share.mine(number)} <= self.leaving
        assert self._model.each is None or self._taken <= sum(self._begun.values())
        assert all(begun <= (self._model.each or begun) for begun in self._begun.values())
