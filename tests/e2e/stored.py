"""The commands about stored runs, as a user calls them, in the folder of a run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e.command import SWELL


def swell_in(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`swell WORDS`, ended."""
    return subprocess.run([str(SWELL), *words], cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def runs_in(folder: Path, *words: str) -> list[dict[str, Any]]:
    """`swell runs --json`."""
    ended = swell_in(folder, "runs", "--json", *words)
    assert ended.returncode == 0, ended.stderr
    found: list[dict[str, Any]] = json.loads(ended.stdout)
    return found


def document_in(folder: Path, run: str = "latest", *words: str) -> dict[str, Any]:
    """`swell show RUN --json`."""
    ended = swell_in(folder, "show", run, "--json", *words)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found
