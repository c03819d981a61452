"""The workers of a run, for its page."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from swell.document import ResultDocument, WorkerSummary
from swell.report.figures import clock_text, count_text, ms_text, share_text
from swell.report.html_bounds import Bounds, clipped
from swell.report.worker_wording import capacity_text, cost_text, fate_text, name_of
from swell.result import RunResult, WorkerResult


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRow:
    """One incarnation of a worker."""

    name: str
    host: str
    requests: str
    share: str
    users: str
    capacity: str
    cpu: str
    loop_lag: str
    sent: str
    answered: str
    unanswered: str
    unaccounted: str
    joined: str
    fate: str
    cost: str
    lost: bool


def worker_rows(result: RunResult, document: ResultDocument, bounds: Bounds) -> Iterator[WorkerRow]:
    """Every worker, with the worst of its health."""
    requests = max(sum(worker.requests for worker in document.workers), 1)
    for worker, found in list(zip(document.workers, result.workers, strict=True))[: bounds.workers]:
        yield _row(worker, found, requests, bounds)


def _row(worker: WorkerSummary, found: WorkerResult, requests: int, bounds: Bounds) -> WorkerRow:
    return WorkerRow(
        name=name_of(worker),
        host=clipped(worker.host, bounds.name_characters),
        requests=f"{worker.requests:,}",
        share=share_text(worker.requests, requests),
        users=count_text(worker.users_most),
        capacity=capacity_text(worker),
        cpu=f"{100 * max((span.health.cpu for span in found.health), default=0.0):.0f} %",
        loop_lag=ms_text(max((span.health.loop_lag_max_ms for span in found.health), default=0.0)),
        sent=f"{worker.sent:,}",
        answered=f"{worker.answered:,}",
        unanswered=f"{worker.unanswered:,}",
        unaccounted=f"{worker.unaccounted:,}",
        joined=clock_text(worker.joined_s),
        fate=clipped(fate_text(worker), bounds.text_characters),
        cost=cost_text(worker),
        lost=worker.lost_at_s is not None,
    )


def worker_notes(document: ResultDocument) -> Iterator[str]:
    """What is to be known of all of them."""
    if restarts := document.cluster.restarts:
        yield f"Workers were started again {count_text(restarts)} {'time' if restarts == 1 else 'times'}."
    if redeals := document.cluster.redeals:
        times = redeals[-1].number
        yield f"The load was dealt again {count_text(times)} {'time' if times == 1 else 'times'}."
    for shortfall in document.cluster.shortfalls[-1:]:
        yield f"At {clock_text(shortfall.at_s)} {shortfall.text}."
