"""What is said of a worker: where it ran, what it could carry, how it ended, what that cost."""

from __future__ import annotations

from collections.abc import Iterator

from swell.document import ResultDocument, WorkerSummary
from swell.report.figures import NONE, clock_text, count_text, rate_text, seconds_text
from swell.result import Redeal

UNMEASURED = 1.0
LEAST_SHOWN_S = 0.05


def name_of(worker: WorkerSummary) -> str:
    """Worker 3, as it was started the second time: 3.2."""
    return f"{worker.id}.{worker.incarnation}"


def capacity_text(worker: WorkerSummary) -> str:
    """Requests per second that it can make; nothing where it did not have to be measured."""
    return NONE if worker.capacity == UNMEASURED else rate_text(worker.capacity)


def fate_text(worker: WorkerSummary) -> str:
    """How and when it ended before the run did; '' if it did not."""
    if worker.lost_at_s is not None:
        return f"{worker.lost_because or 'was lost'} at {clock_text(worker.lost_at_s)}"
    return f"left at {clock_text(worker.left_s)}" if worker.left_s is not None else ""


def cost_text(worker: WorkerSummary) -> str:
    """What its loss cost the run; '' if it was not lost."""
    if worker.lost_at_s is None:
        return ""
    return ", ".join(_costs(worker)) or "nothing"


def _costs(worker: WorkerSummary) -> Iterator[str]:
    if worker.unaccounted:
        yield f"{count_text(worker.unaccounted)} exchanges unaccounted"
    if worker.arrivals_not_started:
        yield f"{count_text(worker.arrivals_not_started)} arrivals not started"
    if worker.missing_s >= LEAST_SHOWN_S:
        until = "" if worker.taken_over_s is not None else ", to the end"
        yield f"its part of the load for {seconds_text(worker.missing_s)}{until}"


def redeal_text(redeal: Redeal) -> str:
    """Why the load was dealt again, and how much of it moved."""
    return f"{redeal.because}: {100 * redeal.moved:.0f} % of the load moves"


def is_eventful(document: ResultDocument) -> bool:
    """Whether there is more to tell of the workers than how many there were."""
    hosts = {worker.host for worker in document.workers}
    ended = any(worker.lost_at_s is not None or worker.left_s is not None for worker in document.workers)
    return len(hosts) > 1 or ended or bool(document.cluster.redeals or document.cluster.shortfalls)
