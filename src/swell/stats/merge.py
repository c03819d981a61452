"""The one owner of a run's live state: what workers report goes in, a `RunResult` comes out at any time.

RunMerge ── Names, Exceptions, Samples     the run's own numbers, within their caps
         ├─ Incarnation (one each)         once each and in order; counters, health
         ├─ Population                     users over time
         └─ Timeline                       the counts (numpy: made when the first segment comes)
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from swell.errors import LinkError
from swell.feed_plan import FeedCount
from swell.plan import Revision, RunPlan
from swell.result import (
    Beyond,
    Block,
    ControllerFacts,
    End,
    ExportCount,
    Incident,
    LinkFacts,
    Redeal,
    RunResult,
    SampleFile,
    Series,
    Shortfall,
)
from swell.segment import (
    ERROR_CAP,
    MEASURE_CAP,
    MEASURES_FROM,
    RECORD_BYTES,
    SERIES_CAP,
    ExceptionCount,
    Segment,
    SeriesName,
    Sort,
)
from swell.stats.health_history import spans_each
from swell.stats.incarnation import Arrivals, Incarnation
from swell.stats.journal import MergeJournal, MergeState
from swell.stats.link import together
from swell.stats.names import Exceptions, Names, Samples
from swell.stats.population import Population
from swell.stats.revisions import Revisions
from swell.stats.sampled import Sampled, sampled
from swell.stats.traces import KeptTraces

if TYPE_CHECKING:
    from swell.stats.timeline import Timeline

SILENT_S = 3
"""A worker that has not reported for so long no longer holds back what counts as settled."""

STORE_PAUSE_S = 5.0
"""Failures to store that are no further apart are one."""
INCIDENTS_CAP = 100
LONGEST_SILENCE_S = 30 * 86_400
"""A report that claims to be made so long after the one before is unsound."""


class RunMerge:
    """Merges the segments of one run. Segments may come repeated, late and out of order."""

    def __init__(self, run: str, plan: RunPlan, started_at: datetime.datetime) -> None:
        self.run = run
        self.plan = plan
        self.started_at = started_at
        self._revisions = Revisions(len(plan.loads))
        self._names = Names()
        self._exceptions = Exceptions()
        self._samples = Samples()
        self._traces = KeptTraces()
        self._incarnations: dict[tuple[int, int], Incarnation] = {}
        self._population = Population(scenario.name for scenario in plan.scenarios)
        self._timeline: Timeline | None = None
        self._facts = ControllerFacts()
        self._link_before = self._link_since = LinkFacts()
        self._feeds: tuple[FeedCount, ...] = ()
        self.samples: SampleFile | None = None
        """What was written to the file of all calls, once that is known."""
        self.exports: tuple[ExportCount, ...] = ()
        """Where its metrics went, once that is over."""
        self.on_calls: Callable[[Sampled], None] | None = None
        """Takes the calls of each segment, once and with their names, where workers send them."""
        self._end: End | None = None
        self._end_text = ""
        self._ended_s = 0.0

    def __repr__(self) -> str:
        state = self._end.value if self._end else "running"
        return f"<RunMerge of {self.run}, {state}, {list(self._incarnations.values())}>"

    def worker_joined(self, worker: int, incarnation: int, *, host: str, capacity: float, at_s: float) -> None:
        """An incarnation of a worker is there. To say so again changes nothing that is known of it."""
        self._incarnation(worker, incarnation).introduce(host, capacity, at_s)

    def worker_carries(self, worker: int, incarnation: int, capacity: float) -> None:
        """An incarnation of a worker has measured what it can carry."""
        self._incarnation(worker, incarnation).carries(capacity)

    def worker_lost(self, worker: int, incarnation: int, *, at_s: float, because: str = "") -> None:
        """An incarnation will go on no more, unless that is known. What it has left behind may still come."""
        lost = self._incarnation(worker, incarnation)
        if lost.lost_at_s is None and not lost.final:
            lost.lose(at_s, because)
            self._population.lost((worker, incarnation), at_s)

    def worker_left(self, worker: int, incarnation: int, *, at_s: float) -> None:
        """An incarnation was asked to go, and has handed over all that it had."""
        self._incarnation(worker, incarnation).leave(at_s)

    def worker_taken_over(self, worker: int, incarnation: int, *, at_s: float) -> None:
        """Others have all that a lost incarnation had."""
        self._incarnation(worker, incarnation).be_taken_over(at_s)

    def revised(self, revision: Revision) -> None:
        """The plan was changed while it runs."""
        self._revisions.add(revision)

    def redealt(self, redeal: Redeal) -> None:
        """The load was dealt again among the workers."""
        self._facts = _with(self._facts, redeals=(*self._facts.redeals, redeal)[-INCIDENTS_CAP:])

    def too_few(self, shortfall: Shortfall) -> None:
        """The workers are too few for the plan."""
        self._facts = _with(self._facts, shortfalls=(*self._facts.shortfalls, shortfall)[-INCIDENTS_CAP:])

    def fed(self, feeds: tuple[FeedCount, ...]) -> None:
        """This has become of the feeds' rows so far."""
        self._feeds = feeds

    def raised(self, message: str, traceback: str) -> None:
        """Code of the script's has raised an exception in the controller."""
        self._exceptions.add(ExceptionCount(message, traceback, 1))

    def controller_stalled(self, from_s: float, to_s: float, what: str) -> None:
        """A hook held the controller up."""
        facts = self._facts
        if len(facts.stalls) < INCIDENTS_CAP:
            self._facts = _with(facts, stalls=(*facts.stalls, Incident(from_s, to_s, what)))
        else:
            self._facts = msgspec.structs.replace(facts, stalls_beyond=facts.stalls_beyond + 1)

    def store_failed(self, at_s: float, what: str) -> None:
        """The run could not be stored; what follows soon after belongs to the same incident."""
        *before, last = self._facts.store_failures or (Incident(at_s, at_s, what),)
        if at_s - last.to_s > STORE_PAUSE_S and len(before) + 1 < INCIDENTS_CAP:
            before, last = [*before, last], Incident(at_s, at_s, what)
        incident = msgspec.structs.replace(last, to_s=max(at_s, last.to_s))
        self._facts = _with(self._facts, store_failures=(*before, incident))

    def link_told(self, since: LinkFacts) -> None:
        """This was turned away at the link since this controller was started."""
        if since != self._link_since:
            self._link_since = since
            self._facts = msgspec.structs.replace(self._facts, link=together(self._link_before, since))

    def controller_restarted(self, from_s: float, to_s: float) -> None:
        """The controller was gone for a while. What had been with nobody before is dealt when it is back."""
        for found in self._incarnations.values():
            if found.lost_at_s is not None and found.taken_over_s is None:
                found.be_taken_over(max(to_s, found.lost_at_s))
        self._facts = _with(self._facts, restarts=(*self._facts.restarts, Incident(from_s, to_s)))

    def ended(self, at_s: float, end: End, text: str = "") -> None:
        """The plan has come to its end; the drain follows, and its segments are still taken."""
        self._end, self._ended_s, self._end_text = end, at_s, text

    def apply(self, segment: Segment) -> bool:
        """Take a segment in; False if it was taken before. If it is unsound, LinkError, and nothing has changed."""
        self.check_report(segment)
        incarnation = self._incarnation(segment.worker, segment.incarnation)
        if incarnation.arrivals.seen(segment.sequence):
            return False
        for ready in incarnation.arrivals.offer(segment):
            self._take(incarnation, ready)
        return True

    def close(self) -> None:
        """No segment will come any more: those held back for one that never came are taken as they are."""
        for incarnation in self._incarnations.values():
            for segment in incarnation.arrivals.flush():
                self._take(incarnation, segment)

    def snapshot(self, at_s: float | None = None) -> RunResult:
        """The run as it stands at `at_s` on its clock; without it, at the latest instant heard of."""
        reported = [incarnation.reported_s for incarnation in self._incarnations.values()]
        at_s = max(self._ended_s, *reported, 0.0) if at_s is None else at_s
        settled_s = self._settled_s(at_s)
        timeline = self._timeline
        return RunResult(
            run=self.run,
            plan=self.plan,
            revisions=self._revisions.listed(),
            started_at=self.started_at,
            at_s=at_s,
            settled_s=settled_s,
            duration_s=self._ended_s if self._end else at_s,
            end=self._end,
            end_text=self._end_text,
            series=tuple(self._names.series.listed),
            measures=tuple(self._names.measures.listed),
            errors=tuple(self._names.errors.listed),
            whole=timeline.whole() if timeline else Block(0, 0),
            blocks=timeline.blocks() if timeline else (),
            errors_seen=timeline.errors_seen() if timeline else (),
            error_samples=self._samples.listed(),
            exceptions=self._exceptions.listed(),
            traces=self._traces.listed(),
            samples=self.samples,
            exports=self.exports,
            scenarios=self._population.totals(settled_s),
            workers=tuple(found.result() for _, found in sorted(self._incarnations.items())),
            feeds=self._feeds,
            beyond=self._beyond(timeline),
            controller=self._facts,
        )

    def journal(self) -> MergeJournal:
        """All that is known, for the store: `RunMerge.restore` makes the same merge of it."""
        timeline, population = self._timeline, self._population
        workers = {
            worker: found.journal(population.counts_of(worker), population.last_second_of(worker))
            for worker, found in self._incarnations.items()
        }
        state = MergeState(
            end=self._end,
            end_text=self._end_text,
            ended_s=self._ended_s,
            facts=self._facts,
            feeds=self._feeds,
            exception_counts=self._exceptions.counts,
            exceptions_beyond=self._exceptions.beyond,
            traces=self._traces.listed(),
            samples=self.samples,
            exports=self.exports,
            scenarios=population.names,
            horizon_s=timeline.horizon_s if timeline else None,
        )
        return MergeJournal(
            run=self.run,
            plan=self.plan,
            started_at=self.started_at,
            state=state,
            revisions=self._revisions.listed(),
            series=tuple(self._names.series.listed),
            measures=tuple(self._names.measures.listed),
            errors=tuple(self._names.errors.listed),
            exceptions=self._exceptions.named,
            samples=self._samples.journal(),
            errors_seen=timeline.errors_seen() if timeline else (),
            blocks=timeline.blocks() if timeline else (),
            users=population.changes(),
            workers=workers,
        )

    @classmethod
    def restore(cls, journal: MergeJournal) -> RunMerge:
        """The merge as it was when the journal was taken."""
        restored, state = cls(journal.run, journal.plan, journal.started_at), journal.state
        restored._revisions.restore(journal.revisions)
        restored._names = Names.restore(journal)
        restored._exceptions = Exceptions.restore(journal)
        restored._samples = Samples.restore(journal.samples)
        restored._traces = KeptTraces(state.traces)
        restored._incarnations = {
            worker: Incarnation.restore(worker, found) for worker, found in journal.workers.items()
        }
        restored._population = Population.restore(journal)
        restored._facts, restored._feeds = state.facts, state.feeds
        restored._link_before = state.facts.link
        restored.samples, restored.exports = state.samples, state.exports
        restored._end, restored._end_text, restored._ended_s = state.end, state.end_text, state.ended_s
        if state.horizon_s is not None:
            from swell.stats.timeline import Timeline

            restored._timeline = Timeline.restore(journal)
        return restored

    def _incarnation(self, worker: int, incarnation: int) -> Incarnation:
        found = self._incarnations.get((worker, incarnation))
        if found is None:
            found = self._incarnations[worker, incarnation] = Incarnation(worker, incarnation)
        return found

    def check_report(self, segment: Segment) -> None:
        """Raise LinkError where a segment contradicts itself, or is not of this run."""
        from swell.stats.reported import check_second

        if segment.run != self.run:
            raise LinkError(f"a segment of run {segment.run} reached run {self.run}")
        known = self._incarnations.get((segment.worker, segment.incarnation))
        plausible = (known.arrivals if known else Arrivals()).plausible(segment.sequence)
        errors = [named.number for named in segment.errors]
        if not (
            plausible
            and all(map(_is_sound, segment.series))
            and 0 <= min(errors, default=0) <= max(errors, default=0) <= ERROR_CAP
            and 0 <= segment.from_position <= segment.to_position
            and len(segment.records) % RECORD_BYTES == 0
            and abs(segment.sealed_s) < (known.reported_s if known else 0.0) + LONGEST_SILENCE_S
        ):
            raise LinkError(f"segment {segment.sequence} of worker {segment.worker} has numbers out of bounds")
        for second in segment.seconds:
            check_second(second)

    def _take(self, incarnation: Incarnation, segment: Segment) -> None:
        incarnation.take(segment, spans_each(len(self._incarnations)))
        for series in segment.series:
            number = self._names.series_number(
                Series(series.scenario, series.method, series.name, series.sort, series.tags)
            )
            incarnation.name_series(series.number, number)
        for error in segment.errors:
            incarnation.name_error(error.number, self._names.error_number(error.text))
        for exception in segment.exceptions:
            self._exceptions.add(exception)
        if segment.records and self.on_calls is not None:
            self.on_calls(sampled(segment, incarnation, self._names))
        for seen in segment.traces:
            self._traces.add(incarnation.renumbered(seen))
        self._take_samples(incarnation, segment)
        worker = segment.worker, segment.incarnation
        self._population.report(worker, segment.sealed_s, segment.scenarios, final=segment.final)
        self._take_seconds(incarnation, segment)

    def _take_samples(self, incarnation: Incarnation, segment: Segment) -> None:
        place = 0
        for group in segment.error_samples:
            series, error = incarnation.series_number(group.series), incarnation.error_number(group.error)
            for sample in group.samples:
                order = segment.worker, segment.incarnation, segment.sequence, place
                self._samples.add(series, error, order, sample)
                place += 1

    def _take_seconds(self, incarnation: Incarnation, segment: Segment) -> None:
        from swell.stats.reported import numbering

        if self._timeline is None:
            from swell.stats.timeline import Timeline

            self._timeline = Timeline()
        if incarnation.numbering is None:
            incarnation.numbering = numbering(incarnation.series, incarnation.errors, incarnation.measures)
        last = max(int(segment.sealed_s) + 1, 0)
        for block in segment.seconds:
            if block.second > last:  # a call cannot be done after it was reported: its instant is wrong, not the call
                block = msgspec.structs.replace(block, second=last)
            self._timeline.add(block, incarnation.numbering)
            incarnation.count_calls(block)

    def _settled_s(self, at_s: float) -> int:
        """The seconds before this one are complete, as far as anyone can still be expected to report them."""
        if self._end and all(incarnation.gone for incarnation in self._incarnations.values()):
            return math.ceil(at_s)
        expected = [found.reported_s for found in self._incarnations.values() if not found.gone]
        return max(min(int(min(expected, default=at_s) + 0.05), int(at_s)), int(at_s) - SILENT_S, 0)

    def _beyond(self, timeline: Timeline | None) -> Beyond:
        counters = [found.counters for found in self._incarnations.values()]
        series, errors, measures = timeline.beyond() if timeline else (0, 0, 0)
        return Beyond(
            series=series,
            errors=errors,
            measures=measures,
            values=sum(counter.values_refused for counter in counters),
            exceptions=self._exceptions.beyond + sum(counter.exceptions_beyond for counter in counters),
            output=sum(counter.output_lost for counter in counters),
        )

    def check(self) -> None:
        """Raise AssertionError if anything disagrees with itself."""
        self._names.check()
        self._population.check()
        for incarnation in self._incarnations.values():
            incarnation.check()
        if self._timeline:
            self._timeline.check()
            assert all(row.series < len(self._names.series.listed) for row in self._timeline.errors_seen())


def _is_sound(series: SeriesName) -> bool:
    """Whether a series of calls, or a measure, has a number that such a one can have."""
    if series.sort is Sort.CALL:
        return 0 <= series.number <= SERIES_CAP
    return MEASURES_FROM <= series.number <= MEASURES_FROM + MEASURE_CAP


def _with(facts: ControllerFacts, **changed: tuple[Incident | Redeal | Shortfall, ...]) -> ControllerFacts:
    return msgspec.structs.replace(facts, **changed)
