"""Reads what a script gave to `ramp`, `users` and their like: durations, rates, numbers, and what is wrong with them.

Those functions only note what they are given, so that a script loads even if it is wrong, and everything that is wrong
with its loads is said at once, each with the class and the argument.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable

from swell.errors import Problem
from swell.load_plan import MOST_ARRIVALS_PER_S
from swell.plan import LONGEST_S, MOST_USERS
from swell.quantities import parse_duration_s, parse_number, parse_rate_per_s, shown
from swell.script.importing import closest

LONGEST_CALL = 100
MOST_FACTOR = 1_000_000
LARGEST = 1e300


class Written:
    """A call as its author wrote it, to be named in messages: `ramp(to=2000, over='2m')`."""

    def __init__(self, function: str, values: tuple[object, ...] = (), **named: object) -> None:
        """What is None was left out."""
        texts = [str(value) if isinstance(value, Written) else shown(value) for value in values]
        texts += [f"{name.rstrip('_')}={shown(value)}" for name, value in named.items() if value is not None]
        text = f"{function}({', '.join(texts)})"
        self._text = text if len(text) <= LONGEST_CALL else f"{text[: LONGEST_CALL - 2]}…)"

    def __repr__(self) -> str:
        return self._text


@dataclasses.dataclass(slots=True)
class Reading:
    """Reads the arguments of one load, whose place is `where`: `Contestant.load`. What is wrong gets a stand-in."""

    where: str
    problems: list[Problem] = dataclasses.field(default_factory=list)
    notices: list[str] = dataclasses.field(default_factory=list)

    def fault(self, written: object, what: str, hint: str = "") -> None:
        """Note what is wrong with a call."""
        self.problems.append(Problem(f"{written}: {what}", self.where, hint))

    def duration_s(self, written: Written, name: str, value: object) -> float:
        """Seconds, of a number, a text such as `2m`, or a timedelta."""
        given = value.total_seconds() if isinstance(value, datetime.timedelta) else value
        wanted = "a duration such as '30s', '1h30m' or 90 (seconds)"
        limits = "a time of 0 s or more, and up to ten years"
        return self._number(written, name, given, parse_duration_s, wanted, lambda s: 0 <= s <= LONGEST_S, limits)

    def rate_per_s(self, written: Written, name: str, value: object) -> float:
        """A rate per second, of a number or a text such as `500/m`."""
        wanted = "a rate such as 100, '100/s' or '30/m'"
        limits = f"a rate from 0/s to {MOST_ARRIVALS_PER_S:,}/s"
        most = MOST_ARRIVALS_PER_S
        return self._number(written, name, value, parse_rate_per_s, wanted, lambda rate: 0 <= rate <= most, limits)

    def factor(self, written: Written, name: str, value: object) -> float:
        """A number that something is multiplied by, or divided."""
        limits = f"a number from 1/{MOST_FACTOR:,} to {MOST_FACTOR:,}"
        least, most = 1 / MOST_FACTOR, MOST_FACTOR
        return (
            self._number(written, name, value, parse_number, limits, lambda factor: least <= factor <= most, limits)
            or 1
        )

    def count(self, written: Written, name: str, value: object, least: int, most: int = MOST_USERS) -> int:
        """A whole number."""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.fault(written, f"{name}: {shown(value)} is not a whole number from {least} to {most:,}")
        return least

    def choice(self, written: Written, name: str, value: object, choices: tuple[str, ...]) -> str:
        """One of a few words."""
        if value in choices:
            return str(value)
        hint = closest(value, choices) if isinstance(value, str) else ""
        self.fault(written, f"{name}: {shown(value)} is none of {', '.join(choices)}", hint)
        return choices[0]

    def _number(
        self,
        written: Written,
        name: str,
        value: object,
        parse: Callable[[str], float],
        wanted: str,
        is_within: Callable[[float], bool],
        limits: str,
    ) -> float:
        try:
            if isinstance(value, str):
                number = parse(value)
            elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST:
                number = float(value)
            else:
                raise ValueError(f"{shown(value)} is not {wanted}")
            if is_within(number):
                return number
            raise ValueError(f"{shown(value)} is not {limits}")
        except ValueError as fault:
            self.fault(written, f"{name}: {fault}")
            return 0.0
