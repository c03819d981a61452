"""Thresholds as they are given: where they come from, and what is wrong with them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from swell.cli import options
from swell.cli.opening import Opened
from swell.cli.settings import Settings
from swell.cli.storing import store_path
from swell.document import ThresholdSummary
from swell.errors import PlanError, Problem
from swell.plan import RunPlan
from swell.quantities import shown
from swell.result import RunResult
from swell.stats.thresholds import selection
from swell.stats.thresholds.parser import parse
from swell.stats.thresholds.words import ThresholdFault

if TYPE_CHECKING:
    from swell.store.reader import Store

SCRIPT_THRESHOLDS = "thresholds"
MOST = 200

Placed = tuple[str, str]
"""An expression, and where it stands."""


def wanted(opened: Opened) -> tuple[list[Placed], list[Problem]]:
    """All expressions, those of the script first, and what is wrong with where they stand."""
    of_script, faults = _of_script(opened)
    return [*of_script, *opened.settings.each(options.THRESHOLD)], faults


def problems(placed: Sequence[Placed], plan: RunPlan) -> list[Problem]:
    """Everything that is wrong with the expressions themselves, and with them in this plan."""
    found: list[Problem] = []
    if len(placed) > MOST:
        found.append(Problem(f"{len(placed):,} thresholds are more than {MOST}", placed[-1][1]))
    for text, place in placed[:MOST]:
        try:
            found += selection.problems(parse(text), plan, place)
        except ThresholdFault as fault:
            found.append(Problem(str(fault), place))
    return found


def baseline(settings: Settings) -> tuple[RunResult | None, list[Problem]]:
    """The stored run that --baseline names, or why it cannot be read. It may take long, so it is done before a run."""
    word = settings[options.BASELINE]
    if not word:
        return None, []
    from swell.store.reader import open_store

    try:
        with open_store(store_path(settings)) as store:
            return store.load(store.find(word).id), []
    except PlanError as error:
        return None, [dataclasses.replace(problem, where=options.BASELINE.flag) for problem in error.problems]


def baseline_notices(plan: RunPlan, compared: RunResult | None) -> list[str]:
    """Whether a baseline was given that nothing refers to."""
    unused = compared is not None and not any(parse(text).limit.of_baseline for text in plan.thresholds)
    return ["no threshold refers to the --baseline: write for example `p95 < 110% of baseline`"] if unused else []


def judged_anew(store: Store, result: RunResult) -> tuple[ThresholdSummary, ...]:
    """How a stored run that has not been judged at its end, because it was interrupted, stands to its thresholds."""
    from swell.stats.thresholds.judging import judge

    word, compared = result.plan.baseline, None
    if word:
        with contextlib.suppress(PlanError):  # it has been deleted since
            compared = store.load(store.find(word).id)
    readable = tuple(text for text in result.plan.thresholds if _is_readable(text))
    plan = msgspec.structs.replace(result.plan, thresholds=readable)
    judged = iter(judge(msgspec.structs.replace(result, plan=plan), compared))
    unread = "this version of swell cannot read it"
    return tuple(
        next(judged) if text in readable else ThresholdSummary(text, None, None, "", unread)
        for text in result.plan.thresholds
    )


def _is_readable(text: str) -> bool:
    try:
        parse(text)
    except ThresholdFault:
        return False
    return True


def _of_script(opened: Opened) -> tuple[list[Placed], list[Problem]]:
    """The module's `thresholds = [...]`."""
    given = getattr(opened.script.module, SCRIPT_THRESHOLDS, None) if opened.script else None
    where = f"{opened.path}: {SCRIPT_THRESHOLDS}"
    if given is None:
        return [], []
    if not isinstance(given, list | tuple):
        return [], [Problem(f"is {shown(given)}", where, "it is a list of texts such as 'p95 < 300ms'")]
    placed = [(text, f"{where}[{number}]") for number, text in enumerate(given)]
    faults = [Problem(f"{shown(text)} is no text", place) for text, place in placed if not isinstance(text, str)]
    return [(text.strip(), place) for text, place in placed if isinstance(text, str)], faults
