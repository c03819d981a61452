"""Which feeds the script that is being loaded has declared: `feed()` adds them, the loader takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swell.script.feed import Feed


class Declarations:
    """The feeds that the script being loaded has declared. `feed()` may be called between `begin` and `end`."""

    def __init__(self) -> None:
        self._feeds: list[Feed] = []
        self._is_open = True

    def __repr__(self) -> str:
        return f"<Declarations {self._feeds}>"

    def begin(self) -> None:
        """A script is about to be loaded."""
        self._feeds.clear()
        self._is_open = True

    def end(self) -> tuple[Feed, ...]:
        """The script is loaded: its feeds."""
        self._is_open = False
        return tuple(self._feeds)

    def name_for(self, wanted: str) -> str:
        """A name that no feed has yet. Raises RuntimeError when it is too late for a feed."""
        if not self._is_open:
            raise RuntimeError("feed() is called too late: call it at the top level of the script, not in a user")
        taken = {feed.name for feed in self._feeds}
        numbered = (f"{wanted} ({number})" for number in range(2, len(taken) + 3))
        return next(name for name in (wanted, *numbered) if name not in taken)

    def add(self, feed: Feed) -> Feed:
        """Take note of a feed."""
        self._feeds.append(feed)
        return feed


declarations = Declarations()
