"""Loads a script: its user classes, its options, its @setup, or else everything that is wrong with it."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from swell.errors import PlanError, Problem, ScriptError
from swell.feed_plan import FeedPlan, RowSource, RowSupply
from swell.plan import Scenario
from swell.script.declarations import declarations
from swell.script.environment import Environment
from swell.script.factory import ClassFactory
from swell.script.faults import class_faults
from swell.script.feed import Feed
from swell.script.importing import closest, import_script
from swell.script.row_sources import FileSource
from swell.script.setup import is_setup, run_setup
from swell.script.shape import LoadTestShape
from swell.script.tag_filter import filtered, tags_within
from swell.script.user import User
from swell.user import UserFactory

if TYPE_CHECKING:
    from swell.script.archive import Travelling
    from swell.script.loads import LoadsRead


@dataclasses.dataclass(frozen=True, slots=True)
class LoadedScript:
    """A script that can run. `classes` and `scenarios` are in the order written, and of the same length."""

    path: str
    module: ModuleType
    classes: tuple[type[User], ...]
    scenarios: tuple[Scenario, ...]
    tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    setup_function: Callable[..., Any] | None = None
    feeds: tuple[Feed, ...] = ()
    shape: type[LoadTestShape] | None = None
    """What says over time how many users there are, unless the command line does."""
    files_declared: tuple[str, ...] = ()
    """What `files()` was given."""
    files_opened: frozenset[Path] = frozenset()
    """Files that were opened while it was loaded, where that was watched."""

    def environment(self, *, host: str = "", parsed_options: argparse.Namespace | None = None) -> Environment:
        """What the script finds around it in this process."""
        return Environment(
            host=host,
            parsed_options=parsed_options,
            user_classes=self.classes,
            tags=self.tags,
            exclude_tags=self.exclude_tags,
        )

    def run_setup(self, environment: Environment | None = None) -> object:
        """What the script's @setup returns, as users will see it; {} without one. Raises ScriptError."""
        if self.setup_function is None:
            return {}
        return run_setup(self.setup_function, environment or self.environment())

    def open_feeds(self) -> list[Problem]:
        """Open what the feeds read, in the process that hands out their rows; says what is wrong with it."""
        folder = Path(self.path).resolve().parent
        return [problem for feed in self.feeds for problem in feed.open(folder)]

    def feed_plans(self) -> tuple[FeedPlan, ...]:
        """The feeds that are open, for the plan."""
        return tuple(feed.plan() for feed in self.feeds if feed.source is not None)

    @property
    def row_sources(self) -> tuple[RowSource, ...]:
        """What the feeds read, in the order of their plans."""
        return tuple(feed.source for feed in self.feeds if feed.source is not None)

    @property
    def files_read(self) -> tuple[Path, ...]:
        """The files that the feeds read."""
        return tuple(feed.source.path for feed in self.feeds if isinstance(feed.source, FileSource))

    def file_problems(self) -> list[Problem]:
        """What is wrong with the files that it declares."""
        from swell.script.archive import declared_files

        here = Path.cwd()
        return [problem for each in self.files_declared for problem in declared_files(self.path, each, here)[1]]

    def secret_problems(self) -> list[Problem]:
        """Which secrets it asks for, anywhere in its code, that are missing."""
        from swell.script.secrets_asked import secret_problems

        return secret_problems(self.path)

    def travelling(self) -> Travelling:
        """What has to be on another machine to load it there. Raises PlanError if something of it cannot travel."""
        from swell.script.archive import travelling

        return travelling(self.path, self.files_declared, self.files_opened, Path.cwd())

    def bind_feeds(self, plans: Sequence[FeedPlan], supplies: Sequence[RowSupply]) -> None:
        """Have users of this process get their rows from these supplies. Raises ScriptError if they do not fit."""
        names = [feed.name for feed in self.feeds]
        if names != [plan.name for plan in plans]:
            what = f"declares the feeds {_listed(names) or '(none)'} here, but others in the controller"
            raise ScriptError(Problem(what, self.path, "call feed() in the same way wherever the script is loaded"))
        for feed, supply in zip(self.feeds, supplies, strict=True):
            feed.bind(supply)

    def read_loads(self) -> LoadsRead:
        """The loads of the classes, with the logs that they name read: for the process that makes the plan."""
        from swell.script.loads import read_loads

        return read_loads(self.classes, Path(self.path).resolve().parent)

    def having_loads(self) -> list[str]:
        """The names of the classes that have a load of their own."""
        from swell.script.loads import load_of

        return [cls.__name__ for cls in self.classes if load_of(cls) is not None]

    def factory(self, environment: Environment) -> UserFactory:
        """Makes users of this script."""
        return ClassFactory(self.classes, environment)


