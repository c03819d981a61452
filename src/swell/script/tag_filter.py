"""Chooses tasks by their tags. The tags of a user or task set count for every task within.

A class is not changed: one that loses tasks is replaced by a subclass of the same name, so that a task set which two
users share can keep different tasks in each.
"""

from __future__ import annotations

from typing import TypeGuard, TypeVar

from swell.script.marks import tags_of
from swell.script.task_list import TaskList
from swell.script.turns import Task, weighted_tasks

C = TypeVar("C", bound=TaskList)


def tags_within(cls: type[TaskList]) -> set[str]:
    """Every tag that the class, a task of it, or a task of a set within has."""
    found = set(_own_tags(cls))
    for task, _ in weighted_tasks(cls.tasks):
        found |= tags_within(task) if is_task_list(task) else tags_of(task)
    return found


def filtered(
    cls: type[C], tags: frozenset[str], exclude_tags: frozenset[str], inherited: frozenset[str] = frozenset()
) -> type[C] | None:
    """The class with the tasks that have one of `tags`, if any are given, and none of `exclude_tags`; None: no task."""
    inherited |= _own_tags(cls)
    left = []
    for task, weight in weighted_tasks(cls.tasks):
        kept = _kept(task, tags, exclude_tags, inherited)
        if kept is not None:
            left.append((kept, weight))
    if not left:
        return None
    smaller: type[C] = type(cls.__name__, (cls,), {"__module__": cls.__module__, "__qualname__": cls.__qualname__})
    smaller.tasks = [task for task, _ in left] if cls._in_order else dict(left)
    return smaller


def _kept(task: Task, tags: frozenset[str], exclude_tags: frozenset[str], inherited: frozenset[str]) -> Task | None:
    if is_task_list(task):
        return filtered(task, tags, exclude_tags, inherited)
    names = tags_of(task) | inherited
    return task if (not tags or names & tags) and not names & exclude_tags else None


def is_task_list(task: object) -> TypeGuard[type[TaskList]]:
    """Whether a task is a class with tasks of its own."""
    return isinstance(task, type) and issubclass(task, TaskList)


def _own_tags(cls: type) -> frozenset[str]:
    """Those of the class and of the classes that it is made from."""
    return frozenset().union(*(tags_of(base) for base in cls.__mro__))
