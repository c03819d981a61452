"""How a worker fared over time, bounded: spans of calm, alike seconds grow together when there are too many."""

from __future__ import annotations

from collections.abc import Iterable

from swell.result import HealthSpan
from swell.segment import Health

KEPT_SPANS = 1_800
KEPT_SPANS_OF_ALL = 180_000
LEAST_SPANS = 60
CPU_BANDS = 20


def spans_each(workers: int) -> int:
    """How many spans there is room for of each of so many workers."""
    return min(max(KEPT_SPANS_OF_ALL // max(workers, 1), LEAST_SPANS), KEPT_SPANS)


class HealthHistory:
    """The spans of one worker, in order of time. Neighbours that differ in CPU by a band stay apart while they can."""

    def __init__(self, cap: int = KEPT_SPANS) -> None:
        self.cap = cap
        """May be lowered at any time."""
        self._spans: list[HealthSpan] = []
        self.thinned = 0
        """How often spans were joined: in between, they only grow in number."""
        self._listed: tuple[HealthSpan, ...] | None = ()

    def __repr__(self) -> str:
        return f"<HealthHistory of {len(self._spans)} spans>"

    def add(self, from_s: float, to_s: float, health: Health) -> None:
        """Note how the worker fared over [from_s, to_s), the latest so far."""
        self._spans.append(HealthSpan(from_s, max(to_s, from_s), health))
        self._listed = None
        while len(self._spans) > self.cap:
            self._thin()

    @classmethod
    def restore(cls, spans: Iterable[HealthSpan], thinned: int) -> HealthHistory:
        """The history that had these spans."""
        restored = cls()
        restored._spans, restored.thinned, restored._listed = list(spans), thinned, None
        return restored

    def spans(self) -> tuple[HealthSpan, ...]:
        """Everything noted."""
        if self._listed is None:
            self._listed = tuple(self._spans)
        return self._listed

    def _thin(self) -> None:
        thinned = _joined(self._spans, only_alike=True)
        if len(thinned) > self.cap * 3 // 4:
            thinned = _joined(thinned, only_alike=False)
        self._spans = thinned
        self.thinned += 1


def _joined(spans: list[HealthSpan], *, only_alike: bool) -> list[HealthSpan]:
    """Each span joined with its neighbour, once."""
    joined: list[HealthSpan] = []
    open_to_join = False
    for span in spans:
        if open_to_join and (not only_alike or _alike(joined[-1].health, span.health)):
            joined[-1] = HealthSpan(joined[-1].from_s, span.to_s, worst(joined[-1].health, span.health))
            open_to_join = False
        else:
            joined.append(span)
            open_to_join = True
    return joined


def _alike(one: Health, other: Health) -> bool:
    bands = [(int(health.cpu * CPU_BANDS), int(health.busy * CPU_BANDS)) for health in (one, other)]
    return bands[0] == bands[1] and one.stalled_by == other.stalled_by


def worst(one: Health, other: Health) -> Health:
    """The worst of each; counts of exhaustion are added; the longer stall keeps its task's name."""
    longer = one if one.loop_lag_max_ms >= other.loop_lag_max_ms else other
    return Health(
        cpu=max(one.cpu, other.cpu),
        loop_lag_p99_ms=max(one.loop_lag_p99_ms, other.loop_lag_p99_ms),
        loop_lag_max_ms=longer.loop_lag_max_ms,
        stalled_by=longer.stalled_by or one.stalled_by or other.stalled_by,
        schedule_lag_p50_ms=max(one.schedule_lag_p50_ms, other.schedule_lag_p50_ms),
        schedule_lag_p99_ms=max(one.schedule_lag_p99_ms, other.schedule_lag_p99_ms),
        gc_pause_max_ms=max(one.gc_pause_max_ms, other.gc_pause_max_ms),
        fds=max(one.fds, other.fds),
        fds_limit=max(one.fds_limit, other.fds_limit),
        ports=max(one.ports, other.ports),
        rss_bytes=max(one.rss_bytes, other.rss_bytes),
        fd_exhausted=one.fd_exhausted + other.fd_exhausted,
        ports_exhausted=one.ports_exhausted + other.ports_exhausted,
        busy=max(one.busy, other.busy),
        throttled=max(one.throttled, other.throttled),
        unspooled=one.unspooled + other.unspooled,
    )
