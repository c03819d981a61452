"""`LoadTestShape`: a script's own function of time for the number of users, asked once a second in the controller."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from types import NoneType
from typing import Any, ClassVar

from swell.clock import NS_PER_S, Clock
from swell.errors import Problem, ScriptError
from swell.load.shape import Wanted
from swell.plan import MOST_USERS
from swell.script.environment import Runner
from swell.script.flow import LOADING_FAULT
from swell.script.traces import author_trace, place_of

WITH_CLASSES = 3


class LoadTestShape:
    """How many users there are to be, and how fast they come and go. Subclass it and write `tick`.

    It runs in the controller. A change asked for while the one before is still under way goes on from where that had
    got to. `-u`, `-r`, `--rate` and `--stage` replace it, unless `use_common_options` is set.
    """

    abstract: ClassVar[bool] = True
    """A class that sets this is only there to be subclassed. It is not inherited."""
    use_common_options: ClassVar[bool] = False
    """Whether `-u`, `-r` and `-t` are the shape's own, found in `self.runner.environment.parsed_options`."""
    runner: Runner | None = None
    """The whole run."""
    _clock: Clock | None = None
    _begin_ns: int | None = None

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls.abstract = bool(vars(cls).get("abstract", False))

    def reset_time(self) -> None:
        """Count `get_run_time` from now on."""
        self._begin_ns = self._clock.now_ns() if self._clock is not None else None

    def get_run_time(self) -> float:
        """Seconds since the run began."""
        if self._clock is None or self._begin_ns is None:
            return 0.0
        return max(self._clock.now_ns() - self._begin_ns, 0) / NS_PER_S

    def get_current_user_count(self) -> int:
        """How many users there are."""
        return self.runner.user_count if self.runner is not None else 0

    def tick(self) -> Any:
        """The users wanted now and the rate per second at which to get there, as a tuple; None ends the run.

        A third part may list the user classes that are to make them up; without it, it is all of them.
        """
        return None


def begin(shape: LoadTestShape, clock: Clock, begin_ns: int) -> None:
    """The run has begun."""
    shape._clock, shape._begin_ns = clock, begin_ns


def ask(shape: LoadTestShape, classes: Sequence[type]) -> Wanted | None:
    """What the shape wants now; None if the run is to end. Raises ScriptError where `tick` fails or gives nonsense."""
    try:
        value = shape.tick()
    except LOADING_FAULT as raised:
        message, trace = author_trace(raised)
        what = f"{type(shape).__name__}.tick() failed: {message}"
        raise ScriptError(Problem(what, place_of(raised)), trace) from raised
    return read_tick(value, type(shape).__name__, [cls.__name__ for cls in classes])


def read_tick(value: object, shape: str, names: Sequence[str]) -> Wanted | None:
    """What `tick` of `shape` has returned, as numbers and names of scenarios. Raises ScriptError."""
    if value is None:
        return None
    fault = _fault(value, names)
    if fault or not isinstance(value, Sequence):
        hint = "return (users, rate per second), or None to end the run"
        raise ScriptError(Problem(f"tick() returned {value!r:.200}: {fault}", shape, hint))
    chosen = tuple(cls.__name__ for cls in value[2] or ()) if len(value) == WITH_CLASSES else ()
    return Wanted(round(float(value[0])), float(value[1]), chosen)


def _fault(value: object, names: Sequence[str]) -> str:
    """What is wrong with it; '' where nothing is."""
    if not isinstance(value, tuple | list) or len(value) not in (2, WITH_CLASSES):
        return "it is not a tuple of 2 or 3 parts"
    users, rate_per_s, *classes = value
    if not _is_within(users, 0):
        return f"the users are not a number from 0 to {MOST_USERS:,}"
    if not _is_within(rate_per_s, 0) or not rate_per_s:
        return f"the rate is not a number over 0 and up to {MOST_USERS:,}"
    if classes and not isinstance(classes[0], list | tuple | NoneType):
        return "its third part is not a list of user classes"
    unknown = [one for one in (classes[0] or () if classes else ()) if getattr(one, "__name__", None) not in names]
    return f"{unknown[0]!r} is no user class of this run" if unknown else ""


def _is_within(value: object, least: float) -> bool:
    """NumPy's numbers count too."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return least <= float(value) <= MOST_USERS
