"""What happened while the run went on: changes of the plan, workers lost, incidents of the controller, caveats."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from swell.document import ReasonCode, ResultDocument
from swell.plan import Revision, RunPlan
from swell.report.figures import clock_text, count_text
from swell.report.html_bounds import Bounds, clipped
from swell.report.worker_wording import cost_text, fate_text, name_of, redeal_text
from swell.result import RunResult
from swell.stats.revisions import forgotten

TOLD_ONE_BY_ONE = {
    ReasonCode.WORKER_LOST,
    ReasonCode.CONTROLLER_STALLED,
    ReasonCode.STORE_FAILED,
    ReasonCode.CONTROLLER_RESTARTED,
}


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Mark:
    """Something that happened at a moment, or from one to another."""

    from_s: float
    to_s: float
    sort: str
    """plan, loss or caveat"""
    text: str

    @property
    def when(self) -> str:
        """The moment, or the stretch, as on a clock."""
        first, last = clock_text(self.from_s), clock_text(self.to_s)
        return first if first == last else f"{first} – {last}"


def marks(result: RunResult, document: ResultDocument, bounds: Bounds) -> tuple[list[Mark], int]:
    """All marks in order of time, as many as there is room for, and how many there are more."""
    found = sorted(
        (
            *_plan_marks(result),
            *_worker_marks(document),
            *_deal_marks(document),
            *_incident_marks(result),
            *_caveat_marks(document),
        )
    )
    shown = found[: bounds.marks]
    kept = [dataclasses.replace(mark, text=clipped(mark.text, bounds.text_characters)) for mark in shown]
    return kept, len(found) - len(shown)


def revision_text(revision: Revision, plan: RunPlan) -> str:
    """What a revision of the plan changed."""
    of_load = [name for load in plan.loads[revision.load : revision.load + 1] for name in load.scenarios]
    load = f" of {', '.join(of_load)}" if len(plan.loads) > 1 else ""
    rate = f"{revision.rate_per_s:,.4g}/s"
    return f"revision {revision.number}: to {count_text(revision.users)} users{load} at {rate}"


def _plan_marks(result: RunResult) -> Iterator[Mark]:
    if count := forgotten(result.revisions):
        yield Mark(0.0, result.revisions[0].at_s, "plan", f"{count:,} revisions that are not kept")
    for revision in result.revisions:
        yield Mark(revision.at_s, revision.at_s, "plan", revision_text(revision, result.plan))
    last_s = result.blocks[-1].to_s if result.blocks else 0
    if result.end is not None and last_s > result.duration_s + 1:
        yield Mark(result.duration_s, result.duration_s, "plan", "the plan is over; users finish what they began")


def _worker_marks(document: ResultDocument) -> Iterator[Mark]:
    """Losses, over all the seconds that they affected, and who came late or left."""
    for worker in document.workers:
        name = f"worker {name_of(worker)}"
        if worker.lost_at_s is not None:
            from_s = min(worker.reported_s, worker.lost_at_s)
            to_s = max(from_s + worker.missing_s, worker.lost_at_s)
            yield Mark(from_s, to_s, "loss", f"{name} {fate_text(worker)}; it cost {cost_text(worker)}")
        elif worker.left_s is not None:
            yield Mark(worker.left_s, worker.left_s, "plan", f"{name} left, and handed over all that it had")
        if worker.joined_s > 0:
            yield Mark(worker.joined_s, worker.joined_s, "plan", f"{name} joined")


def _deal_marks(document: ResultDocument) -> Iterator[Mark]:
    for redeal in document.cluster.redeals:
        yield Mark(redeal.at_s, redeal.at_s, "plan", redeal_text(redeal))
    for shortfall in document.cluster.shortfalls:
        yield Mark(shortfall.at_s, shortfall.at_s, "caveat", shortfall.text)


def _incident_marks(result: RunResult) -> Iterator[Mark]:
    facts = result.controller
    for incidents, what in (
        (facts.stalls, "the controller stood still"),
        (facts.store_failures, "the run could not be stored"),
        (facts.restarts, "the controller was gone"),
    ):
        for incident in incidents:
            text = f"{what}: {incident.what}" if incident.what else what
            yield Mark(incident.from_s, incident.to_s, "loss", text)


def _caveat_marks(document: ResultDocument) -> Iterator[Mark]:
    for reason in document.verdict.reasons:
        if reason.from_s is not None and reason.code not in TOLD_ONE_BY_ONE:
            to_s = reason.from_s if reason.to_s is None else reason.to_s
            yield Mark(reason.from_s, to_s, "caveat", f"{reason.code.value}: {reason.text}")
