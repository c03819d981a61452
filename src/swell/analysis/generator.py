"""How the generator itself fared: the worst of every worker and second."""

from __future__ import annotations

from swell.document import GeneratorSummary, ReasonCode, Verdict
from swell.result import RunResult
from swell.segment import Health, Kind
from swell.stats import counts, packed
from swell.stats.health_history import worst
from swell.stats.latency import ends_of

OWN_CODES = {
    ReasonCode.WORKER_LOST,
    ReasonCode.UNACCOUNTED,
    ReasonCode.GENERATOR_SATURATED,
    ReasonCode.SCHEDULE_LATE,
    ReasonCode.LOOP_STALLED,
    ReasonCode.CONTROLLER_STALLED,
    ReasonCode.UNSTAMPED,
    ReasonCode.SAMPLES_LOST,
    ReasonCode.FD_EXHAUSTED,
    ReasonCode.PORTS_EXHAUSTED,
}


def generator(result: RunResult, verdict: Verdict) -> GeneratorSummary:
    """The generator's part of the document, given what the run was judged."""
    reasons = [reason for reason in verdict.reasons if reason.code in OWN_CODES or reason.own_fault]
    health = worst_health(result)
    whole = packed.unpack(result.whole)
    lag = counts.histogram(whole, (Kind.LAG,))
    """Of all planned starts together; the worst second's where no call carried its own."""
    counters = [worker.counters for worker in result.workers]
    return GeneratorSummary(
        healthy=not reasons,
        reasons=tuple(reason.code.value for reason in reasons),
        clock=ends_of(counts.tallies(whole)).clock,
        cpu_max=health.cpu,
        busy_max=max(health.busy, health.cpu),
        throttled_max=health.throttled,
        loop_lag_p99_ms=health.loop_lag_p99_ms,
        loop_lag_max_ms=health.loop_lag_max_ms,
        schedule_lag_p50_ms=lag.quantile_ns(0.5) / 1e6 if lag.total else health.schedule_lag_p50_ms,
        schedule_lag_p99_ms=lag.quantile_ns(0.99) / 1e6 if lag.total else health.schedule_lag_p99_ms,
        gc_pause_max_ms=health.gc_pause_max_ms,
        fds_max=health.fds,
        ports_max=health.ports,
        rss_max_bytes=health.rss_bytes,
        unstamped=sum(counter.unstamped for counter in counters),
        window_limited=sum(counter.window_limited for counter in counters),
        samples_lost=sum(counter.samples_lost for counter in counters),
        output_lost=result.beyond.output,
    )


def worst_health(result: RunResult) -> Health:
    """The worst of everything that any worker reported."""
    found = Health()
    for worker in result.workers:
        for span in worker.health:
            found = worst(found, span.health)
    return found
