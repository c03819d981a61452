"""Load tests in plain blocking Python: what a script imports.

Importing swell has no effect and is quick: each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "Environment",
    "HttpUser",
    "InterruptTaskSet",
    "LoadTestShape",
    "RescheduleTask",
    "RescheduleTaskImmediately",
    "SequentialTaskSet",
    "StopUser",
    "TaskSet",
    "User",
    "arrivals",
    "between",
    "check",
    "constant",
    "constant_pacing",
    "constant_throughput",
    "counter",
    "events",
    "feed",
    "files",
    "from_log",
    "gauge",
    "hold",
    "iterations",
    "jump",
    "ramp",
    "rate",
    "secret",
    "sessions",
    "setup",
    "steps",
    "tag",
    "task",
    "transaction",
    "trend",
    "users",
]

if TYPE_CHECKING:
    from swell.script.checks import check
    from swell.script.curves import from_log, hold, jump, ramp, steps
    from swell.script.declarations import files
    from swell.script.environment import Environment
    from swell.script.events import events
    from swell.script.feed import feed
    from swell.script.flow import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopUser
    from swell.script.http_user import HttpUser
    from swell.script.loads import arrivals, iterations, sessions, users
    from swell.script.marks import tag, task
    from swell.script.secrets import secret
    from swell.script.setup import setup
    from swell.script.shape import LoadTestShape
    from swell.script.task_set import SequentialTaskSet, TaskSet
    from swell.script.transactions import transaction
    from swell.script.user import User
    from swell.script.values import counter, gauge, rate, trend
    from swell.script.wait_times import between, constant, constant_pacing, constant_throughput

_homes = {
    "checks": ["check"],
    "curves": ["from_log", "hold", "jump", "ramp", "steps"],
    "declarations": ["files"],
    "environment": ["Environment"],
    "events": ["events"],
    "feed": ["feed"],
    "flow": ["InterruptTaskSet", "RescheduleTask", "RescheduleTaskImmediately", "StopUser"],
    "http_user": ["HttpUser"],
    "loads": ["arrivals", "iterations", "sessions", "users"],
    "marks": ["tag", "task"],
    "secrets": ["secret"],
    "setup": ["setup"],
    "shape": ["LoadTestShape"],
    "task_set": ["SequentialTaskSet", "TaskSet"],
    "transactions": ["transaction"],
    "user": ["User"],
    "values": ["counter", "gauge", "rate", "trend"],
    "wait_times": ["between", "constant", "constant_pacing", "constant_throughput"],
}
_home_of = {name: f"swell.script.{home}" for home, names in _homes.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _home_of.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
