"""The users of one open load in one worker, and who of them takes up which arrival. Instants are those of the run.

    started ──on_start done──► IDLE ──an arrival──► BUSY ──its iteration done──► IDLE ...        gone: wherever it likes

Arrival n, of the class that the mix gives to n, goes to whoever of that class has been idle longest; else to one that
is started for it; else, where all that there may be are there, it is dropped. None waits. Users that are to be ready
before the first arrival are started a number at a time, as those before them become idle.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

from swell.cluster.arrival_stream import ArrivalStream
from swell.cluster.user_steps import Arrive, Change, Drop, LeaveUser, StartUser
from swell.load.shares import NOTHING, Share
from swell.load.starts import Starts
from swell.load_plan import Open
from swell.user import Admission

UNREADY_AT_ONCE = 100
"""So many users of a worker get ready at a time: a target is not met with all of them at once."""


class Arrivals:
    """The users of an open load."""

    def __init__(
        self, model: Open, starts: Starts, scenario_of: Callable[[int], str], ends_ns: int | None, grace_s: float
    ) -> None:
        self.present: set[int] = set()
        self.leaving: set[int] = set()
        self._model = model
        self._stream = ArrivalStream(starts)
        self._scenario_of = scenario_of
        self._ends_ns = ends_ns
        self._grace_s = grace_s
        self._scenarios: dict[int, str] = {}
        self._idle: dict[str, OrderedDict[int, None]] = {}
        self._idle_users = 0
        self._unstarted: deque[int] = deque()
        """Users that are to be ready, and have not been started yet."""
        self._share: Share = NOTHING
        self._most = 0
        self._fresh = model.users
        """Users below this number have been started, or are to be ready."""
        self._strangers: set[int] = set()
        """Users who are here and not of the share."""
        self._is_over = False

    def __repr__(self) -> str:
        return f"<Arrivals: {self._stream}, {len(self.present)} of {self._most} users, {self._idle_users} of them idle>"

    @property
    def wake_ns(self) -> int | None:
        """When `advance` has something to do next; None: never."""
        due_ns, ends_ns = self._stream.due_ns, self._ends_ns
        if self._is_over or ends_ns is None:
            return due_ns
        return ends_ns if due_ns is None else min(due_ns, ends_ns)

    @property
    def idle(self) -> bool:
        """Nothing will arrive here any more, and nobody is left."""
        return not self.present and (self._is_over or self.wake_ns is None)

    @property
    def settled(self) -> bool:
        """Nobody is here whom the share does not hold."""
        return not self._strangers

    @property
    def prepared(self) -> bool:
        """All that are to be ready are, or have gone."""
        return not self._unstarted and self._idle_users == len(self.present)

    @property
    def preparing(self) -> bool:
        """Whether somebody is started each time that another has become ready."""
        return bool(self._unstarted)

    def prepare(self, share: Share) -> list[Change]:
        """Have the users of the share get ready, before the run begins."""
        if share == self._share:
            return []
        changes = self._have(share)
        self._stream.begin(self._share_of_arrivals)
        return changes + self.more()

    def follow(self, share: Share, share_from_ns: int, now_ns: int, followed_ns: int = 0) -> list[Change]:
        """The share may have changed. What arrives from `share_from_ns` on is ours where we have been given it; where
        it was taken from us, what is due before `followed_ns`: a little early, if that is still to come."""
        changes = self.advance(now_ns)
        if share == self._share or self._is_over:
            return changes
        changes += [self._arrive(number, now_ns) for number, _ in self._stream.take(followed_ns - 1)]
        changes += self._have(share)
        self._stream.deal(self._share_of_arrivals, share_from_ns, now_ns)
        return changes + self.advance(now_ns) + self.more()

    def advance(self, now_ns: int) -> list[Change]:
        """What has arrived by `now_ns`, and the end of it all."""
        changes = [self._arrive(number, due_ns) for number, due_ns in self._stream.take(now_ns)]
        if self._ends_ns is not None and now_ns >= self._ends_ns and not self._is_over:
            changes += self.leave_all(now_ns)
        return changes

    def more(self) -> list[Change]:
        """Start some of those that are to be ready."""
        changes: list[Change] = []
        while self._unstarted and len(self.present) - self._idle_users < UNREADY_AT_ONCE:
            if len(self.present) >= self._most:
                self._unstarted.clear()
                break
            number = self._unstarted.popleft()
            changes.append(self._start(number, 0, self._scenario_of(number), None))
        return changes

    def ready(self, number: int) -> Admission:
        """A user has nothing to do."""
        scenario = self._scenarios.get(number)
        if scenario is None or number in self.leaving:
            return Admission.LEAVE
        self._idle[scenario][number] = None
        self._idle_users += 1
        return Admission.WAIT

    def gone(self, number: int) -> list[Change]:
        """A user has gone, told to or not."""
        if number in self.present:
            self._no_longer_idle(number)
            self.present.discard(number)
            self.leaving.discard(number)
            self._strangers.discard(number)
            del self._scenarios[number]
        return self.more()

    def leave_all(self, now_ns: int) -> list[Change]:
        """Nobody arrives after `now_ns`, and everybody leaves."""
        last = [self._arrive(number, due_ns) for number, due_ns in self._stream.take(now_ns)]
        self._is_over = True
        self._stream.stop()
        self._unstarted.clear()
        return last + self._leave(sorted(self.present - self.leaving))

    def _have(self, share: Share) -> list[Change]:
        """Those users that the share says are to be ready here; those leave that are no longer ours."""
        before, self._share = self._share, share
        self._most = share.below(self._model.max_users)
        self._unstarted = deque(number for number in self._unstarted if share.mine(number))
        number = share.next_mine(0)
        while number is not None and number < self._model.users:
            if not before.mine(number):
                self._unstarted.append(number)
            number = share.next_mine(number + 1)
        self._strangers = {number for number in self.present if not share.mine(number)}
        staying = sorted(self.present - self.leaving)
        kept = [number for number in staying if share.mine(number)][: self._most]
        return self._leave(sorted(set(staying) - set(kept)))

    @property
    def _share_of_arrivals(self) -> Share:
        return self._share.folded(self._model.max_users)

    def _arrive(self, arrival: int, due_ns: int) -> Change:
        scenario = self._scenario_of(arrival)
        idle = self._idle.get(scenario)
        if idle:
            number, _ = idle.popitem(last=False)
            self._idle_users -= 1
            return Arrive(number, arrival, due_ns)
        if len(self.present) >= self._most:
            return Drop(arrival, scenario)
        return self._start(self._new_number(), due_ns, scenario, arrival)

    def _new_number(self) -> int:
        """Of one that was to be ready and has not been started, or of nobody so far."""
        if self._unstarted:
            return self._unstarted.popleft()
        number = self._share.next_mine(self._fresh)
        assert number is not None
        self._fresh = number + 1
        return number

    def _start(self, number: int, due_ns: int, scenario: str, arrival: int | None) -> StartUser:
        self.present.add(number)
        self._scenarios[number] = scenario
        self._idle.setdefault(scenario, OrderedDict())
        return StartUser(number, due_ns, scenario, arrival)

    def _leave(self, numbers: list[int]) -> list[Change]:
        self.leaving.update(numbers)
        for number in numbers:
            self._no_longer_idle(number)
        return [LeaveUser(number, self._grace_s) for number in numbers]

    def _no_longer_idle(self, number: int) -> None:
        idle = self._idle[self._scenarios[number]]
        if number in idle:
            del idle[number]
            self._idle_users -= 1

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        idle = [number for numbers in self._idle.values() for number in numbers]
        staying = self.present - self.leaving
        assert self.leaving <= self.present
        assert set(idle) <= staying
        assert len(idle) == self._idle_users
        assert len(staying) <= self._most
        assert not self.present & set(self._unstarted)
        assert set(self._scenarios) == self.present
        assert self._strangers == {number for number in self.present if not self._share.mine(number)}
        assert self._strangers <= self.leaving
