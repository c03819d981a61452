"""Conducts a run: its link, its controller, its hooks, its terminal, its result. Where workers are makes no difference:
those of this machine come by a socket file, those of other machines, if any may join, over TCP.
"""

from __future__ import annotations

import contextlib
import importlib
from typing import TYPE_CHECKING

import gevent

from swell import __version__
from swell.analysis.exit_code import ExitCode
from swell.cli.hiding import shown_plan
from swell.cli.hooks import Hooks
from swell.cli.interrupts import InterruptedTwice, Interrupts
from swell.cli.listening import Opening
from swell.cli.logs import start_logging
from swell.cli.observers import Observers
from swell.cli.roll_call import RollCall
from swell.cli.run import PARTING_S, Faces, Resumed
from swell.cli.sample_files import SampleWriter
from swell.cli.shape_ticks import ShapeTicks
from swell.cli.stage import Stage
from swell.cli.storing import open_scribe
from swell.cli.terminal import Terminal
from swell.cli.threshold_watch import ThresholdWatch
from swell.clock import NS_PER_S
from swell.cluster.controller import Controller
from swell.cluster.controller_state import ControllerState
from swell.cluster.controller_steps import Died, Over, StopWanted
from swell.cluster.launcher import Launcher
from swell.cluster.leases_state import pulse_interval_s
from swell.cluster.link import RouterLink
from swell.cluster.messages import Muster, SentSecrets, Welcome, pack_value
from swell.cluster.remains import recover_segments
from swell.cluster.sockets import Timing
from swell.cluster.workplace import Workplace
from swell.errors import Problem, RunFailed, ScriptError
from swell.plan import RunPlan
from swell.result import End
from swell.runtime.real_clock import RealClock
from swell.script.loader import LoadedScript
from swell.script.secrets import secrets
from swell.segment import Segment
from swell.stats.merge import RunMerge

if TYPE_CHECKING:
    from rich.console import RenderableType

    from swell.store.scribe import Scribe


