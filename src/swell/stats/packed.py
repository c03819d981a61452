"""Counts as numpy arrays: the tables of a block, adding them up, and packing them into blocks again.

A table maps keys to rows of numbers; a block of time is five of them:

    hist     u32   series << 17 | kind << 13 | bucket                          count
    sums     u32   series << 4 | kind                                          sum, least, greatest (ns)
    tally    u64   series << 40 | status << 24 | error << 4 | outcome bits     count
    bytes_   u32   series                                                      sent, received
    gauges   u32   series                                                      as in `segment.py`

Keys are ascending, with the run's own numbers; rows are u64. How they become bytes is in `packing.py`. Adding tables
is sorting their keys together and reducing what is equal. Histograms of many workers are added on a dense array
instead where the keys fill it well: 2.9 million buckets from 1,000 workers take 34 ms against 154 ms.

Four modules import numpy, which takes 0.1 s: this one, `packing`, `reported` and `counts`. `RunMerge` needs them when
the first segment comes; whoever else imports them does so after the first user has started.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from swell.errors import RunFailed
from swell.result import Block
from swell.segment import BUCKET_BITS
from swell.stats import packing

Array = npt.NDArray[np.uint64]
Keys = npt.NDArray[np.unsignedinteger]

U32 = np.dtype("<u4")
U64 = np.dtype("<u8")
F64 = np.dtype("<f8")
BUCKET_MASK = (1 << BUCKET_BITS) - 1
DENSE_FROM_KEYS = 1_000
DENSE_SPAN = 4
"""A dense array pays while it has at most this many places for each key."""


@dataclasses.dataclass(frozen=True, slots=True)
class Form:
    """What a table is made of: its keys' type, and what becomes of rows whose keys are equal."""

    key_type: np.dtype[np.unsignedinteger]
    reducers: tuple[np.ufunc, ...]


HIST = Form(U32, (np.add,))
SUMS = Form(U32, (np.add, np.minimum, np.maximum))
TALLY = Form(U64, (np.add,))
BYTES = Form(U32, (np.add, np.add))
GAUGES = Form(U32, (np.maximum, np.maximum, np.minimum, np.maximum))
"""Instant and last value go together, and all but the instant are doubles in the place of whole numbers: see
`_reduced_gauges`."""
FORMS = (HIST, SUMS, TALLY, BYTES, GAUGES)
SHAPES = tuple((form.key_type, *[U64] * len(form.reducers)) for form in FORMS)


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """Keys, and as many rows as its form has reducers, each as long as the keys."""

    form: Form
    keys: Keys
    rows: tuple[Keys, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Tables:
    """A block of time, unpacked."""

    hist: Table
    sums: Table
    tally: Table
    bytes_: Table
    gauges: Table

    def all(self) -> tuple[Table, Table, Table, Table, Table]:
        """The five tables, in the order in which a block holds them."""
        return self.hist, self.sums, self.tally, self.bytes_, self.gauges


def unpack(block: Block) -> Tables:
    """The tables of a block of a result. Whoever asks twice decompresses them twice."""
    tables = zip(FORMS, packing.read(block.counts, SHAPES), strict=True)
    return Tables(*(Table(form, keys, tuple(rows)) for form, (keys, *rows) in tables))


def pack(from_s: int, to_s: int, tables: Tables) -> Block:
    """A block of a result from its tables, as it is kept."""
    return Block(from_s, to_s, packing.squeezed(_columns(tables)))


def pack_plain(from_s: int, to_s: int, tables: Tables) -> Block:
    """The same, for one that is not kept: it takes up to twenty times the room, but next to no time, nor to unpack."""
    return Block(from_s, to_s, packing.plain(_columns(tables)))


def check(block: Block) -> None:
    """Raise RunFailed where a block that was read from elsewhere is not what `pack` made."""
    try:
        packing.check(block.counts, SHAPES)
    except RunFailed as exc:
        raise RunFailed(f"the counts of second {block.from_s} are damaged: {exc}") from exc


def add(parts: Sequence[Tables]) -> Tables:
    """All parts in one, each key once, ascending. Exact, in any order; a part may hold a key more than once."""
    columns = zip(*(part.all() for part in parts), strict=True) if parts else ((),) * len(FORMS)
    return Tables(*(_reduced(form, column) for form, column in zip(FORMS, columns, strict=True)))


def _columns(tables: Tables) -> list[packing.Columns]:
    return [(table.keys, *table.rows) for table in tables.all()]


def _reduced(form: Form, parts: Sequence[Table]) -> Table:
    keys: Keys = _concatenated(form.key_type, [part.keys for part in parts])
    rows = [_concatenated(U64, [part.rows[number] for part in parts]) for number in range(len(form.reducers))]
    if not len(keys):
        return Table(form, keys, tuple(row.astype(U64) for row in rows))
    if form is GAUGES:
        return _reduced_gauges(keys, rows)
    if form is HIST and len(keys) > DENSE_FROM_KEYS and (dense := _reduced_densely(keys, rows[0])):
        return dense
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    reduced = (
        reducer.reduceat(row[order], starts, dtype=U64) for reducer, row in zip(form.reducers, rows, strict=True)
    )
    return Table(form, keys[starts], tuple(reduced))


def _reduced_gauges(keys: Keys, rows: list[Keys]) -> Table:
    """Of equal keys the latest value, the greater of two at one instant, so that order does not matter."""
    last, least, greatest = (row.view(F64) for row in rows[1:])
    order = np.lexsort((last, rows[0], keys))
    keys = keys[order]
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    ends = np.append(starts[1:], len(keys)) - 1
    return Table(
        GAUGES,
        keys[starts],
        (
            rows[0][order][ends].astype(U64),
            last[order][ends].view(U64),
            np.minimum.reduceat(least[order], starts).view(U64),
            np.maximum.reduceat(greatest[order], starts).view(U64),
        ),
    )


def _concatenated(key_type: np.dtype[np.unsignedinteger], arrays: Sequence[Keys]) -> Keys:
    """One array as it is, several as one, none as an empty one."""
    if len(arrays) == 1:
        return arrays[0]
    joined: Keys = np.concatenate(arrays) if arrays else np.empty(0, key_type)
    return joined


def _reduced_densely(keys: Keys, counts: Keys) -> Table | None:
    """The sums of counts, on an array with a place for each bucket of each pair of series and kind that occurs; None
    where there would be too many places for so few keys."""
    pairs = keys >> BUCKET_BITS
    occurs = np.zeros(int(pairs.max()) + 1, dtype=bool)
    occurs[pairs] = True
    occurring = np.flatnonzero(occurs)
    if len(occurring) << BUCKET_BITS > DENSE_SPAN * len(keys):
        return None
    ranks = (np.cumsum(occurs, dtype=np.uint32) - 1) << BUCKET_BITS
    dense = np.zeros(len(occurring) << BUCKET_BITS, dtype=np.uint64)
    np.add.at(dense, ranks.take(pairs) | keys & BUCKET_MASK, counts.astype(np.uint64, copy=False))
    filled = np.flatnonzero(dense)
    found = occurring.take(filled >> BUCKET_BITS) << BUCKET_BITS | filled & BUCKET_MASK
    return Table(HIST, found.astype(np.uint32), (dense[filled],))
