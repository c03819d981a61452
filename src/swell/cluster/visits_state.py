"""The users of one partly open load in one worker: each arrival is a user, who stays a while. Instants are the run's.

User n is arrival n. It leaves after so many iterations, or so long after it was started, however late that was; an
arrival beyond the users that there may be is dropped, and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from swell.clock import NS_PER_S
from swell.cluster.arrival_stream import ArrivalStream
from swell.cluster.user_steps import Change, Drop, LeaveUser, StartUser
from swell.load.shares import Share
from swell.load.starts import Starts
from swell.load_plan import Sessions
from swell.user import Admission


class Visits:
    """The users of a partly open load."""

    prepared = True
    """Nobody is to be ready before they arrive."""
    preparing = False

    def __init__(
        self, model: Sessions, starts: Starts, scenario_of: Callable[[int], str], ends_ns: int | None, grace_s: float
    ) -> None:
        self.present: set[int] = set()
        self.leaving: set[int] = set()
        self._model = model
        self._stream = ArrivalStream(starts)
        self._scenario_of = scenario_of
        self._lives_ns = None if model.lives_s is None else round(model.lives_s * NS_PER_S)
        self._ends_ns = ends_ns
        self._grace_s = grace_s
        self._begun: dict[int, int] = {}
        """How many iterations each user has begun."""
        self._departures: list[tuple[int, int]] = []
        """A heap of (instant, user)."""
        self._most = 0
        self._strangers: set[int] = set()
        """Users who are here and not of the share."""
        self._is_over = False

    def __repr__(self) -> str:
        return f"<Visits: {self._stream}, {len(self.present)} of {self._most} users>"

    @property
    def wake_ns(self) -> int | None:
        """When `advance` has something to do next; None: never."""
        if self._is_over:
            return None
        due = (self._stream.due_ns, self._ends_ns, self._departures[0][0] if self._departures else None)
        return min((due_ns for due_ns in due if due_ns is not None), default=None)

    @property
    def idle(self) -> bool:
        """Nobody will come any more, and nobody is left."""
        return not self.present and (self._is_over or self.wake_ns is None)

    @property
    def settled(self) -> bool:
        """Nobody is here whom the share does not hold."""
        return not self._strangers

    def prepare(self, share: Share) -> list[Change]:
        """There is nobody to get ready."""
        return []

    def follow(self, share: Share, share_from_ns: int, now_ns: int, followed_ns: int = 0) -> list[Change]:
        """The share may have changed. What arrives from `share_from_ns` on is ours where we have been given it; where
        it was taken from us, what is due before `followed_ns`: a little early, if that is still to come."""
        changes = self.advance(now_ns)
        most, share = share.below(self._model.max_users), share.folded(self._model.max_users)
        if share == self._stream.share or self._is_over:
            return changes
        changes += [self._arrive(number, now_ns, now_ns) for number, _ in self._stream.take(followed_ns - 1)]
        self._most = most
        self._strangers = {number for number in self.present if not share.mine(number)}
        changes += self._leave(sorted(self._strangers))
        self._stream.deal(share, share_from_ns, now_ns)
        return changes + self.advance(now_ns)

    def advance(self, now_ns: int) -> list[Change]:
        """Who has come and who is to go by `now_ns`, and the end of it all."""
        changes = self._see_off(now_ns)
        changes += [self._arrive(number, due_ns, now_ns) for number, due_ns in self._stream.take(now_ns)]
        if self._ends_ns is not None and now_ns >= self._ends_ns and not self._is_over:
            changes += self.leave_all(now_ns)
        return changes

    def more(self) -> list[Change]:
        """There is nobody to get ready."""
        return []

    def ready(self, number: int) -> Admission:
        """A user asks for its next iteration."""
        begun = self._begun.get(number)
        if begun is None or number in self.leaving or begun == self._model.iterations:
            return Admission.LEAVE
        self._begun[number] = begun + 1
        return Admission.GO

    def gone(self, number: int) -> list[Change]:
        """A user has gone, told to or not."""
        self.present.discard(number)
        self.leaving.discard(number)
        self._strangers.discard(number)
        self._begun.pop(number, None)
        while self._departures and self._departures[0][1] not in self.present:
            heappop(self._departures)
        return []

    def leave_all(self, now_ns: int) -> list[Change]:
        """Nobody comes after `now_ns`, and everybody leaves."""
        last = [self._arrive(number, due_ns, now_ns) for number, due_ns in self._stream.take(now_ns)]
        self._is_over = True
        self._stream.stop()
        self._departures.clear()
        return last + self._leave(sorted(self.present))

    def _arrive(self, number: int, due_ns: int, now_ns: int) -> Change:
        scenario = self._scenario_of(number)
        if len(self.present) >= self._most:
            return Drop(number, scenario)
        self.present.add(number)
        self._begun[number] = 0
        if self._lives_ns is not None:
            heappush(self._departures, (now_ns + self._lives_ns, number))
        return StartUser(number, due_ns, scenario, number)

    def _see_off(self, now_ns: int) -> list[Change]:
        """Have those leave whose time is over."""
        numbers = []
        while self._departures and self._departures[0][0] <= now_ns:
            numbers.append(heappop(self._departures)[1])
        return self._leave([number for number in numbers if number in self.present])

    def _leave(self, numbers: list[int]) -> list[Change]:
        fresh = [number for number in numbers if number not in self.leaving]
        self.leaving.update(fresh)
        return [LeaveUser(number, self._grace_s) for number in fresh]

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        assert self.leaving <= self.present
        assert self._strangers <= self.leaving
        assert set(self._begun) == self.present
        assert all(begun <= (self._model.iterations or begun) for begun in self._begun.values())
