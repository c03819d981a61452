"""How long a user waits between two tasks: what the attribute `wait_time` of a user or task set may be set to."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, overload

from swell.clock import NS_PER_S

if TYPE_CHECKING:
    from swell.script.task_list import TaskList


class WaitTime:
    """A wait that follows a rule. On a user it reads as a method: `self.wait_time()` gives seconds."""

    def __call__(self, owner: TaskList) -> float:
        """Seconds that `owner` is to wait now."""
        raise NotImplementedError

    @overload
    def __get__(self, owner: None, cls: type) -> WaitTime: ...
    @overload
    def __get__(self, owner: TaskList, cls: type) -> partial[float]: ...
    def __get__(self, owner: TaskList | None, cls: type) -> WaitTime | partial[float]:
        return self if owner is None else partial(self, owner)

    def fault(self) -> str:
        """What is wrong with the numbers that it was given; '' if nothing is."""
        return ""


class Between(WaitTime):
    """Evenly distributed between two bounds."""

    def __init__(self, least_s: float, most_s: float) -> None:
        self.least_s = least_s
        self.most_s = most_s

    def __repr__(self) -> str:
        return f"between({self.least_s!r}, {self.most_s!r})"

    def __call__(self, owner: TaskList) -> float:
        return self.least_s + (self.most_s - self.least_s) * owner._life.draws.next()

    def fault(self) -> str:
        if not (is_amount(self.least_s) and is_amount(self.most_s)):
            return f"{self!r} has a bound that is not a time of 0 s or more"
        return f"{self!r} has its bounds the wrong way round" if self.least_s > self.most_s else ""


class Constant(WaitTime):
    """The same each time."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s

    def __repr__(self) -> str:
        return f"constant({self.wait_s!r})"

    def __call__(self, owner: TaskList) -> float:
        return self.wait_s

    def fault(self) -> str:
        return "" if is_amount(self.wait_s) else f"{self!r} is not a time of 0 s or more"


class Pacing(WaitTime):
    """A fixed time from the start of one task to the start of the next, however long the task takes."""

    def __init__(self, period_s: float, written: str) -> None:
        self.period_s = period_s
        self._written = written

    def __repr__(self) -> str:
        return self._written

    def __call__(self, owner: TaskList) -> float:
        now_ns = owner._life.clock.now_ns()
        return max(0, owner._life.pace_of(owner, self).next_ns(now_ns) - now_ns) / NS_PER_S

    def fault(self) -> str:
        return "" if is_amount(self.period_s) else f"{self!r} gives no period of 0 s or more"


def is_amount(value: object) -> bool:
    """Whether it is a finite number, 0 or more."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def between(min_wait: float, max_wait: float) -> WaitTime:
    """Wait between `min_wait` and `max_wait` seconds, every time in between equally likely."""
    return Between(min_wait, max_wait)


def constant(wait_time: float) -> WaitTime:
    """Wait `wait_time` seconds."""
    return Constant(wait_time)


def constant_pacing(wait_time: float) -> WaitTime:
    """Start a task every `wait_time` seconds, however long each takes; after a longer one the next starts at once.

    Starts that are due while a task still runs are made up for, as far as they are not over 10 s late; each is timed
    from the moment it was due.
    """
    return Pacing(wait_time, f"constant_pacing({wait_time!r})")


def constant_throughput(task_runs_per_second: float) -> WaitTime:
    """Start `task_runs_per_second` tasks a second per user: `constant_pacing` of the inverse."""
    written = f"constant_throughput({task_runs_per_second!r})"
    given = task_runs_per_second
    period_s = 1 / given if is_amount(given) and given > 0 else math.nan
    return Pacing(period_s, written)


def rule_of(owner: TaskList) -> Any:
    """The `wait_time` of a user or task set as it was written: a WaitTime, a function, or None."""
    return vars(owner).get("wait_time", type(owner).wait_time)


def is_nothing(rule: object) -> bool:
    """Whether a rule is always 0 s: no wait, so no start is planned, and none can be late."""
    return (isinstance(rule, Constant) and rule.wait_s == 0) or (isinstance(rule, Between) and rule.most_s == 0)


def wait_ns(owner: TaskList) -> int:
    """How long `owner` is to wait now. Raises what its `wait_time` raises, and ValueError if that gives no duration."""
    rule = owner.wait_time
    seconds = rule(owner) if isinstance(rule, WaitTime) else rule()
    if not is_amount(seconds):
        raise ValueError(f"wait_time gave {seconds!r}, which is not a time of 0 s or more")
    return seconds_ns(seconds)


def seconds_ns(seconds: float) -> int:
    """Seconds as whole nanoseconds."""
    return round(seconds * NS_PER_S)
