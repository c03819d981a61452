"""The fixture `swell`: `swell(SCRIPT, "-u", "10", ...)` starts a run in a folder of its own; all end with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import SwellRun


@pytest.fixture
def swell(tmp_path: Path) -> Iterator[Callable[..., SwellRun]]:
    started: list[SwellRun] = []

    def start(script: str, *options: str, **more: Any) -> SwellRun:
        folder = tmp_path / f"run-{len(started)}"
        folder.mkdir()
        started.append(SwellRun(folder, script, *options, **more))
        return started[-1]

    yield start
    for run in started:
        run.kill()
