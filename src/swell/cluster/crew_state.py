"""All users of one worker: the states of its loads, side by side, in the run's numbers and instants.

                      CrewState
    Roster (closed)   Arrivals (open)   Visits (partly open)   Quota (iterations)      one for each load of the plan

A user's number says which load it is of (`load_plan.user_number`); so does an arrival's. Each load is dealt by the
worker's share, moved on by one from load to load, so that the single users of many loads do not all come to one worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec

from swell.clock import NS_PER_S
from swell.cluster.arrivals_state import Arrivals
from swell.cluster.quota_state import Quota
from swell.cluster.roster_state import Roster
from swell.cluster.user_steps import Arrive, Change, Drop, LeaveUser, StartUser
from swell.cluster.visits_state import Visits
from swell.load.mix import Mix
from swell.load.schedule import Schedule
from swell.load.shares import NOTHING, Share
from swell.load.starts import starts_of
from swell.load_plan import Closed, Iterations, Load, Open, load_of, user_number
from swell.plan import Revision, RunPlan, Scenario
from swell.user import Admission


class Dealt(msgspec.Struct, frozen=True):
    """What a worker has been dealt: all that its users follow, apart from the plan."""

    share: Share = NOTHING
    share_from_ns: int = 0
    """In ns of the run: what the share has more than before is the worker's from here on."""
    revisions: tuple[Revision, ...] = ()
    done: tuple[int, ...] = ()
    """Iterations of each load that others with this share have done before."""


class Part(Protocol):
    """The users of one load."""

    present: set[int]
    """Started and not gone, those that are leaving included."""
    leaving: set[int]

    @property
    def wake_ns(self) -> int | None: ...
    @property
    def idle(self) -> bool: ...
    @property
    def settled(self) -> bool: ...
    @property
    def prepared(self) -> bool: ...
    @property
    def preparing(self) -> bool: ...
    def prepare(self, share: Share) -> list[Change]: ...
    def advance(self, now_ns: int) -> list[Change]: ...
    def more(self) -> list[Change]: ...
    def ready(self, number: int) -> Admission: ...
    def gone(self, number: int) -> list[Change]: ...
    def leave_all(self, now_ns: int) -> list[Change]: ...
    def check(self) -> None: ...


def mix_of(load: Load, scenarios: Iterable[Scenario]) -> Mix:
    """Which scenario of the load its user, or its arrival, n is of. Arrivals go by weight alone."""
    own = [scenario for scenario in scenarios if scenario.name in load.scenarios]
    if isinstance(load.model, Closed | Iterations):
        return Mix(own)
    none_weighs = not any(scenario.weight for scenario in own)
    weights = [1.0 if none_weighs else scenario.weight for scenario in own]
    return Mix([Scenario(scenario.name, weight) for scenario, weight in zip(own, weights, strict=True)])


class _Placed:
    """A load and its users."""

    __slots__ = ("load", "part", "scenario_of")

    def __init__(self, plan: RunPlan, number: int) -> None:
        load = self.load = plan.loads[number]
        self.scenario_of: Callable[[int], str] = mix_of(load, plan.scenarios).scenario_of
        self.part: Part = self._part(plan, number)

    def _part(self, plan: RunPlan, number: int) -> Part:
        load = self.load
        stop_s, ramp_down_s = (
            plan.stop_timeout_s if given_s is None else given_s
            for given_s in (load.graceful_stop_s, load.graceful_ramp_down_s)
        )
        ends_ns = None if load.ends_s is None else round(load.ends_s * NS_PER_S)
        match load.model:
            case Closed():
                return Roster(ends_ns, stop_s, ramp_down_s)
            case Iterations():
                return Quota(load.model, round(load.start_s * NS_PER_S), ends_ns, stop_s)
        starts = starts_of(load, number, plan.seed)
        assert starts is not None
        if isinstance(load.model, Open):
            return Arrivals(load.model, starts, self.scenario_of, ends_ns, stop_s)
        return Visits(load.model, starts, self.scenario_of, ends_ns, stop_s)

    def follow(self, number: int, dealt: Dealt, now_ns: int, followed_ns: int) -> list[Change]:
        part, share = self.part, dealt.share.shifted(number)
        if isinstance(part, Roster):
            assert isinstance(self.load.model, Closed)
            revisions = [revision for revision in dealt.revisions if revision.load == number]
            schedule = Schedule(revisions, self.load.model.curve, self.load.start_s)
            return part.follow(schedule, share, dealt.share_from_ns, now_ns)
        if isinstance(part, Quota):
            return part.follow(share, dealt.done[number] if dealt.done else 0, now_ns)
        assert isinstance(part, Arrivals | Visits)
        return part.follow(share, dealt.share_from_ns, now_ns, followed_ns)


