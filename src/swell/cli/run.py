"""Carries a plan out: starts the worker processes, then conducts the run.

The processes are started before anything else, even before what conducts them is imported: what they have to import
takes as long as what the controller does meanwhile, and the first request waits for both.
"""

from __future__ import annotations

import dataclasses
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from swell.cli.exports import Exports
from swell.cli.listening import Opening
from swell.cli.outputs import Outputs
from swell.cli.storing import Keeping
from swell.cluster.launcher import Launcher, python_command
from swell.cluster.workplace import Workplace, open_workplace, reopen_workplace
from swell.plan import RunPlan
from swell.result import RunResult
from swell.script.loader import LoadedScript

if TYPE_CHECKING:
    from swell.cluster.record import ClusterRecord
    from swell.stats.journal import MergeJournal

ROOM_PER_WORKER_BYTES = 24 << 20
"""The ring, the names, and a spool that nobody acknowledges for a minute."""
PARTING_S = 2.0


@dataclasses.dataclass(frozen=True, slots=True)
class Faces:
    """Where a run shows itself, and how its end becomes an exit code."""

    outputs: Outputs = dataclasses.field(default_factory=Outputs)
    """While one of them has standard output, everything else goes to standard error."""
    keeping: Keeping | None = None
    """None: the run is not stored."""
    samples_path: str = ""
    """Where every call is written to."""
    quiet: bool = False
    strict: bool = False
    exit_code_on_failures: int | None = None
    exports: Exports = dataclasses.field(default_factory=Exports)
    baseline: RunResult | None = None
    """The run that thresholds compare this one with."""


@dataclasses.dataclass(frozen=True, slots=True)
class Resumed:
    """A run that another controller has begun."""

    journal: MergeJournal
    record: ClusterRecord
    workplace: Path
    """Where its workers on this machine had their files."""
    at_s: float
    """The last that is known of it."""


def carry_out(
    plan: RunPlan,
    script: LoadedScript,
    faces: Faces,
    opening: Opening | None = None,
    resumed: Resumed | None = None,
) -> int:
    """Run the plan to its end and return the exit code."""
    left_behind = reopen_workplace(resumed.workplace) if resumed else None
    workplace = left_behind or open_workplace(plan.workers * ROOM_PER_WORKER_BYTES)
    launcher: Launcher | None = None
    try:
        run = resumed.journal.run if resumed else secrets.token_hex(6)
        launcher = _launcher(run, workplace)
        for worker in range(0 if resumed else plan.workers):
            launcher.launch(worker, 1)
        from swell.cli.conductor import Conductor

        return Conductor(run, plan, script, faces, workplace, launcher, opening, resumed).carry_out()
    finally:
        if launcher is not None:
            launcher.kill_all()
            launcher.wait_ended(PARTING_S)
        workplace.remove()


def _launcher(run: str, workplace: Workplace) -> Launcher:
    def command(worker: int, incarnation: int) -> list[str]:
        return python_command(
            workplace.worker(worker, incarnation),
            *("--link", workplace.link_address, "--run", run, "--parent", str(os.getpid())),
            *("--worker", str(worker), "--incarnation", str(incarnation)),
        )

    return Launcher(command, os.environ)
