"""Durations, rates and numbers as people write them: on the command line, in a config file, in a script.

A parser raises ValueError with a sentence that needs nothing added but the place.
"""

from __future__ import annotations

import re
from fractions import Fraction

SECONDS_PER_UNIT = {
    unit: Fraction(text) for unit, text in (("d", "86400"), ("h", "3600"), ("m", "60"), ("s", "1"), ("ms", "0.001"))
}
UNITS_PER_RATE = {"s": 1.0, "m": 60.0, "h": 3_600.0}
LONGEST_SHOWN = 60
LONGEST_DURATION = 100
"""No duration that is meant has more characters."""

_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
_DURATION = re.compile(rf"(?:{_NUMBER}(?:ms|[dhms]))+", re.ASCII)
_DURATION_PART = re.compile(rf"({_NUMBER})(ms|[dhms])", re.ASCII)
_SIGNED_NUMBER = re.compile(rf"[+-]?{_NUMBER}(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)", re.ASCII | re.IGNORECASE)
_RATE = re.compile(r"(.+?)(?:/([smh]))?", re.ASCII)


def shown(value: object) -> str:
    """The value as it is quoted in a message: never longer than a line has room for."""
    quoted = repr(value[: LONGEST_SHOWN + 1] if isinstance(value, str) else value)
    return quoted if len(quoted) <= LONGEST_SHOWN else quoted[: LONGEST_SHOWN - 1] + "…"


def parse_count(text: str) -> int:
    """A whole number: `5`, `10_000`; negative ones are numbers too, and for the plan to refuse."""
    if re.fullmatch(r"[+-]?(?=.{1,30}$)\d+(_\d+)*", text.strip(), re.ASCII):
        return int(text)
    raise ValueError(f"{shown(text)} is not a whole number")


def parse_number(text: str) -> float:
    """A decimal number; `nan` and `inf` are read, so that what refuses them can name them."""
    if _SIGNED_NUMBER.fullmatch(text.strip()):
        return float(text)
    raise ValueError(f"{shown(text)} is not a number")


def parse_duration_s(text: str) -> float:
    """Seconds: `30s`, `5m`, `1h30m`, `250ms`, `1.5h`; a number without a unit is in seconds.

    It is the float nearest to what is written: `700ms` is 0.7, which is not 700 * 0.001.
    """
    stripped = text.strip()
    if _SIGNED_NUMBER.fullmatch(stripped):
        return float(stripped)
    if len(stripped) <= LONGEST_DURATION and _DURATION.fullmatch(stripped):
        parts = _DURATION_PART.findall(stripped)
        units = [unit for _, unit in parts]
        if units == sorted(set(units), key=list(SECONDS_PER_UNIT).index):
            return float(sum(Fraction(number) * SECONDS_PER_UNIT[unit] for number, unit in parts))
    raise ValueError(f"{shown(text)} is not a duration such as 30s, 5m, 1h30m or 90 (seconds)")


def parse_rate_per_s(text: str) -> float:
    """Per second: `100`, `100/s`, `30/m`, `7200/h`."""
    found = _RATE.fullmatch(text.strip())
    if found and _SIGNED_NUMBER.fullmatch(found[1]):
        return float(found[1]) / UNITS_PER_RATE[found[2] or "s"]
    raise ValueError(f"{shown(text)} is not a rate such as 100, 100/s or 30/m")
