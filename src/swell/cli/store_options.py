"""The options of the commands that read stored runs. Of these, only `--store` has a variable and a config key."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from swell.cli import options, settings, values
from swell.cli.option import Option, Section
from swell.cli.parsing import command_line_layer
from swell.cli.settings import Layer, Settings
from swell.cli.values import Kind
from swell.errors import PlanError

STATES = ("running", "interrupted", "completed", "stopped", "threshold", "failed")

STATE = Option(
    name="state",
    kind=Kind("STATE", values.choice(*STATES)),
    default="",
    default_text="all",
    section=Section.RESULT,
    help=f"Runs in this state: {', '.join(STATES)}.",
)
TAG = Option(
    name="tag",
    kind=values.NAMES,
    metavar="A,B",
    default=(),
    default_text="all",
    section=Section.RESULT,
    help="Runs with all of these tags.",
)
NAME = Option(
    name="name", kind=values.TEXT, default="", default_text="all", section=Section.RESULT, help="Runs with this name."
)
SCRIPT = Option(
    name="script",
    kind=values.TEXT,
    default="",
    default_text="all",
    section=Section.RESULT,
    help="Runs of this script: its path, or the end of it.",
)
LIMIT = Option(
    name="limit", kind=values.COUNT, default=20, section=Section.RESULT, help="At most so many; 0 for all there are."
)
FROM = Option(
    name="from",
    kind=values.DURATION,
    default=0.0,
    default_text="the beginning",
    section=Section.RESULT,
    help="Show the run from here on only: 90s, 1m30s. Percentiles are exact for any stretch.",
)
TO = Option(
    name="to",
    kind=values.MAYBE_DURATION,
    default=None,
    default_text="the end",
    section=Section.RESULT,
    help="Show the run up to here only.",
)
REMOVE = Option(
    name="remove", kind=values.FLAG, default=False, section=Section.RESULT, help="Take the tags away instead."
)
OLDER_THAN = Option(
    name="older-than",
    kind=values.MAYBE_DURATION,
    default=None,
    default_text="of any age",
    section=Section.RESULT,
    help="Delete runs that began longer ago than this: 30d, 12h.",
)
KEEP = Option(
    name="keep",
    kind=values.MAYBE_COUNT,
    default=None,
    default_text="none",
    section=Section.RESULT,
    help="Keep so many of the latest.",
)
DRY_RUN = Option(
    name="dry-run", kind=values.FLAG, default=False, section=Section.RESULT, help="Only say what would be deleted."
)

OF_RUNS: tuple[Option[object], ...] = (STATE, TAG, NAME, SCRIPT, LIMIT, options.AS_JSON, options.STORE)
OF_RUNS_TAG: tuple[Option[object], ...] = (REMOVE, options.STORE)
OF_RUNS_CHANGE: tuple[Option[object], ...] = (options.STORE,)
OF_RUNS_PRUNE: tuple[Option[object], ...] = (OLDER_THAN, KEEP, TAG, DRY_RUN, options.STORE)
OF_SHOW: tuple[Option[object], ...] = (FROM, TO, options.AS_JSON, options.STORE)

BY_COMMAND: dict[str, tuple[Option[object], ...]] = {
    "swell runs": OF_RUNS,
    "swell runs tag": OF_RUNS_TAG,
    "swell runs prune": OF_RUNS_PRUNE,
    "swell show": OF_SHOW,
}


def settings_of(known: Sequence[Option[object]], parameters: dict[str, Any]) -> Settings:
    """What the command line says of a command's options; of the store also what variable and config file say. Raises
    PlanError with all that is wrong."""
    given = command_line_layer(known, parameters)
    store = [options.STORE]
    files, _ = settings.config_layers(options.ALL, Path.cwd(), "")
    layers: list[Layer] = [given, settings.environment_layer(store, os.environ), *map(_store_only, files)]
    resolved, problems = settings.resolve(known, layers)
    if problems:
        raise PlanError(problems)
    return resolved


def _store_only(layer: Layer) -> Layer:
    return {name: given for name, given in layer.items() if name == options.STORE.name}