def load(
    path: str,
    *,
    class_names: Sequence[str] = (),
    tags: Sequence[str] = (),
    exclude_tags: Sequence[str] = (),
    travelled: bool = False,
) -> LoadedScript:
    """Load a script with those of its user classes that are named, or all, and of their tasks those the tags choose.

    `travelled`: it came here from another machine. Call it once a process: a second time runs the script again, and its
    listeners are added again. Raises ScriptError if it cannot be run at all, and PlanError with all that is wrong with
    it otherwise.
    """
    module = import_script(path, travelled=travelled)
    return choose(path, module, class_names=class_names, tags=tags, exclude_tags=exclude_tags)


def choose(
    path: str,
    module: ModuleType,
    *,
    class_names: Sequence[str] = (),
    tags: Sequence[str] = (),
    exclude_tags: Sequence[str] = (),
) -> LoadedScript:
    """The second half of `load`, for whoever asks the imported script for its options in between. Raises PlanError."""
    feeds, files_declared = declarations.end()
    found = _user_classes(module)
    chosen, problems = _chosen(path, found, class_names)
    setups = list({id(value): value for value in vars(module).values() if is_setup(value)}.values())
    if len(setups) > 1:
        names = " and ".join(f"{function.__name__}()" for function in setups)
        problems.append(Problem(f"more than one function has @setup: {names}", path, "call the others from one"))
    shape, faults = _shape(path, module)
    problems += faults
    for cls in chosen:
        problems += class_faults(cls)
    if not problems:
        chosen, problems = _with_tags(chosen, tags, exclude_tags)
    if problems:
        raise PlanError(problems)
    return LoadedScript(
        path=path,
        module=module,
        classes=tuple(chosen),
        scenarios=tuple(map(_scenario, chosen)),
        tags=tuple(tags),
        exclude_tags=tuple(exclude_tags),
        setup_function=setups[0] if setups else None,
        feeds=feeds,
        shape=shape,
        files_declared=files_declared,
    )


def _user_classes(module: ModuleType) -> list[type[User]]:
    """Every user class in the script's names that is not abstract; one from elsewhere only if it has tasks."""
    found: dict[type[User], None] = {}
    for value in vars(module).values():
        if not isinstance(value, type) or not issubclass(value, User) or value.abstract:
            continue
        if value.__module__ == module.__name__ or value.tasks:
            found[value] = None
    return list(found)


def _shape(path: str, module: ModuleType) -> tuple[type[LoadTestShape] | None, list[Problem]]:
    """The one shape in the script's names that is not abstract, if there is one."""
    values = dict.fromkeys(value for value in vars(module).values() if isinstance(value, type))
    found = [cls for cls in values if issubclass(cls, LoadTestShape) and not cls.abstract]
    if len(found) > 1:
        names = " and ".join(cls.__name__ for cls in found)
        hint = "keep one; a class with `abstract = True` does not count"
        return None, [Problem(f"more than one LoadTestShape: {names}", path, hint)]
    if found and found[0].tick is LoadTestShape.tick:
        hint = "write `def tick(self)`: it returns (users, rate per second), or None to end the run"
        return None, [Problem("has no tick()", found[0].__name__, hint)]
    return (found[0] if found else None), []


def _chosen(
    path: str, found: Sequence[type[User]], class_names: Sequence[str]
) -> tuple[list[type[User]], list[Problem]]:
    by_name = {cls.__name__: cls for cls in found}
    if not found:
        hint = "write a class that is a subclass of HttpUser or User; one with `abstract = True` does not count"
        return [], [Problem("no user class in it", path, hint)]
    twice = {cls.__name__ for cls in found if by_name[cls.__name__] is not cls}
    problems = [Problem(f"two user classes are called {name}", path, "rename one") for name in sorted(twice)]
    wanted = tuple(dict.fromkeys(class_names)) or tuple(by_name)
    for name in wanted:
        if name not in by_name:
            hint = closest(name, list(by_name)) or f"it has {_listed(by_name)}"
            problems.append(Problem(f"{path} has no user class {name}", name, hint))
    return [by_name[name] for name in by_name if name in wanted], problems


def _with_tags(
    classes: Sequence[type[User]], tags: Sequence[str], exclude_tags: Sequence[str]
) -> tuple[list[type[User]], list[Problem]]:
    """The classes with the tasks that are left; classes without any are left out."""
    if not tags and not exclude_tags:
        return list(classes), []
    known = sorted({name for cls in classes for name in tags_within(cls)})
    all_known = f"tags are {_listed(known)}" if known else "the script has no @tag"
    problems = [
        Problem(f"no task has the tag {name!r}", option, closest(name, known) or all_known)
        for option, names in (("--tags", tags), ("--exclude-tags", exclude_tags))
        for name in dict.fromkeys(names)
        if name not in known
    ]
    kept = [copy for cls in classes if (copy := filtered(cls, frozenset(tags), frozenset(exclude_tags))) is not None]
    if not kept and not problems:
        problems.append(Problem("no task is left", "--exclude-tags" if exclude_tags else "--tags"))
    return kept, problems


def _scenario(cls: type[User]) -> Scenario:
    return Scenario(
        name=cls.__name__,
        weight=float(cls.weight),
        fixed_count=cls.fixed_count,
        host=cls.host or "",
        needs_host=cls._needs_host,
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
