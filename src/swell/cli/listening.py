"""Where a run listens for workers of other machines, and for whom: from settings to what the link needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swell.cli import options
from swell.cli.option import Option
from swell.cli.settings import Settings
from swell.errors import LinkError, PlanError, Problem

if TYPE_CHECKING:  # a run without other machines does not wait for these to be imported
    from swell.cluster.address import Address
    from swell.cluster.fetch_state import Archive
    from swell.cluster.key import ClusterKey
    from swell.script.loader import LoadedScript

OF_LISTENING: tuple[Option[Any], ...] = (options.EXPECT_WORKERS, options.EXPECT_TIMEOUT, options.KEY)
KEY_HINT = "`swell keygen FILE` makes one; give it with --key here and on each machine"


@dataclasses.dataclass(frozen=True, slots=True)
class Listening:
    """Where workers of other machines find a run. `key`: None only where no other machine can reach it."""

    address: Address
    key: ClusterKey | None = None
    key_path: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Opening:
    """How workers of other machines get into a run, and what they get to run."""

    listening: Listening
    archive: Archive


def wanted(settings: Settings) -> tuple[Listening | None, list[Problem]]:
    """What the settings ask for, and why that cannot be."""
    if not settings[options.LISTEN]:
        return None, list(_contradictions(settings))
    from swell.cluster.address import is_loopback, parse_address, resolve

    problems: list[Problem] = []
    key = read_wanted_key(settings, problems)
    try:
        address = parse_address(settings[options.LISTEN], options.LISTEN.flag, to_listen=True)
        if not settings[options.KEY] and not all(map(is_loopback, resolve(address))):
            what = f"others can reach {address}, and without a key any of them could join the run"
            problems.append(Problem(what, options.LISTEN.flag, KEY_HINT))
    except PlanError as error:
        return None, [*problems, *error.problems]
    except LinkError as error:
        return None, [*problems, Problem(str(error), options.LISTEN.flag)]
    return Listening(address, key, settings[options.KEY]), problems


def read_wanted_key(settings: Settings, problems: list[Problem]) -> ClusterKey | None:
    """The key that is given; what is wrong with it is added to the problems."""
    path = settings[options.KEY]
    if not path:
        return None
    from swell.cluster.key import read_key

    try:
        return read_key(Path(path))
    except PlanError as error:
        problems += error.problems
        return None


def opening(listening: Listening, script: LoadedScript) -> tuple[Opening, tuple[str, ...]]:
    """How workers get in, with the script's archive, and what should be said of that. Raises PlanError."""
    from swell.cluster.archive import ArchivedFile, pack

    found = script.travelling()
    archive = pack([ArchivedFile(name, path) for name, path in found.files.items()], found.script)
    return Opening(listening, archive), found.notices


def _contradictions(settings: Settings) -> Iterator[Problem]:
    """What says something of other machines where none can come. A config file may: it serves several runs."""
    for option in OF_LISTENING:
        if settings.is_given(option) and settings.rank(option) == 0:
            yield Problem("no other machine can join this run", option.flag, "give --listen HOST:PORT too")
