"""Finds values that nobody may see in a text, however they are spelt there, and puts `***` in their place.

Each character of a value is looked for as itself and as it looks in a URL, in JSON, in HTML, in Python's `repr` and in
a header that was read as Latin-1. What follows from a value by a calculation (a hash, base64) is not recognised,
`Authorization: Basic` excepted.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

MASK = "***"
VALUE_LENGTH_MIN = 4
"""What is shorter is found in too many places that have nothing to do with it."""
LINE_LENGTH_MIN = 8
"""Lines of a longer value, such as a key, are values too: lines may be shown one by one."""
SPELLING_LENGTH = 12
"""Of one character, at most: a surrogate pair in JSON."""
_BASIC = re.compile(r"\b(basic\s+)([A-Za-z0-9+/_-]{6,}={0,2})", re.IGNORECASE)


class Mask:
    """Hides values in texts."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        whole = {value.strip() for value in values if len(value.strip()) >= VALUE_LENGTH_MIN}
        lines = {line.strip() for value in whole for line in value.splitlines()}
        found = sorted(whole | {line for line in lines if len(line) >= LINE_LENGTH_MIN}, key=_longest_first)
        self._pattern = re.compile("|".join(map(_any_spelling, found))) if found else None
        self._reach = SPELLING_LENGTH * len(found[0]) if found else 0

    def __repr__(self) -> str:
        return f"<Mask, {'of some values' if self._pattern else 'of nothing'}>"

    def of(self, text: str) -> str:
        """The text without the values."""
        if self._pattern is None:
            return text
        if "asic" in text.lower():
            text = _BASIC.sub(self._without_credentials, text)
        return self._pattern.sub(MASK, text)

    def reach(self, length: int) -> int:
        """How many characters, or bytes, of a text `start_of` needs for the first `length`."""
        return length + self._reach

    def start_of(self, text: str, length: int, *, is_cut: bool) -> str:
        """The first `length` characters of a text of which `reach(length)` are given, or all there are. `is_cut`: it
        goes on, and its last characters may be the beginning of a value."""
        shown = self.of(text)
        if is_cut and self._reach:
            shown = shown[: -self._reach]
        return shown[:length]

    def _without_credentials(self, found: re.Match[str]) -> str:
        try:
            told = base64.b64decode(found[2], altchars=b"-_" if {"-", "_"} & set(found[2]) else None)
        except (binascii.Error, ValueError):
            return found[0]
        assert self._pattern is not None
        is_told = any(self._pattern.search(told.decode(encoding, "replace")) for encoding in ("utf-8", "latin-1"))
        return found[1] + MASK if is_told else found[0]


def _longest_first(value: str) -> tuple[int, str]:
    return -len(value), value


def _any_spelling(value: str) -> str:
    return "".join(map(_spellings, re.findall(r"\s+|\S", value)))


def _spellings(part: str) -> str:
    """A pattern for all that a character, or white space, may look like."""
    if part.isspace():
        return r"(?:\s|\\[nrt]|\+|%20|%0[9aAdD])+"
    if part.isascii() and part.isalnum():
        return part
    plain = part.encode("utf-8", "replace")
    found = {part, plain.decode("latin-1"), f"\\{part}", json.dumps(part)[1:-1], repr(part)[1:-1]}
    found |= {html.escape(part), f"&#{ord(part)};", f"&#x{ord(part):x};"}
    in_url = re.escape(quote(plain, safe=""))
    return f"(?:{'|'.join(map(re.escape, sorted(found, key=_longest_first)))}|(?i:{in_url}))"
