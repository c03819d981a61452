"""What the rules of the verdict look at, worked out once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from swell.document import Accounting
from swell.histogram import Histogram
from swell.load_plan import Closed, Iterations
from swell.result import RunResult, WorkerResult
from swell.segment import Kind
from swell.stats import counts, packed
from swell.stats.accounting import account
from swell.stats.latency import Ends, ends_of

LISTED = 3


class Evidence:
    """A result, with what several rules ask of it."""

    def __init__(self, result: RunResult) -> None:
        self.result = result
        whole = packed.unpack(result.whole)
        self.accounting: Accounting = account(result)
        self.ends: Ends = ends_of(counts.tallies(whole))
        self.response: Histogram = counts.histogram(whole, (Kind.RESPONSE,))
        self.lag: Histogram = counts.histogram(whole, (Kind.LAG,))

    def __repr__(self) -> str:
        return f"<Evidence of {self.result.run}: {self.ends.requests} calls, {self.accounting}>"

    @property
    def closed(self) -> bool:
        """All users wait for their answers, so that a slower generator offers less load."""
        return all(isinstance(load.model, Closed | Iterations) for load in self.result.plan.loads)

    @property
    def shortfall(self) -> str:
        """That the workers were too few for the plan, and how many it would take; '' where they were not."""
        found = self.result.controller.shortfalls
        return max(found, key=lambda one: one.needed / one.workers).text if found else ""

    def span_of_workers(self, concerns: Callable[[WorkerResult], int]) -> tuple[float, float] | tuple[None, None]:
        """From when to when the workers that `concerns` finds something in reported."""
        found = [worker for worker in self.result.workers if concerns(worker)]
        if not found:
            return None, None
        ends_s = (worker.reported_s if worker.lost_at_s is None else worker.lost_at_s for worker in found)
        return min(worker.joined_s for worker in found), max(ends_s)


def listed(texts: Sequence[str]) -> str:
    """The first few texts as one, and how many more there are."""
    shown = "; ".join(dict.fromkeys(texts[:LISTED]))
    return shown if len(texts) <= LISTED else f"{shown} (and {len(texts) - LISTED} more)"
