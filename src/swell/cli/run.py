"""Carries a plan out: starts the workers, shows what happens while it runs, and says how it ended.

Worker processes are started before anything else: what they import and what the controller has to get ready take
equally long, and the first request waits for both.
"""

from __future__ import annotations

import dataclasses
import os
import secrets
from pathlib import Path

from swell.analysis.exit_code import ExitCode
from swell.cli.hooks import Hooks
from swell.cli.interrupts import InterruptedTwice, Interrupts
from swell.cli.logs import start_logging
from swell.cli.stage import Stage
from swell.cli.streams import document_stream
from swell.cli.terminal import Terminal
from swell.cluster.controller import Controller
from swell.cluster.controller_state import ControllerState
from swell.cluster.controller_steps import Died, Over
from swell.cluster.launcher import Launcher, python_command
from swell.cluster.link import RouterLink
from swell.cluster.messages import Welcome, pack_value
from swell.cluster.remains import recover_segments
from swell.cluster.workplace import Workplace, open_workplace
from swell.errors import Problem, RunFailed, ScriptError
from swell.plan import RunPlan
from swell.runtime.real_clock import RealClock
from swell.script.loader import LoadedScript
from swell.segment import Segment

ROOM_PER_WORKER_BYTES = 24 << 20
"""The ring, the names, and a spool that nobody acknowledges for a minute."""
PARTING_S = 2.0


@dataclasses.dataclass(frozen=True, slots=True)
class Faces:
    """Where a run shows itself, and how its end becomes an exit code."""

    json_path: str | None = None
    """None: no document; `-`: standard output, and everything else goes to standard error."""
    quiet: bool = False
    strict: bool = False
    exit_code_on_failures: int | None = None


def carry_out(plan: RunPlan, script: LoadedScript, faces: Faces) -> int:
    """Run the plan to its end and return the exit code."""
    workplace = open_workplace(plan.workers * ROOM_PER_WORKER_BYTES)
    try:
        return LocalRun(plan, script, faces, workplace).carry_out()
    finally:
        workplace.remove()


class LocalRun:
    """A run whose workers are processes on this machine."""

    def __init__(self, plan: RunPlan, script: LoadedScript, faces: Faces, workplace: Workplace) -> None:
        self.run = secrets.token_hex(6)
        self.plan = plan
        self._script = script
        self._faces = faces
        self._workplace = workplace
        self._clock = RealClock()
        self._link = RouterLink(workplace.link_address)
        self._terminal = Terminal(to_stderr=faces.json_path == "-", quiet=faces.quiet)
        self._launcher = Launcher(self._command, os.environ, self._ended)
        self._early_deaths: list[Died] = []
        self._controller: Controller | None = None

    def carry_out(self) -> int:
        """From the first worker process to the exit code."""
        try:
            with Interrupts() as interrupts:
                for worker in range(self.plan.workers):
                    self._launcher.launch(worker, 1)
                return self._conduct(interrupts)
        except InterruptedTwice:
            return ExitCode.INTERRUPTED_TWICE
        finally:
            self._launcher.kill_all()
            self._launcher.wait_ended(PARTING_S)
            self._link.close()

    def _conduct(self, interrupts: Interrupts) -> int:
        start_logging(self.plan.log_level)
        hooks = Hooks(self._script, self.plan, self._clock)
        shared = self._script.run_setup(hooks.environment)
        state = ControllerState(self.run, self.plan, Welcome(self.plan, shared=pack_value(shared)))
        stage = Stage(hooks, self._terminal)
        controller = Controller(state, self._link, self._launcher, self._clock, stage, self._recover)
        self._controller = controller
        for death in self._early_deaths:
            controller.tell(death)
        hooks.attend(controller)
        interrupts.attend(controller)
        with self._terminal.showing(controller):
            over = controller.run()
        _raise_failure(over)
        hooks.finish()
        return self._finish(hooks, controller)

    def _finish(self, hooks: Hooks, controller: Controller) -> int:
        from swell.analysis.exit_code import exit_code
        from swell.report.json_document import write_json
        from swell.stats.summary import summarise

        document = summarise(controller.merge.snapshot())
        faces = self._faces
        code = exit_code(document, strict=faces.strict, on_failures=faces.exit_code_on_failures)
        if hooks.environment.process_exit_code is not None and code != ExitCode.RUN_FAILED:
            code = hooks.environment.process_exit_code
        self._terminal.finish(document)
        if faces.json_path is not None:
            write_json(document, document_stream() if faces.json_path == "-" else Path(faces.json_path))
        hooks.quit(code)
        return code

    def _command(self, worker: int, incarnation: int) -> list[str]:
        return python_command(
            self._workplace.worker(worker, incarnation),
            *("--link", self._workplace.link_address, "--run", self.run, "--parent", str(os.getpid())),
            *("--worker", str(worker), "--incarnation", str(incarnation)),
        )

    def _ended(self, worker: int, incarnation: int, because: str, output: str) -> None:
        death = Died(worker, incarnation, because, output)
        if self._controller is None:
            self._early_deaths.append(death)
        else:
            self._controller.tell(death)

    def _recover(self, worker: int, incarnation: int, begin_ns: int, applied: Segment | None) -> tuple[Segment, ...]:
        return recover_segments(
            self._workplace.worker(worker, incarnation),
            run=self.run,
            worker=worker,
            incarnation=incarnation,
            begin_ns=begin_ns,
            died_ns=self._clock.now_ns(),
            applied=applied,
        )


def _raise_failure(over: Over) -> None:
    if over.failure and over.author_traceback:
        raise ScriptError(Problem(over.failure), over.author_traceback)
    if over.failure:
        raise RunFailed(over.failure)
