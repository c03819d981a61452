"""Finds the data files that a script names: beside the script, or else in the working directory."""

from __future__ import annotations

import os
from pathlib import Path

from swell.script.importing import closest


class NoSuchFile(Exception):
    """It is in neither place. The text says where it was looked for; `hint` names a file that is there."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.hint = hint


def find_file(path: str, folder: Path) -> Path:
    """The file that a script in `folder` calls `path`. Raises NoSuchFile."""
    beside = folder / path
    for file in (beside, Path(path)):
        if os.path.lexists(file):
            return file
    siblings = [child.name for child in beside.parent.glob("*")] if beside.parent.is_dir() else []
    places = f" in {folder}" + ("" if folder == Path.cwd() else f" or {Path.cwd()}")
    raise NoSuchFile("no such file" + ("" if Path(path).is_absolute() else places), closest(beside.name, siblings))