class CrewState:
    """All users of a worker."""

    def __init__(self, plan: RunPlan | None = None) -> None:
        self._loads = [_Placed(plan, number) for number in range(len(plan.loads))] if plan else []
        self._parts = [placed.part for placed in self._loads]
        self._dealt = Dealt()
        self._ours_from_ns = 0
        """From here on, all that we have been given is ours."""
        self.followed_ns = 0
        """Up to here, what has been taken from us last was ours; in ns of the run."""

    def __repr__(self) -> str:
        return f"<CrewState {self._parts}>"

    def __len__(self) -> int:
        return sum(len(part.present) for part in self._parts)

    @property
    def present(self) -> set[int]:
        """The numbers of all users that have started and not gone."""
        loads = len(self._parts)
        return {user_number(load, number, loads) for load, part in enumerate(self._parts) for number in part.present}

    @property
    def leaving(self) -> set[int]:
        """The numbers of those that have been told to leave."""
        loads = len(self._parts)
        return {user_number(load, number, loads) for load, part in enumerate(self._parts) for number in part.leaving}

    @property
    def wake_ns(self) -> int | None:
        """The next instant at which `advance` has something to do; None: none."""
        due = [wake_ns for part in self._parts if (wake_ns := part.wake_ns) is not None]
        return min(due, default=None)

    @property
    def idle(self) -> bool:
        """All users that the plan will ever bring here have started and gone."""
        return all(part.idle for part in self._parts)

    @property
    def settled(self) -> bool:
        """Nobody is here whom the share does not hold."""
        return all(part.settled for part in self._parts)

    @property
    def given(self) -> tuple[int, ...]:
        """Of each load, how many iterations had been begun of all that the share has lost; () where none has any."""
        if not any(isinstance(part, Quota) for part in self._parts):
            return ()
        return tuple(part.given if isinstance(part, Quota) else 0 for part in self._parts)

    @property
    def prepared(self) -> bool:
        """All users that are to be ready before the run begins are."""
        return all(part.prepared for part in self._parts)

    @property
    def preparing(self) -> bool:
        """Whether somebody is to be started each time that another has become ready."""
        return any(part.preparing for part in self._parts)

    def prepare(self, share: Share) -> list[Change]:
        """Have those get ready who are to be before the run begins."""
        return self._placed(lambda number, part: part.prepare(share.shifted(number)))

    def follow(self, dealt: Dealt, now_ns: int) -> list[Change]:
        """Something of what the users follow has changed. What is taken away stays ours up to the next instant that
        nothing has been started for: after now, and after what we were given that is still to come."""
        before, self._dealt = self._dealt, dealt
        if before.share.without(dealt.share).residues:
            self.followed_ns = max(now_ns + 1, self._ours_from_ns)
        if dealt.share.without(before.share).residues:
            self._ours_from_ns = max(self._ours_from_ns, dealt.share_from_ns)
        return self._placed(lambda number, _: self._loads[number].follow(number, dealt, now_ns, self.followed_ns))

    def advance(self, now_ns: int) -> list[Change]:
        """What is to be done by `now_ns`."""
        return self._placed(lambda _, part: part.advance(now_ns))

    def more(self) -> list[Change]:
        """Start more of those that are to be ready."""
        return self._placed(lambda _, part: part.more())

    def ready(self, user: int) -> Admission:
        """A user asks for its next iteration."""
        load, number = load_of(user, len(self._parts))
        return self._parts[load].ready(number)

    def gone(self, user: int) -> list[Change]:
        """A user has gone, told to or not."""
        load, number = load_of(user, len(self._parts))
        return self._of_run(load, self._parts[load].gone(number))

    def leave_all(self, now_ns: int) -> list[Change]:
        """Nobody comes after `now_ns`, and everybody leaves."""
        return self._placed(lambda _, part: part.leave_all(now_ns))

    def _placed(self, ask: Callable[[int, Part], list[Change]]) -> list[Change]:
        return [change for number, part in enumerate(self._parts) for change in self._of_run(number, ask(number, part))]

    def _of_run(self, load: int, changes: Sequence[Change]) -> list[Change]:
        """A load's changes in the run's numbers."""
        return [self._change(load, change) for change in changes]

    def _change(self, load: int, change: Change) -> Change:
        loads = len(self._parts)
        match change:
            case Arrive(number, arrival, due_ns):
                return Arrive(user_number(load, number, loads), user_number(load, arrival, loads), due_ns)
            case StartUser(number, due_ns, scenario, arrival):
                scenario = scenario or self._loads[load].scenario_of(number)
                taken_up = None if arrival is None else user_number(load, arrival, loads)
                return StartUser(user_number(load, number, loads), due_ns, scenario, taken_up)
            case LeaveUser(number, grace_s):
                return LeaveUser(user_number(load, number, loads), grace_s)
            case Drop(arrival, scenario):
                return Drop(user_number(load, arrival, loads), scenario)

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        for part in self._parts:
            part.check()
