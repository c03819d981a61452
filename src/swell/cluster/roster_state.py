"""Which users of a closed load a worker has, and which it is to start or take away next. Instants are those of the run.

Those of the share below `Schedule.users_at` are to be there; `_level` is how far up the numbering the roster has gone.
A share that comes late (another worker died, or this one is the replacement) leaves it in arrears: those users are
started one by one, spread over `ARREARS_S` at most. A user that is leaving is started again only once it has gone.
"""

from __future__ import annotations

from collections import deque

from swell.clock import NS_PER_S
from swell.cluster.user_steps import Change, LeaveUser, StartUser
from swell.load.schedule import Schedule
from swell.load.shares import NOTHING, Share
from swell.user import Admission

ARREARS_NS = 2 * NS_PER_S


class Roster:
    """The users of a closed load. `ends_ns`: when the load is over, with another time to leave than before."""

    prepared = True
    preparing = False

    def __init__(self, ends_ns: int | None = None, stop_grace_s: float = 0.0, ramp_down_grace_s: float = 0.0) -> None:
        self._ends_ns = ends_ns
        self._stop_grace_s = stop_grace_s
        self._ramp_down_grace_s = ramp_down_grace_s
        self.present: set[int] = set()
        """Started and not gone, those that are leaving included."""
        self.leaving: set[int] = set()
        self._again: set[int] = set()
        self._strangers: set[int] = set()
        """Users who are here and not of the share."""
        self._arrears: deque[int] = deque()
        self._arrears_gap_ns = 0
        self._next_arrear_ns = 0
        self._schedule = Schedule(())
        self._share: Share = NOTHING
        self._level = 0
        self._now_ns = -1
        self._change_ns: int | None = None
        """When a user of ours starts or leaves next, if that is known; other loads wake this one much more often."""
        self._knows_change = False

    def __repr__(self) -> str:
        return (
            f"<Roster at {self._level}: {len(self.present)} users, {len(self.leaving)} of them leaving, "
            f"{len(self._arrears)} in arrears>"
        )

    @property
    def wake_ns(self) -> int | None:
        """The next instant at which `advance` has something to do; None: none."""
        if not self._knows_change:
            self._change_ns = self._schedule.next_change_ns(self._now_ns, self._share)
            self._knows_change = True
        due = [] if self._change_ns is None else [self._change_ns]
        if self._arrears:
            due.append(self._next_arrear_ns)
        if self._ends_ns is not None and self._now_ns < self._ends_ns and self._schedule.is_over:
            due.append(self._ends_ns)
        return min(due, default=None)

    @property
    def idle(self) -> bool:
        """All users that the schedule will ever bring here have started, and have gone: of their own accord, or when it
        was over. A level of 0 before that is a pause."""
        settled = self._schedule.goal > 0 or self._schedule.is_over
        return settled and not self.present and self.wake_ns is None

    @property
    def settled(self) -> bool:
        """Nobody is here whom the share does not hold."""
        return not self._strangers

    def prepare(self, share: Share) -> list[Change]:
        """There is nobody to get ready."""
        return []

    def more(self) -> list[Change]:
        """There is nobody to get ready."""
        return []

    def ready(self, number: int) -> Admission:
        """Nobody asks."""
        return Admission.GO

    def leave_all(self, now_ns: int) -> list[Change]:
        """Everybody leaves, for good."""
        self._arrears.clear()
        return self._take_away(sorted(self.present), self._stop_grace_s)

    def follow(self, schedule: Schedule, share: Share, share_from_ns: int, now_ns: int) -> list[Change]:
        """The schedule or the share has changed. What should be there already at `share_from_ns` goes into arrears."""
        self._level = self._schedule.users_at(self._now_ns)
        self._schedule = schedule
        self._knows_change = False
        if self._level == 0 and not self._share.residues:
            self._level = schedule.users_at(share_from_ns - 1)
        changes = self._hand_over(share) if share != self._share else []
        before, self._share = self._share, share
        if share != before:
            self._fall_into_arrears(before, max(share_from_ns, now_ns))
        return changes + self.advance(now_ns)

    def _hand_over(self, share: Share) -> list[Change]:
        self._arrears = deque(number for number in self._arrears if share.mine(number))
        self._strangers = {number for number in self.present if not share.mine(number)}
        return self._take_away(sorted(self._strangers), self._stop_grace_s)

    def _fall_into_arrears(self, before: Share, from_ns: int) -> None:
        number = self._share.next_mine(0)
        while number is not None and number < self._level:
            if not before.mine(number):
                self._arrears.append(number)
            number = self._share.next_mine(number + 1)
        if self._arrears:
            own_gap_ns = int(self._schedule.step_ns * self._share.modulus / len(self._share.residues))
            spread_ns = ARREARS_NS // len(self._arrears)
            self._arrears_gap_ns = min(own_gap_ns or spread_ns, spread_ns)
            self._next_arrear_ns = from_ns

    def advance(self, now_ns: int) -> list[Change]:
        """What is to be done by `now_ns`."""
        self._now_ns = max(self._now_ns, now_ns)
        if self._knows_change and not self._arrears and (self._change_ns is None or self._now_ns < self._change_ns):
            return []
        self._knows_change = False
        wanted = self._schedule.users_at(self._now_ns)
        changes: list[Change] = []
        if wanted < self._level:
            is_over = self._ends_ns is not None and self._now_ns >= self._ends_ns
            grace_s = self._stop_grace_s if is_over else self._ramp_down_grace_s
            surplus = [number for number in sorted(self.present, reverse=True) if number >= wanted]
            changes += self._take_away(surplus, grace_s)
            self._arrears = deque(number for number in self._arrears if number < wanted)
        number = self._share.next_mine(self._level)
        while number is not None and number < wanted:
            changes += self._start(number)
            number = self._share.next_mine(number + 1)
        self._level = wanted
        return changes + self._work_off_arrears()

    def gone(self, number: int) -> list[Change]:
        """A user has gone, told to or not."""
        self.present.discard(number)
        self.leaving.discard(number)
        self._strangers.discard(number)
        if number not in self._again:
            return []
        self._again.discard(number)
        return self._start(number)

    def _work_off_arrears(self) -> list[Change]:
        changes: list[Change] = []
        while self._arrears and self._next_arrear_ns <= self._now_ns:
            changes += self._start(self._arrears.popleft())
            self._next_arrear_ns += self._arrears_gap_ns
        return changes

    def _start(self, number: int) -> list[Change]:
        if number in self.leaving:
            self._again.add(number)
        if number in self.present:
            return []
        self.present.add(number)
        due_ns = self._schedule.due_ns(number, by_ns=self._now_ns)
        return [StartUser(number, self._now_ns if due_ns is None else due_ns)]

    def _take_away(self, numbers: list[int], grace_s: float) -> list[Change]:
        fresh = [number for number in numbers if number not in self.leaving]
        self.leaving.update(numbers)
        self._again.difference_update(numbers)
        return [LeaveUser(number, grace_s) for number in fresh]

    def check(self) -> None:
        """Raise AssertionError if the roster contradicts itself."""
        assert self.leaving <= self.present
        assert self._again <= self.leaving
        assert self._strangers == {number for number in self.present if not self._share.mine(number)} <= self.leaving
        assert not self.present & set(self._arrears)
        staying = (self.present - self.leaving) | self._again
        assert all(number < self._level and self._share.mine(number) for number in staying)
        assert all(number < self._level and self._share.mine(number) for number in self._arrears)
