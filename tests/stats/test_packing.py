"""Counts in few bytes: exactly what they were, compressed and plain; what is damaged is named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.errors import RunFailed
from swell.result import Block
from swell.stats import packed, packing
from swell.stats.packed import FORMS, U64, Table, Tables


@st.composite
def tables(draw: st.DrawFn) -> Tables:
    found = []
    for form in FORMS:
        most = int(np.iinfo(form.key_type).max)
        keys = sorted(draw(st.sets(st.integers(0, most), max_size=8)))
        values = st.lists(st.integers(0, 2**64 - 1), min_size=len(keys), max_size=len(keys))
        rows = tuple(np.array(draw(values), dtype=U64) for _ in form.reducers)
        found.append(Table(form, np.array(keys, dtype=form.key_type), rows))
    return Tables(*found)


blocks = tables().map(lambda found: packed.pack(3, 13, found)).filter(lambda block: bool(block.counts))


def listed(found: Tables) -> list[tuple[str, list[int], list[list[int]]]]:
    return [(table.keys.dtype.str, table.keys.tolist(), [row.tolist() for row in table.rows]) for table in found.all()]


@given(tables())
def test_tables_come_back_as_they_were(found: Tables) -> None:
    for block in (packed.pack(3, 13, found), packed.pack_plain(3, 13, found)):
        packed_again = packed.unpack(block)
        assert listed(packed_again) == listed(found)
        assert all(row.dtype == U64 for table in packed_again.all() for row in table.rows)
        assert packed.pack(3, 13, packed_again) == packed.pack(3, 13, found)


@given(tables())
def test_plain_columns_lie_where_numpy_reads_them_fastest(found: Tables) -> None:
    columns = [column for table in packed.unpack(packed.pack_plain(0, 1, found)).all() for column in table.rows]
    assert all(column.flags.aligned for column in columns)


@given(blocks)
def test_what_was_packed_is_found_sound(block: Block) -> None:
    packed.check(block)


def test_nothing_takes_no_room_and_is_sound() -> None:
    packed.check(Block(0, 1))
    assert packed.pack(0, 1, packed.unpack(Block(0, 1))) == Block(0, 1)


@given(blocks, st.data())
def test_a_block_that_was_cut_or_changed_is_refused(block: Block, data: st.DataObject) -> None:
    counts = bytearray(block.counts)
    place = data.draw(st.integers(1, len(counts) - 1))
    if data.draw(st.booleans()):
        del counts[place:]
    else:
        counts[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(RunFailed, match="the counts of second 3 are damaged"):
        packed.check(Block(3, 13, bytes(counts)))


@given(st.binary(min_size=1, max_size=200))
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(RunFailed, match="the counts of second 7 are damaged"):
        packed.check(Block(7, 8, garbage))


@given(blocks)
def test_counts_that_were_left_plain_are_refused_from_elsewhere(block: Block) -> None:
    with pytest.raises(RunFailed, match="the counts of second 3 are damaged"):
        packed.check(packed.pack_plain(3, 13, packed.unpack(block)))


def test_a_frame_that_zstd_cannot_read_is_named() -> None:
    counts = packed.pack(0, 1, packed.unpack(busy())).counts
    with pytest.raises(RunFailed, match="counts are damaged"):
        packed.unpack(Block(0, 1, counts[: packing.BODY_AT + 20]))


def busy() -> Block:
    keys = np.arange(1_000, dtype=np.uint32)
    nothing = packed.unpack(Block(0, 0))
    hist = Table(packed.HIST, keys, (np.arange(1_000, dtype=U64) ** 3,))
    return packed.pack(0, 1, Tables(hist, nothing.sums, nothing.tally, nothing.bytes_, nothing.gauges))
