"""A number of users for all classes together becomes changes of their loads, one for each class.

Where a `LoadTestShape` runs, each class has a load of its own, and the shape's number is dealt to them as the mix of a
single load would deal it: by weight, fixed counts first. All loads arrive at the same moment, and begin one after the
other, so that the rate of all of them together is the one that was asked for: at 1/s for three classes, one user comes
each second, and not three at once every three.
"""

from __future__ import annotations

import functools
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
    """One scenario goes to `users` at a rate, of which the first comes after a delay."""

    scenario: str
    users: int
    rate_per_s: float
    delay_s: float = 0.0


def dealt(users: int, scenarios: Sequence[Scenario], chosen: Sequence[str] = ()) -> dict[str, int]:
    """How many of `users` each scenario gets; those that are not chosen get none."""
    among = [scenario for scenario in scenarios if not chosen or scenario.name in chosen]
    found = _mix(tuple(among)).counts(users)
    return {scenario.name: found.get(scenario.name, 0) for scenario in scenarios}


@functools.lru_cache(maxsize=8)
def _mix(scenarios: tuple[Scenario, ...]) -> Mix:
    """Made once for each choice of scenarios: it remembers what it has dealt."""
    return Mix(scenarios)


def changes(wanted: Wanted, scenarios: Sequence[Scenario], now: Mapping[str, int]) -> list[Change]:
    """What is to change from `now`, the users that each scenario is planned to have at this moment."""
    goals = dealt(wanted.users, scenarios, wanted.scenarios)
    moves = {name: goal - now.get(name, 0) for name, goal in goals.items()}
    rises = {name: move for name, move in moves.items() if move > 0}
    falls = {name: -move for name, move in moves.items() if move < 0}
    for_s = max(sum(rises.values()), sum(falls.values())) / wanted.rate_per_s
    delays_s = _delays_s(rises, for_s) | _delays_s(falls, for_s)
    return [
        Change(name, goals[name], abs(move) / for_s if move else wanted.rate_per_s, delays_s.get(name, 0.0))
        for name, move in moves.items()
    ]


def _delays_s(moves: Mapping[str, int], for_s: float) -> dict[str, float]:
    """When the first user of each scenario moves: one after the other at the rate of all, the greatest move first."""
    in_order = sorted(moves, key=lambda name: -moves[name])
    return {name: place * for_s / sum(moves.values()) for place, name in enumerate(in_order)}
