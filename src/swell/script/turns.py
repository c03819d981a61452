"""One turn of a task list: what is called, what it is called in reports, and how the next one is picked.

The table of a class is made once and shared by all its users, so that picking allocates nothing: with one task it is a
constant, in a sequence a step of `itertools.cycle`, otherwise a search in cumulative weights.
"""

from __future__ import annotations

import itertools
from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from types import MethodType
from typing import Any

Task = Callable[..., Any]
Turn = tuple[Callable[[Any], object], str, int]
"""What to call with the owner of the list, its name, and 1 if an iteration ends with it (in an outermost list)."""


class TurnTable:
    """The turns of a task list, with what is needed to pick one. `source` is the `tasks` that it was made from."""

    def __init__(self, cls: type, tasks: object, *, in_order: bool) -> None:
        picked = [(task, weight) for task, weight in weighted_tasks(tasks) if weight]
        if not picked:
            raise LookupError(f"{cls.__name__} has no tasks")
        self.source = tasks
        self.in_order = in_order
        self.tasks = tuple(task for task, _ in picked)
        last = len(picked) - 1
        ends = [int(index == last) if in_order else 1 for index in range(len(picked))]
        self.turns = tuple(turn_of(task, cls, end) for task, end in zip(self.tasks, ends, strict=True))
        self._cumulative = tuple(itertools.accumulate(float(weight) for _, weight in picked))

    def __repr__(self) -> str:
        return f"<TurnTable of {', '.join(name for _, name, _ in self.turns)}>"

    def index_of(self, draw: float) -> int:
        """Which task a number in [0, 1) stands for: each has a share of them in proportion to its weight."""
        cumulative = self._cumulative
        return bisect(cumulative, draw * cumulative[-1], 0, len(cumulative) - 1)

    def picker(self, draw: Callable[[], float]) -> Callable[[], Turn]:
        """A function that picks the next turn, each time it is called."""
        turns, cumulative = self.turns, self._cumulative
        if len(turns) == 1 or self.in_order:
            return itertools.cycle(turns).__next__
        total, last = cumulative[-1], len(turns) - 1

        def pick() -> Turn:
            return turns[bisect(cumulative, draw() * total, 0, last)]

        return pick


def turn_of(task: Task, cls: type, ends: int) -> Turn:
    """What to do for a task of a list that belongs to `cls`."""
    return _call_of(task), f"{cls.__name__}.{getattr(task, '__name__', repr(task))}", ends


def weighted_tasks(tasks: object) -> list[tuple[Task, Any]]:
    """The tasks of a list or dict, with their weights. Raises TypeError for anything else."""
    if isinstance(tasks, Mapping):
        return list(tasks.items())
    if isinstance(tasks, Sequence) and not isinstance(tasks, str | bytes):
        return [(task, 1) for task in tasks]
    raise TypeError(f"`tasks` is a {type(tasks).__name__}: it must be a list or a dict of tasks")


def is_task(value: object) -> bool:
    """Whether it can stand in a list of tasks."""
    return callable(value)


def is_number(value: object) -> bool:
    """Whether it can be a weight, as far as its type goes."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _call_of(task: Task) -> Callable[[Any], object]:
    if isinstance(task, type):
        return lambda owner: owner._life.dwell(task(owner))
    if isinstance(task, MethodType):
        return lambda owner: task()
    return task
