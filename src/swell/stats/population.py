"""Users over time, put together from what each worker says of its own at the end of each second.

A second shows who was there at its end, so that users who moved from one worker to another are never counted twice.
Where some came and some left within it, as short sessions do, it shows the most of them that were there at a time; and
so does the last second of a worker, in which all leave. Only changes are kept.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import accumulate

import msgspec

from swell.plan import MOST_USERS
from swell.result import ScenarioTotals
from swell.segment import ScenarioCount
from swell.stats.journal import MergeJournal, Worker
from swell.stats.per_second import Chunk, PerSecond


class Population:
    """The users of each scenario, of all workers. The reports of one worker come in order."""

    def __init__(self, scenarios: Iterable[str] = ()) -> None:
        self._changes = {name: PerSecond() for name in scenarios}
        self._latest: dict[str, dict[Worker, ScenarioCount]] = {name: {} for name in scenarios}
        self._last_second: dict[Worker, int] = {}
        self._lost: dict[Worker, int] = {}

    def __repr__(self) -> str:
        return f"<Population { ({totals.name: totals.users_now for totals in self.totals(0)}) }>"

    def report(self, worker: Worker, sealed_s: float, counts: Iterable[ScenarioCount], *, final: bool) -> None:
        """Take a worker's counts at `sealed_s`. A final report is made when all have left: the most that were there
        since the one before are shown."""
        second, last_second = max(round(sealed_s) - 1, 0), self._last_second.get(worker, -1)
        self._last_second[worker] = max(second, last_second)
        if worker in self._lost and second >= self._lost[worker]:
            self._left(worker, max(self._lost[worker], last_second + 1), counts)
            return
        for count in counts:
            before = self._latest.setdefault(count.name, {}).get(worker, ScenarioCount(count.name, 0))
            there = _before_all_left(before, count) if final else _most(before, count)
            changes = self._changes.setdefault(count.name, PerSecond())
            _change(changes, second, there - before.users)
            _change(changes, second + 1, count.users - there)
            self._latest[count.name][worker] = count

    def lost(self, worker: Worker, at_s: float) -> None:
        """A worker was lost at `at_s`, and its users with it, though not before the last report that it made. If it
        should come back, it had none from here on: its lease was over."""
        self._lost[worker] = int(at_s)

    def _left(self, worker: Worker, second: int, counts: Iterable[ScenarioCount]) -> None:
        """What a worker says of a time at which it was lost: its users are gone since then, what they did counts."""
        for count in counts:
            latest = self._latest.setdefault(count.name, {})
            before = latest.get(worker, ScenarioCount(count.name, 0))
            _change(self._changes.setdefault(count.name, PerSecond()), second, -before.users)
            latest[worker] = msgspec.structs.replace(count, users=0)

    @property
    def names(self) -> tuple[str, ...]:
        """The scenarios, in the order in which they are listed."""
        return tuple(self._changes)

    def counts_of(self, worker: Worker) -> tuple[ScenarioCount, ...]:
        """What a worker has reported last of each scenario."""
        return tuple(latest[worker] for latest in self._latest.values() if worker in latest)

    def last_second_of(self, worker: Worker) -> int | None:
        """The latest second that a worker's users were counted in."""
        return self._last_second.get(worker)

    def changes(self) -> tuple[dict[int, Chunk], ...]:
        """By how much the users of each scenario change in each second, in the order of `names`."""
        return tuple(changes.chunks() for changes in self._changes.values())

    @classmethod
    def restore(cls, journal: MergeJournal) -> Population:
        """The population as it was when the journal was taken."""
        restored = cls(journal.state.scenarios)
        restored._changes = {
            name: PerSecond(chunks) for name, chunks in zip(journal.state.scenarios, journal.users, strict=True)
        }
        for worker, kept in journal.workers.items():
            for count in kept.state.scenarios:
                restored._latest[count.name][worker] = count
            if kept.state.last_second is not None:
                restored._last_second[worker] = kept.state.last_second
            if kept.state.lost_at_s is not None:
                restored.lost(worker, kept.state.lost_at_s)
        return restored

    def totals(self, until_s: int) -> tuple[ScenarioTotals, ...]:
        """Every scenario, with its users in the seconds before `until_s`."""
        return tuple(self._total(name, until_s) for name in self._changes)

    def _total(self, name: str, until_s: int) -> ScenarioTotals:
        changes = self._changes_of(name)
        latest = self._latest.get(name, {})
        counts = accumulate(changes.until(until_s))
        users = array("I", (min(max(count, 0), MOST_USERS) for count in counts))
        return ScenarioTotals(
            name,
            users=users.tobytes(),
            users_now=sum(count.users for worker, count in latest.items() if worker not in self._lost),
            users_peak=max(users, default=0),
            started=sum(count.started for count in latest.values()),
            iterations=sum(count.iterations for count in latest.values()),
            dropped=sum(count.dropped for count in latest.values()),
            missed=sum(count.missed for count in latest.values()),
            arrived=sum(count.arrived for count in latest.values()),
        )

    def _changes_of(self, name: str) -> PerSecond:
        """All changes, with the departures of lost workers."""
        changes = PerSecond(self._changes[name].chunks())
        for worker, lost_second in self._lost.items():
            count = self._latest.get(name, {}).get(worker)
            if count is not None:
                _change(changes, max(lost_second, self._last_second[worker] + 1), -count.users)
        return changes

    def check(self) -> None:
        """Raise AssertionError if there are fewer than no users at any time."""
        for name in self._changes:
            assert all(users >= 0 for users in accumulate(change for _, change in self._changes_of(name).items()))


def _before_all_left(before: ScenarioCount, final: ScenarioCount) -> int:
    return final.most_users or before.users + final.started - before.started


def _most(before: ScenarioCount, count: ScenarioCount) -> int:
    """Who moves to or from a worker only comes there, or only leaves."""
    started = count.started - before.started
    left = before.users + started - count.users
    return max(count.users, count.most_users) if started > 0 and left > 0 else count.users


def _change(changes: PerSecond, second: int, users: int) -> None:
    if users:
        changes.add(second, users)
