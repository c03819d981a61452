"""The course of a run: when it begins and ends, and the numbered revisions of its plan. Pure.

Each revision says what it found, so that the last few of each load are all that anybody has to be told: a shape that
changes its mind each second for a day makes no message longer than one that did so for a quarter of a minute.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterable
from operator import attrgetter

from swell.clock import NS_PER_S
from swell.cluster.controller_steps import Nudged, Reshaped, Revised
from swell.cluster.crew_state import mix_of
from swell.load.schedule import Schedule
from swell.load.shape import Wanted, changes
from swell.load_plan import Closed, Iterations, Open, Sessions
from swell.plan import MOST_USERS, Revision, RunPlan

BEGIN_DELAY_NS = 5_000_000
"""Orders take about a millisecond; whoever hears of the beginning after it only starts a little late."""

REVISIONS_TOLD = 16
"""So many of a load: whoever stood still for no longer knows when each user should have come."""


class Phase(enum.Enum):
    """How far the run has come."""

    GATHERING = "gathering"
    MEASURING = "measuring"
    """Workers find out what they can carry."""
    PREPARING = "preparing"
    """Users get ready that are to be before the first arrival."""
    RESUMING = "resuming"
    """Workers tell what they hold, after the controller has been gone."""
    RUNNING = "running"
    ENDING = "ending"
    OVER = "over"


class Course:
    """What is known of a run's beginning, changes and end; instants are the controller's."""

    def __init__(self, plan: RunPlan) -> None:
        self.begin_ns: int | None = None
        self.ends_ns: int | None = None
        self.revisions: tuple[Revision, ...] = ()
        """The last of each load."""
        self._plan = plan
        self._each = [deque[Revision](maxlen=REVISIONS_TOLD) for _ in plan.loads]
        self._revised = 0
        self._closed = [number for number, load in enumerate(plan.loads) if isinstance(load.model, Closed)]
        self._settled_ns: int | None = None

    def __repr__(self) -> str:
        return f"<Course from {self.begin_ns} to {self.ends_ns} ns, {self._revised} revisions>"

    @property
    def users(self) -> int:
        """How many users the plan with its latest revisions asks for; in a load of arrivals, those it begins with."""
        if self.begin_ns is None:
            return 0
        models = [load.model for load in self._plan.loads]
        others = sum(model.users for model in models if isinstance(model, Open | Iterations))
        return others + sum(map(self.users_of, self._closed))

    @property
    def ready_users(self) -> int:
        """How many users are to be ready before the run begins."""
        return sum(load.model.users for load in self._plan.loads if isinstance(load.model, Open))

    @property
    def prepares(self) -> bool:
        """Whether something is to be ready before the run begins: where arrivals are due, whoever is there or not."""
        return any(isinstance(load.model, Open | Sessions) for load in self._plan.loads)

    @property
    def is_endless(self) -> bool:
        """Whether users of the plan are to stay until the run is stopped."""
        return any(self._plan.loads[number].ends_s is None for number in self._closed)

    def users_of(self, load: int) -> int:
        """How many users a closed load is to have in the end, or at its highest where it was not revised."""
        revised = self._each[load]
        return revised[-1].users if revised else self._plan.loads[load].most_users

    def begin(self, begin_ns: int) -> int:
        """Fix the run's zero, and its end where the plan has one."""
        self.begin_ns = begin_ns
        if self._plan.ends_s is not None:
            self.ends_ns = begin_ns + round(self._plan.ends_s * NS_PER_S)
        if not self._plan.shape:
            self._settled_ns = max((self._schedule(load).risen_ns for load in self._closed), default=0)
        return begin_ns

    def resume(self, begin_ns: int, ends_ns: int | None, revisions: Iterable[Revision]) -> None:
        """Go on with a run that began under another controller."""
        self.begin(begin_ns)
        self.ends_ns = ends_ns
        for revision in sorted(revisions, key=attrgetter("number")):
            self._keep(revision)

    def wished(self, wish: Revised | Reshaped | Nudged, now_ns: int) -> list[Revision]:
        """The revisions that somebody's wish leads to; none where all is as wished anyway."""
        match wish:
            case Revised(load, users, rate_per_s):
                found = self.revise(load, users, rate_per_s, now_ns)
            case Nudged(more):
                found = self.nudge(more, now_ns)
            case Reshaped(wanted):
                return self.reshape(wanted, now_ns)
        return [found] if found else []

    def learn(self, revisions: Iterable[Revision]) -> list[Revision]:
        """Workers have heard of revisions that the record does not have; those that are news."""
        told = {revision.number: revision for revision in revisions if self._is_known_load(revision)}
        return [self._keep(told[number]) for number in sorted(told) if number > self._revised]

    def _is_known_load(self, revision: Revision) -> bool:
        return revision.load in self._closed and revision.from_users is not None

    def nudge(self, more: int, now_ns: int) -> Revision | None:
        """Ask for more users, or fewer, of the load that keys change; None when there can be no more or no fewer."""
        load = self._plan.adjustable
        if load is None:
            return None
        return self.revise(load, self.users_of(load) + more, self._plan.spawn_rate_per_s, now_ns)

    def revise(self, load: int, users: int, rate_per_s: float, now_ns: int) -> Revision | None:
        """Ask for so many users of a closed load; None when it is to have as many, as fast, anyway."""
        if self.begin_ns is None or load not in self._closed:
            return None
        users = min(max(users, 0), self._most_users(load))
        latest = self._each[load][-1] if self._each[load] else None
        is_as_fast = latest is None or latest.rate_per_s == rate_per_s
        if users == self.users_of(load) and is_as_fast and self._plan.loads[load].ends_s is None:
            return None
        return self._add(Revision(self._revised + 1, self._at_s(now_ns), users, rate_per_s, load))

    def reshape(self, wanted: Wanted, now_ns: int) -> list[Revision]:
        """Ask for so many users of all loads together: a revision for each that is to change, all at one moment."""
        if self.begin_ns is None:
            return []
        at_s, loads = self._at_s(now_ns), {self._plan.loads[load].scenarios[0]: load for load in self._closed}
        now = {name: self._schedule(load).users_at(round(at_s * NS_PER_S)) for name, load in loads.items()}
        found = []
        for change in changes(wanted, self._plan.scenarios, now):
            load = loads[change.scenario]
            if not change.users == now[change.scenario] == self.users_of(load):
                rate_per_s, delay_s = change.rate_per_s, change.delay_s
                revision = Revision(self._revised + 1, at_s, change.users, rate_per_s, load, delay_s)
                found.append(self._add(revision))
        return found

    def at_s(self, now_ns: int) -> float:
        """The instant on the run's clock; 0 before it has begun."""
        return 0.0 if self.begin_ns is None else max(now_ns - self.begin_ns, 0) / NS_PER_S

    def _at_s(self, now_ns: int) -> float:
        """The moment, in seconds of the run, at which all workers have heard of what is ordered now."""
        return (now_ns + BEGIN_DELAY_NS - (self.begin_ns or 0)) / NS_PER_S

    def _add(self, revision: Revision) -> Revision:
        return self._keep(self._schedule(revision.load).anchored(revision))

    def _keep(self, revision: Revision) -> Revision:
        self._revised = revision.number
        self._each[revision.load].append(revision)
        self.revisions = tuple(sorted((one for each in self._each for one in each), key=attrgetter("number")))
        self._settled_ns = max(self._schedule(load).settled_ns for load, each in enumerate(self._each) if each)
        return revision

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

    def _most_users(self, load: int) -> int:
        return mix_of(self._plan.loads[load], self._plan.scenarios).most_users or MOST_USERS

    def _schedule(self, number: int) -> Schedule:
        """What a closed load's users follow from the latest revision on."""
        load = self._plan.loads[number]
        assert isinstance(load.model, Closed)
        if self._each[number]:
            return Schedule([self._each[number][-1]])
        return Schedule((), load.model.curve, load.start_s)

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        numbers = [revision.number for revision in self.revisions]
        assert numbers == sorted(set(numbers))
        assert not numbers or numbers[-1] == self._revised
        assert all(revision.from_users is not None for revision in self.revisions)
        assert all(revision.users <= self._most_users(revision.load) for revision in self.revisions)
