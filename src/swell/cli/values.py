"""How the text of an option becomes a value: one `Kind` for each sort of value, with a parser that says what is wrong.

A parser raises ValueError with a sentence that needs nothing added but the place. Limits of the plan itself (how many
users are absurd) are `plan.problems`'; here only that the text has a meaning.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from swell.quantities import parse_count, parse_duration_s, parse_number, parse_rate_per_s, shown

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

TRUE_WORDS = ("1", "true", "yes", "on")
FALSE_WORDS = ("0", "false", "no", "off", "")


@dataclasses.dataclass(frozen=True, slots=True)
class Kind(Generic[T_co]):
    """A sort of value. `metavar` stands for it in a usage line; a flag takes no value; a list may be given again, and
    has its separator between the items where they stand in one text."""

    metavar: str
    parse: Callable[[str], T_co]
    is_flag: bool = False
    is_list: bool = False
    separator: str = ","
    bare: str = ""
    """The text that the flag stands for where no value follows it."""
    refuses_blanks: bool = False
    """Of a list: an item without a text is a slip, such as a variable of a shell that is not set."""

    def joined(self, items: Sequence[str]) -> str:
        """Items of a list as one text. Where one is a slip, it is that one alone, for the parser to refuse."""
        blanks = [item for item in items if not item.strip()] if self.refuses_blanks else []
        return blanks[0] if blanks else self.separator.join(items)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean X?`, or '' when nothing known is like it."""
    by_lower_case = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), by_lower_case, n=1)
    return f"did you mean {by_lower_case[close[0]]}?" if close else ""


def parse_exit_code(text: str) -> int:
    """A number that a process can end with."""
    if 0 <= parse_count(text) <= 255:
        return parse_count(text)
    raise ValueError(f"{shown(text)} is not an exit code from 0 to 255")


def parse_ratio(text: str) -> float:
    """A share: `0.01`, `1%`, `1`; how large it may be is the plan's to say."""
    stripped = text.strip()
    try:
        return parse_number(stripped[:-1].rstrip()) / 100 if stripped.endswith("%") else parse_number(stripped)
    except ValueError:
        raise ValueError(f"{shown(text)} is not a share such as 0.01 or 1%") from None


def parse_percentage(text: str) -> float:
    """A share of a hundred: `5%` and `5` are 0.05."""
    try:
        percent = parse_number(text.strip().removesuffix("%").rstrip())
    except ValueError:
        percent = -1.0
    if 0 <= percent < 100:
        return percent / 100
    raise ValueError(f"{shown(text)} is not a percentage from 0% to below 100%")


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


def parse_address(text: str) -> tuple[str, int]:
    """A host and a port: `127.0.0.1:9464`, `[::1]:9464`, `:9464` and `9464` on this machine alone."""
    found = re.fullmatch(
        r"(?:\[(?P<six>[0-9A-Fa-f:.%]+)\]:|(?P<name>[^\s:\[\]]*):)?(?P<port>\d{1,5})", text.strip(), re.ASCII
    )
    if found and int(found["port"]) < 65_536:
        return found["six"] or found["name"] or "127.0.0.1", int(found["port"])
    raise ValueError(f"{shown(text)} is not of the form HOST:PORT")


def parse_expressions(text: str) -> tuple[str, ...]:
    """Lines, of which there is one at least; empty ones between them are dropped."""
    if not text.strip():
        raise ValueError("an empty expression: write for example `p95 < 300ms`")
    return tuple(line.strip() for line in text.split("\n") if line.strip())


def parse_path(text: str) -> str:
    """Where a file is, or is to be."""
    if not text.strip():
        raise ValueError("an empty text names no file: name one, or leave the option out")
    return text


def parse_url(text: str) -> str:
    """A URL; whether it is one of a target is the plan's to say."""
    if not text.strip():
        raise ValueError("an empty text is no URL: write one, or leave the option out")
    return text.strip()


@dataclasses.dataclass(frozen=True, slots=True)
class Stage:
    """A part of a load: so long, to reach so much."""

    over_s: float
    to: float


def parse_user_stages(text: str) -> tuple[Stage, ...]:
    """Stages such as `2m:1000`, which go to 1000 users within 2 minutes, with commas between them."""
    return tuple(_parse_stage(word, "2m:1000", parse_count) for word in parse_list(text))


def parse_rate_stages(text: str) -> tuple[Stage, ...]:
    """Stages such as `2m:500` or `2m:500/s`, which go to 500 arrivals a second within 2 minutes."""
    return tuple(_parse_stage(word, "2m:500", parse_rate_per_s) for word in parse_list(text))


def _parse_stage(word: str, example: str, parse: Callable[[str], float]) -> Stage:
    over, colon, to = word.rpartition(":")
    if not colon:
        raise ValueError(f"{shown(word)} is not of the form DURATION:LEVEL, such as {example}")
    return Stage(parse_duration_s(over), parse(to))


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
RATIO = Kind("RATIO", parse_ratio)
MAYBE_COUNT = Kind("N", optional(parse_count))
MAYBE_EXIT_CODE = Kind("N", optional(parse_exit_code))
RATE = Kind("RATE", optional(parse_rate_per_s))
DURATION = Kind("DURATION", parse_duration_s)
MAYBE_DURATION = Kind("DURATION", optional(parse_duration_s))
USER_STAGES = Kind("DURATION:USERS", parse_user_stages, is_list=True)
RATE_STAGES = Kind("DURATION:RATE", parse_rate_stages, is_list=True)
TEXT = Kind("TEXT", str)
URL = Kind("URL", parse_url)
PATH = Kind("FILE", parse_path)
FLAG = Kind("", parse_flag, is_flag=True)
MAYBE_PERCENTAGE = Kind("[PERCENT]", optional(parse_percentage), bare="0%")
NAMES = Kind("A,B", parse_list, is_list=True)
ADDRESS = Kind("HOST:PORT", optional(parse_address))
EXPRESSIONS = Kind("EXPR", parse_expressions, is_list=True, separator="\n", refuses_blanks=True)
