"""Finds what travels with a script to other machines: what lies in its folder and it imports, names, opens or declares.

Found are modules that its imports name, wherever in the code they stand, and those that loading it here has loaded; of
a package, a folder with `__init__.py`, everything; files whose path stands in the code as a text, relative to the
file, the script or the working directory; files that loading the script has opened; and those that `files()` declares.
Nothing outside the script's folder travels, also not by way of a link.

Paths in the archive are relative to the working directory if the script is below it, so that a relative path means
there what it means here; otherwise to the script's folder.
"""

from __future__ import annotations

import dataclasses
import glob
import importlib.machinery
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

import swell
from swell.errors import PlanError, Problem
from swell.script.importing import closest
from swell.script.source import Import, read_source

SUFFIXES = tuple(suffix for suffix in importlib.machinery.all_suffixes() if suffix != ".pyc")
INSTALLED = {"site-packages", "dist-packages", "__pycache__"}
NOT_OURS = tuple(
    {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    | {Path(swell.__file__).resolve().parent}
)
KNOWN_EVERYWHERE = {*sys.stdlib_module_names, "swell"}
REMEDY = "put it into the script's folder"


@dataclasses.dataclass(frozen=True, slots=True)
class Travelling:
    """What travels with a script."""

    files: dict[str, Path]
    """By their paths in the archive."""
    script: str
    """The script's own path there."""
    notices: tuple[str, ...] = ()


def travelling(script: str, declared: Iterable[str], opened: Iterable[Path], working_directory: Path) -> Travelling:
    """What travels with the script at this path, which has been loaded. Raises PlanError if something cannot."""
    finder = _Finder(script, working_directory)
    finder.take_script()
    for paths, problems in (declared_files(script, pattern, working_directory) for pattern in declared):
        finder.problems += problems
        for path in paths:
            finder.take_all(path)
    finder.take_loaded()
    for path in opened:
        finder.take_file(path)
    finder.read_all()
    if finder.problems:
        raise PlanError(list(dict.fromkeys(finder.problems)))
    return finder.travelling()


def declared_files(script: str, pattern: str, working_directory: Path) -> tuple[list[Path], list[Problem]]:
    """The files and folders that `files(pattern)` stands for in a script, and what is wrong with it."""
    folder = Path(script).resolve().parent
    where = f'{Path(script).name}: files("{pattern}")'
    for place in dict.fromkeys((folder, working_directory)):
        found = sorted({_normal(place / name) for name in _matches(pattern, place)})
        outside = [path for path in found if not path.is_relative_to(folder)]
        if outside:
            what = f"{outside[0]} lies outside the script's folder, {folder}, and only what is in it travels"
            return [], [Problem(what, where, REMEDY)]
        if found:
            return found, []
    beside = folder / pattern
    siblings = [child.name for child in beside.parent.glob("*")] if os.path.isdir(beside.parent) else []
    return [], [Problem(f"no such file in {folder}", where, closest(beside.name, siblings))]


def loaded_from(folder: Path) -> list[Path]:
    """The files of modules that have been loaded from a script's folder."""
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    paths = (_normal(Path(file)) for file in files if isinstance(file, str))
    return [path for path in paths if _is_own(path, folder) and os.path.isfile(path)]


class _Finder:
    """Collects what travels with one script."""

    def __init__(self, script: str, working_directory: Path) -> None:
        self.problems: list[Problem] = []
        self._script = Path(script).resolve()
        self._folder = self._script.parent
        self._working_directory = working_directory.resolve()
        below = self._folder.is_relative_to(self._working_directory)
        self._root = self._working_directory if below else self._folder
        entries = (_normal(self._working_directory / entry) for entry in sys.path)
        self._roots = list(dict.fromkeys([self._folder, *filter(self._is_ours, entries)]))
        self._found: dict[Path, None] = {}
        self._unread: list[Path] = []
        self._folders_named: dict[Path, Path] = {}
        """And by which file."""
        self._notices: dict[str, None] = {}

    def travelling(self) -> Travelling:
        files = {self._name(path): path for path in sorted(self._found)}
        return Travelling(files, self._name(self._script), tuple(self._notices))

    # --- where to look -----------------------------------------------------------------------------------------------

    def take_script(self) -> None:
        self._take(self._script, needed=True)

    def take_loaded(self) -> None:
        """What loading the script has loaded from its folder."""
        for file in loaded_from(self._folder):
            self._take_module(file)

    def take_file(self, path: Path) -> None:
        """A file that the script has opened, or may."""
        path = _normal(path)
        if not path.is_relative_to(self._folder):
            path = path.resolve()
        if self._is_ours(path) and path.suffix != ".pyc" and os.path.isfile(path):
            self._take(path)

    def take_all(self, path: Path) -> None:
        """A file, or all in a folder that is not hidden."""
        try:
            files = [file for file in _files_in(path, set()) if self._is_ours(file)]
        except OSError as error:
            self.problems.append(Problem(f"cannot be read: {error.strerror}", error.filename, "it would travel"))
            return
        for file in files:
            self._take(file, needed=True)

    def read_all(self) -> None:
        """What Python files that have been found name themselves."""
        while self._unread:
            file = self._unread.pop()
            try:
                source = read_source(file.read_bytes())
            except OSError:  # whoever packs it says so
                continue
            for found in source.imports:
                self._take_import(found, file)
            for text in source.paths:
                for place in dict.fromkeys((file.parent, self._folder, self._working_directory)):
                    self._take_named(os.path.join(place, text), file)
        for folder, file in self._folders_named.items():
            self._note_folder(folder, file)

    def _take_named(self, path: str, file: Path) -> None:
        """What a text in a file may stand for."""
        if os.path.isfile(path):
            self.take_file(Path(path))
        elif os.path.isdir(path):
            self._folders_named.setdefault(_normal(Path(path)), file)

    # --- what is there -----------------------------------------------------------------------------------------------

    def _take(self, path: Path, *, needed: bool = False) -> None:
        if path in self._found:
            return
        real = path.resolve()
        if not real.is_relative_to(self._folder):
            what = f"leads to {real}, outside the script's folder, and only what is in it travels"
            if needed:
                self.problems.append(Problem(what, self._name(path), REMEDY))
            else:
                self._notices[f"{self._name(path)} {what}"] = None
            return
        self._found[path] = None
        if path.suffix == ".py":
            self._unread.append(path)

    def _take_module(self, file: Path) -> None:
        """With all of the outermost package that it is in."""
        package = None
        for parent in file.parents:
            if parent == self._folder or not os.path.isfile(parent / "__init__.py"):
                break
            package = parent
        self.take_all(package or file)

    def _take_import(self, found: Import, file: Path) -> None:
        parts = found.module.split(".") if found.module else []
        if found.level:
            base = file.parent
            for _ in range(found.level - 1):
                base = base.parent
            places = [base] if base.is_relative_to(self._folder) else []
        elif parts[0] in KNOWN_EVERYWHERE:
            return
        else:
            places = self._roots
        wanted = [parts, *([*parts, name] for name in found.names)]
        is_here = [self._resolve(place, each) for place in places for each in wanted if each]
        if not any(is_here) and not found.level:
            self._note_elsewhere(parts[0], file)

    def _resolve(self, place: Path, parts: list[str]) -> bool:
        for part in parts:
            for file in (place / part / "__init__.py", *(place / f"{part}{suffix}" for suffix in SUFFIXES)):
                if os.path.isfile(file):
                    self._take_module(file)
                    return True
            place = place / part
            if not os.path.isdir(place):
                return False
        return True

    def _note_folder(self, folder: Path, file: Path) -> None:
        """A word may be the name of a folder by chance, so its files are not taken."""
        is_within = folder != self._folder and self._is_ours(folder)
        if is_within and not any(found.is_relative_to(folder) for found in self._found):
            name = folder.relative_to(self._folder)
            what = f"{self._name(file)} has the name of the folder {name} in it, which does not travel"
            self._notices[f"{what} unless files({str(name)!r}) says so"] = None

    def _note_elsewhere(self, name: str, file: Path) -> None:
        """Installed packages are expected on the other machines; what only a path leads to may be forgotten."""
        module = sys.modules.get(name)
        places = [getattr(module, "__file__", None), *getattr(module, "__path__", [])]
        place = next((Path(each) for each in places if isinstance(each, str)), None)
        if place is not None and not _is_installed(place):
            where = f"{place.parent if place.name == '__init__.py' else place}"
            what = f"{self._name(file)} imports {name} from {where}, outside the script's folder"
            self._notices[f"{what}: it does not travel, other machines need it installed"] = None

    def _is_ours(self, path: Path) -> bool:
        return _is_own(path, self._folder)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()


def _is_own(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder) and not _is_installed(path, folder)


def _is_installed(path: Path, folder: Path | None = None) -> bool:
    """Whether a path is one of Python, of an installed package or of swell; `folder`: as seen from within this one."""
    parts = path.relative_to(folder).parts if folder is not None else path.parts
    places = (place for place in NOT_OURS if folder is None or place.is_relative_to(folder))
    return bool(INSTALLED & set(parts)) or any(path.is_relative_to(place) for place in places)


def _files_in(path: Path, seen: set[Path]) -> Iterator[Path]:
    """The file, or all files in a folder that is not hidden; links to folders are followed, each folder once."""
    if os.path.isfile(path):
        yield path
    elif os.path.isdir(path) and (real := path.resolve()) not in seen:
        seen.add(real)
        for child in sorted(path.iterdir()):
            if not child.name.startswith(".") and child.suffix != ".pyc":
                yield from _files_in(child, seen)


def _matches(pattern: str, folder: Path) -> list[str]:
    if os.path.lexists(folder / pattern):
        return [pattern]
    return glob.glob(pattern, root_dir=folder, recursive=True)


def _normal(path: Path) -> Path:
    return Path(os.path.normpath(path))
