"""Sorts a command line into the parts that belong to swell, to the script, and to nobody.

A script may declare options of its own, so the command line can be understood only when the script has been loaded, and
the script is found by the command line. Hence two passes over the same words: `script_among` finds the script while
some options are still unknown; `split` then knows them all. Both are pure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from swell.cli.values import did_you_mean
from swell.errors import Problem

ONE, OPTIONAL, MANY = 1, -1, -2
"""How many words follow an option: a number, at most one, or all up to the next option."""


@dataclasses.dataclass(slots=True)
class Split:
    """The words of a command line by owner, each list in the order given. Nothing in `ours` lacks its value."""

    ours: list[str] = dataclasses.field(default_factory=list)
    script: list[list[str]] = dataclasses.field(default_factory=list)
    """Each option of the script with its values."""
    loose: list[str] = dataclasses.field(default_factory=list)
    """Words that are neither an option nor its value: the script's path and class names. They are in `ours` as well."""
    after_unknown: list[str] = dataclasses.field(default_factory=list)
    """Words right behind an option that nobody knows: its values, or loose ones. In neither other list."""
    problems: list[Problem] = dataclasses.field(default_factory=list)


def split(words: Sequence[str], ours: Mapping[str, int], theirs: Mapping[str, int]) -> Split:
    """Sort the words. `ours` and `theirs` say how many values each option takes; the script's come first."""
    found = Split()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            found.loose += rest
            found.ours += ["--", *rest]
            break
        if not _is_option(word):
            found.loose.append(word)
            found.ours.append(word)
            continue
        _sort_option(word, rest, ours, theirs, found)
    return found


def script_among(found: Split, exists: Callable[[str], bool]) -> str:
    """The word that names the script; '' if none can. Words behind unknown options count only if they look like one."""
    likely = [word for word in found.after_unknown if word.endswith(".py") or exists(word)]
    return (found.loose or likely or [""])[0]


def _sort_option(word: str, rest: list[str], ours: Mapping[str, int], theirs: Mapping[str, int], found: Split) -> None:
    name = word.partition("=")[0] if word.startswith("--") else word
    if name not in theirs and not word.startswith("--"):
        name = word[:2]
    known = theirs if name in theirs else ours
    if name not in known:
        _note_unknown(name, word, rest, {**ours, **theirs}, found)
        return
    if word != name and not word.startswith("--") and known[name] == 0:  # flags in one word: -qu 5
        rest.insert(0, "-" + word[2:])
        word = name
    wanted, has_own = known[name], word != name
    if has_own and wanted == 0:
        found.problems.append(Problem("takes no value", name))
        return
    taken = [word, *_take(0 if has_own else _count_behind(wanted, rest), rest)]
    if not has_own and len(taken) <= wanted:
        found.problems.append(Problem("a value is missing behind it", name))
    elif known is theirs:
        found.script.append(taken)
    else:
        found.ours += taken


def _count_behind(wanted: int, rest: Sequence[str]) -> int:
    """How many of the words in `rest` are values of an option that wants so many."""
    if wanted >= 0:
        return min(wanted, len(rest))
    until_option = next((index for index, word in enumerate(rest) if _is_option(word)), len(rest))
    return min(1, until_option) if wanted == OPTIONAL else until_option


def _note_unknown(name: str, word: str, rest: list[str], known: Mapping[str, int], found: Split) -> None:
    """Say what was probably meant. Its values are taken to be as many as that option has, or else one."""
    hint = did_you_mean(name, [other for other in known if other.startswith("--")] if name.startswith("--") else ())
    found.problems.append(Problem("no such option", name, hint))
    meant = hint.removeprefix("did you mean ").removesuffix("?")
    count = 0 if "=" in word else min(abs(known.get(meant, ONE)), 1)
    if rest and not _is_option(rest[0]):
        found.after_unknown += _take(count, rest)


def _take(count: int, rest: list[str]) -> list[str]:
    taken = rest[:count]
    del rest[:count]
    return taken


def _is_option(word: str) -> bool:
    """`-5` and `-.5` are numbers, `-` is standard input or output."""
    return len(word) > 1 and word[0] == "-" and not (word[1].isdigit() or word[1] == ".")
