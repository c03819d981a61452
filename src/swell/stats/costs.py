"""What it cost a run that a worker was lost, or stood still, and in which seconds.

    its last report          it is lost            others have all that it had
    ───────┴──────────────────────┴──────────────────────────┴───────────►
           │◄── not known ───────►│◄── its load is missing ─►│
           └──────────────── affected ──────────────────────►┘

Where what it left behind was read, its last report is that: then all is known. What fell to it meanwhile is taken to be
as much per second as before (`accounting.py` does the same with exchanges).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from swell.document import ArrivalSummary, Stretch
from swell.result import RunResult, WorkerResult

STOOD_STILL_MS = 1_000.0
"""Whoever stands still for so long carries less than it was dealt."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one incarnation of a worker."""

    missing_s: float = 0.0
    arrivals_not_started: int = 0
    affected: tuple[Stretch, ...] = ()


def costs(result: RunResult, arrivals: Sequence[ArrivalSummary]) -> list[Cost]:
    """Of each worker of the result. Together they have no more arrivals than nobody has started."""
    left = sum(found.not_started for found in arrivals)
    found = []
    for worker in result.workers:
        silent = min(_silent_arrivals(worker), left)
        left -= silent
        found.append(_cost(worker, silent, result))
    return found


def is_affected(stretches: Iterable[Stretch], from_s: int, to_s: int) -> bool:
    """Whether a part of the load was missing within [from_s, to_s)."""
    return any(one.from_s < to_s and from_s < one.to_s for one in stretches)


def joined(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """The same seconds, each in one stretch, in order of time."""
    found: list[Stretch] = []
    for one in sorted(stretches, key=lambda stretch: (stretch.from_s, stretch.to_s)):
        if found and one.from_s <= found[-1].to_s:
            found[-1] = Stretch(found[-1].from_s, max(found[-1].to_s, one.to_s))
        else:
            found.append(one)
    return tuple(found)


def _cost(worker: WorkerResult, silent: int, result: RunResult) -> Cost:
    stretches = [
        _stretch(span.from_s, span.to_s) for span in worker.health if span.health.loop_lag_max_ms > STOOD_STILL_MS
    ]
    missing_s = 0.0
    if (lost_s := _lost_s(worker)) is not None:
        until_s = worker.taken_over_s if worker.taken_over_s is not None else max(result.duration_s, lost_s)
        missing_s = max(until_s - lost_s, 0.0)
        stretches.append(_stretch(lost_s, max(until_s, worker.lost_at_s or 0.0)))
    return Cost(missing_s, silent, joined(stretches))


def _lost_s(worker: WorkerResult) -> float | None:
    """Until when the worker is known to have carried its part; None if it was not lost."""
    return None if worker.lost_at_s is None else min(worker.reported_s, worker.lost_at_s)


def _silent_arrivals(worker: WorkerResult) -> int:
    """Arrivals that fell to a worker between its last report and its loss."""
    reporting_s = worker.reported_s - worker.joined_s
    if worker.lost_at_s is None or worker.final or worker.recovered or reporting_s <= 0:
        return 0
    return math.ceil(worker.arrived / reporting_s * max(worker.lost_at_s - worker.reported_s, 0.0))


def _stretch(from_s: float, to_s: float) -> Stretch:
    first = max(math.floor(from_s), 0)
    return Stretch(first, max(math.ceil(to_s), first + 1))
