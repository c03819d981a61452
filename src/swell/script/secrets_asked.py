"""Which secrets a script asks for, also where its users will: found in its code before the run begins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from swell.errors import Problem
from swell.script.archive import loaded_from
from swell.script.secrets import SecretMissing, secrets
from swell.script.source import SecretAsked, read_source


def secret_problems(script: str) -> list[Problem]:
    """Look up all secrets that a loaded script, and modules that it has loaded from its folder, name; says which are
    missing."""
    found = []
    for file, asked in _asked(Path(script).resolve()):
        try:
            secrets.value(asked.name)
        except SecretMissing as missing:
            found.append(Problem(str(missing), f"{file.name}:{asked.line}"))
    return found


def _asked(script: Path) -> Iterator[tuple[Path, SecretAsked]]:
    for file in dict.fromkeys((script, *loaded_from(script.parent))):
        if file.suffix != ".py":
            continue
        try:
            content = file.read_bytes()
        except OSError:  # it was read a moment ago
            continue
        if b"secret" in content:
            yield from ((file, asked) for asked in read_source(content).secrets)
