"""`feed`: rows of data for the users of a script, each to one user only, on however many workers they live.

A feed is declared while the script is loaded, in the controller and in every worker. The controller opens its source
and hands rows out; in a worker the file is not looked for, and rows come from a supply that `bind` gives it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from swell.errors import Problem
from swell.feed_plan import FeedPlan, Order, RowSource, RowSupply, WhenOut
from swell.script.current import seat_here
from swell.script.data_file import NoSuchFile, find_file
from swell.script.declarations import declarations
from swell.script.feed_options import format_of, order_of
from swell.script.flow import StopUser
from swell.script.row_lines import RowFault
from swell.script.row_sources import FileSource, ListSource

LIST_NAME = "list"


class Feed:
    """Rows of data. `feed()` makes one; users call `next()` on it."""

    def __init__(
        self,
        name: str,
        order: Order,
        when_out: WhenOut,
        unique: bool,
        open_source: Callable[[Path], RowSource],
        decode: Callable[[bytes], Any],
        place: str = "",
    ) -> None:
        self.name = name
        self.order = order
        self.when_out = when_out
        self.unique = unique
        self.source: RowSource | None = None
        """Where its rows come from, in the process that hands them out."""
        self._open_source = open_source
        self._supply: RowSupply | None = None
        self._decode = decode
        self._place = place or name

    def __repr__(self) -> str:
        return f"<Feed {self.name}, {self.order.value}>"

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self.next()

    def next(self) -> Any:
        """The next row for this user, as a dict. If there is none left, the user stops here, or the run ends.

        It waits, if it has to, as a request does.
        """
        supply = self._supply
        if supply is None:
            raise RuntimeError(f"{self.name}: rows are for users: there are none where this code runs")
        row = supply.take()
        if row is None:
            raise StopUser if seat_here() is not None else RuntimeError(f"{self.name}: there are no rows left")
        return self._decode(row)

    def open(self, folder: Path) -> list[Problem]:
        """Open the source, of a script in `folder`, and say what is wrong with it."""
        try:
            self.source = self._open_source(folder)
        except RowFault as fault:
            return [fault.problem(self._place)]
        return []

    def plan(self) -> FeedPlan:
        """The feed as a part of the plan; its source is open."""
        assert self.source is not None
        return FeedPlan(
            name=self.name,
            order=self.order,
            when_out=self.when_out,
            unique=self.unique,
            rows=self.source.rows,
            row_bytes=self.source.row_bytes,
        )

    def bind(self, supply: RowSupply) -> None:
        """Have users of this process get their rows from `supply`."""
        self._supply = supply


def feed(
    source: str | os.PathLike[str] | Sequence[Any],
    *,
    order: str | None = None,
    when_out: str | None = None,
    unique: bool = False,
    name: str = "",
    format: str = "",
    delimiter: str = "",
    columns: Sequence[str] = (),
) -> Feed:
    """Rows for users from a CSV file, from JSON lines, or from a list: `accounts = feed("accounts.csv")`.

    `order`: "circular" (from the top again when all are used), "once" or "random" (each pass in a new order, the same
    with the same --seed). `when_out`: "stop" (the user that asks), "repeat" or "error" (the run ends). `unique`: no row
    is used twice, even if that means that some are not used at all. Without `order` it is "circular", or "once" where
    `unique` or `when_out` ask for an end. A file is looked for beside the script, then in the working directory; its
    suffix says its format ("csv", "tsv", "jsonl") unless `format` does. `columns` names those of a CSV file without a
    header. Raises ValueError for a combination that makes no sense.
    """
    manner = (*order_of(order, when_out, unique), bool(unique))
    rows: object = source
    if isinstance(rows, str | os.PathLike):
        path = os.fspath(rows)
        row_format = format_of(path, format, delimiter, columns)
        label = declarations.name_for(name or path)
        made = Feed(label, *manner, lambda folder: FileSource(_found(path, folder), row_format()), _decode_json, path)
    elif isinstance(rows, Sequence) and not isinstance(rows, bytes | bytearray):
        if format or delimiter or columns:
            raise ValueError("format, delimiter and columns are for files")
        values = list(rows)
        made = Feed(declarations.name_for(name or LIST_NAME), *manner, lambda _: ListSource(values), _decode_packed)
    else:
        raise TypeError(f"a feed is made of a file's path or of a list of rows, not of a {type(rows).__name__}")
    return declarations.add(made)


_decode_json = msgspec.json.Decoder().decode
_decode_packed = msgspec.msgpack.Decoder(strict=False).decode


def _found(path: str, folder: Path) -> Path:
    """The file, beside the script or else in the working directory. Raises RowFault."""
    try:
        return find_file(path, folder)
    except NoSuchFile as fault:
        raise RowFault(str(fault), hint=fault.hint) from None
