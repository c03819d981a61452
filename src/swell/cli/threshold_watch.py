"""Holds a run to its thresholds while it goes on, and ends it where one says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swell.cluster.controller_steps import StopWanted
from swell.document import ThresholdSummary
from swell.plan import RunPlan
from swell.result import End, RunResult

if TYPE_CHECKING:
    from swell.cluster.controller import Controller
    from swell.stats.thresholds.judging import Judge


class ThresholdWatch:
    """The observer that judges. What judges imports numpy, so it is made when there is something to judge."""

    name = "the thresholds"

    def __init__(self, plan: RunPlan, baseline: RunResult | None) -> None:
        self._plan = plan
        self._baseline = baseline
        self._judge: Judge | None = None
        self._controller: Controller | None = None
        self._stopped = False
        self.latest: tuple[ThresholdSummary, ...] = ()
        """How the run stands to each of them."""

    def __repr__(self) -> str:
        return f"<ThresholdWatch: {[summary.ok for summary in self.latest]}>"

    def attend(self, controller: Controller) -> None:
        """From now on this is the run that may have to be ended."""
        self._controller = controller

    def observe(self, result: RunResult) -> None:
        """Judge the run as it stands, and end it for the first threshold that wants that."""
        judgements = self._made().observe(result)
        self.latest = tuple(judgement.summary for judgement in judgements)
        failed = [judgement.summary for judgement in judgements if judgement.ends_run]
        if failed and self._controller is not None and not self._stopped:
            self._stopped = True
            self._controller.tell(StopWanted(End.THRESHOLD, why_ended(failed[0])))

    def ended(self, result: RunResult) -> None:
        """Judge the run as it has ended."""
        self.latest = self._made().finish(result)

    def failed(self, why: str) -> None:
        """A demand that nobody could judge is not met. At the end it is judged anew."""
        self._judge = None
        reason = f"could not be judged: {why}"
        self.latest = tuple(ThresholdSummary(text, False, None, "", reason) for text in self._plan.thresholds)

    def _made(self) -> Judge:
        if self._judge is None:
            from swell.stats.thresholds.judging import Judge

            self._judge = Judge(self._plan, self._baseline)
        return self._judge


def why_ended(failed: ThresholdSummary) -> str:
    """The words in which the result says why the run has ended."""
    from swell.stats.thresholds.finding import value_text
    from swell.stats.thresholds.trial import abort_text

    value = "" if failed.value is None else f": {value_text(failed.value, failed.unit)}"
    return abort_text(failed.expression) + value
