"""Whether the load was there that the plan asked for: users of closed loads, arrivals of open ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil

from swell.analysis.evidence import Evidence
from swell.document import ArrivalSummary, Reason, ReasonCode
from swell.load_plan import Closed
from swell.result import RunResult
from swell.stats.accounting import died
from swell.stats.arrivals import arrivals
from swell.stats.revisions import known_from_s
from swell.stats.users import planned_over, users_per_second

LOAD_SHARE = 0.99
LOAD_SHORT_S = 3
"""The load counts as not reached when users stay under this share of the plan's for so many seconds on end."""
LOAD_GRACE_S = 2
"""Users that the plan wanted so long ago are to be there."""
ARRIVALS_SHARE = 0.01
"""Of the arrivals of a load, more than this share not started, or dropped, counts as a load not reached."""


def users_not_reached(evidence: Evidence) -> Iterator[Reason]:
    """Fewer users than the plan wanted, for seconds on end."""
    result = evidence.result
    scenarios = _closed_scenarios(result)
    short = list(_short_seconds(result, scenarios))
    if not short:
        return
    from_s, to_s = short[0][0], short[-1][0] + 1
    second, users, planned = max(short, key=lambda row: (row[2] - row[1]) / row[2])
    started = sum(scenario.started for scenario in result.scenarios if scenario.name in scenarios)
    left = started >= max(planned for _, _, planned in short)
    why = "users left of their own accord" if left else "the generator did not start them"
    if any(map(died, result.workers)):
        why = "a worker was lost"
    text = f"{users:,} of {planned:,} planned users at {second} s: {why}"
    yield Reason(ReasonCode.LOAD_NOT_REACHED, text, float(from_s), float(to_s), own_fault=not left)


def arrivals_not_reached(evidence: Evidence) -> Iterator[Reason]:
    """Arrivals that nobody started, or that found no user."""
    for found in arrivals(evidence.result):
        of = f"of {found.planned:,} arrivals" + (f" of {_names(found)}" if len(evidence.result.plan.loads) > 1 else "")
        if found.not_started > ARRIVALS_SHARE * found.planned:
            lost = any(map(died, evidence.result.workers))
            why = "a worker was lost" if lost else evidence.shortfall or "the generator was not up to it"
            text = f"{found.not_started:,} {of} were not started: {why}"
            yield Reason(ReasonCode.LOAD_NOT_REACHED, text, own_fault=True)
        if found.dropped > ARRIVALS_SHARE * found.planned:
            short = evidence.shortfall
            text = f"{found.dropped:,} {of} were dropped: all users that there may be were busy"
            text += f", since {short}" if short else ""
            yield Reason(ReasonCode.LOAD_NOT_REACHED, text, own_fault=bool(short))


def _names(found: ArrivalSummary) -> str:
    return ", ".join(found.scenarios)


def _closed_scenarios(result: RunResult) -> set[str]:
    return {name for load in result.plan.loads if isinstance(load.model, Closed) for name in load.scenarios}


def _short_seconds(result: RunResult, scenarios: set[str]) -> Iterator[tuple[int, int, int]]:
    """Second, users there and users planned, of all stretches that last long enough to count."""
    users = users_per_second(result, scenarios)
    stretch: list[tuple[int, int, int]] = []
    seconds = min(result.settled_s, int(result.duration_s)) if scenarios else 0
    for second, planned in enumerate(_least_planned(result, seconds)):
        there = users[second] if second < len(users) else 0
        if there < LOAD_SHARE * planned:
            stretch.append((second, there, planned))
            continue
        if len(stretch) >= LOAD_SHORT_S:
            yield from stretch
        stretch = []
    if len(stretch) >= LOAD_SHORT_S:
        yield from stretch


def _least_planned(result: RunResult, seconds: int) -> list[int]:
    """For each second the fewest users that the plan wanted from a little before to its end; 0 where nobody knows."""
    planned = list(planned_over(result.plan, result.revisions, range(seconds + 1)))
    known = ceil(known_from_s(result.revisions)) + LOAD_GRACE_S
    return [
        min(planned[second - LOAD_GRACE_S], planned[second], planned[second + 1]) if second >= known else 0
        for second in range(seconds)
    ]


LOAD_RULES: tuple[Callable[[Evidence], Iterator[Reason]], ...] = (users_not_reached, arrivals_not_reached)
