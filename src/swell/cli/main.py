"""The command `swell`. Each command imports what it needs when it is called, so that starting stays fast."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from swell.cli.failure import Outcome
from swell.errors import PlanError, Problem


def main() -> NoReturn:
    """What the installed command calls."""
    sys.exit(exit_code(sys.argv[1:]))


def exit_code(words: Sequence[str]) -> int:
    """Carry out a command line and return its exit code; whatever went wrong has been said on standard error."""
    with Outcome() as outcome:
        outcome.exit_code = _carry_out(words)
    return outcome.exit_code


def _carry_out(words: Sequence[str]) -> int:
    if words[:1] == ["worker-process"]:  # started by `swell run`, in a hurry: without click
        from swell.cli.worker_process import main as take_part

        return take_part(words[1:])
    check_encoding(words)
    from swell.cli.commands import swell
    from swell.cli.parsing import invoke
    from swell.cli.streams import complete_writes

    complete_writes()
    return invoke(swell, words)


def check_encoding(words: Sequence[str]) -> None:
    """Raise PlanError where a word is not UTF-8: it could not be sent to a worker, stored or shown."""
    found = [(word, word.encode("utf-8", "replace").decode()) for word in words]
    if faults := [
        Problem("is not UTF-8", shown, "rename the file, or set the locale") for word, shown in found if word != shown
    ]:
        raise PlanError(faults)
