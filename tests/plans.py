"""Plans for tests: what `-u` and `-r` would say, as a load."""

from typing import Any

from swell.load_plan import spawned
from swell.plan import RunPlan, Scenario


def plan_with(users: int = 1, spawn_rate_per_s: float = 1.0, **fields: Any) -> RunPlan:
    """A plan whose users start at a rate, and stay; every other field as given."""
    scenarios = fields.setdefault("scenarios", (Scenario("Reader"),))
    fields.setdefault("script", "s.py")
    return RunPlan(loads=(spawned(users, spawn_rate_per_s, [scenario.name for scenario in scenarios]),), **fields)
