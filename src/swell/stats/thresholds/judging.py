"""Judges a run by its thresholds: at the end, from the store, and while it goes on.

`judge` looks at a result once. A `Judge` looks again and again, and each time only at what has been settled since; so
it has seen the seconds of a long run before they were joined, and looking costs the same however long the run is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from swell.document import ThresholdSummary
from swell.plan import RunPlan
from swell.result import Block, RunResult
from swell.stats import packed
from swell.stats.thresholds.expression import Threshold
from swell.stats.thresholds.finding import value_text
from swell.stats.thresholds.parser import parse
from swell.stats.thresholds.trial import Bar, Judgement, Step, Trial


def judge(result: RunResult, baseline: RunResult | None = None) -> tuple[ThresholdSummary, ...]:
    """How a run, finished or not, stands to the thresholds of its plan."""
    looking = Judge(result.plan, baseline)
    looking.advance(result, _end_s(result))
    return looking.summaries(result)


def on_errors(plan: RunPlan) -> bool:
    """Whether a threshold judges failed calls."""
    return any(parse(text).on_errors for text in plan.thresholds)


class Judge:
    """The thresholds of one run, over its course. The plan's expressions can be read."""

    def __init__(self, plan: RunPlan, baseline: RunResult | None = None) -> None:
        self._baseline = baseline
        thresholds = [(text, parse(text)) for text in plan.thresholds]
        self._trials = [Trial(text, threshold, bar(threshold, baseline)) for text, threshold in thresholds]
        self._to_s = 0

    def __repr__(self) -> str:
        return f"<Judge of {len(self._trials)} thresholds, at {self._to_s} s>"

    def observe(self, result: RunResult) -> tuple[Judgement, ...]:
        """How the run stands now. Results have to come in the order of time."""
        self.advance(result, result.settled_s)
        return tuple(trial.judgement(result) for trial in self._trials)

    def finish(self, result: RunResult) -> tuple[ThresholdSummary, ...]:
        """How the run has ended: judged anew, with what came late, while every second of it is told apart."""
        if all(block.to_s - block.from_s == 1 for block in result.blocks):
            return judge(result, self._baseline)
        self.advance(result, _end_s(result))
        return self.summaries(result)

    def advance(self, result: RunResult, until_s: int) -> None:
        """Take in the steps that are new, up to a second of the run."""
        waiting = [trial for trial in self._trials if trial.in_steps]
        if waiting and until_s > self._to_s:
            take_steps(waiting, result, self._to_s, until_s)
            self._to_s = until_s

    def summaries(self, result: RunResult) -> tuple[ThresholdSummary, ...]:
        """Each threshold's, in their order."""
        return tuple(trial.judgement(result).summary for trial in self._trials)


def bar(threshold: Threshold, baseline: RunResult | None) -> Bar:
    """What a threshold's value is compared with; of the baseline the same figure is taken as of the run."""
    limit, dimension = threshold.limit, threshold.metric.dimension
    if not limit.of_baseline:
        return Bar(limit.value(dimension))
    if baseline is None:
        return Bar(None, "there was no baseline to compare with")
    trial = Trial("", threshold, Bar(0.0))
    if trial.in_steps:
        take_steps([trial], baseline, 0, _end_s(baseline))
    finding = trial.stretch(baseline).finding
    if finding.value is None or not finding.judged:
        return Bar(None, f"of the baseline: {finding.reason}")
    its = value_text(finding.value, threshold.metric.unit)
    return Bar(limit.value(dimension, finding.value), f"the baseline's is {its}")


def take_steps(trials: Sequence[Trial], result: RunResult, from_s: int, until_s: int) -> None:
    """Let trials see the steps between two seconds of a run."""
    for trial in trials:
        trial.look(result)
    for step in steps(result.blocks, from_s, until_s):
        for trial in trials:
            trial.take(step, result)


def steps(blocks: Sequence[Block], from_s: int, until_s: int) -> Iterator[Step]:
    """The blocks that lie between two seconds, and each second there that has none."""
    next_s, nothing = from_s, packed.unpack(Block(0, 0))
    first = bisect_left(blocks, from_s, key=lambda block: block.from_s)
    for block in blocks[first:]:
        if block.to_s > until_s:
            break
        yield from (Step(second, second + 1, nothing) for second in range(next_s, block.from_s))
        yield Step(block.from_s, block.to_s, packed.unpack(block))
        next_s = block.to_s
    yield from (Step(second, second + 1, nothing) for second in range(next_s, until_s))


def _end_s(result: RunResult) -> int:
    """All that there is of a run lies before it."""
    return max(result.settled_s, result.whole.to_s)
