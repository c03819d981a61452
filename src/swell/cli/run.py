"""Carries a plan out: starts the workers, shows what happens while it runs, and says how it ended."""

from __future__ import annotations

import dataclasses

from swell.plan import RunPlan
from swell.script.loader import LoadedScript


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
    raise NotImplementedError
