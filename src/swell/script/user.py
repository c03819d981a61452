"""The simulated user that an author writes a class for."""

from __future__ import annotations

from random import Random
from typing import Any, ClassVar

from swell.script.draws import stable_hash
from swell.script.environment import Environment
from swell.script.measure import Measure
from swell.script.task_list import TaskList
from swell.user import Seat


class Made:
    """An attribute made when it is first asked for; from then on it is an ordinary attribute of the instance."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, owner: Any, cls: type) -> Any:
        if owner is None:
            return self
        value = vars(owner)[self._name] = self._make(owner)
        return value


class User(TaskList):
    """Someone who works through tasks until told to leave. Subclass it for any protocol; `HttpUser` brings a client."""

    abstract: ClassVar[bool] = True
    """A class that sets this is only there to be subclassed. It is not inherited."""
    host: str | None = None
    """The target; `--host` comes before it."""
    weight: float = 1
    """How many of the users are of this class, in proportion to the other classes."""
    fixed_count: int = 0
    """So many users of this class, whatever the weights say; 0: go by weight."""
    load: Any = None
    """When its users work, and how many: `users(...)`, `arrivals(...)`, `sessions(...)` or `iterations(...)`."""
    _seat: Seat
    _needs_host: ClassVar[bool] = False

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls.abstract = bool(vars(cls).get("abstract", False))

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._seat.number}>"

    @property
    def user(self) -> User:
        """The user itself, so that a task reads alike in a user and in a task set."""
        return self

    @property
    def shared(self) -> Any:
        """What the function with `@setup` has returned."""
        return self._seat.shared

    random: Random = Made(lambda user: Random(stable_hash(user._seat.seed, user._seat.number, "random")))  # type: ignore[assignment]
    """Random numbers that are the same in every run with the same `--seed`, for this user."""

    def measure(self, request_type: str, name: str) -> Measure:
        """Time the block of a `with` statement and record it as a call of that type (shown as the method) and name."""
        return Measure(self, request_type, name)

    def context(self) -> dict[str, Any]:
        """What listeners of `events.request` get as `context`; override it to tell calls of users apart."""
        return {}

    def _close(self) -> None:
        """Close what the user has open."""
