"""What the script that is being loaded has declared: `feed()` and `files()` add to it, the loader takes it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swell.script.feed import Feed


class Declarations:
    """The feeds and files that the script being loaded has declared, between `begin` and `end`."""

    def __init__(self) -> None:
        self._feeds: list[Feed] = []
        self._files: list[str] = []
        self._is_open = True

    def __repr__(self) -> str:
        return f"<Declarations {self._feeds} {self._files}>"

    def begin(self) -> None:
        """A script is about to be loaded."""
        self._feeds.clear()
        self._files.clear()
        self._is_open = True

    def end(self) -> tuple[tuple[Feed, ...], tuple[str, ...]]:
        """The script is loaded: its feeds, and the patterns of its files."""
        self._is_open = False
        return tuple(self._feeds), tuple(dict.fromkeys(self._files))

    def name_for(self, wanted: str) -> str:
        """A name that no feed has yet. Raises RuntimeError when it is too late for a feed."""
        self._check_is_open("feed()")
        taken = {feed.name for feed in self._feeds}
        numbered = (f"{wanted} ({number})" for number in range(2, len(taken) + 3))
        return next(name for name in (wanted, *numbered) if name not in taken)

    def add(self, feed: Feed) -> Feed:
        """Take note of a feed."""
        self._feeds.append(feed)
        return feed

    def add_files(self, patterns: tuple[str, ...]) -> None:
        """Take note of files. Raises RuntimeError when it is too late for them."""
        self._check_is_open("files()")
        self._files += patterns

    def _check_is_open(self, function: str) -> None:
        if not self._is_open:
            what = f"{function} is called too late: call it at the top level of the script, not in a user"
            raise RuntimeError(what)


declarations = Declarations()


def files(*patterns: str | os.PathLike[str]) -> None:
    """Send these files beside the script along to other machines: `files("templates/*.html", "users.json")`.

    Paths are relative to the script; `*`, `?` and `**` are patterns; a folder stands for all that is in it. What a
    script imports, and files whose names stand in it, are found without this. Nothing is read here.
    """
    for pattern in patterns:
        text: object = os.fspath(pattern)
        if not isinstance(text, str) or not text or "\0" in text:
            raise ValueError(f"files() takes paths of files, not {pattern!r}")
    declarations.add_files(tuple(os.fspath(pattern) for pattern in patterns))
