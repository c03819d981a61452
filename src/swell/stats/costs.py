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
        missing_s = _missing_s(worker, result)
        arrived = min(_arrivals_in(worker, missing_s), left)
        left -= arrived
        found.append(Cost(missing_s, arrived, _affected(worker, missing_s)))
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


def _missing_s(worker: WorkerResult, result: RunResult) -> float:
    """How long nobody carried its part of the load."""
    lost_s = _lost_s(worker)
    if lost_s is None:
        return 0.0
    until_s = result.duration_s if worker.taken_over_s is None else worker.taken_over_s
    return max(until_s - lost_s, 0.0)


def _lost_s(worker: WorkerResult) -> float | None:
    """Until when the worker is known to have carried its part; None if it was not lost."""
    return None if worker.lost_at_s is None else min(worker.reported_s, worker.lost_at_s)


def _arrivals_in(worker: WorkerResult, missing_s: float) -> int:
    """Arrivals that fell to a worker in so long a time."""
    reporting_s = worker.reported_s - worker.joined_s
    return math.ceil(worker.arrived / reporting_s * missing_s) if reporting_s > 0 else 0


def _affected(worker: WorkerResult, missing_s: float) -> tuple[Stretch, ...]:
    still = [span for span in worker.health if span.health.loop_lag_max_ms > STOOD_STILL_MS]
    stretches = [_stretch(span.from_s, span.to_s) for span in still]
    if (lost_s := _lost_s(worker)) is not None:
        stretches.append(_stretch(lost_s, max(lost_s + missing_s, worker.lost_at_s or 0.0)))
    return joined(stretches)


def _stretch(from_s: float, to_s: float) -> Stretch:
    first = max(math.floor(from_s), 0)
    return Stretch(first, max(math.ceil(to_s), first + 1))
