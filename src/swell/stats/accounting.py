"""Whether every exchange is accounted for: for each worker incarnation, answered <= the target's log <= sent.

in flight    sent, and neither answered nor given up when the worker reported last
unanswered   given up by the worker; with a worker that is gone, what it had in flight too
unaccounted  what nobody can tell: calls in reports that never came; what a worker that ended in good order left
             without an outcome; what a worker that was lost without a trace may have sent after its last report,
             taken to be as much per second as before
"""

from __future__ import annotations

import math

from swell.document import Accounting
from swell.result import RunResult, WorkerResult


def account(result: RunResult) -> Accounting:
    """The whole run's exchanges."""
    counters = [worker.counters for worker in result.workers]
    return Accounting(
        sent=sum(counter.sent for counter in counters),
        answered=sum(counter.answered for counter in counters),
        unanswered=sum(unanswered(worker) for worker in result.workers),
        not_sent=sum(counter.not_sent for counter in counters),
        retried=sum(counter.retried for counter in counters),
        redirected=sum(counter.redirected for counter in counters),
        unaccounted=sum(unaccounted(worker) for worker in result.workers),
    )


def in_flight(worker: WorkerResult) -> int:
    """Sent, and without an outcome at the worker's last report."""
    counters = worker.counters
    return max(counters.sent - counters.answered - counters.unanswered, 0)


def died(worker: WorkerResult) -> bool:
    """Lost, and not because it had ended."""
    return worker.lost_at_s is not None and not (worker.final and not worker.recovered)


def unanswered(worker: WorkerResult) -> int:
    """Exchanges that were sent and got no whole response."""
    return worker.counters.unanswered + (in_flight(worker) if died(worker) else 0)


def unaccounted(worker: WorkerResult) -> int:
    """Exchanges or calls of which nobody can tell how they ended."""
    if not died(worker):
        return worker.calls_missing + (in_flight(worker) if worker.final else 0)
    return worker.calls_missing + (0 if worker.recovered else _unheard(worker))


def _unheard(worker: WorkerResult) -> int:
    """What may have been sent between the last report and the loss."""
    reporting_s = worker.reported_s - worker.joined_s
    silent_s = max((worker.lost_at_s or 0.0) - worker.reported_s, 0.0)
    return math.ceil(worker.counters.sent / reporting_s * silent_s) if reporting_s > 0 else 0
