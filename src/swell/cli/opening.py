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
from swell.cli.files_opened import files_opened
from swell.cli.option import Option
from swell.cli.outputs import OUTPUTS, STDOUT
from swell.cli.parsing import click_option, command_line_layer, write_options
from swell.cli.patching import patch
from swell.cli.settings import Given, Layer, Settings
from swell.cli.streams import reserve_stdout
from swell.errors import PlanError, Problem
from swell.quantities import shown

if TYPE_CHECKING:
    from types import ModuleType

    from swell.script.loader import LoadedScript

SCRIPT_OPTIONS = "swell.script_options"
SCRIPT_TABLE = "swell_options"


@dataclasses.dataclass(slots=True)
class Opened:
    """A command line as understood so far. `script` is None where it could not be loaded; the problems say why."""

    path: str = ""
    class_names: tuple[str, ...] = ()
    settings: Settings = dataclasses.field(default_factory=lambda: Settings({}, {}))
    script: LoadedScript | None = None
    script_arguments: tuple[str, ...] = ()
    problems: list[Problem] = dataclasses.field(default_factory=list)
    notices: list[str] = dataclasses.field(default_factory=list)
    script_error: PlanError | None = None
    files_opened: set[Path] = dataclasses.field(default_factory=set)
    """While the script was loaded."""

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
        ours = {flag: 0 if option.kind.is_flag else ONE for option in self.known for flag in option.flags}
        ours |= dict.fromkeys(ctx.help_option_names, 0)
        first = split(args, ours, {})
        opened = Opened(script_among(first, os.path.exists))
        if not opened.path and self.name == "run" and options.RESUME.flag in " ".join(first.ours):
            from swell.cli.resume import script_of

            opened.path = script_of(first.ours, os.environ)
        if not opened.path and not set(args) & set(ctx.help_option_names):
            usage = f"swell {self.name} SCRIPT.py"
            opened.problems.append(Problem("no script given", hint=usage))
        if _is_for_stdout(first.ours, os.environ):
            reserve_stdout()
        module = import_script(opened)
        words = self._sorted(ctx, opened, args, ours) if module else first
        opened.problems += words.problems
        rest = super().parse_args(ctx, words.ours)
        given = command_line_layer(self.known, ctx.params)
        weakest, faults = script_layer(opened.path, module)
        opened.problems += faults
        opened.settings, faults = _resolve(self.known, given, os.environ, weakest)
        opened.problems += faults
        opened.class_names = tuple(word for word in words.loose if word != opened.path)
        opened.notices += settings.likely_slips(options.ALL, os.environ)
        choose_classes(opened, module)
        ctx.params = {"opened": opened}
        return rest

    def _sorted(self, ctx: click.Context, opened: Opened, args: Sequence[str], ours: Mapping[str, int]) -> Split:
        """The words, sorted anew now that the script has said which options are its own."""
        from swell.cli.script_options import arity, declared, help_records, script_arguments

        declarations = declared(opened.path)
        theirs = arity(declarations)
        words = split(args, ours, theirs)
        opened.script_arguments, faults = script_arguments(declarations, words.script, os.environ)
        opened.problems += faults
        opened.notices += [
            f"{opened.path} declares {name} itself; swell's own can be set in the environment or a config file"
            for name in theirs
            if name in ours
        ]
        ctx.meta[SCRIPT_OPTIONS] = (opened.path, list(help_records(declarations)))
        return words

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_options(self.known, formatter, ctx)
        path, records = ctx.meta.get(SCRIPT_OPTIONS, ("", []))
        if records:
            with formatter.section(f"Options of {path}"):
                formatter.write_dl(records)
        if (asked := self.get_help_option(ctx)) and (record := asked.get_help_record(ctx)):
            with formatter.section("Help"):
                formatter.write_dl([record])


def import_script(opened: Opened) -> ModuleType | None:
    """The script's module, its options declared, in a process made cooperative first. What is wrong is a problem."""
    if not opened.path:
        return None
    patch()
    from swell.cli.hiding import hide_in_output
    from swell.cli.script_options import declared
    from swell.script.importing import import_script as run_module
    from swell.script.secrets import secrets

    secrets.look_in(os.environ)
    hide_in_output()
    try:
        with files_opened(opened.files_opened):
            module = run_module(opened.path)
        declared(opened.path)
    except PlanError as error:
        opened.problems += error.problems
        opened.script_error = error
        return None
    return module


def _is_for_stdout(words: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether a document is to be written to standard output; asked before the script is imported, which may print."""
    return any(_is_dash(output.option, words, environment) for output in OUTPUTS if output.fits_stdout)


def _is_dash(option: Option[str], words: Sequence[str], environment: Mapping[str, str]) -> bool:
    of_option = (index for index, word in enumerate(words) if word.partition("=")[0] == option.flag)
    last = max(of_option, default=None)
    if last is None:
        return environment.get(option.variable) == STDOUT
    return words[last] == f"{option.flag}=-" or list(words[last : last + 2]) == [option.flag, STDOUT]


def script_layer(path: str, module: ModuleType | None) -> tuple[Layer, list[Problem]]:
    """What the script itself wants of swell: the table `swell_options` in it."""
    table = getattr(module, SCRIPT_TABLE, None)
    if isinstance(table, Mapping):
        return settings.table_layer(options.ALL, table, f"{path}: {SCRIPT_TABLE}[{{key}}]")
    fault = Problem(f"is {shown(table)}", f"{path}: {SCRIPT_TABLE}", "it is a dict of options and values")
    return {}, [fault] if table is not None else []


def choose_classes(opened: Opened, module: ModuleType | None) -> None:
    """Settle which user classes of the script run, with which of their tasks; faults are problems."""
    if module is None:
        return
    from swell.script.loader import choose
    from swell.script.secrets import secrets

    tags, exclude_tags = opened.settings[options.TAGS], opened.settings[options.EXCLUDE_TAGS]
    try:
        opened.script = choose(
            opened.path, module, class_names=opened.class_names, tags=tags, exclude_tags=exclude_tags
        )
    except PlanError as error:
        opened.problems += error.problems
    else:
        opened.script = dataclasses.replace(opened.script, files_opened=frozenset(opened.files_opened))
        script = opened.script
        opened.problems += [*script.open_feeds(), *script.file_problems(), *script.secret_problems()]
        opened.notices += secrets.notices()


def _resolve(
    known: Sequence[Option[Any]], given: Mapping[str, Given], environment: Mapping[str, str], weakest: Layer
) -> tuple[Settings, list[Problem]]:
    """The settings of a command. A config file may also hold options of other commands."""
    surroundings = settings.environment_layer(known, environment)
    named = {**surroundings, **given}.get(options.CONFIG.name)
    files, faults = settings.config_layers(options.ALL, Path.cwd(), named.text if named else "")
    resolved, more = settings.resolve(known, [given, surroundings, *files, weakest])
    return resolved, faults + more
