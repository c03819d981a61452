"""Reads a command line that names a script: which settings hold, the script itself, all that is wrong with either."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from swell.cli import options, settings
from swell.cli.arguments import ONE, Split, script_among, split
from swell.cli.options import Option
from swell.cli.parsing import click_option, command_line_layer, write_options
from swell.cli.patching import patch
from swell.cli.settings import Given, Settings
from swell.cli.values import did_you_mean
from swell.errors import PlanError, Problem

if TYPE_CHECKING:
    from swell.script.loader import LoadedScript


@dataclasses.dataclass(slots=True)
class Opened:
    """A command line as understood so far. `script` is None where it could not be loaded; the problems say why."""

    words: Split = dataclasses.field(default_factory=Split)
    path: str = ""
    class_names: tuple[str, ...] = ()
    settings: Settings = dataclasses.field(default_factory=lambda: Settings({}, {}))
    script: LoadedScript | None = None
    problems: list[Problem] = dataclasses.field(default_factory=list)
    script_error: PlanError | None = None

    def script_without(self, *more: Problem) -> LoadedScript:
        """The script, if nothing is wrong with it, with the command line, and in `more`. Raises PlanError otherwise."""
        found = [self.settings.placed(problem) for problem in (*self.problems, *more)]
        if found or self.script is None:
            raise PlanError(found) from self.script_error
        return self.script


class ScriptCommand(click.Command):
    """A command of the form `swell NAME SCRIPT [UserClass ...]`. Its callback is given what `Opened` holds."""

    def __init__(self, name: str, params: list[click.Parameter], **attributes: Any) -> None:
        self.known: tuple[Option[Any], ...] = options.options_of(name)
        arguments = [
            click.Argument(["script"], required=False, metavar="SCRIPT"),
            click.Argument(["class_names"], nargs=-1, metavar="[UserClass ...]"),
        ]
        super().__init__(name, params=[*params, *arguments, *map(click_option, self.known)], **attributes)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        arity = {flag: 0 if option.kind.is_flag else ONE for option in self.known for flag in option.flags}
        words = split(args, {**arity, "--help": 0, "-h": 0}, {})
        opened = Opened(words, script_among(words, os.path.exists), tuple(words.loose[1:]), problems=words.problems)
        ctx.obj = opened
        rest = super().parse_args(ctx, words.ours)
        self._settle(opened, ctx.params)
        ctx.params = {"opened": opened}
        return rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_options(self.known, formatter, ctx)

    def _settle(self, opened: Opened, parameters: dict[str, Any]) -> None:
        given = command_line_layer(self.known, parameters)
        opened.settings, faults = _resolve(self.known, given, os.environ)
        opened.problems += faults
        if not opened.path:
            opened.problems.append(Problem("no script given", f"swell {self.name}", f"swell {self.name} SCRIPT.py"))
            return
        load_script(opened)


def load_script(opened: Opened) -> None:
    """Load the script of a command line, in a process that is made cooperative first; what goes wrong is a problem."""
    if not os.path.isfile(opened.path):
        opened.problems.append(_no_such_script(opened.path))
        return
    patch()
    from swell.script.loader import load

    try:
        opened.script = load(
            opened.path,
            class_names=opened.class_names,
            tags=opened.settings[options.TAGS],
            exclude_tags=opened.settings[options.EXCLUDE_TAGS],
        )
    except PlanError as error:
        opened.problems += error.problems
        opened.script_error = error


def _resolve(
    known: Sequence[Option[Any]], given: Mapping[str, Given], environment: Mapping[str, str]
) -> tuple[Settings, list[Problem]]:
    surroundings = settings.environment_layer(known, environment)
    named = {**surroundings, **given}.get(options.CONFIG.name)
    files, faults = settings.config_layers(known, Path.cwd(), named.text if named else "")
    resolved, more = settings.resolve(known, [given, surroundings, *files])
    return resolved, faults + more


def _no_such_script(path: str) -> Problem:
    if os.path.isdir(path):
        return Problem("it is a folder, not a script", path)
    folder = os.path.dirname(path) or "."
    near = os.listdir(folder) if os.path.isdir(folder) else []
    hint = did_you_mean(os.path.basename(path), [name for name in near if name.endswith(".py")])
    return Problem("no such script", path, hint)
