"""How the text of an option becomes a value: one `Kind` for each sort of value, with a parser that says what is wrong.

A parser raises ValueError with a sentence that needs nothing added but the place. Limits of the plan itself (how many
users are absurd) are `plan.problems`'; here only that the text has a meaning.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

SECONDS_PER_UNIT = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
UNITS_PER_RATE = {"s": 1.0, "m": 60.0, "h": 3_600.0}
TRUE_WORDS = ("1", "true", "yes", "on")
FALSE_WORDS = ("0", "false", "no", "off", "")
LONGEST_SHOWN = 60

_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
_DURATION = re.compile(rf"(?:{_NUMBER}(?:ms|[dhms]))+", re.ASCII)
_DURATION_PART = re.compile(rf"({_NUMBER})(ms|[dhms])", re.ASCII)
_SIGNED_NUMBER = re.compile(rf"[+-]?{_NUMBER}(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)", re.ASCII | re.IGNORECASE)
_RATE = re.compile(r"(.+?)(?:/([smh]))?", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True)
class Kind(Generic[T_co]):
    """A sort of value. `metavar` stands for it in a usage line; a flag takes no value; a list may be given again, and
    has its separator between the items where they stand in one text."""

    metavar: str
    parse: Callable[[str], T_co]
    is_flag: bool = False
    is_list: bool = False
    separator: str = ","


def shown(value: object) -> str:
    """The value as it is quoted in a message: never longer than a line has room for."""
    quoted = repr(value[: LONGEST_SHOWN + 1] if isinstance(value, str) else value)
    return quoted if len(quoted) <= LONGEST_SHOWN else quoted[: LONGEST_SHOWN - 1] + "…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean X?`, or '' when nothing known is like it."""
    by_lower_case = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), by_lower_case, n=1)
    return f"did you mean {by_lower_case[close[0]]}?" if close else ""


def parse_count(text: str) -> int:
    """A whole number: `5`, `10_000`; negative ones are numbers too, and for the plan to refuse."""
    if re.fullmatch(r"[+-]?(?=.{1,30}$)\d+(_\d+)*", text.strip(), re.ASCII):
        return int(text)
    raise ValueError(f"{shown(text)} is not a whole number")


def parse_exit_code(text: str) -> int:
    """A number that a process can end with."""
    if 0 <= parse_count(text) <= 255:
        return parse_count(text)
    raise ValueError(f"{shown(text)} is not an exit code from 0 to 255")


def parse_number(text: str) -> float:
    """A decimal number; `nan` and `inf` are read, so that what refuses them can name them."""
    if _SIGNED_NUMBER.fullmatch(text.strip()):
        return float(text)
    raise ValueError(f"{shown(text)} is not a number")


def parse_duration_s(text: str) -> float:
    """Seconds: `30s`, `5m`, `1h30m`, `250ms`, `1.5h`; a number without a unit is in seconds."""
    stripped = text.strip()
    if _SIGNED_NUMBER.fullmatch(stripped):
        return float(stripped)
    if _DURATION.fullmatch(stripped):
        parts = _DURATION_PART.findall(stripped)
        units = [unit for _, unit in parts]
        if units == sorted(set(units), key=list(SECONDS_PER_UNIT).index):
            return math.fsum(float(number) * SECONDS_PER_UNIT[unit] for number, unit in parts)
    raise ValueError(f"{shown(text)} is not a duration such as 30s, 5m, 1h30m or 90 (seconds)")


def parse_rate_per_s(text: str) -> float:
    """Per second: `100`, `100/s`, `30/m`, `7200/h`."""
    found = _RATE.fullmatch(text.strip())
    if found and _SIGNED_NUMBER.fullmatch(found[1]):
        return float(found[1]) / UNITS_PER_RATE[found[2] or "s"]
    raise ValueError(f"{shown(text)} is not a rate such as 100, 100/s or 30/m")


def parse_flag(text: str) -> bool:
    """On or off, as an environment variable or a config file says it."""
    word = text.strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ValueError(f"{shown(text)} is neither true nor false")


def parse_list(text: str) -> tuple[str, ...]:
    """Words with commas between them; empty ones are dropped."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def parse_lines(text: str) -> tuple[str, ...]:
    """Lines; empty ones are dropped."""
    return tuple(line.strip() for line in text.split("\n") if line.strip())


def choice(*words: str) -> Callable[[str], str]:
    """A parser for one of a few words, in any case."""

    def parse(text: str) -> str:
        for word in words:
            if text.strip().lower() == word.lower():
                return word
        hint = did_you_mean(text.strip(), words) or f"one of {', '.join(words)}"
        raise ValueError(f"{shown(text)} is none of the choices: {hint}")

    return parse


def optional(parse: Callable[[str], T]) -> Callable[[str], T | None]:
    """The same parser, for an option whose default is that nothing is given."""
    return parse


COUNT = Kind("N", parse_count)
MAYBE_COUNT = Kind("N", optional(parse_count))
MAYBE_EXIT_CODE = Kind("N", optional(parse_exit_code))
RATE = Kind("RATE", optional(parse_rate_per_s))
DURATION = Kind("DURATION", parse_duration_s)
MAYBE_DURATION = Kind("DURATION", optional(parse_duration_s))
TEXT = Kind("TEXT", str)
URL = Kind("URL", str.strip)
PATH = Kind("FILE", str)
FLAG = Kind("", parse_flag, is_flag=True)
NAMES = Kind("A,B", parse_list, is_list=True)
EXPRESSIONS = Kind("EXPR", parse_lines, is_list=True, separator="\n")
