"""What is wrong with a user class, as far as it can be seen before a run, and what its author probably meant."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator

from swell.errors import Problem
from swell.script.marks import tags_of, weight_of
from swell.script.task_list import TaskList
from swell.script.task_set import TaskSet
from swell.script.turns import is_number, weighted_tasks
from swell.script.user import User
from swell.script.wait_times import WaitTime, is_amount

_OUR_METHODS = {"on_start", "on_stop", "wait_time", "context", "wait", "interrupt", "schedule_task", "get_next_task"}


def class_faults(cls: type[User]) -> list[Problem]:
    """Everything that is wrong with a user class and the task sets within, placed by class."""
    found = [Problem(text, f"{cls.__name__}.weight") for text in _weight_faults(cls.weight)]
    count: object = cls.fixed_count
    if not (is_amount(count) and isinstance(count, int)):
        found.append(Problem(f"{count!r} is not a whole number of 0 or more", f"{cls.__name__}.fixed_count"))
    host: object = cls.host
    if host is not None and not isinstance(host, str):
        found.append(Problem(f"{host!r} is not a text", f"{cls.__name__}.host"))
    return found + list(_list_faults(cls, cls.__name__, {cls}))


def _list_faults(cls: type[TaskList], where: str, seen: set[type]) -> Iterator[Problem]:
    yield from (Problem(text, where) for text in cls._task_faults)
    yield from _wait_faults(cls, where)
    tasks = weighted_tasks(cls.tasks)
    faulty = list(_mark_faults(cls, where))
    yield from faulty
    if not any(weight for _, weight in tasks) and not cls._task_faults and not faulty:
        yield Problem("has no tasks", where, _likely_misspelling(cls))
    for task, weight in tasks:
        name = f"{where}.{getattr(task, '__name__', repr(task))}"
        if weight_of(task) is None:
            yield from (Problem(text, name) for text in _weight_faults(weight))
        if inspect.iscoroutinefunction(task) or inspect.isgeneratorfunction(task):
            kind = "async" if inspect.iscoroutinefunction(task) else "a generator"
            yield Problem(f"is {kind}, so calling it does nothing", name, "write a plain, blocking method")
        if isinstance(task, type) and task not in seen:
            seen.add(task)
            yield from _set_faults(task, name, seen)


def _set_faults(task: type, where: str, seen: set[type]) -> Iterator[Problem]:
    if issubclass(task, TaskSet):
        yield from _list_faults(task, where, seen)
    else:
        yield Problem("is a class, but no TaskSet", where, "make it a subclass of TaskSet or SequentialTaskSet")


def _mark_faults(cls: type[TaskList], where: str) -> Iterator[Problem]:
    """Faults of what @task was given."""
    for name, value in vars(cls).items():
        weight = weight_of(value)
        if weight is None or name == "tasks":
            continue
        if cls._in_order and not (isinstance(weight, int) and weight >= 0):
            yield Problem(f"@task({weight!r}) in a sequence is not a whole number of 0 or more", f"{where}.{name}")
        else:
            yield from (Problem(f"@task: {text}", f"{where}.{name}") for text in _weight_faults(weight))


def _weight_faults(weight: object) -> list[str]:
    return [] if is_amount(weight) else [f"weight {weight!r} is not a number of 0 or more"]


def _wait_faults(cls: type[TaskList], where: str) -> Iterator[Problem]:
    rule = cls.wait_time
    if isinstance(rule, WaitTime):
        if rule.fault():
            yield Problem(rule.fault(), f"{where}.wait_time")
    elif is_number(rule):
        yield Problem(f"{rule!r} is a number", f"{where}.wait_time", f"write wait_time = constant({rule!r})")
    elif rule is not None and not callable(rule):
        yield Problem(f"{rule!r} is no wait time", f"{where}.wait_time", "write wait_time = between(1, 5)")
    elif inspect.iscoroutinefunction(rule):
        yield Problem("is async", f"{where}.wait_time", "write a plain method")


def _likely_misspelling(cls: type[TaskList]) -> str:
    """What the author of a class without tasks may have meant."""
    names = {name: value for base in reversed(cls.__mro__) if base.__module__.partition(".")[0] != "swell"
             for name, value in vars(base).items() if not name.startswith("__")}  # fmt: skip
    for name, value in names.items():
        if isinstance(value, list | dict | tuple) and name != "tasks" and difflib.get_close_matches("tasks", [name]):
            return f"`{name} = ...` should be `tasks = ...`"
    tagged = [name for name, value in names.items() if tags_of(value)]
    if tagged:
        return f"{_both(tagged)} has @tag but not @task"
    sets = [name for name, value in names.items() if isinstance(value, type) and issubclass(value, TaskSet)]
    methods = [name for name, value in names.items() if inspect.isfunction(value) and name not in _OUR_METHODS]
    public = sets + [name for name in methods if not name.startswith("_")]
    if public:
        return f"put @task before {_both(public)}"
    return "give it a method with @task; or, if it is only there to be subclassed, `abstract = True`"


def _both(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
