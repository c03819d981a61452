"""The options that a script declares, as the command line treats them: how many words each takes, what is wrong, help.

Their parser is made once per process, when the script has been imported. The words that belong to it travel in the plan
(`script_arguments`), and every process reads them anew.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Iterator, Mapping, Sequence

from swell.cli.arguments import MANY, ONE, OPTIONAL
from swell.errors import PlanError, Problem
from swell.plan import RunPlan, ShapeOptions
from swell.script.options import ScriptOptions, script_options

ARITY = {None: ONE, "?": OPTIONAL, "*": MANY, "+": MANY, argparse.REMAINDER: MANY}

declared = functools.cache(script_options)
"""The options of the script at a path, which this process has imported. Raises ScriptError."""


def arity(declarations: ScriptOptions) -> dict[str, int]:
    """How many values each option takes."""
    return {
        name: action.nargs if isinstance(action.nargs, int) else ARITY.get(action.nargs, ONE)
        for action in declarations.declared
        for name in action.option_strings
    }


def script_arguments(
    declarations: ScriptOptions, given: Sequence[Sequence[str]], environment: Mapping[str, str]
) -> tuple[tuple[str, ...], list[Problem]]:
    """All words for the script's parser, and what is wrong with them: each option by itself, or else all together."""
    words = (*declarations.words_from(environment), *(word for option in given for word in option))
    alone = [fault for option in given for fault in _faults(declarations, option) if "required" not in fault.what]
    return words, alone or _faults(declarations, words)


def parsed_options(plan: RunPlan) -> argparse.Namespace:
    """What a script finds as `environment.parsed_options`: the plan's options, and its own. Raises PlanError."""
    of_plan = {
        "host": plan.host or None,
        **_load_options(plan),
        "stop_timeout": plan.stop_timeout_s,
        "seed": plan.seed,
        "tags": list(plan.tags),
        "exclude_tags": list(plan.exclude_tags),
    }
    return argparse.Namespace(**{**of_plan, **vars(declared(plan.script).values(plan.script_arguments))})


def _load_options(plan: RunPlan) -> dict[str, object]:
    """What -u, -r and -t have come to; where a shape says how many users there are, as they were given."""
    found = ShapeOptions(plan.most_users, plan.spawn_rate_per_s, plan.run_time_s)
    if plan.shape:
        found = plan.shape_options or ShapeOptions(run_time_s=plan.run_time_s)
    rate_per_s, run_time_s = found.spawn_rate_per_s, found.run_time_s
    return {"users": found.users, "num_users": found.users, "spawn_rate": rate_per_s, "run_time": run_time_s}


def help_records(declarations: ScriptOptions) -> Iterator[tuple[str, str]]:
    """Each option with its help text, for a help page."""
    for action in declarations.declared:
        if action.help == argparse.SUPPRESS:
            continue
        metavar = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
        told = action.default in (None, argparse.SUPPRESS, "", False) or "%(default)" in (action.help or "")
        yield ", ".join(action.option_strings) + metavar, _expanded(action) + ("" if told else f" [{action.default}]")


def _faults(declarations: ScriptOptions, words: Sequence[str]) -> list[Problem]:
    try:
        declarations.values(words)
    except PlanError as error:
        return [_placed(problem) for problem in error.problems]
    return []


def _placed(problem: Problem) -> Problem:
    """argparse says `argument -l/--language: invalid choice: ...`; the option is the place."""
    if problem.what.startswith("argument ") and ": " in problem.what:
        name, _, what = problem.what.removeprefix("argument ").partition(": ")
        return Problem(what, name.rpartition("/")[2])
    return problem


def _expanded(action: argparse.Action) -> str:
    try:
        return (action.help or "") % {**vars(action), "prog": "swell"}
    except (KeyError, TypeError, ValueError):
        return action.help or ""
