"""What a run's feeds are: rows of a script's own data, handed out to users by the controller; and what became of them.

A *position* counts the rows that a feed hands out, from 0: with N rows, positions 0 to N − 1 are its first pass, the
next N its second. Which row a position stands for follows from the feed's order (`load/rows.py`).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Protocol

import msgspec

from swell.bounds import Natural


class Order(enum.Enum):
    """In which order rows are handed out."""

    ONCE = "once"
    CIRCULAR = "circular"
    RANDOM = "random"


class WhenOut(enum.Enum):
    """What happens when a user asks for a row and all have been handed out."""

    STOP = "stop"
    """That user stops."""
    REPEAT = "repeat"
    ERROR = "error"
    """The run ends, as one that could not be carried out."""


class RowSource(Protocol):
    """The rows of one feed, numbered from 0, as they travel: where they are read, in the controller."""

    @property
    def rows(self) -> int:
        """How many there are."""

    @property
    def row_bytes(self) -> int:
        """The longest."""

    def read(self, numbers: Sequence[int]) -> list[bytes]:
        """These rows. Raises RunFailed if they cannot be read any more."""

    def close(self) -> None: ...


class RowSupply(Protocol):
    """The rows of one feed where users take them, in a worker."""

    def take(self) -> bytes | None:
        """The next row, once it is there; None: there are no more."""


class FeedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One feed of the script. Its number is its place in `RunPlan.feeds`."""

    name: str
    order: Order
    when_out: WhenOut
    unique: bool = False
    """No row is handed out again that may have been used."""
    rows: int = 0
    row_bytes: int = 1
    """The longest row, as it travels."""

    @property
    def positions(self) -> int | None:
        """How many rows can be handed out in all; None: there is no end."""
        return None if self.when_out is WhenOut.REPEAT else self.rows


class FeedUse(msgspec.Struct, frozen=True, array_like=True):
    """What a worker incarnation has made of a feed so far: running totals."""

    feed: Natural
    used: Natural
    """Of the rows that it was handed, the first so many have been given to users."""
    ran_out: Natural = 0
    """So many times a user asked and there was no row."""
    waited_ns: Natural = 0
    """How long users have waited for rows, all together."""


class FeedCount(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a feed's rows: handed_out = used + returned + unknown + those that workers still hold."""

    name: str
    rows: int
    handed_out: int = 0
    """To workers, in blocks; a row that came back and went out again counts twice."""
    used: int = 0
    returned: int = 0
    """Handed out, and given back unused."""
    unknown: int = 0
    """Rows of a unique feed that were with a worker when it died: they may have been used, so nobody else gets them."""
    ran_out: int = 0
    """So many times a user asked and there was no row."""
    waited_s: float = 0.0
    """How long users have waited for rows, all together."""
