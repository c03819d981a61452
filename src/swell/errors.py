"""Every error that ends a run or keeps one from starting, with the exit code it carries.

    SwellError                 4   the run could not be carried out
    ├── PlanError              2   the plan or the command line is wrong; holds every problem found, not the first
    │   └── ScriptError        2   the script cannot be loaded; holds the author's own traceback where there is one
    └── RunFailed              4   a plan that was right could not be carried out
        └── LinkError          4   the link between controller and worker broke, or a frame on it was wrong

A failed request is a result, not an exception: it never appears here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a plan: what, where (`--users`, `contest.py:12`), and what to do about it."""

    what: str
    where: str = ""
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} ({self.hint})" if self.hint else text


class SwellError(Exception):
    """Anything that ends swell with a message instead of a result."""

    exit_code = 4

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class PlanError(SwellError):
    """The plan, the command line or the script is wrong. `problems` lists everything that is, in the order found."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class ScriptError(PlanError):
    """The script cannot be loaded. `author_traceback` is the traceback of the script's own frames, or ''."""

    def __init__(self, problem: Problem, author_traceback: str = "") -> None:
        super().__init__([problem])
        self.author_traceback = author_traceback


class RunFailed(SwellError):
    """A plan that was right could not be carried out."""


class LinkError(RunFailed):
    """The link between a controller and a worker broke, or what came over it was no message of ours."""
