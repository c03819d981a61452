"""WWW-Authenticate and Proxy-Authenticate: the challenges in them (RFC 9110 §11.6.1).

Commas separate both challenges and the parameters of one, so the list is read left to right: what looks like
`name=value` belongs to the challenge before it, any other token begins a new one. What fits neither is skipped up to
the next comma.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

MAX_VALUE_CHARS = 8192

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_END = r"(?=[ \t]*(?:,|\Z))"
_PARAMETER = re.compile(rf'({_TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN})){_END}', re.DOTALL)
_SCHEME = re.compile(rf"({_TOKEN})(?:[ \t]+([A-Za-z0-9\-._~+/]+=*){_END}|(?=[ \t,]|\Z)(?![ \t]*=))")
_SEPARATORS = re.compile(r"[ \t,]*")
_TO_NEXT_COMMA = re.compile(r"[^,]*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Challenge(NamedTuple):
    """One way to authenticate: scheme and names of parameters in lower case, values without their quotes."""

    scheme: str
    parameters: dict[str, str]
    token68: str = ""


def parse_challenges(header_values: Iterable[str]) -> list[Challenge]:
    """The challenges of all WWW-Authenticate fields, in the order of the server's preference."""
    challenges: list[Challenge] = []
    for value in header_values:
        if len(value) <= MAX_VALUE_CHARS:
            challenges += _parse_value(value)
    return challenges


def _parse_value(value: str) -> list[Challenge]:
    challenges: list[Challenge] = []
    at = _skip(_SEPARATORS, value, 0)
    while at < len(value):
        parameter = _PARAMETER.match(value, at) if challenges else None
        scheme = _SCHEME.match(value, at) if parameter is None else None
        if parameter is not None:
            name, quoted, token = parameter.groups()
            challenges[-1].parameters.setdefault(name.lower(), _ESCAPED.sub(r"\1", quoted) if token is None else token)
            at = parameter.end()
        elif scheme is not None:
            challenges.append(Challenge(scheme[1].lower(), {}, scheme[2] or ""))
            at = scheme.end()
        else:
            at = _skip(_TO_NEXT_COMMA, value, at)
        at = _skip(_SEPARATORS, value, at)
    return challenges


def _skip(pattern: re.Pattern[str], value: str, at: int) -> int:
    match = pattern.match(value, at)
    assert match is not None, "both patterns match the empty text"
    return match.end()
