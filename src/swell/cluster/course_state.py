"""The course of a run: when it begins and ends, and the numbered revisions of its plan. Pure."""

from __future__ import annotations

import enum

from swell.clock import NS_PER_S
from swell.load.mix import Mix
from swell.load.schedule import Schedule
from swell.load_plan import Closed
from swell.plan import MOST_USERS, Revision, RunPlan

BEGIN_DELAY_NS = 5_000_000
"""Orders take about a millisecond; whoever hears of the beginning after it only starts a little late."""


class Phase(enum.Enum):
    """How far the run has come."""

    GATHERING = "gathering"
    RUNNING = "running"
    ENDING = "ending"
    OVER = "over"


class Course:
    """What is known of a run's beginning, changes and end; instants are the controller's."""

    def __init__(self, plan: RunPlan) -> None:
        self.begin_ns: int | None = None
        self.ends_ns: int | None = None
        self.revisions: tuple[Revision, ...] = ()
        self._plan = plan
        self._most_users = Mix(plan.scenarios).most_users or MOST_USERS
        self._settled_ns: int | None = None

    def __repr__(self) -> str:
        return f"<Course from {self.begin_ns} to {self.ends_ns} ns, {len(self.revisions)} revisions>"

    @property
    def users(self) -> int:
        """How many users the latest revision asks for."""
        if self.revisions:
            return self.revisions[-1].users
        return self._plan.loads[0].most_users if self.begin_ns is not None else 0

    def begin(self, now_ns: int) -> int:
        """Fix the run's zero, and its end where the plan has one."""
        begin_ns = self.begin_ns = now_ns + BEGIN_DELAY_NS
        if self._plan.ends_s is not None:
            self.ends_ns = begin_ns + round(self._plan.ends_s * NS_PER_S)
        self._settled_ns = self._schedule().settled_ns
        return begin_ns

    def revise(self, more: int, now_ns: int) -> Revision | None:
        """Ask for more users, or fewer; None when there can be no more or no fewer."""
        users = min(max(self.users + more, 0), self._most_users)
        if self.begin_ns is None or users == self.users:
            return None
        at_s = (now_ns + BEGIN_DELAY_NS - self.begin_ns) / NS_PER_S
        return self._add(Revision(len(self.revisions) + 1, at_s, users, self._plan.spawn_rate_per_s))

    def end(self, now_ns: int) -> int:
        """The plan ends now, unless it has ended before."""
        self.ends_ns = now_ns if self.ends_ns is None else min(now_ns, self.ends_ns)
        return self.ends_ns

    def spawned(self, now_ns: int) -> bool:
        """Whether all users of the latest revision have had their start; true once for each revision."""
        if self.begin_ns is None or self._settled_ns is None or now_ns < self.begin_ns + self._settled_ns:
            return False
        self._settled_ns = None
        return True

    def _add(self, revision: Revision) -> Revision:
        self.revisions += (revision,)
        self._settled_ns = self._schedule().settled_ns
        return revision

    def _schedule(self) -> Schedule:
        load = self._plan.loads[0]
        assert isinstance(load.model, Closed)
        return Schedule(self.revisions, load.model.curve, load.start_s)

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        assert [revision.number for revision in self.revisions] == list(range(1, len(self.revisions) + 1))
        assert all(revision.users <= self._most_users for revision in self.revisions)
