"""One threshold, held against a run.

Without a clause it asks the sums of the whole run, as the tables show them. With `after` it adds up the steps from
there on. With `over` it keeps a window of them and remembers the worst full one. Steps are blocks of a second; where
the result has wider ones, long ago, a window grows to hold them whole.
"""

from __future__ import annotations

import dataclasses
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from itertools import zip_longest

from swell.document import ThresholdSummary
from swell.result import End, RunResult, ScenarioTotals
from swell.stats import packed
from swell.stats.packed import Tables
from swell.stats.thresholds.expression import RUNNING_TOTALS, Figure, Threshold, clause_duration
from swell.stats.thresholds.finding import Finding, enough, find, standing
from swell.stats.thresholds.selection import Choice, choose
from swell.stats.thresholds.span import Chosen, Part, Span, read

TOTALS: dict[Figure, Callable[[ScenarioTotals], int]] = {
    Figure.DROPPED: lambda scenario: scenario.dropped,
    Figure.MISSED: lambda scenario: scenario.missed,
    Figure.ITERATIONS: lambda scenario: scenario.iterations,
}
OPEN = "not decided before the run ends"


@dataclasses.dataclass(frozen=True, slots=True)
class Bar:
    """The limit in the unit of the result; what it was derived from, or why there is none."""

    limit: float | None
    text: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """A block of the run, or a second without one."""

    from_s: int
    to_s: int
    tables: Tables


@dataclasses.dataclass(frozen=True, slots=True)
class Stretch:
    """What was found in a part of the run. `convincing`: there is enough in it to end a run for."""

    finding: Finding
    convincing: bool = False
    where: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Judgement:
    """How a threshold stands. `ends_run`: it is one that ends the run, and it is not met, on enough evidence."""

    summary: ThresholdSummary
    ends_run: bool = False


