"""The options that a script declares: a listener of `events.init_command_line_parser` adds them to an argparse parser.

A parser is made once per process, when the script has been imported. The words of the command line that belong to it
travel in the plan (`script_arguments`), and every process reads them anew.
"""

from __future__ import annotations

import argparse
import functools
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from swell.cli.arguments import MANY, ONE, OPTIONAL
from swell.cli.values import TRUE_WORDS
from swell.errors import PlanError, Problem
from swell.plan import RunPlan

LOCUSTS_OWN_KEYWORDS = ("include_in_web_ui", "is_secret", "is_required", "env_var")
ARITY = {None: ONE, "?": OPTIONAL, "*": MANY, "+": MANY, argparse.REMAINDER: MANY}


class Refused(Exception):
    """What argparse says of words that it cannot read."""


class ScriptParser(argparse.ArgumentParser):
    """The parser that a script is given. It never exits, and takes the keywords that Locust's adds."""

    def __init__(self) -> None:
        super().__init__(prog="swell", usage="", add_help=False, allow_abbrev=False)
        self.variables: dict[str, str] = {}
        """Environment variables by the option that they stand in for."""

    def add_argument(self, *names: Any, **keywords: Any) -> argparse.Action:
        """Declare an option, as argparse does; `env_var` names an environment variable that it can come from."""
        if not names or not str(names[0]).startswith("-"):
            raise ValueError("a script's arguments are options: their names begin with --")
        own = {keyword: keywords.pop(keyword) for keyword in LOCUSTS_OWN_KEYWORDS if keyword in keywords}
        action = super().add_argument(*names, **keywords)
        if own.get("env_var"):
            self.variables[action.option_strings[-1]] = own["env_var"]
        return action

    def error(self, message: str) -> NoReturn:
        raise Refused(message)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise Refused(message or "it ends the command")

    @property
    def arity(self) -> dict[str, int]:
        """How many values each option takes."""
        return {
            name: action.nargs if isinstance(action.nargs, int) else ARITY.get(action.nargs, ONE)
            for action in self._actions
            for name in action.option_strings
        }

    def help_records(self) -> Iterator[tuple[str, str]]:
        """Each option with its help text, for a help page."""
        for action in self._actions:
            if action.help == argparse.SUPPRESS:
                continue
            metavar = "" if action.nargs == 0 else f" {action.metavar or (action.dest or '').upper()}"
            told = action.default in (None, argparse.SUPPRESS, "", False) or "%(default)" in (action.help or "")
            default = "" if told else f" [{action.default}]"
            yield ", ".join(action.option_strings) + metavar, _expanded(action) + default


@functools.cache
def declared() -> ScriptParser:
    """The options of the script that this process has imported."""
    from swell.script.events import events

    parser = ScriptParser()
    events.init_command_line_parser.fire(parser=parser)
    return parser


def faults_of(parser: ScriptParser, given: Sequence[Sequence[str]]) -> list[Problem]:
    """What is wrong with the options given, each judged by itself and then all of them together."""
    alone = [fault for words in given for fault in _faults(parser, words) if "required" not in fault.what]
    return alone or _faults(parser, _with_variables(parser, [word for words in given for word in words], os.environ))


def parsed_options(plan: RunPlan) -> argparse.Namespace:
    """What a script finds as `environment.parsed_options`: the plan's options, and its own. Raises PlanError."""
    parser = declared()
    try:
        own = parser.parse_args(_with_variables(parser, plan.script_arguments, os.environ))
    except Refused as refused:
        raise PlanError([_problem(refused)]) from None
    of_plan = {
        "host": plan.host or None,
        "users": plan.users,
        "num_users": plan.users,
        "spawn_rate": plan.spawn_rate_per_s,
        "run_time": plan.run_time_s,
        "stop_timeout": plan.stop_timeout_s,
        "seed": plan.seed,
        "tags": list(plan.tags),
        "exclude_tags": list(plan.exclude_tags),
    }
    return argparse.Namespace(**{**of_plan, **vars(own)})


def _faults(parser: ScriptParser, words: Sequence[str]) -> list[Problem]:
    try:
        parser.parse_args(words)
    except Refused as refused:
        return [_problem(refused)]
    return []


def _problem(refused: Refused) -> Problem:
    """argparse says `argument -l/--language: invalid choice: ...`."""
    text = str(refused)
    if text.startswith("argument ") and ": " in text:
        name, _, what = text.removeprefix("argument ").partition(": ")
        return Problem(what, name.rpartition("/")[2])
    return Problem(text)


def _with_variables(parser: ScriptParser, words: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The words, after those that environment variables stand for: the last of an option counts."""
    found = []
    for name, variable in parser.variables.items():
        text = environment.get(variable, "")
        if text and parser.arity[name]:
            found.append(f"{name}={text}")
        elif text.lower() in TRUE_WORDS:
            found.append(name)
    return found + list(words)


def _expanded(action: argparse.Action) -> str:
    try:
        return (action.help or "") % {**vars(action), "prog": "swell"}
    except (KeyError, TypeError, ValueError):
        return action.help or ""