class Conductor:
    """Of one run."""

    def __init__(
        self,
        run: str,
        plan: RunPlan,
        script: LoadedScript,
        faces: Faces,
        workplace: Workplace,
        launcher: Launcher,
        opening: Opening | None = None,
        resumed: Resumed | None = None,
    ) -> None:
        """`opening`: how workers of other machines get in; None: not at all. `resumed`: what another controller has
        begun."""
        self.run = run
        self.plan = plan
        self._script = script
        self._faces = faces
        self._workplace = workplace
        self._launcher = launcher
        self._opening = opening
        self._resumed = resumed
        self._term = resumed.record.term + 1 if resumed else 1
        self._clock = RealClock()
        self._thresholds = ThresholdWatch(plan, faces.baseline)
        self._terminal = Terminal(
            to_stderr=faces.outputs.to_stdout, quiet=faces.quiet, thresholds=lambda: self._thresholds.latest
        )
        note = self._terminal.note
        self._shown_plan = shown_plan(plan)
        self._roll_call = RollCall(self._terminal, plan.expect_timeout_s)
        self._exporters = list(faces.exports.exporters(run, self._shown_plan, note))
        thresholds = [self._thresholds] if plan.thresholds else []
        terminal = [] if faces.quiet else [self._terminal]
        self._observers = Observers([*thresholds, *terminal, *self._exporters], note)
        self._scribe: Scribe | None = None
        if faces.keeping:
            self._scribe = open_scribe(faces.keeping, run, self._shown_plan, workplace.path, note)

        path = faces.samples_path
        self._samples = SampleWriter(path, self._terminal.note) if path else None

    def carry_out(self) -> int:
        """From the link that the workers look for to the exit code."""
        link = self._open_link()
        try:
            with Interrupts(self._terminal.hang_up) as interrupts:
                return self._conduct(link, interrupts)
        except InterruptedTwice:
            return ExitCode.INTERRUPTED_TWICE
        finally:
            self._launcher.kill_all()
            if self._scribe is not None:
                self._scribe.close()
            link.close()

    def _open_link(self) -> RouterLink:
        timing, opening = Timing(self.plan.lease_s), self._opening
        if opening is None:
            return RouterLink(self._workplace.link_address, timing=timing)
        listening = opening.listening
        link = RouterLink(self._workplace.link_address, listening.address, listening.key, timing, self._turned_away)
        expected = 0 if self._resumed else self.plan.expected_workers
        self._roll_call.announce(listening, link.listens_on or listening.address, expected)
        return link

    def _turned_away(self, address: str) -> None:
        self._terminal.note(f"somebody at {address} was turned away: not with this key")

    def _conduct(self, link: RouterLink, interrupts: Interrupts) -> int:
        start_logging(self.plan.log_level)
        hooks = Hooks(self._script, self.plan, self._clock)
        hooks.call("", _import_merging)
        shared = self._script.run_setup(hooks.environment)
        welcome = Welcome(
            self.plan,
            shared=pack_value(shared),
            term=self._term,
            pulse_interval_s=pulse_interval_s(self.plan.lease_s),
            lease_s=self.plan.lease_s,
            secrets=SentSecrets(secrets.known),
        )
        state = ControllerState(self.run, self.plan, welcome, self._outline())
        shape = self._script.shape
        ticks = ShapeTicks(shape, hooks, self._clock) if shape is not None and self.plan.shape else None
        stage = Stage(hooks, self._terminal, self._observers, ticks, state.host_of)
        controller = Controller(
            state,
            link,
            self._launcher,
            self._clock,
            stage,
            self._recover,
            self._script.row_sources,
            self._scribe,
            self._opening.archive if self._opening else None,
        )
        if self._resumed is not None:
            self._take_up(self._resumed, controller)
        controller.merge.plan = self._shown_plan
        if self._scribe is not None:
            self._scribe.attend(controller)
        if self._samples is not None:
            controller.merge.on_calls = self._samples.take
        self._launcher.attend(lambda *end: controller.tell(Died(*end)))
        hooks.attend(controller)
        if ticks is not None:
            ticks.attend(controller)
        interrupts.attend(lambda: controller.tell(StopWanted(End.STOPPED)))
        self._thresholds.attend(controller)
        with (
            self._terminal.showing(controller),
            self._observers.watching(controller),
            self._roll_call.watching(state) if self._opening and not self._resumed else contextlib.nullcontext(),
        ):
            over = controller.run()
        _raise_failure(over)
        hooks.finish()
        return self._finish(hooks, controller)

    def _take_up(self, resumed: Resumed, controller: Controller) -> None:
        """Have a controller go on where another one was."""
        from swell.cluster.resuming_state import Resuming, reported_of

        journal, at_s = resumed.journal, resumed.at_s
        end = (journal.state.end, journal.state.end_text) if journal.state.end is not None else None
        controller.state.resume(Resuming(resumed.record, reported_of(journal), journal.revisions, end))
        controller.merge = RunMerge.restore(journal)
        now_s = (self._clock.now_ns() - resumed.record.begin_ns) / NS_PER_S
        controller.merge.controller_restarted(at_s, max(now_s, at_s))

    def _outline(self) -> Muster | None:
        """What supervisors are told, all of them."""
        if self._opening is None:
            return None
        archive = self._opening.archive
        return Muster(
            number=0,
            term=self._term,
            run=self.run,
            sha256=archive.sha256,
            archive_bytes=len(archive.content),
            script=archive.script,
            version=__version__,
            posts=(),
            keep_records=self.plan.keep_records,
            lease_s=self.plan.lease_s,
        )

    def _finish(self, hooks: Hooks, controller: Controller) -> int:
        from swell.analysis.exit_code import exit_code
        from swell.stats.summary import summarise
        from swell.stats.thresholds.judging import on_errors

        if self._samples is not None:
            controller.merge.samples = self._samples.finish()
        self._observers.ended(controller.merge.snapshot())
        controller.merge.exports = tuple(exporter.count() for exporter in self._exporters)
        result = controller.merge.snapshot()
        document = summarise(result, self._thresholds.latest)
        if self._scribe is not None and not self._scribe.finish(result, document):
            result = controller.merge.snapshot()
            document = summarise(result, self._thresholds.latest)
        faces = self._faces
        code = exit_code(
            document,
            strict=faces.strict,
            on_failures=faces.exit_code_on_failures,
            threshold_on_errors=on_errors(self.plan),
        )
        if hooks.environment.process_exit_code is not None and code != ExitCode.RUN_FAILED:
            code = hooks.environment.process_exit_code
        self._terminal.finish(document, code, self._stored())
        faces.outputs.write(result, document)
        hooks.quit(code)
        self._launcher.wait_ended(PARTING_S)
        return code

    def _stored(self) -> RenderableType | None:
        """Where the run can be seen again; None where it cannot."""
        from swell.report.stored_line import stored_line

        keeping = self._faces.keeping
        if keeping is None or self._scribe is None or self._scribe.is_failing:
            return None
        return stored_line(self.run, keeping.name, keeping.command_to_show(self.run))

    def _recover(self, worker: int, incarnation: int, begin_ns: int, applied: Segment | None) -> tuple[Segment, ...]:
        return recover_segments(
            self._workplace.worker(worker, incarnation),
            run=self.run,
            worker=worker,
            incarnation=incarnation,
            begin_ns=begin_ns,
            died_ns=self._clock.now_ns(),
            applied=applied,
            keep_records=self.plan.keep_records,
        )


def _import_merging() -> None:
    """numpy, and what judges thresholds, take 0.1 s: workers load meanwhile, and the run's first second keeps it."""
    for name in ("swell.stats.reported", "swell.stats.timeline", "swell.stats.thresholds.judging"):
        gevent.get_hub().threadpool.apply(importlib.import_module, (name,))


def _raise_failure(over: Over) -> None:
    if over.failure and over.author_traceback:
        raise ScriptError(Problem(over.failure), over.author_traceback)
    if over.failure:
        raise RunFailed(over.failure)