class Trial:
    """A threshold, as far as the run has come."""

    def __init__(self, text: str, threshold: Threshold, bar: Bar) -> None:
        self.threshold = threshold
        self._text = text
        self._bar = bar
        self._span = Span(keeps=threshold.over_s is not None)
        self._held: deque[int] = deque()
        """Where the steps in the window begin."""
        self._begin_s: int | None = None
        self._choice = Choice()
        self._chosen = Chosen(None)
        self._users: Sequence[int] = ()
        self._worst: Stretch | None = None
        self._convinced = False

    def __repr__(self) -> str:
        return f"<Trial of {self._text!r}>"

    @property
    def in_steps(self) -> bool:
        """Whether it looks at steps; otherwise at the sums of the whole run."""
        return self.threshold.over_s is not None or self.threshold.after_s > 0

    def look(self, result: RunResult) -> None:
        """Find the series: names come as they are first used."""
        choice = choose(self.threshold, result)
        if choice != self._choice:
            self._choice, self._chosen = choice, Chosen(choice.numbers)
        if self.threshold.metric.figure is Figure.USERS:
            self._users = _users(result, choice)

    def take(self, step: Step, result: RunResult) -> None:
        """The next step. A window beyond the end of the plan is not full: there the users leave."""
        threshold = self.threshold
        over_s = threshold.over_s
        if step.from_s < threshold.after_s or (over_s and result.end and step.to_s > result.duration_s):
            return
        self._begin_s = step.from_s if self._begin_s is None else self._begin_s
        self._span.add(self._part(step.tables, step.from_s, step.to_s))
        if over_s is None:
            return
        self._held.append(step.from_s)
        while len(self._held) > 1 and step.to_s - self._held[1] >= over_s:
            self._span.drop()
            self._held.popleft()
        if step.to_s - self._held[0] >= over_s:
            self._weigh(self._held[0], step.to_s)

    def stretch(self, result: RunResult) -> Stretch:
        """What is compared with the limit: of the windows the worst one, otherwise all that counts."""
        threshold, figure = self.threshold, self.threshold.metric.figure
        if not self.in_steps:
            self.look(result)
        if self._choice.missing:
            return Stretch(Finding(None, self._choice.missing))
        if figure is Figure.EXCEPTIONS:
            raised = sum(exception.count for exception in result.exceptions) + result.beyond.exceptions
            return Stretch(Finding(float(raised)), convincing=True)
        if figure in RUNNING_TOTALS:
            chosen = (found for found in result.scenarios if _is_chosen(found, self._choice))
            return Stretch(Finding(float(sum(map(TOTALS[figure], chosen)))), convincing=True)
        if threshold.over_s is not None:
            nothing = f"no full window of {clause_duration(threshold.over_s)} so far"
            return self._worst or Stretch(Finding(None, nothing))
        if threshold.after_s:
            begin_s = threshold.after_s if self._begin_s is None else self._begin_s
            return self._found(self._span, result.duration_s - begin_s)
        span = Span(keeps=False)
        span.add(self._part(packed.unpack(result.whole), 0, max(len(self._users), 1)))
        return self._found(span, result.duration_s)

    def judgement(self, result: RunResult) -> Judgement:
        """How it stands."""
        found, limit = self.stretch(result), self._bar.limit
        value, reason = found.finding.value, found.finding.reason
        ok: bool | None = None
        if not found.finding.judged:
            pass
        elif limit is None:
            reason = self._bar.text
        else:
            ok = standing(self.threshold, found.finding, limit, running=result.end is None)
            reason = ", ".join(filter(None, (found.where, self._bar.text))) if ok is not None else OPEN
        if result.end is End.THRESHOLD and result.end_text.startswith(abort_text(self._text)):
            was = result.end_text.removeprefix(abort_text(self._text)).replace(":", " when it was at")
            ok, reason = False, f"it ended the run{was}"
        summary = ThresholdSummary(self._text, ok, value, self.threshold.metric.unit, reason, limit)
        failed = self._convinced or (ok is False and found.convincing)
        return Judgement(summary, self.threshold.abort and failed)

    def _weigh(self, from_s: int, to_s: int) -> None:
        """Remember the window if it is the worst so far."""
        found = dataclasses.replace(self._found(self._span, to_s - from_s), where=f"worst window {from_s} s – {to_s} s")
        if self._worst is None or self._badness(found) > self._badness(self._worst):
            self._worst = found
        self._convinced = self._convinced or (found.convincing and not self._holds(found))

    def _holds(self, found: Stretch) -> bool:
        value, limit = found.finding.value, self._bar.limit
        return value is None or limit is None or self.threshold.comparison.holds(value, limit)

    def _badness(self, found: Stretch) -> tuple[bool, float]:
        """The greater, the worse. What cannot be judged is never the worst."""
        value = found.finding.value
        if value is None:
            return False, 0.0
        return found.finding.judged, self.threshold.comparison.badness(value, self._bar.limit or 0.0)

    def _found(self, span: Span, seconds: float) -> Stretch:
        threshold = self.threshold
        finding = find(threshold.metric, span, seconds)
        limit = self._bar.limit
        convincing = finding.judged and limit is not None and enough(threshold, limit, span, seconds)
        return Stretch(finding, convincing)

    def _part(self, tables: Tables, from_s: int, to_s: int) -> Part:
        if self._choice.missing:
            return Part()
        if self.threshold.metric.figure is Figure.USERS:
            there = self._users[from_s:to_s]
            return Part(greatest=float(max(there))) if there else Part()
        return read(self.threshold.metric, self._chosen, tables)


def abort_text(expression: str) -> str:
    """How `RunResult.end_text` begins where this threshold has ended the run."""
    return f"threshold {expression} was not met"


def _users(result: RunResult, choice: Choice) -> list[int]:
    each = [array("I", scenario.users) for scenario in result.scenarios if _is_chosen(scenario, choice)]
    return [sum(users) for users in zip_longest(*each, fillvalue=0)]


def _is_chosen(scenario: ScenarioTotals, choice: Choice) -> bool:
    return choice.scenarios is None or scenario.name in choice.scenarios
