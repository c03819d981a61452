"""The archive of a script that has been loaded: what travels with it, packed, for the workers on other machines."""

from __future__ import annotations

from swell.cluster.archive import ArchivedFile, pack
from swell.cluster.fetch_state import Archive
from swell.script.loader import LoadedScript


def archive_of(script: LoadedScript) -> tuple[Archive, tuple[str, ...]]:
    """The archive, and notices of what will be missing on other machines. Raises PlanError if something cannot
    travel, or it is too much."""
    found = script.travelling()
    return pack((ArchivedFile(name, path) for name, path in found.files.items()), found.script), found.notices
