"""Counts as they lie in the file: exactly what they were, in a few kilobytes; garbage is named."""

from __future__ import annotations

import contextlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.errors import RunFailed
from swell.histogram import index_of
from swell.result import Block
from swell.stats import packed
from swell.stats.packed import FORMS, U64, Table, Tables
from swell.store.packing import pack_counts, unpack_counts


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    tables = []
    for form in FORMS:
        most = int(np.iinfo(form.key_type).max)
        keys = sorted(draw(st.sets(st.integers(0, most), max_size=8)))
        values = st.lists(st.integers(0, 2**64 - 1), min_size=len(keys), max_size=len(keys))
        rows = tuple(np.array(draw(values), dtype=U64) for _ in form.reducers)
        tables.append(Table(form, np.array(keys, dtype=form.key_type), rows))
    return packed.pack(3, 13, Tables(*tables))


@given(blocks())
def test_a_block_comes_back_as_it_was(block: Block) -> None:
    assert unpack_counts(3, 13, pack_counts(block)) == block


@given(blocks(), st.data())
def test_a_block_that_was_cut_or_changed_is_refused(block: Block, data: st.DataObject) -> None:
    packed_counts = bytearray(pack_counts(block))
    place = data.draw(st.integers(0, len(packed_counts) - 1))
    cut = data.draw(st.booleans())
    broken = packed_counts[:place] if cut else packed_counts
    if not cut:
        broken[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(RunFailed):  # or a bit of the compressed frame that means nothing
        assert unpack_counts(3, 13, bytes(broken)) == block


@given(st.binary(max_size=200))
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(RunFailed, match="the counts of second 7 are damaged"):
        unpack_counts(7, 8, garbage)


def busy_block(series: int, calls: int, seconds: int) -> Block:
    """Lognormal durations of so many calls a second, three kinds of them."""
    rng = np.random.default_rng(1)
    hist: dict[int, int] = {}
    sums: dict[int, tuple[int, int, int]] = {}
    tally, bytes_ = {}, {}
    per_series = calls * seconds // series
    for number in range(1, series + 1):
        durations_ns = np.exp(rng.normal(math.log(3e6 * (1 + number % 10)), 0.6, per_series)).astype(int)
        for kind in (0, 1, 5):
            for duration_ns in (durations_ns + rng.integers(0, 20_000, per_series)).tolist():
                key = number << 17 | kind << 13 | index_of(duration_ns)
                hist[key] = hist.get(key, 0) + 1
            total, least, most = int(durations_ns.sum()), int(durations_ns.min()), int(durations_ns.max())
            sums[number << 4 | kind] = total, least, most
        tally[number << 40 | 200 << 24] = per_series
        bytes_[number] = per_series * 140, per_series * 1_234
    return packed.pack(0, seconds, Tables(*(_table(place, found) for place, found in enumerate(
        ({key: (count,) for key, count in hist.items()}, sums, {key: (n,) for key, n in tally.items()}, bytes_, {})
    ))))  # fmt: skip


def _table(place: int, found: dict[int, tuple[int, ...]]) -> Table:
    form, keys = FORMS[place], sorted(found)
    rows = (np.array([found[key][row] for key in keys], dtype=U64) for row in range(len(form.reducers)))
    return Table(form, np.array(keys, dtype=form.key_type), tuple(rows))


@pytest.mark.parametrize("calls_per_s", [500, 5_000])
def test_eight_hours_of_fifty_series_take_at_most_200_mb(calls_per_s: int) -> None:
    """The last hour is in seconds, the seven before it in steps of 10 s. SQLite's pages are a twelfth more at most."""
    second, step = (pack_counts(busy_block(50, calls_per_s, seconds)) for seconds in (1, 10))
    assert (3_600 * len(second) + 7 * 360 * len(step)) * 13 / 12 < 200e6
