"""The decorators that make a task of a method, and what they leave on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

_WEIGHT = "_swell_weight"
_TAGS = "_swell_tags"
F = TypeVar("F", bound=Callable[..., Any])


@overload
def task(weight: F, /) -> F: ...
@overload
def task(weight: float = 1) -> Callable[[F], F]: ...
def task(weight: Any = 1) -> Any:
    """Make a method, or a nested TaskSet class, a task. One of weight 3 is picked three times as often as one of 1.

    In a SequentialTaskSet a task of weight 3 runs three times in a row.
    """
    if callable(weight):
        return _marked(weight, 1)
    return lambda decorated: _marked(decorated, weight)


def tag(*tags: str) -> Callable[[F], F]:
    """Name a task, so that `--tags` and `--exclude-tags` can choose it. The tags of a TaskSet count for all within."""
    if not tags or not all(isinstance(name, str) for name in tags):
        raise ValueError('@tag needs at least one name: @tag("name")')

    def decorate(decorated: F) -> F:
        setattr(decorated, _TAGS, tags_of(decorated) | set(tags))
        return decorated

    return decorate


def weight_of(decorated: object) -> Any:
    """The weight that @task gave, or None if it is no task. A subclass of a marked TaskSet is not marked."""
    return getattr(decorated, "__dict__", {}).get(_WEIGHT)


def tags_of(decorated: object) -> frozenset[str]:
    """The names that @tag gave to this very function or class."""
    return frozenset(getattr(decorated, "__dict__", {}).get(_TAGS, ()))


def _marked(decorated: F, weight: object) -> F:
    setattr(decorated, _WEIGHT, weight)
    return decorated
