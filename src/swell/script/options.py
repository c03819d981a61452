"""Options that a script declares: a listener of `events.init_command_line_parser` adds them to the parser given.

The parser is argparse's, and takes the keywords that scripts for Locust use beside argparse's own: `env_var`,
`include_in_web_ui`, `is_secret`, `is_required`. What is left of the command line for it is parsed in every process, so
values that come from the environment are turned into words first, by `words_from`, where the command line is read.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from swell.errors import PlanError, Problem, ScriptError
from swell.script.events import events
from swell.script.flow import LOADING_FAULT
from swell.script.traces import author_trace, place_of

_YES = ("1", "true", "yes", "on")


class _Declarations(argparse._ActionsContainer):
    """`add_argument` with the further keywords, for a parser and its groups."""

    def add_argument(
        self,
        *names: str,
        env_var: str | None = None,
        include_in_web_ui: bool = True,
        is_secret: bool = False,
        is_required: bool = False,
        **keywords: Any,
    ) -> argparse.Action:
        """Declare an option. Raises ValueError for one that is not written with a dash."""
        if not names or not names[0].startswith("-"):
            raise ValueError(f"a script can declare options only, such as --{'-'.join(names) or 'name'}")
        if is_required:
            keywords["required"] = True
        action = super().add_argument(*names, **keywords)
        vars(action).update(env_var=env_var, include_in_web_ui=include_in_web_ui, is_secret=is_secret)
        return action


class _Group(_Declarations, argparse._ArgumentGroup):
    """A heading over some of the options."""


class ScriptOptions(_Declarations, argparse.ArgumentParser):
    """The options of one script. What cannot be parsed raises PlanError."""

    def __init__(self, path: str) -> None:
        super().__init__(prog=path, add_help=False, allow_abbrev=False, argument_default=None)

    @property
    def declared(self) -> tuple[argparse.Action, ...]:
        """Every option, in the order declared."""
        return tuple(self._actions)

    def add_argument_group(self, *arguments: Any, **keywords: Any) -> argparse._ArgumentGroup:
        """A heading; options are declared on what this returns."""
        group = _Group(self, *arguments, **keywords)
        self._action_groups.append(group)
        return group

    def error(self, message: str) -> NoReturn:
        raise PlanError([Problem(message, self.prog)])

    def words_from(self, environ: Mapping[str, str]) -> list[str]:
        """Words for the options whose `env_var` is set; put them before those of the command line."""
        words = []
        for action in self.declared:
            value = environ.get(vars(action).get("env_var") or "")
            if value is None:
                continue
            flag = action.option_strings[-1]
            if action.nargs == 0:
                words += [flag] if value.strip().lower() in _YES else []
            elif action.nargs is None or action.nargs in ("?", 1):
                words.append(f"{flag}={value}")
            else:
                words += [flag, *value.split()]
        return words

    def values(self, words: Sequence[str]) -> argparse.Namespace:
        """What `environment.parsed_options` is to be. Raises PlanError."""
        return self.parse_args(list(words))


def script_options(path: str) -> ScriptOptions:
    """The parser with all that the script, now imported, declares. Raises ScriptError if a listener fails."""
    options = ScriptOptions(path)
    for listener in tuple(events.init_command_line_parser.listeners):
        try:
            listener(parser=options)
        except LOADING_FAULT as raised:
            message, trace = author_trace(raised)
            raise ScriptError(Problem(f"declaring its options fails: {message}", place_of(raised)), trace) from raised
    return options
