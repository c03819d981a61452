"""`swell runs`: the list of stored runs; their names and tags; deleting them."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from swell.cli import options, store_options
from swell.cli.settings import Settings
from swell.cli.storing import DEFAULT, label_problems, store_path
from swell.errors import PlanError, Problem
from swell.store import upkeep
from swell.store.reader import StoredRun, open_store
from swell.store.writer import RUNNING


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A run in `swell runs --json`."""

    id: str
    name: str
    tags: tuple[str, ...]
    state: str
    started_at: str
    script: str
    target: str
    duration_s: float
    requests: int
    failures: int
    rps: float
    p95_ms: float | None
    verdict: str | None


def list_runs(settings: Settings) -> int:
    """Print the runs that the options choose."""
    path = store_path(settings)
    limit = settings[store_options.LIMIT]
    if limit < 0:
        raise PlanError([Problem(f"{limit} is not a number of 0 or more", store_options.LIMIT.flag)])
    found = _chosen(path, settings)
    shown = found[:limit] if limit else found
    if settings[options.AS_JSON]:
        print(msgspec.json.format(msgspec.json.encode([_entry(run) for run in shown]), indent=2).decode())
    elif shown:
        from swell.report.console import open_console
        from swell.report.run_list import run_list

        console = open_console(sys.stdout)
        console.print(run_list(shown, len(found) - len(shown), console.width))
    else:
        print(
            f"swell: no such run in {path}" if path.exists() else f"swell: no run is stored in {path}", file=sys.stderr
        )
    return 0


def rename(settings: Settings, word: str, name: str) -> int:
    """Give a run a name."""
    _refuse_labels("NAME", [name])
    path, run = _one(settings, word)
    upkeep.rename(path, run, name)
    print(f"{run.id} is called {name}" if name else f"{run.id} has no name")
    return 0


def retag(settings: Settings, word: str, tags: Sequence[str]) -> int:
    """Give a run tags, or take them away."""
    _refuse_labels("TAG", tags)
    if odd := [tag for tag in tags if not tag or "," in tag]:
        raise PlanError([Problem(f"{odd[0]!r} is no tag", "TAG", "a word, without a comma")])
    path, run = _one(settings, word)
    if settings[store_options.REMOVE]:
        upkeep.untag(path, run, tags)
    else:
        upkeep.tag(path, run, tags)
    with open_store(path) as store:
        left = store.find(run.id).tags
    print(f"{run.id}: {', '.join(left)}" if left else f"{run.id} has no tags")
    return 0


def delete(settings: Settings, words: Sequence[str]) -> int:
    """Take runs out of the store."""
    path = store_path(settings)
    runs: dict[str, StoredRun] = {}
    problems: list[Problem] = []
    with open_store(path) as store:
        for word in words:
            try:
                found = store.find(word)
                runs[found.id] = found
            except PlanError as error:
                problems += error.problems
    if problems:
        raise PlanError(problems)
    return _delete(path, list(runs.values()))


def prune(settings: Settings, now: datetime.datetime) -> int:
    """Take out of the store what is old, or more than is to be kept. Runs that go on stay."""
    older_than_s, keep = settings[store_options.OLDER_THAN], settings[store_options.KEEP]
    if older_than_s is None and keep is None:
        usage = "--older-than 30d, or --keep 100, or both"
        raise PlanError([Problem("which runs are to go is not said", "swell runs prune", usage)])
    if not ((keep or 0) >= 0 and (older_than_s or 0) >= 0):
        raise PlanError([Problem("a number is below 0, or none", "swell runs prune")])
    path, tags = store_path(settings), set(settings[store_options.TAG])
    with open_store(path) as store:
        candidates = [run for run in store.runs() if run.state != RUNNING and tags <= set(run.tags)]
    going = [
        run
        for place, run in enumerate(candidates)
        if (keep is None or place >= keep) and (older_than_s is None or _age_s(run, now) > older_than_s)
    ]
    if not settings[store_options.DRY_RUN]:
        return _delete(path, going)
    for run in going:
        print(f"would delete {run.label}")
    print(f"{len(going):,} of {len(candidates):,} runs would be deleted")
    return 0


def _delete(path: Path, runs: Sequence[StoredRun]) -> int:
    from swell.report.stored_run import freed_text

    freed_bytes = upkeep.delete(path, runs) if runs else 0
    print(freed_text(len(runs), freed_bytes))
    return 0


def _chosen(path: Path, settings: Settings) -> list[StoredRun]:
    if path == DEFAULT and not path.exists():
        return []
    wanted = settings[store_options.STATE], settings[store_options.NAME], settings[store_options.SCRIPT]
    tags = set(settings[store_options.TAG])
    with open_store(path) as store:
        return [run for run in store.runs() if tags <= set(run.tags) and _matches(run, *wanted)]


def _matches(run: StoredRun, state: str, name: str, script: str) -> bool:
    return (
        (not state or run.state == state)
        and (not name or run.name == name)
        and (not script or run.script == script or run.script.endswith("/" + script))
    )


def _one(settings: Settings, word: str) -> tuple[Path, StoredRun]:
    path = store_path(settings)
    with open_store(path) as store:
        return path, store.find(word)


def _refuse_labels(place: str, labels: Sequence[str]) -> None:
    problems = [problem for label in labels for problem in label_problems(place, label)]
    if problems:
        raise PlanError(problems)


def _age_s(run: StoredRun, now: datetime.datetime) -> float:
    return (now - run.started_at).total_seconds()


def _entry(run: StoredRun) -> Entry:
    return Entry(
        id=run.id,
        name=run.name,
        tags=run.tags,
        state=run.state,
        started_at=run.started_at.astimezone(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        script=run.script,
        target=run.target,
        duration_s=run.duration_s,
        requests=run.requests,
        failures=run.failures,
        rps=run.requests / run.duration_s if run.duration_s > 0 else 0.0,
        p95_ms=run.p95_ms,
        verdict=run.verdict or None,
    )
