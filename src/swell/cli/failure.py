"""How swell says that it could not do what was asked: one line a problem on standard error, no traceback of ours."""

from __future__ import annotations

import sys
import traceback
from types import TracebackType

from swell.errors import PlanError, Problem, ScriptError, SwellError

BUG_EXIT_CODE = 4
INTERRUPTED_EXIT_CODE = 130


class Outcome:
    """The exit code of a block, `with Outcome() as outcome`. An exception that leaves it is said, and sets it."""

    def __init__(self) -> None:
        self.exit_code = 0

    def __enter__(self) -> Outcome:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, SystemExit | GeneratorExit):
            return False
        if error is not None:
            self.exit_code = _say(error)
        return True


def _say(error: BaseException) -> int:
    if isinstance(error, SwellError):
        return _say_foreseen(error)
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED_EXIT_CODE
    if isinstance(error, BrokenPipeError):
        return _stop_printing()
    traceback.print_exception(error)
    _print_line(f"this is a bug in swell ({type(error).__name__}); please report it with the traceback above")
    return BUG_EXIT_CODE


def _say_foreseen(error: SwellError) -> int:
    script_error = error.__cause__ if isinstance(error.__cause__, ScriptError) else error
    if isinstance(script_error, ScriptError) and script_error.author_traceback:
        print(script_error.author_traceback.rstrip("\n"), file=sys.stderr)
    problems = error.problems if isinstance(error, PlanError) else [Problem(str(error), hint=error.hint)]
    for problem in dict.fromkeys(problems):
        _print_line(str(problem))
    return error.exit_code


def _stop_printing() -> int:
    """Whoever read our output has enough of it, as `| head` does. Nothing more can be written, not even at exit."""
    sys.stdout = None
    return 0


def _print_line(text: str) -> None:
    print(f"swell: {text}", file=sys.stderr)
