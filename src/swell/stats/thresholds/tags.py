"""The tags in a threshold's selector: `[page=list, user="a, b"]`.

tags = "[" tag { "," tag } "]"        tag = key "=" value        either may stand between quotes
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from swell.stats.thresholds.words import quoted

BARE = re.compile(r'[^\s",\[\]\\=]+(?: [^\s",\[\]\\=]+)*')
SIDE = r'\s*(?:"(?P<{0}_quoted>(?:[^"\\]|\\["\\])*)"|(?P<{0}>[^",\[\]\\=]*?))\s*'
TAG = re.compile(rf"{SIDE.format('key')}={SIDE.format('value')}(?P<end>[,\]])", re.DOTALL)


@dataclasses.dataclass(frozen=True, slots=True)
class Tags:
    """Which tags a call must have, whatever others it has."""

    pairs: tuple[tuple[str, str], ...]

    def are_in(self, text: str) -> bool:
        """Whether a series has all of them; `text` is its `key=value` pairs with commas between them."""
        return {f"{key}={value}" for key, value in self.pairs} <= set(text.split(","))

    def __str__(self) -> str:
        return f"[{', '.join(f'{_written(key)}={_written(value)}' for key, value in self.pairs)}]"


class TagsFault(ValueError):
    """What is wrong, and where in the text."""

    def __init__(self, what: str, at: int, length: int) -> None:
        super().__init__(what, at, length)
        self.what = what
        self.at = at
        self.length = length


def read_tags(text: str) -> Tags:
    """The tags that a text is, from its `[` to its `]`. Raises TagsFault."""
    found: dict[str, str] = {}
    for matched in _matches(text):
        key, value = _side(matched, "key"), _side(matched, "value")
        at = matched.start() + len(matched[0]) - len(matched[0].lstrip())
        length = len(matched[0].strip()[:-1].rstrip())
        if not key or "," in key + value or "=" in key:
            raise TagsFault("a tag is `key=value`, and has no comma in it", at, length)
        if key in found:
            raise TagsFault(f"the tag {quoted(key)} is there twice", at, length)
        found[key] = value
    return Tags(tuple(found.items()))


def _matches(text: str) -> Iterator[re.Match[str]]:
    """Tag by tag, to the end of the text."""
    at, end = 1, ","
    while end == ",":
        matched = TAG.match(text, at)
        if matched is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            length = re.match(r"[^,\]]*", text[at:])
            raise TagsFault(
                "tags are written [key=value, ...]; a name that has such a bracket goes between quotes",
                min(at, len(text) - 1),
                len(length[0].rstrip()) if length else 1,
            )
        yield matched
        at, end = matched.end(), matched["end"]
    if text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        raise TagsFault("between the tags and the colon nothing can stand", at, len(text) - at)


def _side(matched: re.Match[str], name: str) -> str:
    inside = matched[f"{name}_quoted"]
    return matched[name] if inside is None else re.sub(r"\\(.)", r"\1", inside, flags=re.DOTALL)


def _written(text: str) -> str:
    return text if BARE.fullmatch(text) else quoted(text)
