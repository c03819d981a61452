"""`swell run --resume RUN`: takes up a run whose controller has died, from what the store has of it.

The plan is the run's own, and so is the script: both are as they were, or the run cannot go on. Where it listens, with
which key, and what is written at the end are told anew, as no controller keeps them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swell.cli import exports, listening, options, sample_files, storing
from swell.cli.machine import boot, raise_fd_limit
from swell.cli.option import Option
from swell.cli.outputs import OUTPUTS, wanted
from swell.cli.settings import Settings
from swell.errors import PlanError, Problem
from swell.result import RunResult

if TYPE_CHECKING:
    from swell.cli.opening import Opened
    from swell.store.reader import Interrupted

TOLD_ANEW: tuple[Option[Any], ...] = (
    *(options.RESUME, options.LISTEN, options.KEY, options.STORE, options.CONFIG, options.LOG_LEVEL),
    *(options.QUIET, options.STRICT, options.EXIT_CODE_ON_FAILURES, options.PROMETHEUS, options.OTLP),
    *(output.option for output in OUTPUTS),
)
"""What may be given beside --resume; all else is the run's own."""


def script_of(words: Sequence[str], environment: Mapping[str, str]) -> str:
    """The script of the run that a command line without a script wants to resume; '' where it wants no such thing.
    Raises PlanError."""
    run = _value_of(options.RESUME.flag, words)
    if not run:
        return ""
    store = _value_of(options.STORE.flag, words) or environment.get(options.STORE.variable, "")
    return _found(Path(store) if store else storing.DEFAULT, run).journal.plan.script


def resume(opened: Opened) -> int:
    """Check that the run can be taken up, then carry it out to its end. Raises PlanError with all that is wrong."""
    settings = opened.settings
    path = storing.store_path(settings)
    found = _found(path, settings[options.RESUME])
    plan = found.journal.plan
    outputs, (exported, unreachable) = wanted(settings), exports.wanted(settings)
    heard, unheard = listening.wanted(settings)
    kept = {plan.script: "the script", **storing.kept_files(path)}
    script = opened.script_without(
        *_contradictions(settings),
        *_changes(found),
        *outputs.problems({**kept, **sample_files.kept_files(settings)}),
        *unreachable,
        *unheard,
        *([] if heard or not found.record.machines else [_NO_LISTENING]),
    )
    from swell.cli.run import Faces, Resumed, carry_out

    faces = Faces(
        outputs=outputs,
        keeping=storing.Keeping(path, not settings[options.STORE], found.run.name, found.run.tags),
        exports=exported,
        baseline=_baseline(path, plan.baseline),
        quiet=settings[options.QUIET],
        strict=settings[options.STRICT],
        exit_code_on_failures=settings[options.EXIT_CODE_ON_FAILURES],
    )
    opening, left_out = listening.opening(heard, script) if heard else (None, ())
    raise_fd_limit()
    for notice in (*opened.notices, *left_out, *exported.notices()):
        print(f"swell: notice: {notice}", file=sys.stderr)
    resumed = Resumed(found.journal, found.record, Path(found.workplace), found.run.at_s)
    return carry_out(plan, script, faces, opening, resumed)


_NO_LISTENING = Problem(
    "workers of other machines take part in the run", options.LISTEN.flag, "give it, and --key, as the run had them"
)


def _found(path: Path, word: str) -> Interrupted:
    from swell.store.reader import open_store

    try:
        with open_store(path) as store:
            return store.interrupted(store.find(word).id)
    except PlanError as error:
        raise PlanError(
            [dataclasses.replace(problem, where=options.RESUME.flag) for problem in error.problems]
        ) from error


def _value_of(flag: str, words: Sequence[str]) -> str:
    """What a command line gives an option, before it is read properly."""
    for place, word in enumerate(words):
        if word == flag and place + 1 < len(words):
            return words[place + 1]
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
    return ""


def _contradictions(settings: Settings) -> Iterator[Problem]:
    told_anew = {option.name for option in TOLD_ANEW}
    for option in options.options_of("run"):
        if option.name not in told_anew and settings.is_given(option) and settings.rank(option) == 0:
            yield Problem("cannot be given with --resume", option.flag, "the run keeps its own")


def _changes(found: Interrupted) -> Iterator[Problem]:
    """What is not as it was, so that the run cannot go on."""
    plan = found.journal.plan
    with contextlib.suppress(OSError):
        if hashlib.sha256(Path(plan.script).read_bytes()).hexdigest() != found.run.script_sha256:
            yield Problem("is not the script that the run began with", plan.script, "put that back, or begin a new run")
    if found.boot != boot():
        what = f"{found.run.label} was begun on another machine, or before this one was started"
        yield Problem(what, options.RESUME.flag, "begin a new run")


def _baseline(path: Path, run: str) -> RunResult | None:
    from swell.store.reader import open_store

    with contextlib.suppress(PlanError), open_store(path) as store:
        return store.load(store.find(run).id) if run else None
    return None
