"""How a worker fared: everything while there is room, the worst of neighbours afterwards."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from swell.segment import Health
from swell.stats.health_history import HealthHistory, spans_each, worst


def test_the_worst_of_two_has_the_worst_of_each() -> None:
    one = Health(cpu=0.2, loop_lag_max_ms=150, stalled_by="read", fds=10, fd_exhausted=1)
    other = Health(cpu=0.9, loop_lag_max_ms=120, stalled_by="submit", fds=7, fd_exhausted=2, gc_pause_max_ms=3)
    assert worst(one, other) == Health(
        cpu=0.9, loop_lag_max_ms=150, stalled_by="read", fds=10, fd_exhausted=3, gc_pause_max_ms=3
    )


@given(st.lists(st.floats(0, 1)), st.integers(4, 20))
def test_however_long_it_gets_it_is_bounded_without_gaps_and_forgets_no_peak(cpus: list[float], cap: int) -> None:
    history = HealthHistory(cap)
    for second, cpu in enumerate(cpus):
        history.add(float(second), second + 1.0, Health(cpu=cpu))
    spans = history.spans()
    assert len(spans) <= cap
    assert [span.from_s for span in spans[1:]] == [span.to_s for span in spans[:-1]]
    assert max((span.health.cpu for span in spans), default=0) == max(cpus, default=0)


def test_calm_seconds_are_joined_before_busy_ones_are_joined_with_them() -> None:
    history = HealthHistory(8)
    for second in range(9):
        history.add(float(second), second + 1.0, Health(cpu=1.0 if second == 4 else 0.1))
    assert [(span.from_s, span.to_s) for span in history.spans() if span.health.cpu == 1] == [(4.0, 5.0)]


def test_room_is_shared_by_all_workers() -> None:
    assert [spans_each(workers) for workers in (0, 1, 100, 1_000, 1_000_000)] == [1_800, 1_800, 1_800, 180, 60]


def test_one_that_is_given_less_room_later_joins_as_often_as_it_takes() -> None:
    history = HealthHistory()
    for second in range(1_000):
        history.add(float(second), second + 1.0, Health(cpu=second % 2 / 2))
    before = history.spans()
    history.cap = 100
    history.add(1_000.0, 1_001.0, Health(cpu=0.25))
    spans = history.spans()
    assert (len(before), history.thinned > 1) == (1_000, True)
    assert len(spans) <= 100
    assert (spans[0].from_s, spans[-1].to_s) == (0.0, 1_001.0)
