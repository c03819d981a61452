"""Click, taught three things: options from their declarations, help under headings, and our form of errors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import click

from swell.cli.option import Option, Section
from swell.cli.settings import Given
from swell.cli.values import did_you_mean
from swell.errors import PlanError, Problem


def invoke(command: click.Command, words: Sequence[str]) -> int:
    """Run a command; click's own errors become PlanErrors, which say where and what to do."""
    try:
        result = command.main(list(words), prog_name="swell", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as help_wanted:
        click.echo(help_wanted.ctx.get_help())
        return 2
    except click.ClickException as error:
        raise PlanError([_problem_of(error)]) from None
    except click.Abort:
        raise KeyboardInterrupt from None
    return result if isinstance(result, int) else 0


def click_option(option: Option[Any]) -> click.Option:
    """The flag of a declared option. Click reads the text only; `Kind.parse` reads the value and says what is wrong."""
    text = option.help if option.kind.is_flag else f"{option.help} [{option.shown_default}]"
    common: dict[str, Any] = {"help": text, "default": None, "show_default": False}
    if option.kind.is_flag:
        return click.Option([*option.flags], is_flag=True, **common)
    if option.kind.bare:
        common |= {"is_flag": False, "flag_value": option.kind.bare}
    return click.Option(
        [*option.flags], multiple=option.kind.is_list, metavar=option.shown_metavar, type=click.UNPROCESSED, **common
    )


def command_line_layer(known: Sequence[Option[object]], parameters: dict[str, Any]) -> dict[str, Given]:
    """What the flags say, of which click has collected the texts."""
    layer = {}
    for option in known:
        text = parameters.get(option.name.replace("-", "_"))
        if isinstance(text, tuple):
            text = option.kind.joined(text) if text else None
        if text is not None:
            layer[option.name] = Given("true" if text is True else str(text), option.flag)
    return layer


def write_options(known: Sequence[Option[Any]], formatter: click.HelpFormatter, context: click.Context) -> None:
    """The options of a help page, under their headings."""
    for section in Section:
        records = [
            record
            for option in known
            if option.section is section and (record := click_option(option).get_help_record(context))
        ]
        if records:
            with formatter.section(section.value):
                formatter.write_dl(records)


class Commands(click.Group):
    """A group that knows what was meant: a misspelt command, or a script without `run` before it."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None:
            hint = did_you_mean(name, [name for name in self.commands if not self.commands[name].hidden])
            if name.endswith(".py") or os.path.isfile(name):
                hint = f"did you mean `swell run {name}`?"
            raise PlanError([Problem("no such command", name, hint or "`swell --help` lists them")])
        return super().resolve_command(ctx, args)


def _problem_of(error: click.ClickException) -> Problem:
    message = error.format_message()
    if isinstance(error, click.BadOptionUsage):
        return Problem("a value is missing behind it", error.option_name)
    if isinstance(error, click.NoSuchOption) and error.ctx:
        return Problem("no such option", error.option_name, _likely_option(error.option_name, error.ctx))
    where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
    return Problem(message[:1].lower() + message[1:].rstrip("."), where)


def _likely_option(name: str, context: click.Context) -> str:
    command = context.command
    if isinstance(command, click.Group):
        having = [other for other, inner in command.commands.items() if name in _flags(inner, context)]
        if having:
            return f"it belongs behind the command: `swell {having[0]} ... {name}`"
    return did_you_mean(name, _flags(command, context))


def _flags(command: click.Command, context: click.Context) -> list[str]:
    return [flag for parameter in command.get_params(context) for flag in parameter.opts]
