"""What is wrong with a class, and what was probably meant."""

from collections.abc import Callable
from typing import Any

import pytest

from swell import SequentialTaskSet, TaskSet, User, between, tag, task
from swell.script.faults import class_faults


def faults_of(make: Callable[[], type[User]]) -> list[str]:
    return [str(problem) for problem in class_faults(make())]


def user(**names: Any) -> type[User]:
    return type("Contestant", (User,), names)


def read(self: object) -> None: ...


ABSTRACT = "give it a method with @task; or, if it is only there to be subclassed, `abstract = True`"


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        ({}, ABSTRACT),
        ({"on_start": read}, ABSTRACT),
        ({"read": read}, "put @task before read"),
        ({"read": read, "write": read, "_parse": read}, "put @task before read, write"),
        ({"task": [read]}, "`task = ...` should be `tasks = ...`"),
        ({"taks": {read: 1}}, "`taks = ...` should be `tasks = ...`"),
        ({"Tasks": (read,)}, "`Tasks = ...` should be `tasks = ...`"),
        ({"read": tag("quick")(lambda self: None)}, "read has @tag but not @task"),
        ({"Forum": type("Forum", (TaskSet,), {"tasks": [read]})}, "put @task before Forum"),
        ({"tasks": []}, ABSTRACT),
        ({"tasks": {}, "read": read}, "put @task before read"),
        ({"accounts": ["a", "b"]}, ABSTRACT),
    ],
)
def test_a_class_without_tasks_is_told_what_it_probably_meant(names: dict[str, Any], meant: str) -> None:
    assert faults_of(lambda: user(**names)) == [f"Contestant: has no tasks ({meant})"]


def test_a_nested_set_without_tasks_is_named_by_its_way_down() -> None:
    inner = type("Thread", (SequentialTaskSet,), {"read": read})
    outer = type("Forum", (TaskSet,), {"tasks": [inner, read]})
    assert faults_of(lambda: user(tasks=[outer])) == ["Contestant.Forum.Thread: has no tasks (put @task before read)"]


def test_a_set_that_contains_itself_is_looked_at_once() -> None:
    loop = type("Loop", (TaskSet,), {"tasks": [read]})
    loop.tasks = {read: 1, loop: 1}
    assert faults_of(lambda: user(tasks=[loop])) == []


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        (-1, "-1"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        ("3", "'3'"),
        (None, "None"),
        (True, "True"),
    ],
)
def test_a_bad_weight_is_named_with_its_task(weight: Any, said: str) -> None:
    what = f"weight {said} is not a number of 0 or more"
    assert f"Contestant.weight: {what}" in faults_of(lambda: user(weight=weight, tasks=[read]))
    assert f"Contestant.read: {what}" in faults_of(lambda: user(tasks={read: weight}))
    if weight is not None:
        marked = task(weight)(lambda self: None)
        assert faults_of(lambda: user(write=marked)) == [f"Contestant.write: @task: {what}"]


def test_weights_of_a_sequence_are_whole_numbers() -> None:
    steps = type("Steps", (SequentialTaskSet,), {"a": task(1.5)(lambda self: None), "b": task(2)(lambda self: None)})
    assert faults_of(lambda: user(tasks=[steps])) == [
        "Contestant.Steps.a: @task(1.5) in a sequence is not a whole number of 0 or more"
    ]


@pytest.mark.parametrize("count", [-1, 1.5, "2", None, True])
def test_a_bad_fixed_count_is_named(count: Any) -> None:
    assert faults_of(lambda: user(fixed_count=count, tasks=[read])) == [
        f"Contestant.fixed_count: {count!r} is not a whole number of 0 or more"
    ]


async def asynchronous(self: object) -> None: ...


def generator(self: object) -> Any:
    yield


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (5, "5 is a number (write wait_time = constant(5))"),
        ("1s", "'1s' is no wait time (write wait_time = between(1, 5))"),
        ((1, 5), "(1, 5) is no wait time (write wait_time = between(1, 5))"),
        (between(5, 1), "between(5, 1) has its bounds the wrong way round"),
        (asynchronous, "is async (write a plain method)"),
    ],
)
def test_a_nonsense_wait_time_is_named_in_users_and_sets(rule: Any, said: str) -> None:
    assert faults_of(lambda: user(wait_time=rule, tasks=[read])) == [f"Contestant.wait_time: {said}"]
    forum = type("Forum", (TaskSet,), {"wait_time": rule, "tasks": [read]})
    assert faults_of(lambda: user(tasks=[forum])) == [f"Contestant.Forum.wait_time: {said}"]


def test_a_task_that_does_nothing_when_called_is_named() -> None:
    assert faults_of(lambda: user(tasks=[asynchronous, generator])) == [
        "Contestant.asynchronous: is async, so calling it does nothing (write a plain, blocking method)",
        "Contestant.generator: is a generator, so calling it does nothing (write a plain, blocking method)",
    ]


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        (read, "`tasks` is a function: it must be a list or a dict of tasks"),
        ("read", "`tasks` is a str: it must be a list or a dict of tasks"),
        (["read"], "`tasks` holds 'read', which is no task"),
        ({"read": 3}, "`tasks` holds 'read', which is no task"),
    ],
)
def test_tasks_that_are_none_are_named(tasks: Any, said: str) -> None:
    assert faults_of(lambda: user(tasks=tasks)) == [f"Contestant: {said}"]


def test_a_class_that_is_no_task_set_is_named() -> None:
    assert faults_of(lambda: user(tasks=[int])) == [
        "Contestant.int: is a class, but no TaskSet (make it a subclass of TaskSet or SequentialTaskSet)"
    ]


def test_a_good_class_has_no_faults() -> None:
    assert faults_of(lambda: user(tasks=[read], weight=0.5, fixed_count=3, host="http://x", wait_time=read)) == []
