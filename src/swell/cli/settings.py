"""Where an option's value comes from: the command line, the environment, swell.toml, pyproject.toml, the script.

Each source becomes a layer: texts by option name, each with its place. The first layer that has an option wins, unless
what all of them have adds up. A value that does not parse is a problem of that place, and the option then counts as not
given, so that nothing is said twice.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from swell.cli.option import Option
from swell.cli.values import did_you_mean
from swell.errors import Problem
from swell.quantities import shown

PREFIX = "SWELL_"
T = TypeVar("T")
Layer = Mapping[str, "Given"]


@dataclasses.dataclass(frozen=True, slots=True)
class Given:
    """The text that was given for an option, and where: `--users`, `SWELL_USERS`, `swell.toml:3: users`."""

    text: str
    place: str


class Settings:
    """The values that hold for a command. Ask with the option itself: `settings[options.USERS]`."""

    def __init__(
        self,
        values: Mapping[str, object],
        places: Mapping[str, str],
        items: Mapping[str, Sequence[tuple[object, str]]] | None = None,
        ranks: Mapping[str, int] | None = None,
    ) -> None:
        self._values = values
        self._places = places
        self._items = items or {}
        self._ranks = ranks or {}

    def __repr__(self) -> str:
        return f"<Settings {', '.join(f'{name}={self._values[name]!r}' for name in self._places)}>"

    def __getitem__(self, option: Option[T]) -> T:
        value: T = self._values.get(option.name, option.default)  # type: ignore[assignment]
        return value

    def each(self, option: Option[tuple[T, ...]]) -> list[tuple[T, str]]:
        """The items of an option that adds up, each with its place, those of the strongest last."""
        return list(self._items.get(option.name, ()))  # type: ignore[arg-type]

    def is_given(self, option: Option[object]) -> bool:
        """Whether any source had it."""
        return option.name in self._places

    def rank(self, option: Option[object]) -> int:
        """The source that its value came from: 0 for the strongest, the command line; more for weaker ones."""
        return self._ranks.get(option.name, 0)

    def place(self, option: Option[object]) -> str:
        """Where its value came from; its flag, if nowhere."""
        return self._places.get(option.name, option.flag)

    def placed(self, problem: Problem) -> Problem:
        """The problem, with the place that the value came from where it names only a flag."""
        by_flag = {f"--{name}": place for name, place in self._places.items()}
        return dataclasses.replace(problem, where=by_flag.get(problem.where, problem.where))


def resolve(known: Iterable[Option[object]], layers: Sequence[Layer]) -> tuple[Settings, list[Problem]]:
    """The settings that the layers, strongest first, make up, and what in them does not parse."""
    values: dict[str, object] = {}
    places: dict[str, str] = {}
    items: dict[str, list[tuple[object, str]]] = {}
    ranks: dict[str, int] = {}
    problems = []
    for option in known:
        found = [layer[option.name] for layer in layers if option.name in layer]
        for given in reversed(found) if option.adds_up else found[:1]:
            try:
                value = option.kind.parse(given.text)
            except ValueError as fault:
                problems.append(Problem(str(fault), given.place))
                continue
            places[option.name] = given.place
            ranks[option.name] = next(rank for rank, layer in enumerate(layers) if layer.get(option.name) is given)
            if option.adds_up and isinstance(value, tuple):
                items.setdefault(option.name, []).extend((item, given.place) for item in value)
                value = tuple(item for item, _ in items[option.name])
            values[option.name] = value
    return Settings(values, places, items, ranks), problems


def environment_layer(known: Iterable[Option[object]], environment: Mapping[str, str]) -> dict[str, Given]:
    """What `SWELL_...` variables say. An empty one says nothing."""
    return {
        option.name: Given(environment[option.variable], option.variable)
        for option in known
        if environment.get(option.variable)
    }


def likely_slips(known: Iterable[Option[object]], environment: Mapping[str, str]) -> list[str]:
    """What is said of `SWELL_...` variables that are no option but look like one. Others may be anybody's."""
    endings = [option.variable.removeprefix(PREFIX) for option in known]
    others = (name for name in environment if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in endings)
    hints = ((name, did_you_mean(name.removeprefix(PREFIX), endings)) for name in others)
    return [
        f"the variable {name} is no option; {hint.replace('mean ', f'mean {PREFIX}')}" for name, hint in hints if hint
    ]


def config_layers(known: Sequence[Option[object]], folder: Path, named: str) -> tuple[list[Layer], list[Problem]]:
    """The layers of the config files: the one that is `named`, otherwise swell.toml and pyproject.toml in `folder`."""
    paths = [Path(named)] if named else [folder / name for name in ("swell.toml", "pyproject.toml")]
    layers: list[Layer] = []
    problems: list[Problem] = []
    for path in paths:
        if not named and not path.is_file():
            continue
        layer, faults = _config_layer(known, path)
        layers.append(layer)
        problems += faults
    return layers, problems


def table_layer(known: Sequence[Option[object]], table: Mapping[str, Any], place: str) -> tuple[Layer, list[Problem]]:
    """The layer that a table of a config file, or of a script, holds; `{key}` in `place` stands for the key."""
    by_key = {option.name: option for option in known if option.in_config}
    layer: dict[str, Given] = {}
    problems = []
    for key, value in table.items():
        name = str(key).replace("_", "-")
        where = place.replace("{key}", str(key))
        if name not in by_key:
            problems.append(Problem(f"unknown option {shown(key)}", where, did_you_mean(name, by_key)))
            continue
        if by_key[name].adds_up and value in ([], ()):
            continue
        try:
            layer[name] = Given(_text_of(by_key[name], value), where)
        except ValueError as fault:
            problems.append(Problem(str(fault), where))
    return layer, problems


def _config_layer(known: Sequence[Option[object]], path: Path) -> tuple[Layer, list[Problem]]:
    import tomllib

    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return {}, [Problem(f"cannot be read: {reason}", str(path))]
    heading = "tool.swell" if path.name == "pyproject.toml" else ""
    layer: dict[str, Given] = {}
    problems = []
    for key, value in _table(document, heading).items():
        one, faults = table_layer(known, {key: value}, f"{path.name}:{_line_of(text, heading, key)}: {{key}}")
        layer.update(one)
        problems += faults
    return layer, problems


def _table(document: Mapping[str, Any], heading: str) -> Mapping[str, Any]:
    """The table under a dotted heading; an empty one where there is none."""
    table: Any = document
    for part in filter(None, heading.split(".")):
        table = table.get(part) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}


def _line_of(text: str, heading: str, key: str) -> int:
    """The line where a key of a table stands, or the table's own; tomllib does not say."""
    current, table_line = "", 1
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
            current = found[1].replace('"', "").replace(" ", "")
            if current in (heading, f"{heading}.{key}".strip(".")):
                table_line = number
        elif current == heading and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*[.=]""", line):
            return number
    return table_line


def _text_of(option: Option[object], value: object) -> str:
    """A TOML or Python value as the text that the command line would have had."""
    if option.kind.is_list and isinstance(value, list | tuple | set | frozenset):
        return option.kind.joined([str(item) for item in value])
    if isinstance(value, bool) != option.kind.is_flag or not isinstance(value, str | int | float):
        wanted = "true or false" if option.kind.is_flag else "a text or a number"
        raise ValueError(f"{shown(value)} is not {wanted}")
    return str(value)
