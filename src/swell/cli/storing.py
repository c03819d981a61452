"""Where a run is stored: the file that the settings name, or `.swell/runs.db` in this folder."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import swell
from swell.cli import options
from swell.cli.checks import output_problems
from swell.cli.machine import boot
from swell.cli.settings import Settings
from swell.errors import PlanError, Problem
from swell.plan import RunPlan

if TYPE_CHECKING:
    from swell.store.scribe import Scribe

FOLDER = Path(".swell")
DEFAULT = FOLDER / "runs.db"
IGNORE_ALL = "*\n"
SCRIPT_BYTES_KEPT = 1 << 20
LONGEST_LABEL = 100


@dataclasses.dataclass(frozen=True, slots=True)
class Keeping:
    """That a run is to be stored, and what it is called there."""

    path: Path
    is_default: bool = False
    name: str = ""
    tags: tuple[str, ...] = ()

    def command_to_show(self, run: str) -> str:
        """What shows the run again."""
        return f"swell show {run}" + ("" if self.is_default else f" --store {shlex.quote(str(self.path))}")


def store_path(settings: Settings) -> Path:
    """The store that a command is about."""
    return Path(settings[options.STORE]) if settings[options.STORE] else DEFAULT


def wanted(settings: Settings) -> Keeping | None:
    """Where a run is to be stored; None: nowhere."""
    if settings[options.NO_STORE]:
        return None
    name, tags = settings[options.RUN_NAME], settings[options.RUN_TAG]
    return Keeping(store_path(settings), not settings[options.STORE], name, tags)


def problems(keeping: Keeping | None) -> list[Problem]:
    """Why a run cannot be stored there, as far as that shows before it. A default place that cannot be written is none:
    it is said when the run begins."""
    if keeping is None:
        return []
    found = label_problems(options.RUN_NAME.flag, keeping.name)
    found += [fault for tag in keeping.tags for fault in label_problems(options.RUN_TAG.flag, tag)]
    if not os.path.exists(keeping.path):  # which a path that is too long for a file does not either
        return found if keeping.is_default else [*found, *output_problems(options.STORE.flag, str(keeping.path))]
    from swell.store.database import CannotWrite, open_to_write

    try:
        open_to_write(keeping.path).close()
    except CannotWrite as error:
        return found if keeping.is_default else [*found, *error.problems]
    except PlanError as error:
        return [*found, *error.problems]
    return found


def contradictions(settings: Settings) -> list[Problem]:
    """Whether the same source says that the run is to be stored, and that it is not."""
    both = settings[options.NO_STORE] and settings.is_given(options.STORE)
    if not both or settings.rank(options.STORE) != settings.rank(options.NO_STORE):
        return []
    return [Problem(f"cannot be given with {settings.place(options.STORE)}", options.NO_STORE.flag, "leave one out")]


def kept_files(path: Path) -> dict[str, str]:
    """The files of a store, which nothing else may be written to."""
    return {f"{path}{ending}": "the store" for ending in ("", "-wal", "-shm")}


def label_problems(place: str, label: str) -> list[Problem]:
    """What is wrong with the name or a tag of a run."""
    if len(label) > LONGEST_LABEL:
        return [Problem(f"is {len(label):,} characters long", place, f"at most {LONGEST_LABEL}")]
    if label and (not label.isprintable() or label != label.strip()):
        return [Problem(f"{label!r} has characters that cannot be seen", place)]
    return [Problem("'latest' always means the run that began last", place)] if label == "latest" else []


def open_scribe(
    keeping: Keeping, run: str, plan: RunPlan, workplace: Path, say: Callable[[str], None]
) -> Scribe | None:
    """Who stores the run, whose workers here have their files in `workplace`; None, after a notice, where the default
    place cannot be written. Raises PlanError."""
    from swell.store.database import CannotWrite
    from swell.store.scribe import Scribe
    from swell.store.writer import Heading, RunWriter

    script = _script_text(plan)
    heading = Heading(
        run=run,
        swell=swell.__version__,
        name=keeping.name,
        tags=keeping.tags,
        target=plan.target,
        script_text=script if len(script) <= SCRIPT_BYTES_KEPT else b"",
        script_sha256=hashlib.sha256(script).hexdigest(),
        boot=boot(),
        workplace=str(workplace),
    )
    try:
        if keeping.is_default:
            _make_folder()
        return Scribe(RunWriter(keeping.path, heading), say)
    except (CannotWrite, OSError) as error:
        if not keeping.is_default:
            raise
        fault = error.problems[0].what if isinstance(error, CannotWrite) else error.strerror
        print(f"swell: notice: the run is not stored: {keeping.path}: {fault}", file=sys.stderr)
        return None


def _make_folder() -> None:
    """The default folder, which no version control is to pick up."""
    FOLDER.mkdir(exist_ok=True)
    ignore = FOLDER / ".gitignore"
    if not ignore.exists():
        ignore.write_text(IGNORE_ALL)


def _script_text(plan: RunPlan) -> bytes:
    try:
        return Path(plan.script).read_bytes()
    except OSError:  # it was read a moment ago
        return b""
