"""The document of a result: everything in it is derived here, from the counts, once."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Sequence

from swell.analysis.generator import generator
from swell.analysis.verdict import judge
from swell.document import (
    ClusterSummary,
    ErrorSummary,
    Limit,
    Limits,
    ResultDocument,
    RunSummary,
    ScenarioSummary,
    SeriesSummary,
    Stretch,
    ThresholdSummary,
    TimelinePoint,
    Totals,
    TraceSummary,
    WorkerSummary,
)
from swell.result import REVISIONS_CAP, Block, ErrorSeen, RunResult, WorkerResult
from swell.segment import ERROR_CAP, EXCEPTION_CAP, MEASURE_CAP, SERIES_CAP, ErrorSample, Kind, TraceSeen
from swell.stats import counts, loads, packed
from swell.stats.accounting import account, unaccounted, unanswered
from swell.stats.arrivals import arrivals
from swell.stats.costs import Cost, costs, is_affected, joined
from swell.stats.latency import NS_PER_MS, Ends, ends_by_series, ends_of, latency
from swell.stats.measures import Measures
from swell.stats.packed import Tables
from swell.stats.revisions import forgotten
from swell.stats.users import users_per_second
from swell.stats.windows import ALL, Window

RESPONSE = (Kind.RESPONSE,)
SERVICE = (Kind.SERVICE,)
FAILED = (Kind.FAILED_RESPONSE,)


def summarise(result: RunResult, thresholds: Sequence[ThresholdSummary] = ()) -> ResultDocument:
    """The document of a run, finished or not."""
    whole = packed.unpack(result.whole)
    verdict = judge(result)
    measures = Measures(result, whole, result.duration_s)
    arrived = arrivals(result)
    cost = costs(result, arrived)
    affected = joined(stretch for one in cost for stretch in one.affected)
    return ResultDocument(
        run=_run(result),
        totals=_totals(result, whole),
        scenarios=_scenarios(result),
        arrivals=arrived,
        series=series_summaries(result, whole),
        errors=_errors(result),
        exceptions=result.exceptions,
        checks=measures.checks(),
        transactions=measures.transactions(),
        measures=measures.values(),
        traces=tuple(_trace(result, seen) for seen in result.traces),
        samples=result.samples,
        exports=result.exports,
        feeds=result.feeds,
        thresholds=tuple(thresholds),
        verdict=verdict,
        accounting=account(result),
        workers=_workers(result, cost),
        cluster=_cluster(result),
        limits=_limits(result),
        generator=generator(result, verdict),
        timeline=tuple(_timeline(result, affected)),
    )


def _run(result: RunResult) -> RunSummary:
    plan = result.plan
    started_at = result.started_at.astimezone(datetime.UTC).isoformat(timespec="seconds")
    return RunSummary(
        id=result.run,
        script=plan.script,
        target=plan.target,
        started_at=started_at.replace("+00:00", "Z"),
        duration_s=result.duration_s,
        end=result.end.value if result.end else None,
        end_text=result.end_text,
        workers=len({worker.worker for worker in result.workers}),
        plan=loads.readable(plan),
        revisions=result.revisions,
    )


def _totals(result: RunResult, whole: Tables) -> Totals:
    ends = ends_of(counts.tallies(whole))
    sent, received = counts.all_bytes(whole)
    return Totals(
        requests=ends.requests,
        failures=ends.failures,
        rps=_per_s(ends.requests, result),
        failures_per_s=_per_s(ends.failures, result),
        users_peak=max(users_per_second(result), default=0),
        dropped=sum(scenario.dropped for scenario in result.scenarios),
        missed=sum(scenario.missed for scenario in result.scenarios),
        bytes_sent=sent,
        bytes_received=received,
        statuses=_statuses(ends),
        response_ms=latency(counts.histogram(whole, RESPONSE), ends.clock_of_successes),
        service_ms=latency(counts.histogram(whole, SERVICE), ends.clock_of_successes),
        failed_ms=latency(counts.histogram(whole, FAILED), ends.clock_of_failures),
        all_ms=latency(counts.histogram(whole, ALL), ends.clock),
    )


def _scenarios(result: RunResult) -> tuple[ScenarioSummary, ...]:
    models, planned = loads.models(result.plan), loads.planned(result.plan)
    return tuple(
        ScenarioSummary(
            name=scenario.name,
            model=models.get(scenario.name, "closed"),
            planned=planned.get(scenario.name),
            users_peak=scenario.users_peak,
            iterations=scenario.iterations,
            dropped=scenario.dropped,
            missed=scenario.missed,
        )
        for scenario in result.scenarios
    )


def series_summaries(result: RunResult, whole: Tables) -> tuple[SeriesSummary, ...]:
    """Every series that has a call, by scenario, name, method and tags; (other) last."""
    ends = ends_by_series(counts.tallies(whole))
    byte_counts = counts.bytes_by_series(whole)
    order = sorted(ends, key=lambda number: (number == 0, _sort_key(result, number)))
    return tuple(_series(result, whole, number, ends[number], byte_counts.get(number, (0, 0))) for number in order)


def _sort_key(result: RunResult, number: int) -> tuple[str, str, str, str]:
    series = result.series_of(number)
    return series.scenario, series.name, series.method, series.tags


def _series(result: RunResult, whole: Tables, number: int, ends: Ends, byte_counts: tuple[int, int]) -> SeriesSummary:
    named = result.series_of(number)
    return SeriesSummary(
        scenario=named.scenario,
        method=named.method,
        name=named.name,
        tags=named.tags,
        requests=ends.requests,
        failures=ends.failures,
        rps=_per_s(ends.requests, result),
        failures_per_s=_per_s(ends.failures, result),
        bytes_sent=byte_counts[0],
        bytes_received=byte_counts[1],
        statuses=_statuses(ends),
        response_ms=latency(counts.histogram(whole, RESPONSE, number), ends.clock_of_successes),
        service_ms=latency(counts.histogram(whole, SERVICE, number), ends.clock_of_successes),
        failed_ms=latency(counts.histogram(whole, FAILED, number), ends.clock_of_failures),
        all_ms=latency(counts.histogram(whole, ALL, number), ends.clock),
        connect_ms=latency(counts.histogram(whole, (Kind.CONNECT,), number), "user"),
        first_byte_ms=latency(counts.histogram(whole, (Kind.FIRST_BYTE,), number), ends.clock),
    )


def _errors(result: RunResult) -> tuple[ErrorSummary, ...]:
    """Every error of every series, the most frequent first."""
    samples = {(kept.series, kept.error): kept.samples for kept in result.error_samples}
    rows = [_error(result, seen, samples.get((seen.series, seen.error), ())) for seen in result.errors_seen]
    return tuple(sorted(rows, key=lambda row: (-row.count, row.scenario, row.name, row.method, row.error)))


def _error(result: RunResult, seen: ErrorSeen, samples: tuple[ErrorSample, ...]) -> ErrorSummary:
    series = result.series_of(seen.series)
    return ErrorSummary(
        scenario=series.scenario,
        method=series.method,
        name=series.name,
        error=result.error_text(seen.error),
        count=seen.count,
        first_s=seen.first_s,
        last_s=seen.last_s,
        samples=samples,
    )


def _trace(result: RunResult, seen: TraceSeen) -> TraceSummary:
    series = result.series_of(seen.series)
    return TraceSummary(
        scenario=series.scenario,
        method=series.method,
        name=series.name,
        tags=series.tags,
        trace_id=seen.trace_id,
        at_s=seen.at_s,
        response_ms=seen.response_ns / NS_PER_MS,
        status=seen.status,
        error=result.error_text(seen.error) if seen.failed else None,
    )


def _workers(result: RunResult, found: Sequence[Cost]) -> tuple[WorkerSummary, ...]:
    calls = max(sum(worker.calls for worker in result.workers), 1)
    return tuple(_worker(worker, calls, cost) for worker, cost in zip(result.workers, found, strict=True))


def _worker(worker: WorkerResult, calls: int, cost: Cost) -> WorkerSummary:
    return WorkerSummary(
        id=str(worker.worker),
        incarnation=worker.incarnation,
        host=worker.host,
        capacity=worker.capacity,
        joined_s=worker.joined_s,
        reported_s=worker.reported_s,
        requests=worker.calls,
        requests_share=worker.calls / calls,
        users_most=worker.users_most,
        sent=worker.counters.sent,
        answered=worker.counters.answered,
        unanswered=unanswered(worker),
        unaccounted=unaccounted(worker),
        left_s=worker.left_s,
        lost_at_s=worker.lost_at_s,
        lost_because=worker.lost_because,
        taken_over_s=worker.taken_over_s,
        missing_s=cost.missing_s,
        arrivals_not_started=cost.arrivals_not_started,
        affected=cost.affected,
    )


def _cluster(result: RunResult) -> ClusterSummary:
    facts, found = result.controller, result.controller.link
    return ClusterSummary(
        restarts=len(result.workers) - len({worker.worker for worker in result.workers}),
        redeals=facts.redeals,
        shortfalls=facts.shortfalls,
        refused=found.refused,
        strangers=found.counts.strangers,
        connections=found.counts.admitted,
        disconnections=found.counts.ended,
        dropped=found.counts.dropped,
        crowded_out=found.counts.crowded_out,
    )


def _limits(result: RunResult) -> Limits:
    return Limits(
        series=Limit(SERIES_CAP, result.beyond.series),
        errors=Limit(ERROR_CAP, result.beyond.errors),
        exceptions=Limit(EXCEPTION_CAP, result.beyond.exceptions),
        measures=Limit(MEASURE_CAP, result.beyond.measures),
        values_refused=result.beyond.values,
        revisions=Limit(REVISIONS_CAP, forgotten(result.revisions)),
    )


def _timeline(result: RunResult, affected: Sequence[Stretch]) -> Iterator[TimelinePoint]:
    """A point for each block, and for each second without one."""
    users = users_per_second(result)
    return (_point(block, users, affected) for block in _blocks(result))


def _blocks(result: RunResult) -> Iterator[Block]:
    next_s = 0
    for block in result.blocks:
        yield from (Block(second, second + 1) for second in range(next_s, block.from_s))
        yield block
        next_s = block.to_s
    yield from (Block(second, second + 1) for second in range(next_s, math.ceil(result.duration_s)))


def _point(block: Block, users: Sequence[int], affected: Sequence[Stretch]) -> TimelinePoint:
    window = Window(block.from_s, block.to_s, packed.unpack(block))
    p50_ms, p95_ms, p99_ms = window.quantiles_ms((0.5, 0.95, 0.99)) or (None, None, None)
    return TimelinePoint(
        t_s=block.from_s,
        step_s=block.to_s - block.from_s,
        users=max(users[block.from_s : block.to_s], default=0),
        requests=window.requests,
        failures=window.failures,
        p50_ms=p50_ms,
        p95_ms=p95_ms,
        p99_ms=p99_ms,
        affected=is_affected(affected, block.from_s, block.to_s),
    )


def _statuses(ends: Ends) -> dict[str, int]:
    return {str(status): count for status, count in sorted(ends.statuses.items())}


def _per_s(count: int, result: RunResult) -> float:
    return count / result.duration_s if result.duration_s > 0 else 0.0
