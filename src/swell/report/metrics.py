"""A run as metrics, for whoever collects those.

There are at most as many rows as the result has series, times the statuses that they had: known ones by their number,
others by their class; and as many as the script has measures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from http import HTTPStatus

from swell.report.families import Family, FamilySort, Labels, Sample
from swell.report.measure_families import measure_families
from swell.result import RunResult, WorkerResult
from swell.segment import Health, Kind
from swell.stats import counts, packed
from swell.stats.latency import FAILED
from swell.stats.packed import Tables

KNOWN_STATUSES = {status.value for status in HTTPStatus}
NO_RESPONSE = "none"

DURATIONS = {
    "response": (Kind.RESPONSE, "How long successful calls took, as a person would have felt it."),
    "service": (Kind.SERVICE, "How long the target alone took for successful calls."),
    "failed_response": (Kind.FAILED_RESPONSE, "How long failed calls took, as a person would have felt it."),
}
OF_SCENARIOS = {
    "iterations": "Iterations begun.",
    "dropped": "Arrivals for which there was no user.",
    "missed": "Paced starts that were given up.",
}
OF_HEALTH: dict[str, tuple[str, str]] = {
    "cpu": ("ratio", "CPU time of a worker over wall time; 1 is a whole core."),
    "loop_lag": ("seconds", "How late a worker's loop was, at p99 of its last second."),
    "schedule_lag": ("seconds", "How late planned starts were, at p99 of the worker's last second."),
    "gc_pause": ("seconds", "The longest garbage collection in a worker's last second."),
    "memory": ("bytes", "Resident memory of a worker."),
    "open_files": ("", "Open files of a worker."),
}
OUTCOMES = ("answered", "unanswered", "not_sent")
OF_COUNTERS = {
    "sent": ("exchanges_sent", "Exchanges of which a byte was given to the kernel."),
    "retried": ("exchanges_retried", "Exchanges that were a second attempt."),
    "redirected": ("exchanges_redirected", "Exchanges that were a further hop."),
    "unstamped": ("responses_unstamped", "Responses that the kernel did not stamp."),
    "samples_lost": ("samples_lost", "Calls that were done and could not be recorded."),
}


def families(result: RunResult) -> Iterator[Family]:
    """All metrics of a run, finished or not, that have a sample."""
    tables = packed.unpack(result.whole)
    every = (
        *_of_run(result),
        *_of_calls(result, tables),
        *_of_durations(result, tables),
        *measure_families(result, tables),
        *_of_scenarios(result),
        *_of_generator(result),
    )
    return (family for family in every if family.samples)


def _of_run(result: RunResult) -> Iterator[Family]:
    about = {"run": result.run, "script": result.plan.script, "target": result.plan.host}
    yield Family("run_info", "The run.", FamilySort.GAUGE, "", (Sample(about, 1.0),))
    duration = (Sample({}, result.duration_s),)
    yield Family("run_duration", "How long the run has gone on.", FamilySort.GAUGE, "seconds", duration)


def _of_calls(result: RunResult, tables: Tables) -> Iterator[Family]:
    done: dict[tuple[int, str], int] = defaultdict(int)
    failed: dict[int, int] = defaultdict(int)
    for row in counts.tallies(tables):
        done[row.series, _status(row.status)] += row.count
        failed[row.series] += row.count if row.outcome & FAILED else 0
    requests = (
        Sample({**_labels(result, series), "status": status}, float(count)) for (series, status), count in done.items()
    )
    yield Family("requests", "Calls done, failed ones included.", FamilySort.COUNTER, "", tuple(requests))
    failures = (Sample(_labels(result, series), float(count)) for series, count in failed.items())
    yield Family("failures", "Calls that failed.", FamilySort.COUNTER, "", tuple(failures))
    by_series = {series: found for series, found in counts.bytes_by_series(tables).items() if series in failed}
    for place, way in enumerate(("sent", "received")):
        samples = tuple(Sample(_labels(result, series), float(found[place])) for series, found in by_series.items())
        yield Family(way, f"Bytes {way}.", FamilySort.COUNTER, "bytes", samples)


def _of_durations(result: RunResult, tables: Tables) -> Iterator[Family]:
    numbers = list(dict.fromkeys(row.series for row in counts.tallies(tables)))
    for name, (kind, text) in DURATIONS.items():
        found = ((number, counts.histogram(tables, (kind,), number)) for number in numbers)
        samples = tuple(Sample(_labels(result, number), histogram) for number, histogram in found if histogram.total)
        yield Family(name, text, FamilySort.HISTOGRAM, "seconds", samples)


def _of_scenarios(result: RunResult) -> Iterator[Family]:
    now = tuple(Sample({"scenario": found.name}, float(found.users_now)) for found in result.scenarios)
    yield Family("users", "Users that are there.", FamilySort.GAUGE, "", now)
    for name, text in OF_SCENARIOS.items():
        samples = (Sample({"scenario": found.name}, float(getattr(found, name))) for found in result.scenarios)
        yield Family(name, text, FamilySort.COUNTER, "", tuple(samples))


def _of_generator(result: RunResult) -> Iterator[Family]:
    newest = {worker.worker: worker for worker in result.workers if worker.lost_at_s is None}
    yield Family("workers", "Workers that are there.", FamilySort.GAUGE, "", (Sample({}, float(len(newest))),))
    figures = {worker: _figures(found.health[-1].health) for worker, found in newest.items() if found.health}
    for name, (unit, text) in OF_HEALTH.items():
        samples = tuple(Sample({"worker": str(worker)}, found[name]) for worker, found in figures.items())
        yield Family(f"worker_{name}", text, FamilySort.GAUGE, unit, samples)
    outcomes = tuple(Sample({"outcome": name}, _total(result.workers, name)) for name in OUTCOMES)
    yield Family("exchanges", "Exchanges on the wire, by what became of them.", FamilySort.COUNTER, "", outcomes)
    for counter, (name, text) in OF_COUNTERS.items():
        yield Family(name, text, FamilySort.COUNTER, "", (Sample({}, _total(result.workers, counter)),))


def _figures(health: Health) -> dict[str, float]:
    return {
        "cpu": health.cpu,
        "loop_lag": health.loop_lag_p99_ms / 1e3,
        "schedule_lag": health.schedule_lag_p99_ms / 1e3,
        "gc_pause": health.gc_pause_max_ms / 1e3,
        "memory": float(health.rss_bytes),
        "open_files": float(health.fds),
    }


def _total(workers: Sequence[WorkerResult], counter: str) -> float:
    return float(sum(getattr(worker.counters, counter) for worker in workers))


def _labels(result: RunResult, number: int) -> Labels:
    series = result.series_of(number)
    return {"scenario": series.scenario, "method": series.method, "name": series.name, "tags": series.tags}


def _status(status: int) -> str:
    if status in KNOWN_STATUSES:
        return str(status)
    return f"{status // 100}xx" if status else NO_RESPONSE
