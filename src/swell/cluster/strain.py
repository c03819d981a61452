"""How a worker fared, as its pulses tell: from what it has just reported."""

from __future__ import annotations

from swell.cluster.messages import Strain
from swell.segment import FIRST_SEQUENCE, Segment


def strain_of(segment: Segment, sealed_before_s: float = 0.0) -> Strain:
    """The strain of the time that a segment reports, which began when the one before it was sealed. Where there was
    none before, it is not known when the worker had its first user: nothing is said of its calls per second."""
    health = segment.health
    span_s = segment.sealed_s - sealed_before_s
    calls = segment.to_position - segment.from_position
    return Strain(
        cpu=max(health.busy, min(health.cpu, 1.0)),
        lag_p99_ms=health.schedule_lag_p99_ms,
        loop_lag_p99_ms=health.loop_lag_p99_ms,
        throttled=health.throttled,
        calls_per_s=calls / span_s if span_s > 0 and segment.sequence > FIRST_SEQUENCE else 0.0,
    )
