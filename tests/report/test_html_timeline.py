"""The page's lines over time: merged, never picked from."""

from __future__ import annotations

from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from swell.report.html_timeline import coarser, edges_s, lines, merged, users_of
from swell.result import Block, RunResult
from swell.stats import packed
from swell.stats.windows import window
from tests.report import sample_results
from tests.stats.segments import MS, Call
from tests.stats.worker_runs import merged as merged_run
from tests.stats.worker_runs import runs

EMPTY = Block(0, 1)
widths = st.lists(st.tuples(st.integers(0, 20), st.sampled_from([1, 1, 1, 7, 10, 60, 600])), max_size=40)


def of_blocks(places: list[tuple[int, int]], duration_s: float = 0.0) -> RunResult:
    """A run whose blocks lie behind one another, with gaps: gap, width."""
    blocks, at = [], 0
    for gap, width in places:
        blocks.append(Block(at + gap, at + gap + width))
        at += gap + width
    return msgspec.structs.replace(sample_results.ended(), blocks=tuple(blocks), duration_s=duration_s)


@given(widths, st.integers(1, 50), st.floats(0, 5_000))
def test_edges_cover_the_run_and_cut_no_block(places: list[tuple[int, int]], points: int, duration_s: float) -> None:
    result = of_blocks(places, duration_s)
    edges = edges_s(result, points)
    assert edges[0] == 0
    assert edges[-1] >= max(duration_s, *(block.to_s for block in result.blocks), 1)
    assert all(one < other for one, other in pairwise(edges))
    assert len(edges) - 1 <= points
    assert not any(block.from_s < edge < block.to_s for edge in edges for block in result.blocks)


@given(runs, st.integers(1, 5))
def test_bins_hold_every_call_once(drawn: tuple[object, ...], points: int) -> None:
    result = merged_run(one for run in drawn for one in run.segments).snapshot()  # type: ignore[attr-defined]
    bins = list(merged(result, edges_s(result, points)))
    summed = packed.add([one.tables for one in bins])
    assert packed.pack_plain(0, result.whole.to_s, summed) == result.whole


@given(st.integers(1, 700), st.integers(1, 130))
def test_coarser_edges_are_among_the_others(bins: int, points: int) -> None:
    edges = [0, *range(5, 5 + bins)]
    found = coarser(edges, points)
    assert set(found) <= set(edges)
    assert (found[0], found[-1]) == (edges[0], edges[-1])
    assert len(found) - 1 <= points


def test_a_point_has_the_exact_percentiles_of_its_whole_stretch() -> None:
    result = sample_results.ended()
    edges = edges_s(result, 3)
    drawn = lines(result, edges, edges, [1])
    windows = [window(result, from_s, to_s) for from_s, to_s in pairwise(edges)]
    assert edges == [0, 5, 10]
    assert list(zip(drawn.whole.p50_ms, drawn.whole.p95_ms, drawn.whole.p99_ms, strict=True)) == [
        tuple(one.quantiles_ms((0.5, 0.95, 0.99)) or ()) for one in windows
    ]
    assert drawn.whole.rps == [one.rps for one in windows]


def test_a_series_has_its_own_line_and_gaps_where_nothing_succeeded() -> None:
    merge = sample_results.new_merge(sample_results.plan(), workers=1)
    calls = [Call(0, 1, 5 * MS, 4 * MS), Call(2, 1, 9 * MS, 9 * MS, failed=True, error=1), Call(2, 2)]
    merge.apply(sample_results.segment(1, calls, series=[(1, "/"), (2, "/b")], errors=[(1, "x")], final=True))
    result = merge.snapshot(3.0)
    edges = edges_s(result, 10)
    numbers = {series.name: number for number, series in enumerate(result.series)}
    line = lines(result, edges, edges, [numbers["/"]]).each[numbers["/"]]
    assert (line.rps, line.failures_per_s) == ([1.0, 0.0, 1.0], [0.0, 0.0, 1.0])
    assert [ms and round(ms) for ms in line.p99_ms] == [5, None, None]


def test_users_of_a_stretch_are_the_most_of_any_second() -> None:
    result = sample_results.ended()
    assert users_of(result, [0, 4, 10]) == [20, 20]
    assert users_of(result, [10, 12]) == [0]
