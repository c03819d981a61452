"""A number of users for all classes together becomes changes of their loads, one for each class.

Where a `LoadTestShape` runs, each class has a load of its own, and the shape's number is dealt to them as the mix of a
single load would deal it: by weight, fixed counts first. All loads arrive at the same moment, so that the rate of all
of them together is the one that was asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from swell.load.mix import Mix
from swell.plan import Scenario


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many users in all, at so many a second; of these scenarios, or of all."""

    users: int
    rate_per_s: float
    scenarios: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One scenario goes to `users` at a rate."""

    scenario: str
    users: int
    rate_per_s: float


def dealt(users: int, scenarios: Sequence[Scenario], chosen: Sequence[str] = ()) -> dict[str, int]:
    """How many of `users` each scenario gets; those that are not chosen get none."""
    among = [scenario for scenario in scenarios if not chosen or scenario.name in chosen]
    mix = Mix(among)
    most = mix.most_users
    found = Counter(mix.scenario_of(user) for user in range(users if most is None else min(users, most)))
    return {scenario.name: found[scenario.name] for scenario in scenarios}


def changes(wanted: Wanted, scenarios: Sequence[Scenario], now: Mapping[str, int]) -> list[Change]:
    """What is to change from `now`, the users that each scenario is planned to have at this moment."""
    goals = dealt(wanted.users, scenarios, wanted.scenarios)
    moves = {name: goal - now.get(name, 0) for name, goal in goals.items()}
    rises = sum(move for move in moves.values() if move > 0)
    falls = -sum(move for move in moves.values() if move < 0)
    for_s = max(rises, falls) / wanted.rate_per_s
    return [Change(name, goals[name], abs(move) / for_s if move else wanted.rate_per_s) for name, move in moves.items()]
