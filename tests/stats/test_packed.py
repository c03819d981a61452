"""Adding packed tables, whichever way is taken, against a dictionary."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swell.result import Block
from swell.segment import BUCKET_BITS
from swell.stats import packed
from swell.stats.packed import Table, Tables

EMPTY = packed.unpack(Block(0, 0))


def histograms(keys: list[int], counts: list[int]) -> Tables:
    table = Table(packed.HIST, np.array(keys, dtype=np.uint32), (np.array(counts, dtype=np.uint32),))
    return Tables(table, EMPTY.sums, EMPTY.tally, EMPTY.bytes_, EMPTY.gauges)


def as_dict(tables: Tables) -> dict[int, int]:
    keys = tables.hist.keys.tolist()
    assert keys == sorted(set(keys))
    assert tables.hist.keys.dtype == np.uint32
    assert tables.hist.rows[0].dtype == np.uint64
    return dict(zip(keys, tables.hist.rows[0].tolist(), strict=True))


@pytest.mark.parametrize("dense_from_keys", [0, 1_000_000])
@given(
    parts=st.lists(
        st.lists(st.tuples(st.integers(0, 40), st.integers(0, 4_223), st.integers(1, 2**32 - 1)), max_size=50),
        max_size=5,
    ),
    span=st.sampled_from([1, 1 << 30]),
)
@settings(max_examples=60, deadline=None)
def test_sums_are_exact_on_the_dense_array_as_on_the_sorted_one(
    dense_from_keys: int, parts: list[list[tuple[int, int, int]]], span: int
) -> None:
    expected: Counter[int] = Counter()
    tables = []
    for part in parts:
        keys = [cell << BUCKET_BITS | bucket for cell, bucket, _ in part]
        counts = [count for _, _, count in part]
        tables.append(histograms(keys, counts))
        for key, count in zip(keys, counts, strict=True):
            expected[key] += count
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "DENSE_FROM_KEYS", dense_from_keys)
        patch.setattr(packed, "DENSE_SPAN", span)
        assert as_dict(packed.add(tables)) == expected


def test_many_keys_in_few_cells_go_through_the_dense_array() -> None:
    random = np.random.default_rng(1)
    keys = (3 << BUCKET_BITS | random.integers(0, 2_000, 20_000)).tolist()
    assert as_dict(packed.add([histograms(keys, [2] * len(keys))])) == {key: 2 * n for key, n in Counter(keys).items()}


def test_packing_and_unpacking_changes_nothing() -> None:
    tables = packed.add([histograms([5, 3, 5], [1, 2, 3])])
    assert as_dict(packed.unpack(packed.pack(0, 1, tables))) == {3: 2, 5: 4}


def test_nothing_added_up_is_nothing() -> None:
    assert packed.pack(0, 0, packed.add([])) == Block(0, 0)
