"""The generator's health over time, for the page's charts: a line per worker while they are few."""

from __future__ import annotations

import dataclasses
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from swell.report.html_json import Json, all_rounded
from swell.result import RunResult, WorkerResult
from swell.segment import Health

Values = list[float | None]


@dataclasses.dataclass(frozen=True, slots=True)
class HealthLines:
    """CPU (1.0 is one core) by the worker's name, or of the busiest and in the mean where there are many; lags of the
    worst worker. None where no worker reported."""

    cpu: dict[str, Values]
    loop_lag_max_ms: Values
    schedule_lag_p99_ms: Values

    @property
    def json(self) -> Json:
        """For the page's script."""
        return {
            "cpu": {name: all_rounded(None if cpu is None else 100 * cpu for cpu in values)
                    for name, values in self.cpu.items()},
            "loop_lag_ms": all_rounded(self.loop_lag_max_ms),
            "schedule_lag_ms": all_rounded(self.schedule_lag_p99_ms),
        }  # fmt: skip


def health_lines(result: RunResult, edges: Sequence[int], most_lines: int) -> HealthLines:
    """The worst of each bin."""
    cpu = {_name(worker): _worst(worker, edges, lambda health: health.cpu) for worker in result.workers}
    if len(cpu) > most_lines:
        columns = [_known(column) for column in zip(*cpu.values(), strict=True)]
        busiest = [max(known, default=None) for known in columns]
        cpu = {
            "busiest worker": busiest,
            "mean of all": [sum(known) / len(known) if known else None for known in columns],
        }
    loop = [_worst(worker, edges, lambda health: health.loop_lag_max_ms) for worker in result.workers]
    schedule = [_worst(worker, edges, lambda health: health.schedule_lag_p99_ms) for worker in result.workers]
    return HealthLines(cpu, _worst_of_all(loop, edges), _worst_of_all(schedule, edges))


def _name(worker: WorkerResult) -> str:
    return f"worker {worker.worker}.{worker.incarnation}"


def _worst(worker: WorkerResult, edges: Sequence[int], value: Callable[[Health], float]) -> Values:
    """The greatest value of all spans that reach into each bin."""
    found: Values = [None] * (len(edges) - 1)
    for span in worker.health:
        first = max(bisect_right(edges, span.from_s) - 1, 0)
        last = max(bisect_left(edges, span.to_s) - 1, first)
        for place in range(first, min(last + 1, len(found))):
            before = found[place]
            found[place] = value(span.health) if before is None else max(before, value(span.health))
    return found


def _worst_of_all(lines: Sequence[Values], edges: Sequence[int]) -> Values:
    return [max(_known(column), default=None) for column in zip(*lines, strict=True)] or [None] * (len(edges) - 1)


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]
