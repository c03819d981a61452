"""Keeps secrets out of what the controller itself prints, shows and stores."""

from __future__ import annotations

import io
import sys
from typing import TextIO

import msgspec

from swell.plan import RunPlan
from swell.script.secrets import hidden


class HidingWriter(io.TextIOWrapper):
    """Standard output, or standard error, without the secrets that are known when something is written."""

    def write(self, text: str) -> int:
        super().write(hidden(text))
        return len(text)


def hide_in_output() -> None:
    """From now on, secrets are hidden in what is printed here, by the script as well."""
    sys.stdout, sys.stderr = _hiding(sys.stdout), _hiding(sys.stderr)


def _hiding(stream: TextIO) -> TextIO:
    if type(stream) is not io.TextIOWrapper:  # somebody has put something else in its place, or this has been done
        return stream
    stream.flush()
    return HidingWriter(
        open(stream.fileno(), "wb", closefd=False),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def shown_plan(plan: RunPlan) -> RunPlan:
    """The plan as results and stores show it: a host may have a secret in it."""
    return msgspec.structs.replace(
        plan,
        host=hidden(plan.host),
        scenarios=tuple(msgspec.structs.replace(each, host=hidden(each.host)) for each in plan.scenarios),
        script_arguments=tuple(map(hidden, plan.script_arguments)),
    )
