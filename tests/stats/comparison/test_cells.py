"""Cells against a slow count of the same calls, one by one."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from swell.histogram import bounds_ns, index_of
from swell.result import RunResult
from swell.stats import packed
from swell.stats.comparison import cells as cells_module
from swell.stats.comparison.cells import ALL, Grid, cells, course
from tests.report.sample_results import contest_calls, ended
from tests.stats.segments import Call

QS = (0.5, 0.95)
SECONDS = 10


def calls_of(second: int) -> list[Call]:
    """What both workers did: the second one without the failures."""
    return [call for worker in range(2) for call in contest_calls(second) if not (call.failed and worker)]


def log_middle(value_ns: int) -> float:
    low, high = bounds_ns(index_of(value_ns))
    return (math.log(low) + math.log(high)) / 2


def wide(result: RunResult, width: int) -> RunResult:
    """The same result with its blocks joined."""
    joined = tuple(
        packed.pack(at, at + width, packed.add([packed.unpack(block) for block in result.blocks[at : at + width]]))
        for at in range(0, len(result.blocks), width)
    )
    return msgspec.structs.replace(result, blocks=joined)


def test_each_second_is_counted_by_series() -> None:
    found = cells(ended(), Grid(2, 8), [1, 6], QS)
    for second in range(2, 8):
        calls = calls_of(second)
        by_column = [calls, *([call for call in calls if call.series == number] for number in (1, 6))]
        assert found.calls[second - 2].tolist() == [len(part) for part in by_column]
        assert found.failed[second - 2].tolist() == [sum(call.failed for call in part) for part in by_column]
        assert found.timed[second - 2].tolist() == [sum(not call.failed for call in part) for part in by_column]
        logs = [sum(log_middle(call.response_ns) for call in part if not call.failed) for part in by_column]
        assert found.log_sums[second - 2] == pytest.approx(logs)


def test_below_a_quantile_lies_its_share_of_all() -> None:
    found = cells(ended(), Grid(0, SECONDS), [1, 2, 6], QS)
    for place, q in enumerate(QS):
        assert found.below[:, :, place].sum(axis=0) == pytest.approx(q * found.timed.sum(axis=0))


def test_of_all_calls_the_median_is_that_of_the_sorted_durations() -> None:
    found = cells(ended(), Grid(0, SECONDS), [], QS)
    durations = sorted(call.response_ns for second in range(SECONDS) for call in calls_of(second) if not call.failed)
    assert math.exp(found.ecdfs[ALL].log_at(0.5)) == pytest.approx(durations[len(durations) // 2], rel=0.01)


def test_each_second_has_quantiles_of_its_own() -> None:
    found = cells(ended(), Grid(2, 8), [1, 6], QS)
    for second in range(2, 8):
        calls = [call for call in calls_of(second) if not call.failed]
        for column, part in enumerate(
            [calls, *([call for call in calls if call.series == number] for number in (1, 6))]
        ):
            durations = sorted(call.response_ns for call in part)
            for place, q in enumerate(QS):
                value = math.exp(found.log_quantiles[second - 2, column, place])
                rank = q * len(durations)
                low, high = durations[math.ceil(rank) - 1], durations[min(math.floor(rank), len(durations) - 1)]
                assert bounds_ns(index_of(low))[0] <= value <= bounds_ns(index_of(high))[1]


def test_a_second_without_a_call_has_no_quantile() -> None:
    result = ended()
    missing = msgspec.structs.replace(result, blocks=(*result.blocks[:3], *result.blocks[4:]))
    assert np.isnan(cells(missing, Grid(0, SECONDS), [1], QS).log_quantiles[3]).all()


def test_wide_blocks_make_the_same_cells_as_the_seconds_in_them() -> None:
    narrow, broad = (cells(result, Grid(0, SECONDS, 5), [1, 6], QS) for result in (ended(), wide(ended(), 5)))
    for one, other in (
        (narrow.calls, broad.calls),
        (narrow.below, broad.below),
        (narrow.log_quantiles, broad.log_quantiles),
    ):
        assert one == pytest.approx(other)


def test_blocks_read_in_many_batches_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = cells(ended(), Grid(0, SECONDS), [1, 6], QS)
    monkeypatch.setattr(cells_module, "READ_AT_ONCE_BYTES", 1)
    parts = cells(ended(), Grid(0, SECONDS), [1, 6], QS)
    for one, other in (
        (whole.calls, parts.calls),
        (whole.below, parts.below),
        (whole.log_squares, parts.log_squares),
        (whole.log_quantiles, parts.log_quantiles),
    ):
        assert np.allclose(one, other)


def test_a_block_that_reaches_beyond_the_grid_is_left_out() -> None:
    assert cells(wide(ended(), 5), Grid(0, 8), [], QS).calls.sum() == sum(len(calls_of(second)) for second in range(5))


def test_the_course_is_of_all_calls_and_holds_on_where_none_succeeded() -> None:
    result = ended()
    missing = msgspec.structs.replace(result, blocks=(*result.blocks[:3], *result.blocks[4:]))
    found = course(missing, Grid(0, SECONDS))
    assert found.calls[3] == 0
    assert found.log_means[3] == found.log_means[2]
    logs = [log_middle(call.response_ns) for call in calls_of(2) if not call.failed]
    assert found.log_means[2] == pytest.approx(sum(logs) / len(logs))


def test_a_run_without_calls_has_empty_cells() -> None:
    nothing = msgspec.structs.replace(ended(), blocks=())
    assert course(nothing, Grid(0, 4)).calls.tolist() == [0] * 4
    assert cells(nothing, Grid(0, 4), [1], QS).ecdfs[ALL].total == 0
