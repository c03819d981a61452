"""The words of a threshold, each with its place; and the fault that points at one.

A quote opens a string where a word could begin, if another one closes it where a word could end; elsewhere, as in
`GET /a"b`, it is a character like any other.
"""

from __future__ import annotations

import dataclasses
import enum
import re
import unicodedata

LONGEST = 1_000
"""No expression is longer than so many characters."""
SHOWN = 100
"""A fault shows so many columns around its place."""
INDENT = "    "

STRING = re.compile(r'"(?P<inside>(?:[^"\\]|\\["\\])*)"(?=\s|:|$|[<>=!])', re.DOTALL)
OPERATOR = re.compile(r"<=|>=|==|!=|<|>|=")
AMOUNT = re.compile(r'[+-]?\.?\d[^\s<>=!":]*')
WORD = re.compile(r'[^\s<>=!":]+')
COLON = re.compile(r":(?=\s|$)")
COLON_BEHIND_STRING = re.compile(r":")


class ThresholdFault(ValueError):
    """An expression that is no threshold. Its text says why, and points at the place."""

    def __init__(self, what: str, expression: str, at: int, length: int = 1) -> None:
        super().__init__(what, expression, at, length)
        self.what = what
        self.expression = expression
        self.at = at
        self.length = length

    def __str__(self) -> str:
        if not 0 < len(self.expression) <= LONGEST:
            return self.what
        first = max(min(self.at - SHOWN // 2, len(self.expression) - SHOWN), 0)
        shown = self.expression[first : first + SHOWN]
        at = self.at - first
        lead = "…" if first else ""
        before, marked = shown[:at], shown[at : at + self.length]
        line = "".join(map(_visible, shown))
        carets = "^" * max(sum(map(_columns, marked)), 1)
        return f"{self.what}\n{INDENT}{lead}{line}\n{INDENT}{' ' * (len(lead) + sum(map(_columns, before)))}{carets}"


class Sort(enum.Enum):
    """What a word can be."""

    STRING = "a name between quotes"
    OPERATOR = "a comparison"
    AMOUNT = "an amount"
    WORD = "a word"
    COLON = "a colon"
    OTHER = "a character"
    END = "the end"


@dataclasses.dataclass(frozen=True, slots=True)
class Word:
    """A piece of an expression; `text` is what it says, without quotes."""

    sort: Sort
    text: str
    at: int
    length: int

    @property
    def end(self) -> int:
        """Where the next character stands."""
        return self.at + self.length


def quoted(text: str) -> str:
    """The text between quotes, as a string is read."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def words_of(expression: str) -> list[Word]:
    """All words, and the end behind them. Every character that is no space belongs to one."""
    found: list[Word] = []
    at = 0
    while at < len(expression):
        if expression[at].isspace():
            at += 1
            continue
        word = _word(expression, at, found[-1] if found else None)
        found.append(word)
        at = word.end
    return [*found, Word(Sort.END, "", len(expression), 1)]


def _word(expression: str, at: int, before: Word | None) -> Word:
    behind_string = before is not None and before.sort is Sort.STRING and before.end == at
    starts = before is None or before.end < at
    if (string := STRING.match(expression, at)) and starts:
        return Word(Sort.STRING, re.sub(r"\\(.)", r"\1", string["inside"], flags=re.DOTALL), at, len(string[0]))
    patterns = (
        (Sort.COLON, COLON_BEHIND_STRING if behind_string else COLON),
        (Sort.OPERATOR, OPERATOR),
        (Sort.AMOUNT, AMOUNT),
        (Sort.WORD, WORD),
    )
    for sort, pattern in patterns:
        if matched := pattern.match(expression, at):
            return Word(sort, matched[0], at, len(matched[0]))
    return Word(Sort.OTHER, expression[at], at, 1)


def _visible(character: str) -> str:
    return character if character.isprintable() else "\ufffd"


def _columns(character: str) -> int:
    """How many columns a terminal takes for it."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
